"""Strokes leave the ink that a rasteriser of hard edges leaves, at any size, and can be learned."""

import io

import numpy as np
import pytest
import resvg_py
import tensorflow as tf
from PIL import Image

from tfgan.forms.drawing import svg
from tfgan.networks import strokes
from tfgan.networks.strokes import Strokes

SAMPLES = 32
BLACK, WHITE = [-1.0], [1.0]


def some(count=20, wide=0.06, many=4, channels=1, seed=0):
    """Random strokes of five points, each as long as half a page or so."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0.2, 0.8, (count, many, 1, 2))
    points = start + np.cumsum(rng.normal(size=(count, many, 5, 2), scale=0.09), axis=2)
    colour = (
        -np.ones((count, many, channels))
        if channels == 1
        else rng.uniform(-1, 1, (count, many, channels))
    )
    each = [points.clip(0.05, 0.95), np.full((count, many), wide), np.ones((count, many)), colour]
    return Strokes(*(tf.constant(value, tf.float32) for value in each))


def drawn(found, size=28, ground=WHITE, height=None):
    """Levels in [0, 1]: [n, h, w, c]."""
    images = strokes.draw(found, tf.constant(ground), height or size, size, SAMPLES)
    return images.numpy() / 2 + 0.5


def levels(colours):
    return tf.cast(tf.round((tf.constant(colours) + 1) * 127.5), tf.int32)


def foreign(found, size=28, ground=WHITE, height=None):
    """The same of SVG, by a renderer that is not ours."""
    told = found._replace(colour=levels(found.colour))
    files = svg.files(told, levels(ground), height or size, size).numpy()
    pictures = [
        Image.open(
            io.BytesIO(
                bytes(
                    resvg_py.svg_to_bytes(
                        svg_string=each.decode(), width=size, height=height or size
                    )
                )
            )
        )
        for each in files
    ]
    mode = 'L' if len(ground) == 1 else 'RGB'
    images = np.stack([np.asarray(picture.convert(mode)) for picture in pictures]) / 255
    return images.reshape(len(images), height or size, size, len(ground))


def overlap(found, expected):
    """Intersection over union of ink, of dark on light."""
    one, other = found < 0.5, expected < 0.5
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize(
    ('size', 'wide'), [(28, 0.045), (28, 0.06), (28, 0.09), (56, 0.06), (128, 0.06), (300, 0.04)]
)
def test_ink_is_that_of_another_renderer(size, wide):
    found = some(wide=wide)
    ours, theirs = drawn(found, size), foreign(found, size)
    assert np.abs(ours - theirs).mean() < 0.02
    assert overlap(ours, theirs) > 0.9
    assert (1 - ours).mean() == pytest.approx((1 - theirs).mean(), rel=0.05)


@pytest.mark.parametrize(('height', 'width'), [(20, 40), (40, 20)])
def test_a_page_of_any_shape_has_its_middle_in_the_middle(height, width):
    found = some(8)
    ours = drawn(found, width, height=height)
    assert ours.shape == (8, height, width, 1)
    assert overlap(ours, foreign(found, width, height=height)) > 0.88


def test_coloured_ink_on_coloured_paper_is_that_of_another_renderer():
    found, ground = some(channels=3, many=2, seed=3), [0.8, 0.2, -0.6]
    ours, theirs = drawn(found, 56, ground), foreign(found, 56, ground)
    assert np.abs(ours - theirs).mean() < 0.02
    paper = (np.array(ground) + 1) / 2
    assert (np.abs(theirs - paper).max(axis=-1) > 0.1).mean() > 0.05  # there is ink


def test_the_same_strokes_are_the_same_drawing_at_any_size():
    found = some()
    small, large = drawn(found), drawn(found, 28 * 8)
    pooled = large.reshape(20, 28, 8, 28, 8, 1).mean((2, 4))
    assert np.abs(small - pooled).mean() < 0.015


def test_a_stroke_that_is_not_there_has_a_slope_to_come_back_by():
    """The discriminator may ask for ink where a stroke would be; 28 pixels are a usual size."""
    found, ink = some(many=1), tf.Variable(tf.zeros([20, 1]))
    with tf.GradientTape() as tape:
        image = strokes.draw(found._replace(ink=ink), tf.constant(WHITE), 28, 28, SAMPLES)
        darkness = -tf.reduce_sum(image)
    assert (tape.gradient(darkness, ink).numpy() > 0.01).all()


def test_a_stroke_that_is_not_there_leaves_nothing():
    found = some(many=1)
    gone = found._replace(ink=tf.zeros([20, 1]))
    assert (drawn(gone) == 1).all()
    assert (drawn(gone, ground=BLACK) == 0).all()
    assert (
        b'<path'
        not in svg.files(gone._replace(colour=levels(gone.colour)), levels(WHITE), 28, 28).numpy()[
            0
        ]
    )


def test_no_line_is_dotted_however_long():
    rng = np.random.default_rng(1)
    wild = tf.constant(rng.uniform(-3, 4, (50, 6, 5, 2)), tf.float32)
    wide = tf.constant(rng.uniform(0.02, 0.15, (50, 6)), tf.float32)

    def apart(points):
        return strokes.lengths(strokes.sampled(points, SAMPLES)).numpy().max(axis=2) / wide

    assert np.min(apart(wild)) > 1
    assert np.allclose(apart(strokes.shortened(wild, wide, SAMPLES)), 1, atol=1e-4)
    # What is short enough stays as it is.
    points, pen = some().points, tf.fill([20, 4], 0.06)
    assert np.allclose(strokes.shortened(points, pen, SAMPLES), points, atol=1e-6)


def test_a_curve_goes_through_its_points():
    points = np.random.default_rng(2).normal(size=(5, 2))
    places = strokes.curve(5, 4 * 8 + 1) @ points
    assert np.allclose(places[::8], points, atol=1e-6)
    straight = np.linspace([0, 1], [4, 3], 5)
    assert np.allclose(strokes.curve(5, 9) @ straight, np.linspace([0, 1], [4, 3], 9), atol=1e-6)


def test_strokes_find_a_drawing_by_their_slopes():
    goal, begun = drawn(some(1, seed=5)), some(1, seed=5)
    begun = begun._replace(
        points=begun.points + tf.random.stateless_normal([1, 4, 5, 2], [1, 2]) / 25
    )
    parts = [tf.Variable(begun.points), tf.Variable(begun.width)]
    adam = tf.keras.optimizers.Adam(0.01)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            found = begun._replace(points=parts[0], width=parts[1])
            image = strokes.draw(found, tf.constant(WHITE), 28, 28, SAMPLES) / 2 + 0.5
            loss = tf.reduce_mean((image - goal) ** 2)
        adam.apply_gradients(zip(tape.gradient(loss, parts), parts))
        return loss

    losses = [float(step()) for _ in range(150)]
    assert losses[-1] < 0.35 * losses[0]


def test_slopes_are_finite_where_all_points_are_one():
    point = tf.fill([1, 1, 5, 2], 0.5)
    with tf.GradientTape() as tape:
        tape.watch(point)
        dot = some(1, many=1)._replace(points=point)
        ink = tf.reduce_sum(1 - strokes.draw(dot, tf.constant(WHITE), 28, 28, SAMPLES)) / 2
    assert 1 < float(ink) < 6  # a dot as wide as the pen
    assert np.isfinite(tape.gradient(ink, point)).all()
