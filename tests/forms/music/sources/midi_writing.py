"""MIDI files written by mido, for readers to read."""

import io

import mido
import numpy as np

from tfgan.forms.music.pieces import notes_of


def midi(
    piece, *meta, tracks=None, channels=None, kind=1, ticks=480, velocity_off=False, swing=0
) -> bytes:
    """The file of a piece; `tracks` and `channels` are those of its voices.

    `swing` moves every second note by so many ticks.
    """
    voices = np.shape(piece)[1]
    tracks, channels = tracks or range(voices), channels or [0] * voices
    events = {track: [] for track in range(max(tracks) + 1)}
    for number, (voice, start, length, pitch) in enumerate(notes_of(piece)):
        first, last = (step * ticks // 4 for step in (start, start + length))
        first += swing * (number % 2)
        at = dict(channel=channels[voice], note=int(pitch))
        end = mido.Message('note_off', **at)
        if velocity_off:
            end = mido.Message('note_on', velocity=0, **at)
        events[tracks[voice]] += [(last, 0, end), (first, 1, mido.Message('note_on', **at))]
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for track, found in events.items():
        timed = [(time, -1, message) for time, message in meta if track == 0] + found
        file.tracks.append(
            track_of([(time, message) for time, _, message in sorted(timed, key=by)])
        )
    return saved(file)


def by(event):
    """Ends of notes come before what begins at the same time."""
    return event[:2]


def track_of(events) -> mido.MidiTrack:
    """Messages at their ticks, in order, as a track."""
    now, track = 0, mido.MidiTrack()
    for time, message in events:
        track.append(message.copy(time=time - now))
        now = time
    return track


def saved(file: mido.MidiFile) -> bytes:
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def signature(beats, unit):
    return mido.MetaMessage('time_signature', numerator=beats, denominator=unit)


def tempo(beats_a_minute):
    return mido.MetaMessage('set_tempo', tempo=mido.bpm2tempo(beats_a_minute))
