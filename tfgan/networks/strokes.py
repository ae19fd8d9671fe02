"""Strokes on a page, and the ink they leave on any grid of pixels, with slopes for learning.

A stroke is a Catmull-Rom curve through its points, drawn by a round pen. Samples along it leave
Gaussian spots whose sum is a density of ink. A Gaussian is separable, so the density on h x w
pixels is Y^T X for Y [samples, h] and X [samples, w]: one batched matrix product.

Along a line's middle the density is 1, and at a distance d from it exp(-d^2 / 2 sigma^2); sigma is
a fixed share of the pen's width, so at the edge of the line, half a width from its middle, the
density is the same number for every pen. What is above it is covered. Its logarithm tells how far
the edge is, which gives a pixel at the edge its share of ink, at any size of the image.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Found against a rasteriser of hard edges, at pens of 1 to 4 pixels: tests/networks/test_strokes.py
SIGMA = 0.3  # of a spot, in widths of the pen
EDGE = math.exp(-1 / (8 * SIGMA**2))  # the density at a line's edge
CAP = 0.6  # what an end's spot has more than the half line that ends there: it makes it round
LEAST_PEN = 0.3  # pixels, added in squares: a pen much narrower would fall between the pixels
SHARPNESS = 1.5  # of a pixel's share of ink over the distance of an edge; 1 is a ramp of a pixel
NOTHING = 1e-20  # keeps logarithms finite where no ink is
FAINT = 3e-4  # density that is added to all, unseen: where a stroke might be there is a slope


class Strokes(NamedTuple):
    """Strokes of n drawings on a page whose longer side is 1 and whose middle is (0.5, 0.5)."""

    points: tf.Tensor  # float32 [n, strokes, points, 2]: x to the right, y downwards
    width: tf.Tensor  # float32 [n, strokes] of the pen
    ink: tf.Tensor  # float32 [n, strokes]: 1, or 0 for a stroke that is not there
    colour: tf.Tensor  # float32 [n, strokes, channels] in [-1, 1]


def through(points: int) -> np.ndarray:
    """The matrix [3 * points - 2, points] from a stroke's points to those of its cubic Béziers.

    A curve goes through all points; beyond the ends it is continued straight.
    """
    eye = np.eye(points)
    around = np.concatenate([2 * eye[:1] - eye[1:2], eye, 2 * eye[-1:] - eye[-2:-1]])
    slopes = (around[2:] - around[:-2]) / 6
    pieces = np.stack([eye[:-1], eye[:-1] + slopes[:-1], eye[1:] - slopes[1:]], axis=1)
    return np.concatenate([pieces.reshape(-1, points), eye[-1:]]).astype(np.float32)


@functools.cache
def curve(points: int, samples: int) -> np.ndarray:
    """The matrix [samples, points] from a stroke's points to evenly timed samples of its curve."""
    place = np.linspace(0, points - 1, samples)
    piece = np.minimum(place.astype(int), points - 2)
    u = (place - piece)[:, None]
    bernstein = np.concatenate([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3], 1)
    matrix = np.zeros([samples, 3 * points - 2])
    for control in range(4):
        matrix[np.arange(samples), 3 * piece + control] = bernstein[:, control]
    return (matrix @ through(points)).astype(np.float32)


def shortened(points, width, samples: int):
    """Points of strokes, shrunk where samples would be further apart than the pen is wide."""
    apart = tf.reduce_max(lengths(sampled(points, samples)), axis=2)
    middle = tf.reduce_mean(points, axis=2, keepdims=True)
    return middle + tf.minimum(1.0, width / apart)[:, :, None, None] * (points - middle)


def sampled(points, samples: int):
    """Places [n, k, samples, 2] along the curves through points [n, k, m, 2]."""
    return tf.einsum('sp,nkpd->nksd', curve(points.shape[2], samples), points)


def lengths(places):
    """The lengths [n, k, m - 1] between places [n, k, m, 2] that follow each other."""
    # What is added keeps the slope of a length finite where it is zero.
    return tf.sqrt(tf.reduce_sum((places[:, :, 1:] - places[:, :, :-1]) ** 2, axis=-1) + 1e-10)


def draw(strokes: Strokes, ground, height: int, width: int, samples: int):
    """Images float32 [n, height, width, channels] of strokes on a ground, a colour [channels]."""
    across, down, pen = _spots(strokes, height, width, samples)
    density = tf.matmul(down, across, transpose_a=True)
    # In a log-density of slope 1 / (4 sigma^2 pen) at the edge, the ramp is one pixel wide.
    slope = SHARPNESS * 8 * SIGMA**2 * tf.reduce_mean(pen, axis=1)[:, None, None]
    share = _covered(density, slope) - _covered(tf.zeros([1, 1, 1]), slope)
    colour = strokes.colour
    if colour.shape[-1] == 1:  # all strokes have the same
        mixed = colour[:, :1, None]
    else:
        each = tf.repeat(colour, samples, axis=1)
        mixed = [tf.matmul(down * each[:, :, i, None], across, transpose_a=True) for i in range(3)]
        mixed = tf.stack(mixed, axis=-1) / (density + NOTHING)[..., None]
    return ground + share[..., None] * (mixed - ground)


def _covered(density, slope):
    return tf.sigmoid(slope * (tf.math.log(density + FAINT) - math.log(EDGE)))


def _spots(strokes, height, width, samples):
    """Factors of the samples' spots, [n, k * samples, width] and [n, ..., height], and pens [n, k].

    Pixels are the unit. The spots' masses are in the second factor.
    """
    side = max(height, width)
    places = sampled((strokes.points - 0.5) * side, samples)
    pen = tf.sqrt((strokes.width * side) ** 2 + LEAST_PEN**2)
    sigma = SIGMA * pen[:, :, None]
    halves = 0.5 * lengths(places)
    around = tf.pad(halves, [[0, 0], [0, 0], [1, 0]]) + tf.pad(halves, [[0, 0], [0, 0], [0, 1]])
    caps = np.zeros(samples, np.float32)
    caps[[0, -1]] = CAP
    mass = (around / (math.sqrt(2 * math.pi) * sigma) + caps) * strokes.ink[:, :, None]
    sharp = tf.broadcast_to(-0.5 / sigma**2, tf.shape(mass))
    across = _gaussians(places[..., 0], sharp, 0.0, width)
    down = _gaussians(places[..., 1], sharp, tf.math.log(mass + NOTHING), height)
    return across, down, pen


def _gaussians(places, sharp, log_mass, pixels):
    """exp(log_mass + sharp (pixel - place)^2) of places [n, k, s] from the middle: [n, k * s, p].

    The exponents are quadratic in the pixel, and so a matrix product too.
    """
    pixel = np.arange(pixels, dtype=np.float32) - (pixels - 1) / 2
    powers = np.stack([pixel**2, pixel, np.ones_like(pixel)])
    terms = tf.stack([sharp, -2 * places * sharp, places**2 * sharp + log_mass], axis=-1)
    many = places.shape[1] * places.shape[2]
    exponents = tf.matmul(tf.reshape(terms, [-1, 3]), powers)
    return tf.reshape(tf.exp(exponents), [-1, many, pixels])
