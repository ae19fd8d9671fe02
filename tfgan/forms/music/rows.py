"""Pieces as networks take them: one-hot rows of pitches, of rests, of what is struck again."""

import tensorflow as tf

from tfgan import latents
from tfgan.forms.music.pieces import AGAIN, MIDDLE, OCTAVES, REST

BAR_STEPS = 16
# Where of a number in [0, 1) begin: the highest voice, first bars, some voices, all but some bars.
GIVEN_SHARES = 0.4, 0.65, 0.8, 0.9


def lowest(rows: int) -> int:
    """The pitch of the first of so many rows."""
    return MIDDLE - rows // OCTAVES * OCTAVES // 2


def encode(raw, rows: int):
    """Raw pieces int32 [n, steps, voices] as float32 [n, steps, rows, voices]."""
    raw = tf.cast(raw, tf.int32)
    pitches = rows // OCTAVES * OCTAVES
    pitch = tf.math.floormod(raw, AGAIN) - lowest(rows)
    x = tf.one_hot(tf.where(raw == REST, pitches, pitch), pitches + 1, axis=2)
    if rows == pitches + 1:
        return x
    return tf.concat([x, tf.cast(raw >= AGAIN, tf.float32)[:, :, None]], axis=2)


def decode(x):
    """Pieces float32 [n, steps, rows, voices] as raw ones, int32 [n, steps, voices]."""
    rows = x.shape[2]
    pitches = rows // OCTAVES * OCTAVES
    row = tf.argmax(x[:, :, : pitches + 1], axis=2, output_type=tf.int32)
    is_rest = row == pitches
    pitch = row + lowest(rows)
    if rows > pitches + 1:
        held = tf.concat([tf.zeros_like(row[:, :1]), row[:, :-1] - row[:, 1:]], axis=1) == 0
        is_again = (x[:, :, -1] > 0.5) & held
        is_again &= tf.concat([tf.zeros_like(held[:, :1]), ~is_rest[:, :-1]], axis=1)
        pitch += AGAIN * tf.cast(is_again, tf.int32)
    return tf.where(is_rest, REST, pitch)


def given(x, seeds):
    """What is given of pieces float32 [n, steps, rows, voices], by seeds int64 [n].

    Of two fifths nothing, of a quarter the highest voice, of a sixth the first bars, of the others
    some voices or all but some bars. Returns (what is given, shaped as x; which steps of which
    voice are, float32 [n, steps, voices]).
    """
    steps, voices = x.shape[1], x.shape[3]
    chance, first, last = (latents.uniform(latents.fold(seeds, i)) for i in range(3))
    kept = tf.stack([latents.uniform(latents.fold(seeds, 3 + i)) for i in range(voices)], axis=1)
    bars = steps // BAR_STEPS
    place = (tf.range(steps) // BAR_STEPS)[None, :, None]
    start = tf.cast(first * bars, tf.int32)[:, None, None]
    end = start + 1 + tf.cast(last * (bars - 1), tf.int32)[:, None, None]
    every = tf.ones([1, steps, voices], bool)
    ways = [
        ~every,
        every & (tf.range(voices) == 0),
        every & (place < tf.maximum(start, 1)),
        every & (kept < 0.5)[:, None, :],
        every & ~((place >= start) & (place < end)),
    ]
    way = tf.searchsorted(tf.constant(GIVEN_SHARES), chance, side='right')
    ways = tf.stack(
        [tf.broadcast_to(each, [tf.shape(x)[0], steps, voices]) for each in ways], axis=1
    )
    known = tf.cast(tf.gather(ways, way, batch_dims=1), tf.float32)
    return x * known[:, :, None], known
