"""Subclassed networks: generators of (latents, labels), discriminators of (images, labels)."""

import concurrent.futures
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgan.backprop import LEAK, Forward
from tfgan.config import Config, ConfigError
from tfgan.losses import OBJECTIVES

POLICIES = {'float32': 'float32', 'bfloat16': 'mixed_bfloat16'}


def _dense(config, units, **more):
    return keras.layers.Dense(units, dtype=POLICIES[config.precision], **more)


def _hidden(config):
    return [_dense(config, config.width) for _ in range(config.depth)]


def _embedding(config, num_classes):
    # As large as the latents beside it; Keras's own default would be a twentieth of that.
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return keras.layers.Embedding(num_classes, config.latent_size, embeddings_initializer=normal)


def _leaky(hidden):
    return tf.nn.leaky_relu(hidden, LEAK)


def _flat(maps):
    return tf.reshape(maps, [-1, math.prod(maps.shape[1:])])


SQUASH = {'linear': tf.identity, 'tanh': tf.tanh}


class Score(keras.layers.Layer):
    """Features [n, ...] and labels [n] to logits [n] through dense layers.

    A logit is a common score and how well a class fits, the projection of Miyato and Koyama 2018.
    """

    def __init__(self, config: Config, num_classes: int):
        super().__init__()
        self.num_classes = num_classes
        self.hidden = _hidden(config)
        # Games that compare two scores cannot move what is common to all of them.
        self.logit = _dense(config, 1, use_bias=OBJECTIVES[config.objective].anchored)
        self.fits = _dense(config, num_classes, use_bias=False)

    def call(self, features, labels, via):
        hidden = _flat(features)
        for layer in self.hidden:
            hidden = via.leaky(via.affine(layer, hidden))
        fits = tf.cast(via.affine(self.fits, hidden), tf.float32)
        fit = tf.reduce_sum(fits * tf.one_hot(labels, self.num_classes), axis=1)
        return tf.cast(via.affine(self.logit, hidden)[:, 0], tf.float32) + fit


class Trunk(keras.layers.Layer):
    """Latents [n, latent_size] and labels [n] to features [n, width] through dense layers."""

    def __init__(self, config: Config, num_classes: int):
        super().__init__()
        self.embedding = _embedding(config, num_classes)
        self.hidden = _hidden(config)

    def call(self, latents, labels):
        hidden = tf.concat([latents, self.embedding(labels)], axis=1)
        for layer in self.hidden:
            hidden = _leaky(layer(hidden))
        return hidden


