"""The least time one training step of the MLP pair can take, from its operations and bytes.

Operations: the products of batch and kernel that the gradients need, counted from the layers, over
the rate of that very product, the better of XLA's and TensorFlow's own. Bytes: what Adam and the
moving average have to read and write, over the rate of an addition in place.
"""

import collections
import math
import statistics

import tensorflow as tf
from workers import secs_each

from tfgan.objectives import OBJECTIVES

COPIES = 6  # of each product, on other numbers, so that no cache holds them all
SHAPE = 28, 28, 1
CLASSES = 10


def layers(settings):
    """(inputs, outputs) of the kernels of each network that are more than a score."""
    pixels, width = math.prod(SHAPE), settings.width
    hidden = [(width, width)] * (settings.depth - 1)
    generator = [(2 * settings.latent_size, width), *hidden, (width, pixels)]
    return generator, [(pixels, width), *hidden]


def products(settings):
    """{(kind, rows, inputs, outputs): how often in one step}, kinds as in `_product`."""
    generator, discriminator = layers(settings)
    batch, penalised = settings.batch_size, bool(OBJECTIVES[settings.objective].weight)
    counts = collections.Counter()
    for number, (inputs, outputs) in enumerate(generator):
        counts['forward', batch, inputs, outputs] += 1
        counts['kernel', batch, inputs, outputs] += 1
        counts['input', batch, inputs, outputs] += number > 0
    for number, (inputs, outputs) in enumerate(discriminator):
        counts['forward', 2 * batch, inputs, outputs] += 1 + penalised
        counts['kernel', 2 * batch, inputs, outputs] += 1
        # Without a penalty nobody needs the slopes at the real images themselves.
        rows = 2 * batch if number or penalised else batch
        counts['input', rows, inputs, outputs] += 1
    return +counts


def operations(settings):
    """Floating-point operations of one step's products."""
    return sum(2 * math.prod(shape) * times for (_, *shape), times in products(settings).items())


def moved_bytes(settings):
    """Adam reads kernel, gradient and two moments and writes three; the average costs three."""
    generator, discriminator = (
        sum(inputs * outputs for inputs, outputs in network) for network in layers(settings)
    )
    return 4 * (7 * (generator + discriminator) + 3 * generator)


def _product(kind, images, kernels, slopes):
    if kind == 'forward':
        return [tf.matmul(a, b) for a, b in zip(images, kernels)]
    if kind == 'input':
        return [tf.matmul(d, b, transpose_b=True) for d, b in zip(slopes, kernels)]
    return [tf.matmul(a, d, transpose_a=True) for a, d in zip(images, slopes)]


class Floor:
    """Measures the parts in turns; `seconds` puts the turns' medians together."""

    def __init__(self, settings):
        self._calls = {}
        for kind, rows, inputs, outputs in products(settings):
            numbers = [
                [tf.random.normal(shape) for _ in range(COPIES)]
                for shape in ([rows, inputs], [inputs, outputs], [rows, outputs])
            ]
            for jit in (False, True):
                function = tf.function(_product, jit_compile=jit)
                key = f'{kind} {rows} {inputs} {outputs} {jit}'
                self._calls[key] = lambda f=function, k=kind, n=numbers: f(k, *n)[-1].numpy()
        self._long = tf.Variable(tf.ones([1 << 25]))  # 128 MiB: more than caches hold
        self._more = tf.ones([1 << 25])
        self._calls['add'] = tf.function(lambda: self._long.assign_add(self._more))
        self.turn(1)

    def turn(self, repeats):
        """{part: seconds}: of one product each, and of moving one byte."""
        secs = {key: secs_each(call, repeats) / COPIES for key, call in self._calls.items()}
        secs['byte'] = secs.pop('add') * COPIES / (3 * 4 * (1 << 25))
        return secs


def seconds(settings, turns):
    """Of one step at least, of its products and of its bytes, from the turns of a Floor."""
    median = {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
    computing = sum(
        times * min(median[' '.join(map(str, [*product, jit]))] for jit in (False, True))
        for product, times in products(settings).items()
    )
    return computing, moved_bytes(settings) * median['byte']
