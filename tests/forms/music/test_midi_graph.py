"""The graph's MIDI files have the notes of those that mido writes, on any server."""

import io

import mido
import numpy as np
import tensorflow as tf
from music_readers import by_mido, plain, random_piece

from tfgan import provenance
from tfgan.forms.music import midi_file, midi_graph, pieces
from tfgan.forms.music.playing import Playing
from tfgan.forms.music.theory import Key

AGAIN, REST = pieces.AGAIN, pieces.REST
SMALL = np.array(
    [[72, 60], [72 + AGAIN, 60], [REST, REST], [71, REST], [71, 50], [71, 50]], np.int32
)


def events(data):
    """(tick, channel, kind, note) of the only track, and all ticks of it."""
    file = mido.MidiFile(file=io.BytesIO(data))
    [track] = file.tracks
    assert (file.type, file.ticks_per_beat) == (0, midi_file.TICKS)
    tick, found = 0, []
    for message in track:
        tick += message.time
        if message.type.startswith('note'):
            found.append((tick, message.channel, message.type, message.note))
    return found, tick


def notes_of(data):
    """(voice, start, length, pitch) of the only track."""
    sounding, found = {}, []
    for tick, channel, kind, note in events(data)[0]:
        if kind == 'note_on':
            assert (channel, note) not in sounding
            sounding[channel, note] = tick
        else:
            start = sounding.pop((channel, note))
            voice = midi_file.CHANNELS.index(channel)
            times = start / midi_file.STEP_TICKS, (tick - start) / midi_file.STEP_TICKS
            found.append((voice, *times, note))
    assert not sounding
    return sorted(found)


def test_small_piece_by_hand():
    [data] = midi_graph.files(SMALL[None]).numpy()
    found, tick = events(data)
    assert tick == 720
    assert found == [
        (0, 0, 'note_on', 72), (0, 1, 'note_on', 60),
        (120, 0, 'note_off', 72), (120, 0, 'note_on', 72),
        (240, 0, 'note_off', 72), (240, 1, 'note_off', 60),
        (360, 0, 'note_on', 71), (480, 1, 'note_on', 50),
        (720, 0, 'note_off', 71), (720, 1, 'note_off', 50),
    ]  # fmt: skip


def test_hundreds_of_pieces_have_the_notes_that_they_are():
    rng = np.random.default_rng(3)
    for steps, voices in ((64, 4), (1, 1), (37, 3), (300, 2)):
        raw = np.stack([random_piece(rng, steps, voices) for _ in range(50)])
        made = midi_graph.files(raw).numpy()
        for data, piece in zip(made, raw, strict=True):
            assert notes_of(data) == plain(pieces.notes_of(piece))
            assert notes_of(data) == by_mido(midi_file.as_bytes(piece))
            assert events(data)[1] == steps * midi_file.STEP_TICKS


def test_tempo_metre_key_and_programs_are_those_of_mido():
    how = Playing(tempo_bpm=96, program=52, bar_steps=12, key=Key(9, 'minor'), semitones=-2)
    [data] = midi_graph.files(SMALL[None], how).numpy()
    first = midi_file.as_bytes(SMALL, how)
    files = [mido.MidiFile(file=io.BytesIO(each)) for each in (data, first)]
    told, wanted = (
        [each for track in file.tracks for each in track if each.type in kinds]
        for file in files
        for kinds in [('set_tempo', 'time_signature', 'key_signature', 'program_change')]
    )
    assert told == wanted
    assert notes_of(data) == by_mido(first)


def test_recipes_are_read_and_files_are_the_same_from_a_saved_model(tmp_path):
    recipes = [
        provenance.as_json(provenance.recipe({'model': 'x' * size}, [{'seed': size}]))
        for size in (1, 30, 900)
    ]
    raw = np.stack([SMALL, SMALL, SMALL])
    specs = tf.TensorSpec([None, 6, 2], tf.int32), tf.TensorSpec([None], tf.string)
    module = tf.Module()
    module.files = tf.function(
        autograph=False,
        func=lambda pitch, told: midi_graph.files(pitch, recipes=told),
        input_signature=specs,
    )
    tf.saved_model.save(module, str(tmp_path))
    made = tf.saved_model.load(str(tmp_path)).files(raw, tf.constant(recipes)).numpy()
    for number, data in enumerate(made):
        assert provenance.as_json(provenance.read(data)) == recipes[number]
        assert notes_of(data) == plain(pieces.notes_of(SMALL))
    operations = {each.type for each in module.files.get_concrete_function().graph.get_operations()}
    assert not operations & {'PyFunc', 'EagerPyFunc', 'PyFuncStateless'}
