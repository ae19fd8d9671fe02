"""Figures of pieces made by hand, whose answers are worked out here; muspy's; real chorales'."""

import json
import os
import pathlib

import numpy as np
import pytest

from tfgan.forms.music import measures as module
from tfgan.forms.music.measures import OF_PIECES, OF_SETS, descriptors, measures
from tfgan.forms.music.pieces import AGAIN, REST, Pieces, transposed

# The folder with chorales/jsb16.json: lists of [four pitches a sixteenth] by split.
CHORALES = pathlib.Path(os.environ.get('TFGAN_TESTS_DATA', 'none'), 'chorales', 'jsb16.json')
C_MAJOR = 72, 67, 64, 48


def of(pieces):
    """A source of pieces [n, steps, voices]."""
    pieces = np.asarray(pieces, np.int32)
    labels = np.zeros(len(pieces), np.int32)
    return Pieces('toy', pieces.shape[1:], labels, ('major',), pieces.__getitem__)


def figures(piece, source=None):
    """The figures of one piece [steps, voices]."""
    pieces = np.asarray(piece, np.int32)[None]
    found = measures(pieces, source or of(pieces))
    assert list(found) == list(OF_PIECES)
    assert all(values.shape == (1,) for values in found.values())
    return {name: float(values[0]) for name, values in found.items()}


def voice(*runs):
    """One voice of (pitch, steps): [steps]."""
    return np.concatenate([np.full(steps, pitch) for pitch, steps in runs])


def beats(*chords):
    """A piece of chords, a beat each."""
    return np.repeat(chords, 4, axis=0)


def test_chords_are_triads_and_sevenths_with_tones_left_out_and_no_others():
    for chord, expected in {
        C_MAJOR: 1,
        (72, 67, 60, 48): 1,  # a fifth alone
        (74, 65, 59, 55): 1,  # the dominant seventh
        (71, 67, 64, 60): 1,  # major seventh
        (74, 68, 65, 59): 1,  # diminished seventh
        (72, 68, 64, 60): 0,  # augmented
        (72, 67, 65, 60): 0,  # suspended
        (72, 71, 69, 60): 0,  # three neighbours
    }.items():
        found = figures(beats(chord, chord))
        assert found['beats_in_chord'] == expected, chord
        assert figures(transposed(beats(chord), 5))['beats_in_chord'] == expected, chord


def test_only_beats_of_two_voices_tell_of_chords():
    alone = [60, REST, REST, REST]
    assert np.isnan(figures(beats(alone))['beats_in_chord'])
    assert figures(beats(alone, C_MAJOR, (72, 67, 65, 60)))['beats_in_chord'] == 1 / 2
    between = beats(C_MAJOR, C_MAJOR)
    between[2] = 61, 60, 59, 58  # not at a beat
    assert figures(between)['beats_in_chord'] == 1


def test_parallels_are_fifths_and_octaves_that_move_alike():
    def parallels(first, second):
        return figures(beats(first, second))['parallels']

    assert parallels((67, 60), (69, 62)) == 1  # fifths, up
    assert parallels((67, 60), (65, 58)) == 1  # and down
    assert parallels((79, 60), (81, 62)) == 1  # a twelfth apart
    assert parallels((72, 60), (74, 62)) == 1  # octaves
    assert parallels((60, 60), (62, 62)) == 1  # primes
    assert parallels((67, 60), (74, 55)) == 0  # to another fifth, but in contrary motion
    assert parallels((67, 60), (67, 60)) == 0  # nothing moves
    assert parallels((72, 60), (72, 48)) == 0  # one alone does
    assert parallels((64, 60), (65, 61)) == 0  # thirds may
    assert parallels((65, 60), (67, 62)) == 0  # and fourths
    assert parallels((67, 60), (70, 58)) == 0  # a fifth goes to an octave
    assert parallels((66, REST), (69, 62)) == 0  # 7 above -1, which is no pitch
    # Of the six pairs of G C G C all but the inner two, a fourth.
    assert parallels((79, 72, 67, 60), (81, 74, 69, 62)) == 5


