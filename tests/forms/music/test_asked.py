"""What a person asks of music: keys as they are written, and what of a piece is open."""

import mido
import numpy as np
import pytest

from tfgan.errors import ModelError
from tfgan.forms.music import asked, midi_file
from tfgan.forms.music.pieces import REST, Note, piece_of, transposed
from tfgan.forms.music.playing import USUAL, Playing
from tfgan.forms.music.theory import Key

DATA = {'shape': [64, 4], 'rows': 49}
# G major, a bar of 4/4 twice and its half: the tonic, the dominant and the tonic again.
TUNE = [67, 71, 74, 72, 71, 69, 67, 66, 67, 67]


def melody():
    notes = [Note(0, 4 * beat, 4, pitch) for beat, pitch in enumerate(TUNE)]
    return piece_of(notes, 4 * len(TUNE), 1)


def file_of(folder, piece, how=USUAL):
    path = folder / 'mine.mid'
    path.write_bytes(midi_file.as_bytes(piece, how))
    return path


@pytest.mark.parametrize(
    ('text', 'key'),
    [
        ('G', (7, 'major')),
        ('e', (4, 'minor')),
        ('Em', (4, 'minor')),
        ('e minor', (4, 'minor')),
        ('e major', (4, 'major')),
        ('Bb', (10, 'major')),
        ('b', (11, 'minor')),
        ('bb minor', (10, 'minor')),
        ('F# minor', (6, 'minor')),
        ('Cb', (11, 'major')),
        ('C sharp', (1, 'major')),
    ],
)
def test_keys_are_read_as_musicians_write_them(text, key):
    assert asked.key(text) == key


@pytest.mark.parametrize('text', ['', 'H', 'Gm7', 'G minor major', 'minor', 'C' * 2000])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ModelError, match='expected a key, as --key=G'):
        asked.key(text)


@pytest.mark.parametrize(('text', 'moved'), [('C', 0), ('G', -5), ('F', 5), ('a', 0), ('e', -5)])
def test_files_are_in_a_key_by_the_shortest_way(text, moved):
    mode, how = asked.how_of_key(asked.key(text))
    assert how['semitones'] == moved
    assert (how['key'].tonic + moved) % 12 == asked.key(text).tonic
    assert mode == how['key'].mode == asked.key(text).mode


def test_voices_and_bars_are_open():
    steps = np.arange(40)
    alto = asked.opened('alto', 40, 4, 16)
    assert alto[:, 1].all() and alto.sum() == 40
    second = asked.opened('2', 40, 4, 16)
    assert (second == ((steps >= 16) & (steps < 32))[:, None]).all()
    both = asked.opened('Tenor, bass,2-3', 40, 4, 16)
    assert (both == ((steps >= 16)[:, None] & [False, False, True, True])).all()
    after_upbeat = asked.opened('1', 40, 4, 16, first=4)
    assert (after_upbeat == ((steps >= 4) & (steps < 20))[:, None]).all()


@pytest.mark.parametrize('text', ['violin', '0', '4', '2-1', '1-9', 'alto,,bass'])
def test_what_a_piece_lacks_cannot_be_open(text):
    with pytest.raises(ModelError, match=r'expected voices \(soprano, .*bars \(1 to 3\)'):
        asked.opened(text, 40, 4, 16)


def test_a_melody_is_given_in_the_common_key_and_written_in_its_own(tmp_path):
    how = Playing(tempo_bpm=93, key=Key(7, 'major'))
    given = asked.given('melody', file_of(tmp_path, melody(), how), DATA)
    assert given.pitch.shape == given.known.shape == (40, 4)
    assert given.known[:, 0].all() and not given.known[:, 1:].any()
    assert (given.pitch[:, 1:] == REST).all()
    assert given.label == 'major' and 'G major' in given.told
    assert (transposed(given.pitch[:, :1], given.how['semitones']) == melody()).all()
    assert abs(given.how['semitones']) in (5, 7)
    assert round(given.how['bpm']) == 93
    assert given.how['bar_steps'] == given.bar_steps == 16


def test_what_is_gone_on_with_is_known_to_its_end_alone(tmp_path):
    piece = np.concatenate([melody() - 12 * voice for voice in (0, 0.5, 1, 1.5)], axis=1)
    path = file_of(tmp_path, piece.astype(np.int32))
    given = asked.given('begin', path, DATA, bars=3)
    assert len(given.pitch) == 48 + 3 * 16  # The bar that was begun is made whole.
    assert given.known[:40].all() and not given.known[40:].any()


def test_a_piece_is_known_where_it_is_not_open(tmp_path):
    piece = np.concatenate([melody() - 6 * voice for voice in range(4)], axis=1)
    given = asked.given('piece', file_of(tmp_path, piece), DATA, openings='bass,2')
    assert given.known.sum() == 4 * 40 - 16
    assert not given.known[16:32, 3].any()


def test_the_wrong_number_of_voices_is_told_with_a_way_on(tmp_path):
    path = file_of(tmp_path, melody().repeat(2, axis=1) - [0, 12])
    with pytest.raises(ModelError, match=r'it has 2 voices; expected 1 .*--piece='):
        asked.given('melody', path, DATA)
    with pytest.raises(ModelError, match=r'it has 2 voices; expected 4 .*--melody='):
        asked.given('begin', path, DATA)


def test_notes_that_the_model_does_not_know_are_named(tmp_path):
    piece = melody()
    piece[8:12] = 103
    with pytest.raises(ModelError, match=r'knows the notes from .* it has G7 too'):
        asked.given('melody', file_of(tmp_path, piece), DATA)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    path = tmp_path / 'bad.mid'
    path.write_bytes(b'MThd nothing')
    with pytest.raises(ModelError, match=r'bad.mid.* cannot be read'):
        asked.given('melody', path, DATA)
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(path)
    with pytest.raises(ModelError, match='no notes'):
        asked.given('melody', path, DATA)
