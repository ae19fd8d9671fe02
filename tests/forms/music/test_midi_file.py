"""MIDI files have each note where the piece has it, whoever reads them."""

import io

import mido
import numpy as np
import pytest
from music_readers import by_mido, by_music21, by_pretty_midi, plain, random_piece

from tfgan.errors import ModelError
from tfgan.forms.music import midi_file, pieces
from tfgan.forms.music.playing import Playing, voice_names
from tfgan.forms.music.theory import Key

AGAIN, REST = pieces.AGAIN, pieces.REST
# Two voices in six sixteenths: the first note is there at once and struck again, the last one
# lasts to the end.
SMALL = np.array(
    [[72, 60], [72 + AGAIN, 60], [REST, REST], [71, REST], [71, 50], [71, 50]], np.int32
)


def events(data, track):
    """(tick, kind, note) of a track's notes."""
    tick, found = 0, []
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[track]:
        tick += message.time
        if message.type.startswith('note'):
            found.append((tick, message.type, message.note))
    return found


def told(data, track=0):
    return {each.type: each for each in mido.MidiFile(file=io.BytesIO(data)).tracks[track]}


def test_small_piece_by_hand():
    data = midi_file.as_bytes(SMALL)
    assert events(data, 1) == [
        (0, 'note_on', 72), (120, 'note_off', 72), (120, 'note_on', 72), (240, 'note_off', 72),
        (360, 'note_on', 71), (720, 'note_off', 71),
    ]  # fmt: skip
    assert events(data, 2) == [
        (0, 'note_on', 60), (240, 'note_off', 60), (480, 'note_on', 50), (720, 'note_off', 50),
    ]  # fmt: skip


def test_tempo_metre_key_marks_names_and_programs_are_told():
    how = Playing(tempo_bpm=96, program=52, bar_steps=12, key=Key(9, 'minor'), semitones=-2)
    piece = np.full([24, 4], REST, np.int32)
    data = midi_file.as_bytes(piece, how, [(0, '7'), (12, '8')])
    file = mido.MidiFile(file=io.BytesIO(data))
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 5)
    first = told(data)
    assert mido.tempo2bpm(first['set_tempo'].tempo) == pytest.approx(96, abs=1e-3)
    assert (first['time_signature'].numerator, first['time_signature'].denominator) == (3, 4)
    assert first['key_signature'].key == 'Gm'
    marks = [each for each in file.tracks[0] if each.type == 'marker']
    assert [(each.text, each.time) for each in marks] == [('7', 0), ('8', 12 * 120)]
    assert [track.name for track in file.tracks[1:]] == ['Soprano', 'Alto', 'Tenor', 'Bass']
    assert {told(data, track)['program_change'].program for track in range(1, 5)} == {52}
    assert {sum(each.time for each in track) for track in file.tracks} == {24 * 120}


def test_voices_that_are_not_four_have_numbers():
    assert voice_names(2) == ['Voice 1', 'Voice 2']


@pytest.mark.parametrize('mode', ['major', 'minor'])
def test_all_keys_have_the_signature_that_mido_knows(mode):
    of_mido = {
        'major': ['C', 'Db', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'],
        'minor': ['Cm', 'C#m', 'Dm', 'Ebm', 'Em', 'Fm', 'F#m', 'Gm', 'G#m', 'Am', 'Bbm', 'Bm'],
    }
    assert [midi_file.key_name(Key(tonic, mode)) for tonic in range(12)] == of_mido[mode]


def test_transposed_all_notes_are_higher_and_out_of_range_is_refused():
    notes = by_mido(midi_file.as_bytes(SMALL, Playing(semitones=3)))
    assert {note[3] for note in notes} == {75, 74, 63, 53}
    with pytest.raises(ModelError, match=r'60 semitones higher, a pitch is 132: MIDI has'):
        midi_file.as_bytes(SMALL, Playing(semitones=60))


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        *[('tempo_bpm', 0), ('tempo_bpm', float('nan')), ('program', 128), ('program', 1.5)],
        *[('bar_steps', 0), ('key', (12, 'major')), ('key', (0, 'dorian')), ('semitones', 0.5)],
    ],
)
def test_what_cannot_be_played_is_refused(name, value):
    with pytest.raises(ModelError, match='it takes'):
        Playing(**{name: value})


def test_sixteen_voices_leave_the_drums_alone():
    data = midi_file.as_bytes(np.full([4, 16], 60, np.int32))
    tracks = mido.MidiFile(file=io.BytesIO(data)).tracks
    channels = {each.channel for track in tracks for each in track if each.type == 'note_on'}
    assert channels == set(range(16)) - {9}


def check(piece):
    data = midi_file.as_bytes(piece)
    notes = plain(pieces.notes_of(piece))
    names = voice_names(piece.shape[1])
    named = sorted((names[voice], *rest) for voice, *rest in notes)
    assert by_mido(data) == notes
    assert by_pretty_midi(data) == named
    assert by_music21(data, 'midi') == named


def test_three_libraries_read_the_same_notes(full):
    rng = np.random.default_rng(22)
    for _ in range(1000 if full else 30):
        check(random_piece(rng))


def test_a_piece_of_rests_and_one_of_a_single_step_are_files():
    check(np.full([16, 4], REST, np.int32))
    check(np.full([1, 4], 60, np.int32))