def test_short_notes():
    piece = voice((60, 1), (62, 1), (64, 2), (60, 3), (REST, 1), (60, 8))[:, None]
    found = figures(piece)
    assert found['sixteenths'] == 2 / 5 and found['qualified_notes'] == 2 / 5
    assert found['rests'] == 1 / 16
    struck = voice((60, 1), (60 + AGAIN, 1), (60, 1), (60 + AGAIN, 1))[:, None]
    assert figures(struck)['sixteenths'] == 2 / 3  # the second is held
    two = np.stack([piece[:, 0], np.full(16, 48)], axis=1)
    assert figures(two)['sixteenths'] == (2 / 5 + 0) / 2  # of each voice
    assert figures(two)['qualified_notes'] == 3 / 6  # of all notes
    silent = np.stack([piece[:, 0], np.full(16, REST)], axis=1)
    assert figures(silent)['sixteenths'] == 2 / 5


def test_steps_are_moves_from_pitch_to_pitch():
    piece = voice((60, 2), (62, 2), (61, 2), (64, 2), (REST, 2), (65, 2), (65 + AGAIN, 2))
    assert figures(piece[:, None])['small_steps'] == 2 / 3  # 2 and 1 of 2, 1, 3
    assert np.isnan(figures(voice((60, 4))[:, None])['small_steps'])


def test_scale_consistency_is_of_time():
    scale = voice(*((60 + tone, 2) for tone in (0, 2, 4, 5, 7, 9, 11)), (66, 2))
    assert figures(scale[:, None])['scale_consistency'] == 7 / 8
    assert figures(transposed(scale, 4)[:, None])['scale_consistency'] == 7 / 8
    minor = voice(*((69 + tone, 2) for tone in (0, 2, 3, 5, 7, 8, 10)), (70, 1))
    assert figures(minor[:, None])['scale_consistency'] == 14 / 15


def test_crossings_ranges_and_polyphonicity():
    piece = beats((72, 67, 64), (60, 67, 64), (REST, 60, 62), (72, 72, 60))
    found = figures(piece)
    # Of the pairs 2, 2, 1 and 2 a beat those of 60 < 67 and 60 < 62 are crossed.
    assert found['voice_crossings'] == 2 / 7
    assert found['polyphonicity'] == 2 / 4  # the last has two pitches
    assert found['voices_in_range'] == 1
    # The second voice is once too low and once too high, the third is silent in the source.
    source = of([beats((80, 70, REST), (60, 61, REST))])
    assert figures(piece, source)['voices_in_range'] == (3 + 2) / 11


def test_pitch_classes_are_a_bars():
    first = beats((60, 48), (62, 50), (64, 52), (60, 48))
    second = beats(*4 * [(60, 48)])
    assert figures(np.concatenate([first, second]))['pitch_classes'] == (3 + 1) / 2


def test_a_melody_has_no_harmony_and_silence_no_figures():
    melody = figures(voice((60, 4), (62, 4))[:, None])
    assert {name for name, value in melody.items() if np.isnan(value)} == {
        *module.HARMONY,
        'polyphonicity',
    }
    silence = figures(np.full([64, 4], REST))
    assert {name for name, value in silence.items() if not np.isnan(value)} == {
        *('parallels', 'pitch_classes', 'polyphonicity', 'rests')
    }
    assert silence['rests'] == 1 and silence['pitch_classes'] == 0


def test_pieces_do_not_mind_each_other():
    rng = np.random.default_rng(0)
    pieces = rng.integers(55, 70, [5, 32, 3]).astype(np.int32)
    pieces[rng.random(pieces.shape) < 0.2] = REST
    together = measures(pieces, of(pieces))
    for i, piece in enumerate(pieces):
        for name, value in figures(piece, of(pieces)).items():
            np.testing.assert_equal(together[name][i], value)
    assert all(len(values) == 0 for values in measures(pieces[:0], of(pieces)).values())


