"""Pieces as their judge sees them: rolls, and damaged as bad generators would, to learn from."""

import math

import numpy as np
import tensorflow as tf

from tfgan.forms.music.measures import ranges
from tfgan.forms.music.pieces import AGAIN, MIDDLE, OCTAVES, REST, STEPS_PER_BEAT

SILENT = 255  # a rest of a small piece, which is uint8 and of which no pitch needs it
DAMAGES = 6
ALONE = 3  # damages of them that one voice can have
TRANSPOSITIONS = np.arange(-6, 7)  # in which a copy is one: all twelve, the tritone both ways
MOVE = 2  # semitones that a piece may be transposed and stay what it is, to the judge


class MusicViews:
    """Views of pieces int32 [n, steps, voices], whose pitches are about middle C.

    The judge's network takes [n, steps, pitches, channels]: each voice's roll, each voice's notes
    where they begin, all pitch classes in each octave, and all pitches from the lowest one up.
    With the latter two, a chord looks the same wherever it is and whoever sings it.
    """

    def __init__(self, source):
        low, high = ranges(source)
        furthest = max(MIDDLE - low.min(), high.max() + 1 - MIDDLE, 1)
        self._pitches = OCTAVES * math.ceil(furthest / (OCTAVES // 2))
        self._lowest = MIDDLE - self._pitches // 2
        self._voices = source.shape[-1]
        self.damages = DAMAGES if self._voices > 1 else ALONE

    def small(self, raw):
        """Pieces as uint8."""
        return tf.cast(tf.where(tf.equal(raw, REST), SILENT, raw), tf.uint8)

    def encode(self, small):
        small = tf.cast(small, tf.int32)
        sounds, pitch = small != SILENT, small % AGAIN - self._lowest
        pitch = tf.clip_by_value(pitch, 0, self._pitches - 1)
        before = tf.concat([-tf.ones_like(pitch[:, :1]), tf.where(sounds, pitch, -1)[:, :-1]], 1)
        begins = (pitch != before) | (small >= AGAIN)
        bass = tf.reduce_min(tf.where(sounds, pitch, self._pitches), axis=2, keepdims=True)
        heard = tf.cast(sounds[:, :, None], tf.float32)
        roll = heard * tf.one_hot(pitch, self._pitches, axis=2)
        classes = tf.reduce_max(heard * tf.one_hot(pitch % 12, 12, axis=2), axis=3, keepdims=True)
        above = heard * tf.one_hot(pitch - bass, self._pitches, axis=2)
        return tf.concat(
            [
                roll,
                roll * tf.cast(begins[:, :, None], tf.float32),
                tf.tile(classes, [1, 1, self._pitches // 12, 1]),
                tf.reduce_max(above, axis=3, keepdims=True),
            ],
            axis=3,
        )

    def _decode(self, x):
        """Small pieces int32 of encoded ones; AGAIN wherever a note begins, that is no matter."""
        roll, begins = x[..., : self._voices], x[..., self._voices : 2 * self._voices]
        pitch = tf.argmax(roll, axis=2, output_type=tf.int32) + self._lowest
        again = AGAIN * tf.cast(tf.reduce_max(begins, axis=2), tf.int32)
        return tf.where(tf.reduce_max(roll, axis=2) > 0, pitch + again, SILENT)

    def thumbnails(self, raw) -> np.ndarray:
        """Pieces as rows of pitches: uint8 [n, steps * voices]."""
        pitch = np.where(raw == REST, SILENT, raw % AGAIN)
        return pitch.astype(np.uint8).reshape(len(raw), -1)

    def nearest(self, thumbnails, others, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Distance [n] to the k-th nearest of others, and its index [n].

        It is the share of pitches that differ, in the transposition of the twelve where least do.
        """
        found = np.empty(len(thumbnails), np.float32), np.empty(len(thumbnails), np.int64)
        for i, row in enumerate(thumbnails):
            equal = np.max([_equal(row, others, shift) for shift in TRANSPOSITIONS], axis=0)
            at = np.argpartition(-equal, k - 1)[k - 1]
            found[0][i], found[1][i] = 1 - equal[at] / len(row), at
        return found

    def move(self, x, seed):
        return self.encode(_transposed(self._decode(x), seed))

    def damage(self, x, seed):
        small = self._decode(x)
        ways = [_wrong_notes, _shuffled_beats, _hurry]
        if self._voices > 1:
            ways += [_voice_transposed, _voice_late, _voices_of_others]
        made = [of(small, _Chance(small, seed, number)) for number, of in enumerate(ways)]
        way = _Chance(small, seed, len(ways)).whole(0, len(ways))
        return self.encode(tf.gather(tf.stack(made, axis=1), way, axis=1, batch_dims=1)), way


def _equal(row, others, semitones):
    """How many pitches of each other row are those of one, so many semitones higher: int [n]."""
    higher = np.where(row == SILENT, SILENT, row + semitones).astype(np.uint8)
    return np.count_nonzero(others == higher, axis=1)


class _Chance:
    """Random numbers [n, *shape] for n small pieces, others for each use and each `number`."""

    def __init__(self, small, seed, number: int):
        self._n, self._seed, self._used = tf.shape(small)[0], tf.stack(seed), 1000 * (number + 1)

    def __call__(self, *shape):
        return self._drawn(shape, 0, 1, tf.float32)

    def whole(self, low, high, *shape):
        return self._drawn(shape, low, high, tf.int32)

    def away(self, most, *shape):
        """Whole numbers from -most to most, but 0."""
        found = self.whole(-most, most, *shape)
        return tf.where(found < 0, found, found + 1)

    def _drawn(self, shape, low, high, dtype):
        self._used += 1
        seed = self._seed + self._used
        return tf.random.stateless_uniform([self._n, *shape], seed, low, high, dtype)

    def voice(self, small):
        """One voice of each piece: bool [n, 1, voices]."""
        voices = small.shape[2]
        return tf.one_hot(self.whole(0, voices, 1), voices, True, False)


def _higher(small, semitones):
    return tf.where(small == SILENT, SILENT, small + semitones)


def _transposed(small, seed):
    return _higher(small, _Chance(small, seed, 0).whole(-MOVE, MOVE + 1, 1, 1))


# Each takes small pieces int32 [n, steps, voices] and its own random numbers.


def _wrong_notes(small, chance):
    """Some beats of some voices are up to half an octave off."""
    steps, voices = small.shape[1:]
    beats = -(-steps // STEPS_PER_BEAT)
    wrong = chance(beats, voices) < 0.05 + 0.3 * chance(1, 1)
    off = tf.where(wrong, chance.away(6, beats, voices), 0)
    return _higher(small, tf.repeat(off, STEPS_PER_BEAT, axis=1)[:, :steps])


def _shuffled_beats(small, chance):
    """Beats are out of order, a few places off or anywhere."""
    steps = small.shape[1]
    beats = steps // STEPS_PER_BEAT
    order = tf.argsort(tf.range(beats, dtype=tf.float32) + beats * chance(1) * chance(beats))
    at = STEPS_PER_BEAT * order[:, :, None] + tf.range(STEPS_PER_BEAT)
    at = tf.reshape(at, [-1, beats * STEPS_PER_BEAT])
    shuffled = tf.gather(small, at, axis=1, batch_dims=1)
    return tf.concat([shuffled, small[:, beats * STEPS_PER_BEAT :]], axis=1)


def _hurry(small, chance):
    """Single steps go to a neighbouring pitch, so that there are sixteenths and none holds."""
    steps, voices = small.shape[1:]
    wrong = chance(steps, voices) < 0.02 + 0.2 * chance(1, 1)
    return _higher(small, tf.where(wrong, chance.away(2, steps, voices), 0))


def _voice_transposed(small, chance):
    """One voice is in another key."""
    return _higher(small, tf.where(chance.voice(small), chance.away(3, 1, 1), 0))


def _voice_late(small, chance):
    """One voice is early or late by two beats at most."""
    steps = small.shape[1]
    at = (tf.range(steps) + chance.away(2 * STEPS_PER_BEAT, 1)) % steps
    return tf.where(chance.voice(small), tf.gather(small, at, axis=1, batch_dims=1), small)


def _voices_of_others(small, chance):
    """One voice or more, but not all, are those of another piece."""
    first, others = chance.voice(small), chance(1, small.shape[2]) < 0.3
    own = tf.roll(first, 1, axis=2)
    return tf.where((first | others) & ~own, tf.roll(small, 1, axis=0), small)
