"""Pieces of music made at random, and what other libraries read in files of music."""

import io

import numpy as np

from tfgan.forms.music import pieces

STEPS_PER_BEAT = pieces.STEPS_PER_BEAT


def random_piece(rng, steps=None, voices=None):
    """A piece of notes of all lengths, rests, notes struck again, and sometimes an empty voice."""
    steps, voices = steps or int(rng.integers(1, 80)), voices or int(rng.integers(1, 5))
    piece = np.full([steps, voices], pieces.REST, np.int32)
    for voice in range(voices):
        if rng.random() < 0.1:
            continue
        longest, at = int(rng.choice([1, 4, 16, 40])), int(rng.random() < 0.3) * 3
        few = rng.integers(0, 128, int(rng.integers(1, 9)))
        while at < steps:
            length = int(rng.integers(1, longest + 1))
            pitch = pieces.REST if rng.random() < 0.2 else int(rng.choice(few))
            piece[at : at + length, voice] = pitch
            is_held = at and pitch != pieces.REST and piece[at - 1, voice] % pieces.AGAIN == pitch
            if is_held and piece[at - 1, voice] != pieces.REST and rng.random() < 0.8:
                piece[at, voice] += pieces.AGAIN
            at += length
    return piece


def plain(notes):
    """Notes as (voice, start, length, pitch), in one order."""
    return sorted(tuple(note) for note in notes)


def by_mido(data):
    """Notes of all tracks but the first, by what each event says."""
    import mido

    file = mido.MidiFile(file=io.BytesIO(data))
    found, step = [], file.ticks_per_beat / STEPS_PER_BEAT
    for voice, track in enumerate(file.tracks[1:]):
        tick, sounding = 0, {}
        for message in track:
            tick += message.time
            if message.type == 'note_on' and message.velocity:
                assert message.note not in sounding, 'a note begins that has not ended'
                sounding[message.note] = tick
            elif message.type in ('note_on', 'note_off'):
                start = sounding.pop(message.note)
                found.append((voice, start / step, (tick - start) / step, message.note))
        assert not sounding, 'a note does not end'
    return sorted(found)


def by_pretty_midi(data):
    """Notes by name of their track; tracks without notes are not there."""
    import pretty_midi

    file = pretty_midi.PrettyMIDI(io.BytesIO(data))
    found, step = [], file.resolution / STEPS_PER_BEAT
    for instrument in file.instruments:
        for note in instrument.notes:
            start, end = (file.time_to_tick(secs) / step for secs in (note.start, note.end))
            found.append((instrument.name, start, end - start, note.pitch))
    return sorted(found)


def by_music21(data, kind):
    """Notes by name of their part, tied ones as one; `kind` is midi or musicxml."""
    import music21

    text = data if kind == 'midi' else data.decode()
    score = music21.converter.parse(text, format=kind, forceSource=True)
    return sorted(note for part in score.parts for note in _tied(part))


def _tied(part):
    """Notes of a part, those that ties join as one (music21's stripTies leaves some apart)."""
    found = []
    for note in part.flatten().notes:
        start, length = (float(time) * STEPS_PER_BEAT for time in (note.offset, note.quarterLength))
        for pitch in note.pitches:
            if note.tie and note.tie.type in ('continue', 'stop'):
                place, before = next(
                    (place, each)
                    for place, each in enumerate(found)
                    if each[1] + each[2] == start and each[3] == pitch.midi
                )
                found[place] = (*before[:2], before[2] + length, pitch.midi)
            else:
                found.append((part.partName, start, length, pitch.midi))
    return found
