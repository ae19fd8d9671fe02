"""What tfgan says in modules that import TensorFlow, for processes that should not have it.

A test compares these numbers with tfgan's own.
"""

import math

import numpy as np

# tfgan.objectives
WEIGHTS = {'non_saturating': 0.0, 'relativistic': 2.0}  # of the penalties of objectives

# tfgan.networks.pen, for images of a side of SMALL at most
STROKES, POINTS = 16, 5
SMALL = 32
SAMPLES = 32
WIDTH = 0.06
WIDTH_RANGE = 0.9
PRESSURE = 0.25
SIZE = 0.104
SIZE_RANGE = 1.24
ALWAYS = 4
PRESENT = 0.5
TURN, GROWTH, SHIFT = 0.5, 0.4, 0.2
STYLES = 32
STYLE_SCALE = 1.5
NUMBERS = 2, 1, 2 * POINTS, 1, 1  # in this order a layer gives each stroke's
POSE = 4  # numbers more of each drawing: its turn, its growth and its shift

# tfgan.networks.strokes
SIGMA = 0.3
EDGE = math.exp(-1 / (8 * SIGMA**2))
CAP = 0.6
LEAST_PEN = 0.3
SHARPNESS = 1.5
NOTHING = 1e-20
FAINT = 3e-4

CAPS = np.zeros(SAMPLES, np.float32)
CAPS[[0, -1]] = CAP


def penalty_weight(settings) -> float:
    """Of the penalty as training begins."""
    own = WEIGHTS[settings.objective]
    return own if settings.penalty_weight is None else settings.penalty_weight


def curve() -> np.ndarray:
    """The matrix [SAMPLES, POINTS] from a stroke's points to samples of its Catmull-Rom curve."""
    place = np.linspace(0, POINTS - 1, SAMPLES)
    piece = np.minimum(place.astype(int), POINTS - 2)
    u = (place - piece)[:, None]
    eye = np.eye(POINTS)
    around = np.concatenate([2 * eye[:1] - eye[1:2], eye, 2 * eye[-1:] - eye[-2:-1]])
    before, first, second, after = (around[piece + shift] for shift in range(4))
    cubic = -before + 3 * first - 3 * second + after
    square = 2 * before - 5 * first + 4 * second - after
    return (first + u * (second - before + u * (square + u * cubic)) / 2).astype(np.float32)
