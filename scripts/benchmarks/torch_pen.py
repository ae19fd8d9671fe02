"""The pen in PyTorch: the numbers of strokes, and the grey images of their ink on white."""

import math

import numpy as np
import restated as pen
import torch
from torch.nn.functional import pad

CURVE = torch.from_numpy(pen.curve().T.copy())
CAPS = torch.from_numpy(pen.CAPS)


def images(numbers, side):
    """Images [n, side * side] of strokes, from numbers [n, strokes * sum(NUMBERS) + POSE]."""
    numbers, pose = numbers[:, : -pen.POSE], torch.tanh(numbers[:, -pen.POSE :])
    numbers = numbers.unflatten(1, (pen.STROKES, -1))
    middle, size, offsets, wide, presence = numbers.split(pen.NUMBERS, dim=2)
    width = _widths(wide)
    points = _posed(_points(middle, size, offsets), pose).clamp(0, 1)
    points = _shortened(points, width)
    return _drawn(points, width, _ink(presence), side).flatten(1)


def _points(middle, size, offsets):
    """Points [n, strokes, 2, POINTS]."""
    middle = 0.5 + 0.5 * torch.tanh(middle)
    size = pen.SIZE * torch.exp(pen.SIZE_RANGE * torch.tanh(size))
    offsets = offsets.unflatten(2, (2, pen.POINTS))
    offsets = offsets - offsets.mean(3, keepdim=True)
    rms = (offsets.square().sum((2, 3)) / pen.POINTS + 1e-6).sqrt()
    scale = size / rms[..., None]
    return middle[..., None] + scale[..., None] * offsets


def _posed(points, pose):
    turn, growth = pen.TURN * pose[:, 0], torch.exp(pen.GROWTH * pose[:, 1])
    across, down = growth * torch.cos(turn), growth * torch.sin(turn)
    matrix = torch.stack([across, -down, down, across], 1).reshape(-1, 1, 2, 2)
    return 0.5 + pen.SHIFT * pose[:, None, 2:, None] + matrix @ (points - 0.5)


def _widths(wide):
    """Widths [n, strokes, 1]."""
    mean = wide.mean(1, keepdim=True)
    logarithm = pen.WIDTH_RANGE * torch.tanh(2 * mean) + pen.PRESSURE * torch.tanh(wide - mean)
    return pen.WIDTH * torch.exp(logarithm)


def _ink(presence):
    """1 or 0 of strokes, [n, strokes, 1], with the slope of a probability."""
    probability = torch.sigmoid(2 * (presence[:, pen.ALWAYS :] + pen.PRESENT))
    chosen = probability + (probability.round() - probability).detach()
    return torch.cat([torch.ones_like(presence[:, : pen.ALWAYS]), chosen], 1)


def _shortened(points, width):
    apart = _lengths(points @ CURVE).amax(2, keepdim=True)
    middle = points.mean(3, keepdim=True)
    return middle + (width / apart).clamp(max=1)[..., None] * (points - middle)


def _lengths(places):
    """Lengths [n, strokes, SAMPLES - 1] between places [n, strokes, 2, SAMPLES]."""
    return (places.diff(dim=3).square().sum(2) + 1e-10).sqrt()


def _drawn(points, width, ink, side):
    """Images [n, side, side]."""
    places = (points - 0.5) * side @ CURVE
    wide = ((width * side) ** 2 + pen.LEAST_PEN**2).sqrt()
    sigma = pen.SIGMA * wide
    halves = 0.5 * _lengths(places)
    around = pad(halves, (1, 0)) + pad(halves, (0, 1))
    mass = (around / (math.sqrt(2 * math.pi) * sigma) + CAPS) * ink
    sharp = (-0.5 / sigma**2).expand_as(mass)
    across = _gaussians(places[:, :, 0], sharp, 0.0, side)
    down = _gaussians(places[:, :, 1], sharp, torch.log(mass + pen.NOTHING), side)
    density = down.transpose(1, 2) @ across
    slope = pen.SHARPNESS * 8 * pen.SIGMA**2 * wide.mean(1, keepdim=True)
    return 1 - 2 * (_covered(density, slope) - _covered(torch.zeros(1, 1, 1), slope))


def _covered(density, slope):
    return torch.sigmoid(slope * (torch.log(density + pen.FAINT) - math.log(pen.EDGE)))


def _gaussians(places, sharp, log_mass, side):
    """exp(log_mass + sharp (pixel - place)^2), [n, strokes * SAMPLES, side], by a product."""
    pixel = torch.from_numpy(np.arange(side, dtype=np.float32) - (side - 1) / 2)
    powers = torch.stack([pixel**2, pixel, torch.ones(side)])
    terms = torch.stack([sharp, -2 * places * sharp, places**2 * sharp + log_mass], 3)
    return torch.exp(terms.flatten(1, 2) @ powers)
