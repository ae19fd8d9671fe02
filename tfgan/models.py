"""Subclassed networks: generators of (latents, labels), discriminators of (images, labels)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgan.backprop import LEAK, Forward
from tfgan.config import Config

POLICIES = {'float32': 'float32', 'bfloat16': 'mixed_bfloat16'}


def _dense(config, units, **more):
    return keras.layers.Dense(units, dtype=POLICIES[config.precision], **more)


def _hidden(config):
    return [_dense(config, config.width) for _ in range(config.depth)]


class MlpGenerator(keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.shape = shape
        # As large as the latents beside it; Keras's own default would be a twentieth of that.
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.embedding = keras.layers.Embedding(
            num_classes, config.latent_size, embeddings_initializer=normal
        )
        self.hidden = _hidden(config)
        self.pixels = _dense(config, math.prod(shape))
        self.squash = {'linear': tf.identity, 'tanh': tf.tanh}[config.output]

    def call(self, latents, labels):
        hidden = tf.concat([latents, self.embedding(labels)], axis=1)
        for layer in self.hidden:
            hidden = tf.nn.leaky_relu(layer(hidden), LEAK)
        pixels = tf.cast(self.pixels(hidden), tf.float32)
        return self.squash(tf.reshape(pixels, [-1, *self.shape]))


class MlpDiscriminator(keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.features, self.num_classes = math.prod(shape), num_classes
        self.hidden = _hidden(config)
        self.logit = _dense(config, 1)
        self.fits = _dense(config, num_classes, use_bias=False)

    def call(self, images, labels, via=None):
        via = via or Forward()
        hidden = tf.reshape(images, [-1, self.features])
        for layer in self.hidden:
            hidden = via.leaky(via.affine(layer, hidden))
        # Projection (Miyato and Koyama 2018): a common score plus how well it fits its class.
        fits = tf.cast(via.affine(self.fits, hidden), tf.float32)
        fit = tf.reduce_sum(fits * tf.one_hot(labels, self.num_classes), axis=1)
        return tf.cast(via.affine(self.logit, hidden)[:, 0], tf.float32) + fit


class Architecture(NamedTuple):
    """A pair of networks, made of (config, shape, num_classes), and whether XLA speeds them up.

    A discriminator has to be piecewise linear in each image by itself, and runs its layers and
    leaky ReLUs through `via`, for `backprop`.
    """

    generator: Callable
    discriminator: Callable
    jit: bool


ARCHITECTURES = {
    'mlp': Architecture(MlpGenerator, MlpDiscriminator, jit=True),
}
