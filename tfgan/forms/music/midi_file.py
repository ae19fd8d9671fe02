"""MIDI files of pieces: a track for each voice, beside one that tells tempo, metre and key."""

import io

from tfgan.errors import ModelError
from tfgan.forms.music import pieces, playing
from tfgan.forms.music.playing import LETTERS, USUAL, Playing, voice_names
from tfgan.forms.music.theory import Key

TICKS = 480  # a beat
STEP_TICKS = TICKS // pieces.STEPS_PER_BEAT
VELOCITY = 80
MOST_PITCH = 127
CHANNELS = [channel for channel in range(16) if channel != 9]  # General MIDI has its drums at 9.


def as_bytes(piece, how: Playing = USUAL, marks=()) -> bytes:
    """A file of type 1 of a piece [steps, voices], with marks (step, text).

    Raises ModelError where a pitch leaves MIDI's range.
    """
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    steps, voices = piece.shape
    file.tracks.append(_conductor(steps, how, marks))
    notes = checked(pieces.notes_of(piece), how)
    for voice, name in enumerate(voice_names(voices)):
        own = [note for note in notes if note.voice == voice]
        file.tracks.append(_track(own, voice, name, steps, how))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def checked(notes: list[pieces.Note], how: Playing) -> list[pieces.Note]:
    """Notes as they are written, so many semitones higher; raises ModelError."""
    found = [note._replace(pitch=note.pitch + how.semitones) for note in notes]
    outside = [note.pitch for note in found if not 0 <= note.pitch <= MOST_PITCH]
    if outside:
        raise ModelError(
            f'{how.semitones} semitones higher, a pitch is {outside[0]}: MIDI has those from 0 to'
            f' {MOST_PITCH}'
        )
    return found


def _conductor(steps, how, marks):
    import mido

    numerator, denominator = how.metre
    events = [
        (0, mido.MetaMessage('set_tempo', tempo=mido.bpm2tempo(how.tempo_bpm))),
        (0, mido.MetaMessage('time_signature', numerator=numerator, denominator=denominator)),
        (0, mido.MetaMessage('key_signature', key=key_name(how.written_key))),
    ]
    events += [
        (
            step * STEP_TICKS,
            mido.MetaMessage('marker', text=text.encode('ascii', 'replace').decode()),
        )
        for step, text in marks
    ]
    return _timed(events, steps)


def _track(notes, voice, name, steps, how):
    """A voice's track; its program comes before its first note, which may be at once."""
    import mido

    channel = CHANNELS[voice % len(CHANNELS)]
    events = [
        (0, mido.MetaMessage('track_name', name=name)),
        (0, mido.Message('program_change', channel=channel, program=how.program)),
    ]
    for note in notes:
        sound = {'channel': channel, 'note': note.pitch}
        start, end = note.start * STEP_TICKS, (note.start + note.length) * STEP_TICKS
        events.append((start, mido.Message('note_on', **sound, velocity=VELOCITY)))
        events.append((end, mido.Message('note_off', **sound, velocity=0)))
    return _timed(events, steps)


def _timed(events, steps):
    """A track of (tick, message) in order, that lasts as long as the piece even where it rests."""
    import mido

    events = [*events, (steps * STEP_TICKS, mido.MetaMessage('end_of_track'))]
    before = [0, *(tick for tick, _ in events)]
    return mido.MidiTrack(
        message.copy(time=tick - last) for (tick, message), last in zip(events, before)
    )


def key_name(key: Key) -> str:
    """A key as mido names it, such as F#m."""
    # A minor key is called after a tonic that is three fifths further than its parallel's.
    raised, letter = divmod(playing.fifths(key) + 3 * (key.mode == 'minor') + 1, 7)
    return LETTERS[letter] + {-1: 'b', 0: '', 1: '#'}[raised] + 'm' * (key.mode == 'minor')
