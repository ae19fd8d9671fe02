"""The pen in JAX: the numbers of strokes, and the grey images of their ink on white."""

import math

import jax.numpy as jnp
import numpy as np
import restated as pen
from jax import lax, nn

CURVE = pen.curve().T


def images(numbers, side):
    """Images [n, side, side] of strokes, from numbers [n, strokes * sum(NUMBERS) + POSE]."""
    numbers, pose = numbers[:, : -pen.POSE], jnp.tanh(numbers[:, -pen.POSE :])
    numbers = numbers.reshape(len(numbers), pen.STROKES, -1)
    middle, size, offsets, wide, presence = jnp.split(numbers, np.cumsum(pen.NUMBERS)[:-1], 2)
    width = _widths(wide)
    points = jnp.clip(_posed(_points(middle, size, offsets), pose), 0, 1)
    points = _shortened(points, width)
    return _drawn(points, width, _ink(presence), side)


def _points(middle, size, offsets):
    """Points [n, strokes, 2, POINTS]."""
    middle = 0.5 + 0.5 * jnp.tanh(middle)
    size = pen.SIZE * jnp.exp(pen.SIZE_RANGE * jnp.tanh(size))
    offsets = offsets.reshape(*offsets.shape[:2], 2, pen.POINTS)
    offsets -= offsets.mean(3, keepdims=True)
    rms = jnp.sqrt((offsets**2).sum((2, 3)) / pen.POINTS + 1e-6)
    scale = size / rms[..., None]
    return middle[..., None] + scale[..., None] * offsets


def _posed(points, pose):
    turn, growth = pen.TURN * pose[:, 0], jnp.exp(pen.GROWTH * pose[:, 1])
    across, down = growth * jnp.cos(turn), growth * jnp.sin(turn)
    matrix = jnp.stack([across, -down, down, across], 1).reshape(-1, 1, 2, 2)
    return 0.5 + pen.SHIFT * pose[:, None, 2:, None] + matrix @ (points - 0.5)


def _widths(wide):
    """Widths [n, strokes, 1]."""
    mean = wide.mean(1, keepdims=True)
    logarithm = pen.WIDTH_RANGE * jnp.tanh(2 * mean) + pen.PRESSURE * jnp.tanh(wide - mean)
    return pen.WIDTH * jnp.exp(logarithm)


def _ink(presence):
    """1 or 0 of strokes, [n, strokes, 1], with the slope of a probability."""
    probability = nn.sigmoid(2 * (presence[:, pen.ALWAYS :] + pen.PRESENT))
    chosen = probability + lax.stop_gradient(probability.round() - probability)
    return jnp.concatenate([jnp.ones_like(presence[:, : pen.ALWAYS]), chosen], 1)


def _shortened(points, width):
    apart = _lengths(points @ CURVE).max(2, keepdims=True)
    middle = points.mean(3, keepdims=True)
    return middle + jnp.minimum(1, width / apart)[..., None] * (points - middle)


def _lengths(places):
    """Lengths [n, strokes, SAMPLES - 1] between places [n, strokes, 2, SAMPLES]."""
    return jnp.sqrt((jnp.diff(places, axis=3) ** 2).sum(2) + 1e-10)


def _drawn(points, width, ink, side):
    """Images [n, side, side]."""
    places = (points - 0.5) * side @ CURVE
    wide = jnp.sqrt((width * side) ** 2 + pen.LEAST_PEN**2)
    sigma = pen.SIGMA * wide
    halves = 0.5 * _lengths(places)
    around = jnp.pad(halves, [(0, 0), (0, 0), (1, 0)]) + jnp.pad(halves, [(0, 0), (0, 0), (0, 1)])
    mass = (around / (math.sqrt(2 * math.pi) * sigma) + pen.CAPS) * ink
    sharp = -0.5 / sigma**2
    across = _gaussians(places[:, :, 0], sharp, 0.0, side)
    down = _gaussians(places[:, :, 1], sharp, jnp.log(mass + pen.NOTHING), side)
    density = down.swapaxes(1, 2) @ across
    slope = pen.SHARPNESS * 8 * pen.SIGMA**2 * wide.mean(1, keepdims=True)
    return 1 - 2 * (_covered(density, slope) - _covered(0.0, slope))


def _covered(density, slope):
    return nn.sigmoid(slope * (jnp.log(density + pen.FAINT) - math.log(pen.EDGE)))


def _gaussians(places, sharp, log_mass, side):
    """exp(log_mass + sharp (pixel - place)^2), [n, strokes * SAMPLES, side], by a product."""
    pixel = np.arange(side, dtype=np.float32) - (side - 1) / 2
    powers = np.stack([pixel**2, pixel, np.ones_like(pixel)])
    terms = sharp, -2 * places * sharp, places**2 * sharp + log_mass
    terms = jnp.stack(jnp.broadcast_arrays(*terms), 3)
    return jnp.exp(terms.reshape(len(places), -1, 3) @ powers)
