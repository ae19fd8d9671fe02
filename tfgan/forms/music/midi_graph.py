"""MIDI files in TensorFlow's graph: what an export answers on any server.

They are of type 0: all voices share a track, each in a channel of its own. Each step has fixed
places, one for the end of each voice's note and then one for each start, and those where nothing
happens stay empty; how long it is since the last event is all that depends on other places.
"""

import numpy as np
import tensorflow as tf

from tfgan import provenance
from tfgan.forms.music import midi_file, pieces, playing
from tfgan.forms.music.playing import USUAL, Playing

BYTES = [bytes([each]) for each in range(256)]
NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0
TEMPO, METRE, KEY, END = b'\0\xff\x51\3', b'\0\xff\x58\4', b'\0\xff\x59\2', b'\xff\x2f\0'
TEXT = b'\0\xff\1'
SEVEN_BITS = 128
MICROSECONDS = 60_000_000  # of a minute
CLOCKS, THIRTY_SECONDS = 24, 8  # of a metronome's click, and of a quarter


def files(pitch, how: Playing = USUAL, recipes=None):
    """A file for each piece int32 [n, steps, voices], steps and voices known: strings [n].

    Its notes are those of `midi_file`; what leaves MIDI's range is at its border. Recipes, strings
    [n] of JSON in ASCII, stand in it as `provenance` reads them.
    """
    _, steps, voices = pitch.shape
    rest = tf.fill(tf.shape(pitch[:, :1]), pieces.REST)
    after, before = tf.concat([pitch, rest], 1), tf.concat([rest, pitch], 1)
    is_new = (after >= pieces.AGAIN) | (after % pieces.AGAIN != before % pieces.AGAIN)
    is_new |= (after == pieces.REST) != (before == pieces.REST)
    happens = [is_new & (each != pieces.REST) for each in (before, after)]
    notes = tf.stack([before, after], 2) % pieces.AGAIN + how.semitones
    # Places are [steps + 1, ends and starts, voices], in a row.
    count, places = tf.shape(pitch)[0], (steps + 1, 2, voices)
    happens, notes = (tf.reshape(x, [count, -1]) for x in (tf.stack(happens, 2), notes))
    ticks = _over(places, midi_file.STEP_TICKS * np.arange(steps + 1)[:, None, None])
    status = _over(places, np.array([[NOTE_OFF], [NOTE_ON]]) + _channels(voices))
    velocity = _over(places, np.array([[0], [midi_file.VELOCITY]]))
    last = _running_maximum(tf.where(happens, ticks, 0))
    last = tf.concat([tf.zeros([count, 1], tf.int32), last], 1)
    notes = tf.clip_by_value(notes, 0, midi_file.MOST_PITCH)
    status, velocity = (tf.broadcast_to(each, tf.shape(notes)) for each in (status, velocity))
    events = [_varying(ticks - last[:, :-1]), *map(_bytes, (status, notes, velocity))]
    events = tf.where(happens, tf.strings.join(events), '')
    end = tf.strings.join([_varying(steps * midi_file.STEP_TICKS - last[:, -1]), END])
    told = '' if recipes is None else _text(tf.strings.join([f'{provenance.FIELD} ', recipes]))
    track = [told, _head(voices, how), tf.strings.reduce_join(events, axis=1), end]
    track = tf.strings.join(track)
    head = b'MThd\0\0\0\6\0\0\0\1' + midi_file.TICKS.to_bytes(2, 'big') + b'MTrk'
    return tf.strings.join([head, _four_bytes(tf.strings.length(track)), track])


def _over(places, values):
    return np.broadcast_to(values, places).reshape(-1).astype(np.int32)


def _channels(voices):
    return np.array([midi_file.CHANNELS[voice % 15] for voice in range(voices)])


def _head(voices, how):
    """Tempo, metre, key and programs, all at once."""
    numerator, denominator = how.metre
    metre = [numerator, denominator.bit_length() - 1, CLOCKS, THIRTY_SECONDS]
    key = how.written_key
    found = TEMPO + round(MICROSECONDS / how.tempo_bpm).to_bytes(3, 'big') + METRE + bytes(metre)
    found += KEY + bytes([playing.fifths(key) % 256, key.mode == 'minor'])
    programs = [bytes([0, PROGRAM + channel, how.program]) for channel in _channels(voices)]
    return found + b''.join(programs)


def _text(texts):
    return tf.strings.join([TEXT, _varying(tf.strings.length(texts)), texts])


def _running_maximum(x):
    """The greatest of all up to each place of rows int32 [n, places], none of them below zero."""
    shift = 1
    while shift < x.shape[1]:
        x = tf.maximum(x, tf.pad(x[:, :-shift], [[0, 0], [shift, 0]]))
        shift *= 2
    return x


def _varying(numbers):
    """Numbers below 2^28 as MIDI tells lengths: seven bits a byte, the highest first."""
    parts = [
        tf.where(numbers >= unit, _bytes(numbers // unit % SEVEN_BITS + SEVEN_BITS), '')
        for unit in (SEVEN_BITS**3, SEVEN_BITS**2, SEVEN_BITS)
    ]
    return tf.strings.join([*parts, _bytes(numbers % SEVEN_BITS)])


def _bytes(numbers):
    return tf.gather(tf.constant(BYTES), numbers)


def _four_bytes(numbers):
    """Numbers int32 [n] as strings of four bytes, the highest first."""
    units = np.array([1 << 24, 1 << 16, 1 << 8, 1], np.int32)
    return tf.strings.reduce_join(_bytes(numbers[:, None] // units % 256), axis=1)
