"""The least time one training step can take, from its operations and bytes.

Operations: the matrix products that the gradients need, counted from the layers, each at the rate
that the fastest library here reaches on that very product alone; and the exponentials of a pen's
spots. Bytes: what Adam and the moving average have to read and write, over the rate of an addition
in place.
"""

import collections
import math
import statistics

import numpy as np
import restated
from workers import secs_each

from tfgan import config

COPIES = 6  # of each product, on other numbers, so that no cache holds them all
SIDE, CLASSES = 28, 10
# Which of a layer's inputs, kernel and slopes at its outputs are multiplied, which one transposed.
OPERANDS = {
    'forward': ('inputs', 'kernel', False, False),
    'input': ('slopes', 'kernel', False, True),
    'kernel': ('inputs', 'slopes', True, False),
}
LONG = 1 << 25  # numbers, 128 MiB: more than caches hold


def layers(settings):
    """(inputs, outputs) of the dense kernels of each network that are more than a score."""
    pixels, width = SIDE * SIDE, settings.width
    hidden = [(width, width)] * (settings.depth - 1)
    drawn, seen = pixels, pixels
    if settings.architecture == 'pen':
        drawn = restated.STROKES * sum(restated.NUMBERS) + restated.POSE
        seen = pixels + (SIDE // 4) ** 2 * settings.channels
    generator = [(2 * settings.latent_size, width), *hidden, (width, drawn)]
    return generator, [(seen, width), *hidden]


def products(settings):
    """{(kind, many, rows, inputs, outputs): how often in one step}, kinds as in `OPERANDS`.

    A product is of `many` pairs of matrices: of one, but for the pen's.
    """
    generator, discriminator = layers(settings)
    batch, penalised = settings.batch_size, bool(restated.penalty_weight(settings))
    counts = collections.Counter()
    for number, (inputs, outputs) in enumerate(generator):
        counts['forward', 1, batch, inputs, outputs] += 1
        counts['kernel', 1, batch, inputs, outputs] += 1
        counts['input', 1, batch, inputs, outputs] += number > 0
    for number, (inputs, outputs) in enumerate(discriminator):
        counts['forward', 1, 2 * batch, inputs, outputs] += 1 + penalised
        counts['kernel', 1, 2 * batch, inputs, outputs] += 1
        # Without a penalty nobody needs the slopes at the real images themselves.
        rows = 2 * batch if number or penalised else batch
        counts['input', 1, rows, inputs, outputs] += 1
    if settings.architecture == 'pen':
        windows, spots = (SIDE // 4) ** 2, restated.STROKES * restated.SAMPLES
        patches = 2 * batch * windows, 8 * 8, settings.channels
        counts['forward', 1, *patches] += 1 + penalised
        counts['kernel', 1, *patches] += 1
        rows = 2 * batch * windows if penalised else batch * windows
        counts['input', 1, rows, *patches[1:]] += 1
        # The image is the spots' heights times their widths; both are exponentials of a product.
        for kind in OPERANDS:
            counts[kind, batch, spots, SIDE, SIDE] += 1
        for kind in ('forward', 'input'):
            counts[kind, 1, batch * spots, 3, SIDE] += 2
    return +counts


def exponentials(settings):
    """How many a step takes for the pen's spots."""
    if settings.architecture != 'pen':
        return 0
    return 2 * settings.batch_size * restated.STROKES * restated.SAMPLES * SIDE


def operations(settings):
    """Floating-point operations of one step's products."""
    return sum(2 * math.prod(shape) * times for (_, *shape), times in products(settings).items())


def moved_bytes(settings):
    """Adam reads kernel, gradient and two moments and writes three; the average costs three."""
    generator, discriminator = (
        sum(inputs * outputs for inputs, outputs in network) for network in layers(settings)
    )
    return 4 * (7 * (generator + discriminator) + 3 * generator)


class NumPy:
    """A library's arrays, as `Rates` asks for them; every call ends when its work is done."""

    def array(self, shape):
        """Normal numbers as float32."""
        return np.random.default_rng(0).standard_normal(shape, np.float32)

    def products(self, left, right, transpose_left, transpose_right):
        """Of two lists of arrays [n, m] or [many, n, m], pair by pair."""
        for a, b in zip(left, right):
            a = a.swapaxes(-1, -2) if transpose_left else a
            _ = a @ (b.swapaxes(-1, -2) if transpose_right else b)

    def exp(self, x):
        np.exp(x)

    def add(self, x, y):
        """x += y."""
        np.add(x, y, out=x)


class Rates:
    """What a library does in how many seconds: turn(repeats) measures each part alone."""

    def __init__(self, settings, library):
        self._calls = {}
        for product in products(settings):
            kind, many, rows, inputs, outputs = product
            before = [many] if many > 1 else []
            shapes = {
                'inputs': [rows, inputs],
                'kernel': [inputs, outputs],
                'slopes': [rows, outputs],
            }
            left, right, *transposed = OPERANDS[kind]
            pairs = [[library.array([*before, *shapes[name]]) for _ in range(COPIES)]
                     for name in (left, right)]  # fmt: skip
            self._calls[named(product)] = lambda p=pairs, t=transposed: library.products(*p, *t)
        x, y = library.array([LONG]), library.array([LONG])
        some = library.array([1 << 20])
        self._calls |= {'exp': lambda: library.exp(some), 'add': lambda: library.add(x, y)}
        self.turn(1)

    def turn(self, repeats):
        """{part: seconds}: of one product each, one exponential, and of moving one byte."""
        secs = {key: secs_each(call, repeats) for key, call in self._calls.items()}
        found = {key: each / COPIES for key, each in secs.items()}
        return found | {'exp': secs['exp'] / (1 << 20), 'add': secs['add'] / (3 * 4 * LONG)}


def named(product):
    """A product's name among the parts of a turn."""
    return ' '.join(map(str, product))


def rates(preset):
    """turn(repeats) of NumPy."""
    return Rates(config.make(preset), NumPy()).turn


def seconds(settings, libraries):
    """(of products, of exponentials, of bytes) of one step at least, from turns of libraries.

    `libraries` are lists of turns as `Rates.turn` gives them; the fastest counts, part by part.
    """
    median = {
        part: min(statistics.median(turn[part] for turn in turns) for turns in libraries)
        for part in libraries[0][0]
    }
    computing = sum(median[named(each)] * times for each, times in products(settings).items())
    return (
        computing,
        exponentials(settings) * median['exp'],
        moved_bytes(settings) * median['add'],
    )