class MlpGenerator(keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.shape = shape
        self.trunk = Trunk(config, num_classes)
        self.pixels = _dense(config, math.prod(shape))
        self.squash = SQUASH[config.output]

    def call(self, latents, labels):
        pixels = tf.cast(self.pixels(self.trunk(latents, labels)), tf.float32)
        return self.squash(tf.reshape(pixels, [-1, *self.shape]))


class MlpDiscriminator(keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        return self.score(images, labels, via=via or Forward())


def pyramid(shape, channels: int) -> tuple[tuple[int, int], list[int]]:
    """The sides of the coarsest map, and the channels of each map from the finest on.

    Each map has half the sides of the one before, rounded up, and twice its channels, 512 at most;
    the first has half the image's, the last has a side of less than eight.
    """
    (height, width), levels = shape[:2], 0
    while not levels or min(height, width) >= 8:
        height, width, levels = -(-height // 2), -(-width // 2), levels + 1
    return (height, width), [min(channels << level, 512) for level in range(levels)]


class Up(keras.layers.Layer):
    """A map [n, h, w, c] to one of twice its sides; what it adds to a copy is learned."""

    def __init__(self, config: Config, channels: int):
        super().__init__()
        self.main = _conv(config, channels, 4, keras.layers.Conv2DTranspose)
        self.shortcut = _conv(config, channels, 1, strides=1, use_bias=False)

    def call(self, hidden):
        copy = tf.repeat(tf.repeat(self.shortcut(hidden), 2, axis=1), 2, axis=2)
        return copy + self.main(_leaky(hidden))


class Down(keras.layers.Layer):
    """A map [n, h, w, c] to one of half its sides, rounded up; the mirror image of `Up`."""

    def __init__(self, config: Config, channels: int):
        super().__init__()
        self.main = _conv(config, channels, 4)
        self.shortcut = _conv(config, channels, 1, strides=1, use_bias=False)

    def call(self, hidden, via):
        copy = via.affine(self.shortcut, tf.nn.avg_pool2d(hidden, 2, 2, 'SAME'))
        return copy + via.affine(self.main, via.leaky(hidden))


def _conv(config, channels, size, kind=keras.layers.Conv2D, strides=2, **more):
    policy = POLICIES[config.precision]
    return kind(channels, size, strides=strides, padding='same', dtype=policy, **more)


class ConvGenerator(keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through growing maps."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.sides = shape[:2]
        sides, channels = pyramid(shape, config.channels)
        self.coarsest = *sides, channels[-1]
        self.trunk = Trunk(config, num_classes)
        self.start = _dense(config, math.prod(self.coarsest))
        self.ups = [Up(config, count) for count in channels[-2::-1]]
        self.pixels = _conv(config, shape[-1], 4, keras.layers.Conv2DTranspose)
        self.squash = SQUASH[config.output]

    def call(self, latents, labels):
        hidden = self.start(self.trunk(latents, labels))
        hidden = tf.reshape(hidden, [-1, *self.coarsest])
        for up in self.ups:
            hidden = up(hidden)
        height, width = self.sides  # of which the maps are multiples, rounded up
        pixels = self.pixels(_leaky(hidden))[:, :height, :width]
        return self.squash(tf.cast(pixels, tf.float32))


class ConvDiscriminator(keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through shrinking maps."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        _, channels = pyramid(shape, config.channels)
        self.first = _conv(config, channels[0], 4)
        self.downs = [Down(config, count) for count in channels[1:]]
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        via = via or Forward()
        hidden = via.affine(self.first, images)
        for down in self.downs:
            hidden = down(hidden, via=via)
        return self.score(via.leaky(hidden), labels, via=via)


class HybridDiscriminator(keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through patches beside pixels, then dense.

    One convolution of patches that overlap is enough to see whether a stroke is whole; what it is
    part of is for the dense layers to see. Without the pixels beside it drawings vary less.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.patches = _conv(config, config.channels, 8, strides=4)
        self.score = Score(config, num_classes)

    def call(self, images, labels, via=None):
        via = via or Forward()
        patches = via.leaky(via.affine(self.patches, images))
        pixels = tf.cast(images, patches.dtype)
        features = tf.concat([_flat(patches), _flat(pixels)], axis=1)
        return self.score(features, labels, via=via)


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
    'hybrid': Architecture(ConvGenerator, HybridDiscriminator, jit=False),
    'conv': Architecture(ConvGenerator, ConvDiscriminator, jit=False),
}


def check_room(config: Config, shape, num_classes: int, parts: int = 1) -> None:
    """Refuses networks that this machine's memory cannot hold, without making them.

    It counts no more than is certain, for one of the parts in which a batch is worked on: a GPU's
    memory and what else is needed are not known here. Raises ConfigError.
    """
    batch = config.batch_size // parts
    pixels = math.prod(shape)
    numbers = config.width * (config.depth * config.width + config.latent_size + pixels)
    if numbers + batch * (pixels * config.channels + config.latent_size) < SMALL:
        return  # a second saved
    weights, hidden = needs(config, shape, num_classes, batch)
    room = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    if 4 * (weights + hidden) > room:
        sizes = 'width', 'depth', 'channels', 'latent_size'
        told = ' '.join(f'--{name}={getattr(config, name)}' for name in (*sizes, 'batch_size'))
        raise ConfigError(
            f'{told} with images of {"x".join(map(str, shape))}: a step takes at least '
            f'{4 * weights / 1e9:,.0f} GB for weights and {4 * hidden / 1e9:,.0f} GB for a batch, '
            f'and this machine has {room / 1e9:,.0f} GB; give smaller ones, or an --image_size'
        )


SMALL = 10**8  # numbers, or so, that fit anywhere


def needs(config: Config, shape, num_classes: int, batch: int) -> tuple[int, int]:
    """How many numbers training keeps at least: for weights, and between the layers of a step."""
    make_generator, make_discriminator, _ = ARCHITECTURES[config.architecture]
    inputs = (batch, config.latent_size), (2 * batch, *shape)
    # A thread of its own, because there Keras notes the variables that it has yet to make.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        (generator, drawing), (discriminator, judging) = thread.map(
            lambda make, size: _sizes(make, config, shape, num_classes, size),
            (make_generator, make_discriminator),
            inputs,
        )
    # Each with its gradients and Adam's two moments, and the generator's average.
    return 5 * generator + 4 * discriminator, drawing + judging


def _sizes(make, config, shape, num_classes, inputs):
    """Numbers of a network's weights and of its layers' outputs, of which none is made."""
    with keras.StatelessScope(initialize_variables=False), tf.Graph().as_default() as graph:
        network = make(config, shape, num_classes)
        network(tf.zeros(inputs), tf.zeros(inputs[:1], tf.int32))
    outputs = [op.outputs[0] for op in graph.get_operations() if op.type in PRODUCTS]
    weights = sum(math.prod(variable.shape) for variable in network.variables)
    return weights, sum(math.prod(output.shape) for output in outputs)


PRODUCTS = 'MatMul', 'Conv2D', 'Conv2DBackpropInput'
