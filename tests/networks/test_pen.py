"""A pen's drawings are of one pen each, and move without a jump from one to another."""

import numpy as np
import pytest
import tensorflow as tf
from toys import settings

from tfgan import latents
from tfgan.networks.layers import between
from tfgan.networks.pen import (
    GROWTH,
    NUMBERS,
    PRESSURE,
    SHIFT,
    TURN,
    PenGenerator,
    RecurrentPenGenerator,
)

CLASSES, SHAPE = 3, (28, 28, 1)
FRAMES = 200


@pytest.fixture(params=[PenGenerator, RecurrentPenGenerator])
def pen(request):
    return request.param(settings(architecture='pen'), SHAPE, CLASSES)


def test_a_walk_has_no_jump_and_ends_at_its_drawings(pen):
    first, second = (latents.normal(tf.constant([seed], tf.int64), 6) for seed in (1, 2))
    label = tf.constant([1])
    assert (pen.style_of(first, label) != pen.style_of(second, label)).numpy().any()
    shares = tf.linspace(0.0, 1.0, FRAMES)
    ends = (tf.repeat(end, FRAMES, axis=0) for end in (first, second))
    walk = between(pen, *ends, shares, tf.repeat(label, FRAMES)).numpy()
    for frame, end in (0, first), (-1, second):
        assert np.abs(walk[frame] - pen(end, label)[0]).max() < 1e-4
    moved = np.abs(np.diff(walk, axis=0)).sum(axis=(1, 2, 3))
    whole = np.abs(walk[0] - walk[-1]).sum()
    assert whole > 10
    assert moved.max() < 0.3 * whole  # a stroke may come or go


def for_all_strokes(pen, middle=1, size=1, points=1, width=1, presence=1):
    """Factors or values of each stroke's numbers, as they lie in the layer that makes them."""
    each = np.repeat([middle, size, points, width, presence], NUMBERS)
    return np.tile(each, pen.stroke.units // sum(NUMBERS)).astype(np.float32)


def test_a_drawing_is_made_with_one_pen(pen):
    points = latents.normal(tf.range(200, dtype=tf.int64), 6)
    pen.strokes(points, tf.range(200) % CLASSES)
    # Widths are as far apart as training could bring them.
    pen.stroke.kernel.assign(for_all_strokes(pen, width=20) * pen.stroke.kernel)
    logarithms = np.log(pen.strokes(points, tf.range(200) % CLASSES).width)
    within = np.ptp(logarithms, axis=1)
    assert 0.1 < within.max() < 2 * PRESSURE + 1e-5
    assert np.ptp(logarithms) > 3 * PRESSURE


@pytest.mark.parametrize(
    ('pose', 'complex_factor', 'shift'),
    [
        ([0, 0, 0, 0], 1, 0),
        ([9, 0, 0, 0], np.exp(1j * TURN), 0),
        ([0, -9, 0, 0], np.exp(-GROWTH), 0),
        ([0, 0, 9, -9], 1, SHIFT - SHIFT * 1j),
        ([-9, -9, 9, 0], np.exp(-GROWTH - 1j * TURN), SHIFT),
    ],
)
def test_all_strokes_of_a_drawing_turn_grow_and_shift_together(pen, pose, complex_factor, shift):
    points, labels = latents.normal(tf.range(50, dtype=tf.int64), 6), tf.range(50) % CLASSES
    pen.strokes(points, labels)
    pen.pose.kernel.assign(tf.zeros_like(pen.pose.kernel))
    # Small strokes about the middle: none reaches the page's edge, none is too long for its pen.
    pen.stroke.kernel.assign(for_all_strokes(pen, 0.03, 0.03) * pen.stroke.kernel)
    pen.stroke.bias.assign(for_all_strokes(pen, 0, -1, 0, 0, 0))
    resting = pen.strokes(points, labels).points.numpy()
    pen.pose.bias.assign(pose)
    posed = pen.strokes(points, labels).points.numpy()
    from_middle, found = (x[..., 0] + 1j * x[..., 1] - 0.5 - 0.5j for x in (resting, posed))
    assert np.abs(posed - 0.5).max() < 0.5
    np.testing.assert_allclose(found, complex_factor * from_middle + shift, atol=1e-4)
