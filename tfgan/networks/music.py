"""Generators and discriminators of music: pieces of a few voices as one-hot rows, step by step."""

import math

import keras
import numpy as np
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks.backward import Forward
from tfgan.networks.layers import BuiltOnCall, Score, Trunk, dense, flat, leaky
from tfgan.networks.recurrent import Gru

BEAT = 4  # steps
OCTAVE = 12  # rows of pitches
HOLD = 3.0  # how much more probable a held note is, as a logit, before anything is learned
GOLDEN = (math.sqrt(5) - 1) / 2


def one_hot(logits):
    """The likeliest row of logits [..., rows] as one-hot, with the slopes of the softmax."""
    soft = tf.nn.softmax(logits)
    hard = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1])
    return soft + tf.stop_gradient(hard - soft)


def turned(latents, beat):
    """Latents [n, latent_size] of a beat: those of the piece, each pair of them turned by an angle.

    They stay normal, and those of two beats are hardly alike; so a piece of any length has its own
    of every beat.
    """
    half = latents.shape[1] // 2
    angles = 2 * np.pi * np.modf(GOLDEN * np.arange(1, half + 1))[0]
    angles = tf.constant(angles, tf.float32) * tf.cast(beat, tf.float32)
    cosine, sine = tf.cos(angles), tf.sin(angles)
    first, second, rest = latents[:, :half], latents[:, half : 2 * half], latents[:, 2 * half :]
    turned = cosine * first - sine * second, sine * first + cosine * second
    return tf.concat([*turned, rest], axis=1)


