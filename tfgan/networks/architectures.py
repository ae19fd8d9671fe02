"""Subclassed networks: generators of (latents, labels), discriminators of (images, labels)."""

import concurrent.futures
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.errors import ConfigError
from tfgan.networks.conv import ConvDiscriminator, ConvGenerator, HybridDiscriminator
from tfgan.networks.mlp import MlpDiscriminator, MlpGenerator


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
