"""Recurrent networks: what reads an example one row after the other."""

import dataclasses

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks.backward import Forward
from tfgan.networks.layers import BuiltOnCall, Score, dense, flat


class Gru(BuiltOnCall, keras.layers.Layer):
    """A gated recurrent unit (Cho et al. 2014): inputs [n, d] and state [n, width] to a new state.

    Keras's own cell has a random state for its dropout, which a checkpoint would have to hold. It
    is float32 whatever the precision: rounding would add up from row to row.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.width = config.width
        exact = dataclasses.replace(config, precision='float32')
        self.gates = dense(exact, 2 * config.width)
        self.candidate = dense(exact, config.width)

    def call(self, inputs, state):
        update, reset = tf.split(tf.sigmoid(self.gates(tf.concat([inputs, state], axis=1))), 2, 1)
        candidate = tf.tanh(self.candidate(tf.concat([inputs, reset * state], axis=1)))
        return update * state + (1 - update) * candidate


class RecurrentDiscriminator(BuiltOnCall, keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] by a GRU from row to row.

    Its gates are no leaky ReLUs, so its slopes take the plain double backward pass.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.gru = Gru(config)
        self.score = Score(config, num_classes)

    def call(self, images, labels):
        state = tf.zeros([tf.shape(images)[0], self.gru.width])
        for row in tf.unstack(images, axis=1):
            state = self.gru(flat(row), state)
        return self.score(state, labels, via=Forward())
