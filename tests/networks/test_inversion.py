"""Images are found again by an encoder's guess and the slopes of what they are unlike."""

import numpy as np
import pytest
import tensorflow as tf
from toys import noise, settings

from tfgan import latents
from tfgan.gan.encoding import Encoding
from tfgan.gan.gan import Gan
from tfgan.networks.inversion import CANDIDATES, invert
from tfgan.networks.likeness import ink_difference, unlikeness

SHAPE = 16, 20, 1
GROUND = tf.ones([1])


@pytest.fixture(scope='module', params=['pen', 'mlp'])
def parts(request):
    """A Gan and an encoder, neither of which has learned."""
    gan = Gan(settings(architecture=request.param, latent_size=12), SHAPE, noise(SHAPE).shares)
    return gan, Encoding(gan).encoder


def inverted(parts, images, steps, known=None):
    gan, encoder = parts
    count = len(images)
    known = tf.ones([count, *SHAPE[:2]]) if known is None else known
    steps = tf.constant(np.broadcast_to(steps, count).astype(np.int32))
    draws = latents.normal(tf.range(count * CANDIDATES, dtype=tf.int64), 12)
    work = tf.constant(images), known, tf.fill([count], 1), steps, draws
    return tf.function(invert, autograph=False)(gan.average, encoder, *work)[0]


def drawn(parts, seeds):
    gan, _ = parts
    return gan.average(latents.normal(tf.constant(seeds, tf.int64), 12), tf.fill([len(seeds)], 1))


def test_more_steps_come_nearer(parts):
    images = drawn(parts, [3, 5, 8])

    def errors(steps):
        found = parts[0].average(inverted(parts, images, steps), tf.fill([3], 1))
        return unlikeness(found, images, GROUND).numpy()

    guess, some, many = errors(0), errors(10), errors(60)
    assert np.all(some < guess)
    assert np.mean(many) < 0.9 * np.mean(some) < 0.6 * np.mean(guess)


def test_a_row_is_the_same_in_any_batch_with_steps_of_its_own(parts):
    images = drawn(parts, [3, 5])
    alone = inverted(parts, images[:1], 4).numpy()
    together = inverted(parts, images, [4, 9]).numpy()
    assert np.allclose(together[:1], alone, atol=2e-3)
    assert not np.allclose(inverted(parts, images, [9, 9]).numpy()[:1], alone, atol=0.05)


def test_what_is_hidden_is_not_looked_at(parts):
    images = drawn(parts, [3]).numpy()
    known = np.ones([1, *SHAPE[:2]], np.float32)
    known[:, 5:12, 3:9] = 0
    spoiled = images.copy()
    spoiled[:, 5:12, 3:9] = -1
    assert not np.array_equal(spoiled, images)
    found, same = (inverted(parts, each, 5, known).numpy() for each in (images, spoiled))
    assert np.array_equal(found, same)
    assert not np.array_equal(inverted(parts, spoiled, 5).numpy(), found)


def test_a_style_is_kept_and_others_are_tried(parts):
    generator = parts[0].average
    if not hasattr(generator, 'other_styles'):
        pytest.skip('it has none')
    normal = latents.normal(tf.range(4, dtype=tf.int64), 12)
    tried = generator.other_styles(normal, 5).numpy()
    picked = tried[..., : generator.styles].argmax(axis=2)
    assert np.array_equal(tried[:, 0], normal)
    assert all(len(set(row)) == 5 for row in picked.tolist())
    assert np.allclose(np.sort(tried, axis=2), np.sort(normal.numpy(), axis=1)[:, None], atol=1e-6)
    held = generator.in_style_of(normal[::-1], normal).numpy()
    assert np.array_equal(held.argmax(axis=1), normal.numpy().argmax(axis=1))


def test_ink_that_differs_is_one_less_the_intersection_over_union():
    ink = np.zeros([3, 4, 4, 1], np.float32)
    other = ink.copy()
    ink[:, :2] = -2.0  # eight pixels of full ink on white
    other[0, :2], other[1, 1:3], other[2, 2:] = -2.0, -2.0, -2.0
    assert np.allclose(ink_difference(ink, other), [0, 2 / 3, 1], atol=1e-3)


def test_a_blur_has_a_slope_towards_a_line_out_of_reach():
    image = np.ones([1, 28, 28, 1], np.float32)
    image[:, :, 10] = -1
    apart = []
    for place in (12, 13, 14):  # none of which touches it
        other = np.ones_like(image)
        other[:, :, place] = -1
        apart.append(float(unlikeness(image, other, GROUND)[0]))
    assert apart == sorted(apart) and apart[0] < apart[-1] - 0.05
