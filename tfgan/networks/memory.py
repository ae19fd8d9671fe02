"""What memory a pair of networks needs, found without making them."""

import concurrent.futures
import math
import os

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.errors import ConfigError
from tfgan.networks.architecture import Architecture

SMALL = 10**8  # numbers, or so, that fit anywhere
PRODUCTS = 'MatMul', 'Conv2D', 'Conv2DBackpropInput'  # whose outputs a step keeps
BYTES = 4  # of a float32


def check_memory(
    architecture: Architecture, config: Config, shape, num_classes: int, parts: int = 1
) -> None:
    """Refuses networks that this machine's memory cannot hold, without making them.

    It counts no more than is certain, for one of the parts in which a batch is worked on: a GPU's
    memory and what else is needed are not known here. Raises ConfigError.
    """
    batch = config.batch_size // parts
    pixels = math.prod(shape)
    numbers = config.width * (config.depth * config.width + config.latent_size + pixels)
    if numbers + batch * (pixels * config.channels + config.latent_size) < SMALL:
        return  # a second saved
    weights, hidden = needs(architecture, config, shape, num_classes, batch)
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    if BYTES * (weights + hidden) > memory:
        sizes = 'width', 'depth', 'channels', 'latent_size'
        told = ' '.join(f'--{name}={getattr(config, name)}' for name in (*sizes, 'batch_size'))
        raise ConfigError(
            f'{told} with images of {"x".join(map(str, shape))}: a step takes at least '
            f'{_gigabytes(weights)} for weights and {_gigabytes(hidden)} for a batch, and this '
            f'machine has {memory / 1e9:,.0f} GB; give smaller ones, or an --image_size'
        )


def _gigabytes(numbers):
    return f'{BYTES * numbers / 1e9:,.0f} GB'


def needs(
    architecture: Architecture, config: Config, shape, num_classes: int, batch: int
) -> tuple[int, int]:
    """How many numbers training keeps at least: for weights, and between the layers of a step."""
    inputs = (batch, config.latent_size), (2 * batch, *shape)
    # A thread of its own, because there Keras notes the variables that it has yet to make.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        (generator, fixed, drawing), (discriminator, _, judging) = thread.map(
            lambda make, size: _sizes(make, config, shape, num_classes, size),
            (architecture.make_generator, architecture.make_discriminator),
            inputs,
        )
    # Each with its gradients and Adam's two moments, and the generator's average.
    return 5 * generator + 2 * fixed + 4 * discriminator, drawing + judging


def _sizes(make, config, shape, num_classes, inputs):
    """Numbers of what a network learns, of its other weights and of its layers' outputs.

    None of them is made.
    """
    with keras.StatelessScope(initialize_variables=False), tf.Graph().as_default() as graph:
        network = make(config, shape, num_classes)
        network(tf.zeros(inputs), tf.zeros(inputs[:1], tf.int32))
    outputs = [op.outputs[0] for op in graph.get_operations() if op.type in PRODUCTS]
    kinds = network.trainable_variables, network.non_trainable_variables, outputs
    return tuple(sum(math.prod(each.shape) for each in kind) for kind in kinds)