def test_descriptors():
    first = voice((60, 2), (60 + AGAIN, 1), (60, 1), (65, 8), (REST, 1), (67, 3))
    second = voice((48, 10), (REST, 6))
    piece = np.stack([first, second], axis=1)
    found = descriptors(np.array([piece, np.full([16, 2], REST)], np.int32))
    assert list(found) == list(OF_SETS)
    values = {name.removeprefix('overlap_'): rows[0].tolist() for name, rows in found.items()}
    lengths, classes = np.zeros(12), np.zeros(12)
    lengths[[3, 1, 7]] = 2, 2, 1  # two eighths, a half and, nearest too, ten steps; dotted eighth
    classes[[0, 5, 7]] = 4 + 10, 8, 3
    assert values == {
        'pitch_count': [4],
        'pitch_classes': (classes / 25).tolist(),
        'pitch_range': [67 - 48],
        'pitch_shift': [(0 + 5 + 2) / 3],
        'note_count': [5],
        'onset_interval': [(2 + 2 + 9) / 3],
        'note_lengths': (lengths / 5).tolist(),
    }
    silent = {name for name, rows in found.items() if np.isnan(rows[1]).all()}
    assert silent == set(OF_SETS) - {'overlap_pitch_count', 'overlap_note_count'}


@pytest.mark.parametrize('raw', [np.zeros([4, 3], np.int32), np.zeros([1, 4, 3], np.float32)])
def test_what_is_no_set_of_pieces_is_refused(raw):
    with pytest.raises(ValueError, match=r'int32 \[n, steps, voices\], not'):
        measures(raw, of(np.zeros([1, 4, 3])))


def as_muspy(muspy, piece):
    """A piece whose every step is a note of its own."""
    notes = [
        muspy.Note(time=step, pitch=int(pitch), duration=1)
        for step, pitches in enumerate(piece)
        for pitch in pitches
        if pitch != REST
    ]
    return muspy.Music(resolution=4, tracks=[muspy.Track(notes=notes)])


def test_figures_that_muspy_has_too():
    muspy = pytest.importorskip('muspy', exc_type=ImportError)
    rng = np.random.default_rng(0)
    for _ in range(10):
        piece = rng.choice([60, 62, 64, 65, 67, 69, 71, 73, 66], [64, 4]) - 12 * np.arange(4)
        piece[:-1][rng.random([63, 4]) < 0.3] = REST  # muspy's piece ends with its last note
        found, music = figures(piece), as_muspy(muspy, piece)
        assert found['scale_consistency'] == pytest.approx(muspy.scale_consistency(music))
        assert found['polyphonicity'] == pytest.approx(muspy.polyphony_rate(music))


@pytest.mark.skipif(not CHORALES.exists(), reason='TFGAN_TESTS_DATA names no such folder')
@pytest.mark.parametrize(
    ('split', 'published'),
    [
        ('train', (0.916, 0.074, 0.020, 0.944, 0.748, 0.008)),
        ('test', (0.907, 0.072, 0.026, 0.946, 0.766, 0.006)),
    ],
)
def test_the_floors_of_real_chorales(split, published):
    """Windows of four bars, every two bars, in which no voice rests."""
    chorales = json.loads(CHORALES.read_text())[split]
    windows = [piece[i : i + 64] for piece in chorales for i in range(0, len(piece) - 63, 32)]
    windows = np.array([window for window in windows if np.min(window) >= 0], np.int32)
    found = measures(windows, of(windows))
    names = list(OF_PIECES)[:6]
    means = [found[name].mean() for name in names]
    np.testing.assert_allclose(means, published, atol=5.1e-4, err_msg=f'{names}')