class RecurrentGenerator(BuiltOnCall, keras.Model):
    """Latents [n, latent_size] and labels [n] to pieces [n, steps, rows, voices].

    A GRU goes from beat to beat, and in each one voice after the other is chosen, hearing those
    that were chosen before. Dense layers then fill the steps between two beats, hearing both.
    `given` [n, steps, rows, voices] is kept where `known` [n, steps, voices] is 1.
    """

    ORDER = 0, 3, 1, 2  # the outer voices come first

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.steps, self.rows, self.voices = shape
        self.order = [voice for voice in self.ORDER if voice < self.voices]
        self.trunk = Trunk(config, num_classes)
        self.start = dense(config, config.width)
        self.gru = Gru(config)
        self.reading = [dense(config, config.width // 2) for _ in range(2)]
        self.harmony = dense(config, self.voices * config.width)
        self.heard = [dense(config, config.width, use_bias=False) for _ in self.order[1:]]
        self.choices = [dense(config, self.rows) for _ in self.order]
        self.between_beats = [dense(config, config.width) for _ in range(2)]
        self.passing = dense(config, (BEAT - 1) * self.rows * self.voices)
        hold = keras.initializers.Constant(HOLD)
        self.hold = self.add_weight(shape=[BEAT - 1, self.voices, 1], initializer=hold, name='hold')

    def call(self, latents, labels, given=None, known=None):
        beats, n = self.steps // BEAT, tf.shape(latents)[0]
        if given is None:
            given = tf.zeros([n, self.steps, self.rows, self.voices])
            known = tf.zeros([n, self.steps, self.voices])
        read = self.read(given, known)
        given = tf.reshape(given, [-1, beats, BEAT, self.rows, self.voices])
        known = tf.reshape(known, [-1, beats, BEAT, 1, self.voices])
        state = tf.tanh(self.start(self.trunk(latents, labels)))
        chord, states, chords = tf.zeros([n, self.rows, self.voices]), [], []
        for beat in range(beats):
            seen = tf.concat([turned(latents, beat), read[:, beat], flat(chord)], axis=1)
            state = self.gru(seen, state)
            chord = self.chord(
                tf.concat([state, seen], axis=1), given[:, beat, 0], known[:, beat, 0]
            )
            states.append(state)
            chords.append(chord)
        states, chords = tf.stack(states, axis=1), tf.stack(chords, axis=1)
        steps = self.in_between(states, chords, read, given, known)
        return tf.reshape(steps, [-1, self.steps, self.rows, self.voices])

    def read(self, given, known):
        """What is given, seen at each beat with the beats about it: [n, beats, features]."""
        beats = self.steps // BEAT
        hidden = tf.concat([given * known[:, :, None], known[:, :, None]], axis=2)
        hidden = tf.reshape(hidden, [-1, beats, BEAT * (self.rows + 1) * self.voices])
        hidden = leaky(self.reading[0](hidden))
        return leaky(self.reading[1](around(hidden, 1, 4)))

    def chord(self, features, given, known):
        """The rows [n, rows, voices] of a beat's first step."""
        hidden = tf.split(self.harmony(features), self.voices, axis=1)
        found = {}
        for place, voice in enumerate(self.order):
            heard = hidden[place]
            if place:
                others = tf.concat([found[other] for other in self.order[:place]], axis=1)
                heard += self.heard[place - 1](others)
            row = one_hot(tf.cast(self.choices[place](leaky(heard)), tf.float32))
            found[voice] = kept(row, given[:, :, voice], known[:, :, voice])
        return tf.stack([found[voice] for voice in range(self.voices)], axis=2)

    def in_between(self, states, chords, read, given, known):
        """The rows [n, beats, BEAT, rows, voices] of all steps, of each beat's first ones."""
        beats = chords.shape[1]
        rows = tf.reshape(chords, [-1, beats, self.rows * self.voices])
        following = tf.pad(rows, [[0, 0], [0, 1], [0, 0]])[:, 1:]
        hidden = tf.concat([states, read, rows, following], axis=2)
        for layer in self.between_beats:
            hidden = leaky(layer(hidden))
        logits = tf.cast(self.passing(hidden), tf.float32)
        logits = tf.reshape(logits, [-1, beats, BEAT - 1, self.voices, self.rows])
        last = tf.transpose(chords, [0, 1, 3, 2])
        steps = [chords]
        for step in range(BEAT - 1):
            row = one_hot(logits[:, :, step] + self.hold[step] * last)
            row = tf.transpose(row, [0, 1, 3, 2])
            steps.append(kept(row, given[:, :, step + 1], known[:, :, step + 1]))
            last = tf.transpose(steps[-1], [0, 1, 3, 2])
        return tf.stack(steps, axis=2)


def kept(row, given, known):
    """Rows, or what is given where it is known."""
    return known * given + (1 - known) * row


def around(hidden, before: int, after: int):
    """Each beat's features [n, beats, d] beside those of so many beats before and after it."""
    beats = hidden.shape[1]
    padded = tf.pad(hidden, [[0, 0], [before, after], [0, 0]])
    return tf.concat([padded[:, i : i + beats] for i in range(before + after + 1)], axis=2)


class MusicDiscriminator(BuiltOnCall, keras.Model):
    """Pieces [n, steps, rows, voices] and labels [n] to logits [n] through windows of beats.

    Beside the rows it sees linear views of them: pitch classes, of each voice and of all, and the
    mean of each beat.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.steps, self.rows, self.voices = shape
        self.near = dense(config, config.channels * 16)
        self.far = [dense(config, config.channels * 16) for _ in range(2)]
        self.score = Score(config, num_classes)

    def views(self, pieces):
        pitches = self.rows // OCTAVE * OCTAVE
        chroma = tf.reshape(
            pieces[:, :, :pitches], [-1, self.steps, pitches // OCTAVE, OCTAVE, self.voices]
        )
        chroma = tf.reduce_sum(chroma, axis=2)
        found = [pieces, chroma, tf.reduce_sum(chroma, axis=3, keepdims=True)]
        wide = [tf.reshape(each, [-1, self.steps, math.prod(each.shape[2:])]) for each in found]
        return tf.concat(wide, axis=2)

    def call(self, pieces, labels, via=None):
        via = via or Forward()
        seen = self.views(pieces)
        beats = self.steps // BEAT
        mean = tf.reduce_mean(tf.reshape(seen, [-1, beats, BEAT, seen.shape[2]]), axis=2)
        steps = tf.reshape(seen, [-1, beats, BEAT * seen.shape[2]])
        last = tf.pad(seen, [[0, 0], [BEAT, 0], [0, 0]])[:, BEAT - 1 : -1 : BEAT]
        following = tf.pad(mean, [[0, 0], [0, 1], [0, 0]])[:, 1:]
        hidden = tf.concat([steps, last, following], axis=2)
        hidden = via.leaky(via.affine(self.near, hidden))
        local = hidden
        for layer in self.far:
            wider = around(hidden, 1, 2)
            hidden = via.leaky(via.affine(layer, wider[:, ::2]))
        return self.score(tf.concat([flat(local), flat(hidden)], axis=1), labels, via=via)
