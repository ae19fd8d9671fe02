import numpy as np
import pytest

from tfgan.forms.music.pieces import REST, Note, piece_of, transposed
from tfgan.forms.music.theory import Key, Metre, key, metre, to_common_key

# Of Bach's, in the keys and metres of their editions.
CHORALES = {
    'bwv66.6': (Key(6, 'minor'), Metre(16, 4)),
    'bwv269': (Key(7, 'major'), Metre(12, 4)),
    'bwv253': (Key(9, 'major'), Metre(16, 4)),
    'bwv255': (Key(0, 'major'), Metre(16, 4)),
    'bwv270': (Key(11, 'minor'), Metre(16, 4)),
    'bwv5.7': (Key(7, 'minor'), Metre(16, 4)),
    'bwv405': (Key(2, 'minor'), Metre(16, 0)),
    'bwv159.5': (Key(3, 'major'), Metre(16, 0)),
    'bwv57.8': (Key(10, 'major'), Metre(12, 0)),
}


def melody(*lengths, pitches=(60,)):
    """One voice of notes of such lengths, one after the other, whose pitches go round."""
    starts = np.cumsum([0, *lengths])
    notes = [
        Note(0, int(start), length, pitches[i % len(pitches)])
        for i, (start, length) in enumerate(zip(starts, lengths))
    ]
    return piece_of(notes, int(starts[-1]), 1)


def cadence(third, last_third=None):
    """I, IV, V and I on C, whose thirds are so many semitones."""
    one = [72, 67, 60 + third, 48]
    four, five = [72, 69 + third - 4, 65, 53], [71, 67, 62, 43]
    last = [72, 67, 60 + (last_third or third), 48]
    return np.repeat([one, one, four, five, last], 4, axis=0)


@pytest.mark.parametrize('tonic', range(12))
def test_a_key_moves_with_its_piece(tonic):
    assert key(transposed(cadence(4), tonic)) == Key(tonic, 'major')
    assert key(transposed(cadence(3), tonic - 12)) == Key(tonic, 'minor')
    assert key(transposed(cadence(3, last_third=4), tonic)) == Key(tonic, 'minor')


def test_of_keys_with_the_same_notes_it_is_the_one_on_whose_tonic_the_bass_ends():
    scale = [60, 62, 64, 65, 67, 69, 71]
    assert key(melody(*[4] * 15, pitches=scale)) == Key(0, 'major')
    assert key(melody(*[4] * 15, pitches=[*scale[-2:], *scale[:-2]])) == Key(9, 'minor')


def test_what_has_no_notes_has_a_key_and_a_metre():
    assert key(np.full([5, 2], REST)) == Key(0, 'major')
    assert metre(np.full([5, 2], REST)) == metre(np.full([1, 1], REST)) == Metre(16, 0)


@pytest.mark.parametrize(
    ('lengths', 'expected'),
    [
        ([8, 4, 4] * 6, Metre(16, 0)),
        ([4] + [8, 4, 4] * 6, Metre(16, 4)),
        ([2] + [8, 4, 4] * 6, Metre(16, 2)),
        ([4, 4, 8] * 6, Metre(16, 0)),  # a bar begins with its first strong beat
        ([8, 4] * 8, Metre(12, 0)),
        ([4] + [8, 4] * 8, Metre(12, 4)),
        ([4, 4] + [12, 4, 4, 4] * 8, Metre(12, 8)),
        ([4] * 40, Metre(16, 0)),  # where nothing tells, it is the usual one
    ],
)
def test_bars_begin_where_long_notes_do(lengths, expected):
    assert metre(melody(*lengths, pitches=(60, 62))) == expected


@pytest.mark.parametrize(
    ('signature', 'lengths', 'expected'),
    [
        ((6, 8), [2] + [4, 2] * 12, Metre(12, 2)),
        ((6, 8), [6, 2, 2, 2] * 8, Metre(12, 0)),
        ((2, 4), [2] + [4, 2, 2] * 9, Metre(8, 2)),
        ((2, 2), [4] + [8, 4, 4] * 6, Metre(16, 4)),
        ((4, 4), [8, 4] * 8, Metre(16, 0)),
        ((4, 4), [2, 2] * 20, Metre(16, 0)),
    ],
)
def test_a_metre_that_is_told_is_searched_for_its_upbeat(signature, lengths, expected):
    assert metre(melody(*lengths, pitches=(60, 62)), signature) == expected


def test_every_key_is_moved_by_the_fewest_semitones():
    for tonic in range(12):
        for mode, wanted in (('major', 0), ('minor', 9)):
            moved = to_common_key(Key(tonic, mode))
            assert (tonic + moved) % 12 == wanted and -5 <= moved <= 6


def test_chorales_are_in_the_keys_and_bars_of_their_editions():
    corpus = pytest.importorskip('music21').corpus
    found = {}
    for name in CHORALES:
        parts = corpus.parse(f'bach/{name}').parts
        notes = [
            Note(voice, int(4 * note.offset), max(1, int(4 * note.quarterLength)), note.pitch.midi)
            for voice, part in enumerate(parts)
            for note in part.flatten().notes
        ]
        piece = piece_of(notes, max(note.start + note.length for note in notes), len(parts))
        found[name] = key(piece), metre(piece)
    assert found == CHORALES
