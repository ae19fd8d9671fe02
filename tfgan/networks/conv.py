"""Generators and discriminators with convolutions."""

import math

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks.backward import Forward
from tfgan.networks.layers import SQUASH, BuiltOnCall, Score, Trunk, conv, dense, flat, leaky

LARGE = 32  # pixels of a longer side: of more, a discriminator sees halves as well


def pyramid(shape, channels: int) -> tuple[tuple[int, int], list[int]]:
    """The sides of the coarsest map, and the channels of each map from the finest on.

    Each map has half the sides of the one before, rounded up, and twice its channels, 512 at most;
    the first has half the image's, the last has a side of less than eight.
    """
    (height, width), levels = shape[:2], 0
    while not levels or min(height, width) >= 8:
        height, width, levels = -(-height // 2), -(-width // 2), levels + 1
    return (height, width), [min(channels << level, 512) for level in range(levels)]


class Up(BuiltOnCall, keras.layers.Layer):
    """A map [n, h, w, c] to one of twice its sides; what it adds to a copy is learned."""

    def __init__(self, config: Config, channels: int):
        super().__init__()
        self.main = conv(config, channels, 4, keras.layers.Conv2DTranspose)
        self.shortcut = conv(config, channels, 1, strides=1, use_bias=False)

    def call(self, hidden):
        copy = tf.repeat(tf.repeat(self.shortcut(hidden), 2, axis=1), 2, axis=2)
        return copy + self.main(leaky(hidden))


class Down(BuiltOnCall, keras.layers.Layer):
    """A map [n, h, w, c] to one of half its sides, rounded up; the mirror image of `Up`."""

    def __init__(self, config: Config, channels: int):
        super().__init__()
        self.main = conv(config, channels, 4)
        self.shortcut = conv(config, channels, 1, strides=1, use_bias=False)

    def call(self, hidden, via):
        copy = via.affine(self.shortcut, tf.nn.avg_pool2d(hidden, 2, 2, 'SAME'))
        return copy + via.affine(self.main, via.leaky(hidden))


class ConvGenerator(BuiltOnCall, keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through growing maps."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.sides = shape[:2]
        sides, channels = pyramid(shape, config.channels)
        self.coarsest = *sides, channels[-1]
        self.trunk = Trunk(config, num_classes)
        self.start = dense(config, math.prod(self.coarsest))
        self.ups = [Up(config, count) for count in channels[-2::-1]]
        self.pixels = conv(config, shape[-1], 4, keras.layers.Conv2DTranspose)
        self.squash = SQUASH[config.output]

    def call(self, latents, labels):
        hidden = self.start(self.trunk(latents, labels))
        hidden = tf.reshape(hidden, [-1, *self.coarsest])
        for up in self.ups:
            hidden = up(hidden)
        height, width = self.sides  # of which the maps are multiples, rounded up
        pixels = self.pixels(leaky(hidden))[:, :height, :width]
        return self.squash(tf.cast(pixels, tf.float32))


class ConvDiscriminator(BuiltOnCall, keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through shrinking maps."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        _, channels = pyramid(shape, config.channels)
        self.first = conv(config, channels[0], 4)
        self.downs = [Down(config, count) for count in channels[1:]]
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        via = via or Forward()
        hidden = via.affine(self.first, images)
        for down in self.downs:
            hidden = down(hidden, via=via)
        return self.score(via.leaky(hidden), labels, via=via)


class HybridDiscriminator(BuiltOnCall, keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through patches beside pixels, then dense.

    One convolution of patches that overlap is enough to see whether a stroke is whole; what it is
    part of is for the dense layers to see. Without the pixels beside it drawings vary less.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.patches = conv(config, config.channels, 8, strides=4)
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        via = via or Forward()
        patches = via.leaky(via.affine(self.patches, images))
        pixels = tf.cast(images, patches.dtype)
        features = tf.concat([flat(patches), flat(pixels)], axis=1)
        return self.score(features, labels, via=via)


class LargeDiscriminator(HybridDiscriminator):
    """The same for images of any size, at a cost that grows far less than their pixels.

    What the dense layers see is as large as of a small image: patches that are halved by further
    convolutions, and pixels that are halved by averages, until both are as of one of `LARGE`.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(config, shape, num_classes)
        self.halvings = max(0, math.ceil(math.log2(max(shape[:2]) / LARGE)))
        channels = [config.channels << level for level in range(1, self.halvings + 1)]
        self.coarser = [conv(config, count, 4) for count in channels]

    def call(self, images, labels, via=None):
        via = via or Forward()
        patches = via.leaky(via.affine(self.patches, images))
        for layer in self.coarser:
            patches = via.leaky(via.affine(layer, patches))
        side = 1 << self.halvings
        pixels = tf.nn.avg_pool2d(images, side, side, 'SAME') if self.coarser else images
        pixels = tf.cast(pixels, patches.dtype)
        return self.score(tf.concat([flat(patches), flat(pixels)], axis=1), labels, via=via)
