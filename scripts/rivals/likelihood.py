"""A recurrent network by maximum likelihood, as its user would write it in Keras.

Two layers of GRU read the steps of a piece; at each, every voice has a softmax over its pitches,
from the highest voice down, each given all steps before and the voices above. It learns with what
was written before (teacher forcing), from batches of 64 by Adam(.001), Keras's defaults, and keeps
the weights by which the valid split was likeliest; it ends early when they have not been surpassed
for some time. Pieces that are learned from are transposed at random; how far the network is told,
so that it writes in the key of the data when it is told that they are not. Pieces are drawn one
step after the other at temperature 1. A given soprano is harmonised as is plain with such a
network: the highest voice is forced, and none knows what comes of it.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan.forms.music import rows
from tfgan.forms.music.pieces import AGAIN, OCTAVES, REST

UNITS, EMBEDDED, BATCH, LEARNING_RATE = 256, 32, 64, 1e-3
MOST_MOVED, MOVED_SHARE = 6, 0.5  # semitones, and how many pieces are moved
VALID, PATIENCE = 256, 10  # pieces that tell when to stop, and epochs without a better one
BAR = rows.BAR_STEPS


class Network(keras.Model):
    """Tokens [n, steps, voices] and semitones [n] to logits [n, steps, voices, tokens]."""

    def __init__(self, voices, tokens):
        super().__init__()
        self.voices, self.start = voices, tokens
        self.embedded = [layers.Embedding(tokens + 1, EMBEDDED) for _ in range(voices)]
        self.place = layers.Embedding(BAR, EMBEDDED)
        self.moved = layers.Embedding(2 * MOST_MOVED + 1, EMBEDDED)
        self.recurrent = [layers.GRU(UNITS, return_sequences=True) for _ in range(2)]
        self.hidden = [layers.Dense(UNITS, 'relu') for _ in range(voices)]
        self.chosen = [layers.Dense(tokens) for _ in range(voices)]

    def read(self, before, places, moved):
        """What the network reads at steps, of the tokens [..., voices] of those before them."""
        voices = [embed(before[..., voice]) for voice, embed in enumerate(self.embedded)]
        return tf.concat([*voices, self.place(places), self.moved(moved + MOST_MOVED)], -1)

    def logits(self, state, above):
        """Those of the voice below tokens of the voices `above`, a list."""
        heard = [embed(voice) for embed, voice in zip(self.embedded, above)]
        voice = len(above)
        return self.chosen[voice](self.hidden[voice](tf.concat([state, *heard], -1)))

    def call(self, tokens, moved):
        steps = tokens.shape[1]
        before = tf.pad(tokens[:, :-1], [[0, 0], [1, 0], [0, 0]], constant_values=self.start)
        shape = tf.shape(tokens)[:2]
        places = tf.broadcast_to(tf.range(steps) % BAR, shape)
        state = self.read(before, places, tf.broadcast_to(moved[:, None], shape))
        for layer in self.recurrent:
            state = layer(state)
        voices = tf.unstack(tokens, axis=2)
        return tf.stack([self.logits(state, voices[:i]) for i in range(self.voices)], 2)


class Likelihood:
    """What `train` gives."""

    def __init__(self, source, seed):
        keras.utils.set_random_seed(seed)
        self.length, voices = source.shape
        self.pitches = source.notes['rows'] // OCTAVES * OCTAVES
        self.lowest = rows.lowest(self.pitches)
        tells_again = source.notes['rows'] > self.pitches + 1
        self.network = Network(voices, 1 + self.pitches * (1 + tells_again))
        self.tokens = tf.constant(self.tokens_of(source.images(np.arange(len(source)))))
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE)
        self.network(self.tokens[:1], tf.zeros([1], tf.int32))  # This makes the weights.
        self.optimizer.build(self.network.trainable_variables)
        self.steps, self.told = 0, ''

    def tokens_of(self, raw):
        """0 for a rest, then one for each pitch, then one for each that is struck again."""
        again = self.pitches * (raw >= AGAIN)
        return np.where(raw == REST, 0, 1 + raw % AGAIN - self.lowest + again).astype(np.int32)

    def pieces_of(self, tokens):
        pitch = self.lowest + (tokens - 1) % self.pitches
        again = AGAIN * (tokens > self.pitches)
        return np.where(tokens == 0, REST, pitch + again).astype(np.int32)

    def _moved(self, tokens):
        """Tokens transposed at random as far as they stay within the rows, and how far."""
        pitch = tf.where(tokens > 0, (tokens - 1) % self.pitches, -1)
        highest = tf.reduce_max(pitch, [1, 2])
        lowest = tf.reduce_min(tf.where(tokens > 0, pitch, self.pitches), [1, 2])
        count = tf.shape(tokens)[0]
        far = tf.random.uniform([count], -MOST_MOVED, MOST_MOVED + 1, tf.int32)
        far = tf.where(tf.random.uniform([count]) < MOVED_SHARE, far, 0)
        far = tf.clip_by_value(far, -tf.minimum(lowest, MOST_MOVED), self.pitches - 1 - highest)
        return tf.where(tokens > 0, tokens + far[:, None, None], 0), far

    def _loss(self, tokens, moved):
        """Nats of a note, of a voice at a step."""
        logits = self.network(tokens, moved=moved)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, logits)
        return tf.reduce_mean(losses)

    @tf.function
    def _step(self):
        chosen = tf.random.uniform([BATCH], 0, len(self.tokens), tf.int32)
        tokens, moved = self._moved(tf.gather(self.tokens, chosen))
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._loss(tokens, moved)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    @tf.function
    def _valid_loss(self, tokens):
        return self._loss(tokens, tf.zeros(tf.shape(tokens)[:1], tf.int32))

    def learn(self, valid, minutes, steps=None):
        """For so many minutes, or steps; it ends with the best weights."""
        if valid is not None:
            spread = np.linspace(0, len(valid) - 1, min(VALID, len(valid))).astype(int)
            unseen = tf.constant(self.tokens_of(valid.images(spread)))
        epoch = max(1, len(self.tokens) // BATCH)
        until, best, since, at = time.monotonic() + 60 * minutes, np.inf, 0, 0
        loss, weights = np.nan, None
        while self.steps < steps if steps else time.monotonic() < until:
            loss = self._step()
            self.steps += 1
            if valid is None or self.steps % epoch:
                continue
            found, since = float(self._valid_loss(unseen)), since + 1
            if found < best:
                best, since, at = found, 0, self.steps
                weights = self.network.get_weights()
            if since == PATIENCE:
                break
        self.told = f'{self.steps:,} steps; loss at the end {float(loss):.4f} nats a step and voice'
        if weights:
            self.network.set_weights(weights)
            self.told += f'; unseen pieces had {best:.4f} after {at:,} steps, which are kept'
        return self

    @tf.function
    def _drawn(self, given, known, seed):
        """Tokens [n, steps, voices], drawn one by one, but those `given` of voices `known`."""
        network, count = self.network, tf.shape(given)[0]
        moved = tf.zeros([count], tf.int32)
        before = tf.fill([count, network.voices], network.start)
        states = [tf.zeros([count, UNITS]) for _ in network.recurrent]
        found = tf.TensorArray(tf.int32, self.length)
        for step in tf.range(self.length):
            state = network.read(before, tf.fill([count], step % BAR), moved)
            after = []
            for layer, last in zip(network.recurrent, states):
                state, _ = layer.cell(state, [last])
                after.append(state)
            states, voices = after, []
            for voice in range(network.voices):
                drawn = tf.random.stateless_categorical(
                    network.logits(state, voices), 1, tf.stack([seed, 8 * step + voice]), tf.int32
                )
                voices.append(tf.where(known[voice], given[:, step, voice], drawn[:, 0]))
            before = tf.stack(voices, 1)
            found = found.write(step, before)
        return tf.transpose(found.stack(), [1, 0, 2])

    def sample(self, n, seed):
        """Pieces int32 [n, steps, voices]."""
        voices = self.network.voices
        nothing = tf.zeros([n, self.length, voices], tf.int32)
        drawn = self._drawn(nothing, tf.zeros([voices], tf.bool), tf.constant(seed))
        return self.pieces_of(drawn.numpy())

    def harmonise(self, sopranos, modes, seed):
        """Pieces int32 [n, steps, voices] below sopranos int32 [n, steps]; modes are not used."""
        voices = self.network.voices
        given = np.zeros([*sopranos.shape, voices], np.int32)
        given[:, :, 0] = self.tokens_of(sopranos)
        known = tf.range(voices) == 0
        drawn = self._drawn(tf.constant(given), known, tf.constant(seed))
        return self.pieces_of(drawn.numpy())


def train(source, valid, minutes, seed, steps=None) -> Likelihood:
    """One that has learned from a source for so many minutes or steps; `valid` may be None."""
    return Likelihood(source, seed).learn(valid, minutes, steps)
