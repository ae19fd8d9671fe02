"""Generator and discriminator of dense layers only."""

import math

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks.backward import Forward
from tfgan.networks.layers import SQUASH, BuiltOnCall, Score, Trunk, dense


class MlpGenerator(BuiltOnCall, keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.shape = shape
        self.trunk = Trunk(config, num_classes)
        self.pixels = dense(config, math.prod(shape))
        self.squash = SQUASH[config.output]

    def call(self, latents, labels):
        pixels = tf.cast(self.pixels(self.trunk(latents, labels)), tf.float32)
        return self.squash(tf.reshape(pixels, [-1, *self.shape]))


class MlpDiscriminator(BuiltOnCall, keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        return self.score(images, labels, via=via or Forward())
