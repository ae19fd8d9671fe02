"""An encoder: images to the latents and labels that a finished generator draws them from."""

import math

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks.conv import LARGE
from tfgan.networks.layers import BuiltOnCall, conv, dense, flat, leaky

CHANNELS = 16  # of patches; of each further map twice as many
WIDTH, DEPTH = 400, 3  # of its dense layers


class Encoder(BuiltOnCall, keras.Model):
    """Images [n, *shape] and what is known of them [n, h, w] to latents and logits of classes.

    Known is 1, hidden is 0. What is hidden may be anything: it is not seen. Its variable `ground`
    is what an image is where nothing is drawn, [channels]. It sees what the pen's discriminator
    does: patches beside pixels, then dense layers.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='encoder')
        self.ground = self.add_weight(
            shape=[shape[-1]], initializer='ones', trainable=False, name='ground'
        )
        self.halvings = max(0, math.ceil(math.log2(max(shape[:2]) / LARGE)))
        self.patches = conv(config, CHANNELS, 8, strides=4)
        counts = [CHANNELS << level for level in range(1, self.halvings + 1)]
        self.coarser = [conv(config, count, 4) for count in counts]
        self.hidden = [dense(config, WIDTH) for _ in range(DEPTH)]
        self.latents = dense(config, config.latent_size)
        self.logits = dense(config, num_classes)

    def call(self, images, known):
        known = known[..., None]
        ink = (images - self.ground) * known
        patches = leaky(self.patches(tf.concat([ink, known], axis=3)))
        for layer in self.coarser:
            patches = leaky(layer(patches))
        side = 1 << self.halvings
        pixels = tf.nn.avg_pool2d(ink, side, side, 'SAME') if self.coarser else ink
        hidden = tf.concat([flat(patches), flat(tf.cast(pixels, patches.dtype))], axis=1)
        for layer in self.hidden:
            hidden = leaky(layer(hidden))
        return tf.cast(self.latents(hidden), tf.float32), tf.cast(self.logits(hidden), tf.float32)
