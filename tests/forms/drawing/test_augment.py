"""Drawings are moved, scaled and covered as their seeds say, on paper, as often as they should."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tfgan import latents
from tfgan.forms.drawing import augment

COUNT = 20_000
SIDES = 28, 36
WHITE, BLACK, COLOURED = [1.0], [-1.0], [0.9, 0.4, -0.3]
PAPERS = pytest.mark.parametrize('paper', [WHITE, BLACK, COLOURED], ids=str)


def seeds(count, seed=5):
    return latents.fold(seed, tf.range(count, dtype=tf.int64))


def random_images(count, channels=1, sides=SIDES):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, *sides, channels)).astype(np.float32)


def augment_at_once(images, of_seeds, probability, paper):
    changes = augment.choose(of_seeds, probability, *images.shape[1:3])
    return augment.apply(images, changes, paper)


def augmented(images, of_seeds, probability, paper):
    changed = augment_at_once(images, of_seeds, tf.constant(probability), tf.constant(paper))
    return changed.numpy()


def changes(count, probability=1.0, sides=SIDES):
    found = augment.choose(seeds(count), tf.constant(probability), *sides)
    return augment.Changes(*(x.numpy() for x in found))


def only(shift=(0, 0), shrink=1.0, corner=(0, 0), cut=(0, 0)):
    """One image's changes."""
    return augment.Changes(*(tf.constant([x], tf.float32) for x in (shift, shrink, corner, cut)))


def by_scipy(image, change, paper):
    """The same of one image [h, w, c], by another's interpolation and NumPy's slices."""
    middle = (np.array(image.shape[:2]) - 1) / 2
    start = middle - (middle + change.shift) * change.shrink
    image = np.stack(
        [
            scipy.ndimage.affine_transform(
                channel, 2 * [change.shrink], start, order=1, mode='grid-constant', cval=level
            )
            for channel, level in zip(np.moveaxis(image, -1, 0), paper)
        ],
        axis=-1,
    )
    (top, left), (tall, wide) = change.corner.astype(int), change.cut.astype(int)
    image[top : top + tall, left : left + wide] = paper
    return image


@PAPERS
@pytest.mark.parametrize('jit_compile', [False, True])
def test_at_probability_0_an_image_stays_bit_for_bit(paper, jit_compile):
    images = random_images(50, len(paper))
    changed = tf.function(augment_at_once, jit_compile=jit_compile)
    found = changed(images, seeds(50), tf.constant(0.0), tf.constant(paper))
    assert np.array_equal(found, images)
    assert found.dtype == tf.float32


@PAPERS
@pytest.mark.parametrize('sides', [SIDES, (2, 9), (1, 1)])
def test_an_image_is_what_scipy_makes_of_it(paper, sides):
    images = random_images(40, len(paper), sides)
    found = augmented(images, seeds(40), 0.7, paper)
    for image, out, *change in zip(images, found, *changes(40, 0.7, sides)):
        expected = by_scipy(image, augment.Changes(*change), paper)
        np.testing.assert_allclose(out, expected, atol=3e-5)
    assert (np.abs(found - images).max((1, 2, 3)) > 0.1).mean() > 0.4


@pytest.mark.parametrize('shift', [(0, 0), (3, 0), (0, -4), (-2, 1)])
def test_a_dot_moves_by_whole_pixels_and_stays_sharp(shift):
    image = np.ones((1, *SIDES, 1), np.float32)
    image[0, 10, 20] = -1
    found = augment.apply(image, only(shift), tf.constant(WHITE)).numpy()
    assert np.array_equal(np.argwhere(found[0, ..., 0] < 1), [[10 + shift[0], 20 + shift[1]]])
    assert found.min() == -1


@pytest.mark.parametrize('scale', [1.1, 0.9])
def test_a_scaled_dot_moves_from_the_middle(scale):
    image = np.ones((1, 29, 29, 1), np.float32)
    image[0, 4, 14] = -1
    ink = 1 - augment.apply(image, only(shrink=1 / scale), tf.constant(WHITE)).numpy()[0, ..., 0]
    rows, columns = np.indices(ink.shape)
    place = (rows * ink).sum() / ink.sum(), (columns * ink).sum() / ink.sum()
    assert place == pytest.approx((14 - 10 * scale, 14), abs=0.15)


@PAPERS
def test_nothing_but_paper_comes_in(paper):
    paper = np.array(paper, np.float32)
    blank = np.broadcast_to(paper, (200, *SIDES, len(paper)))
    found = augmented(blank, seeds(200), 1.0, paper)
    assert np.array_equal(found, blank)
    full = np.broadcast_to(-paper, blank.shape)  # and where ink goes, paper follows
    found = augmented(full, seeds(200), 1.0, paper)
    share = (found - paper) / (-2 * paper)  # of ink; the same in each channel
    assert share.min() >= -1e-5 and share.max() <= 1 + 1e-5
    np.testing.assert_allclose(share, np.broadcast_to(share[..., :1], share.shape), atol=1e-5)
    assert ((share == 0).any((1, 2, 3))).all()


def test_pixels_stay_within_their_bounds():
    images = np.sign(random_images(200, 3))
    found = augmented(images, seeds(200), 1.0, COLOURED)
    assert found.min() == pytest.approx(-1, abs=1e-6)
    assert found.max() == pytest.approx(1, abs=1e-6)


def even(numbers, values, draws=COUNT):
    """Whether each of the values is among numbers as often as the others."""
    found, counts = np.unique(numbers, return_counts=True)
    assert np.array_equal(found, values)
    expected = draws / len(values)
    chi_square, free = np.sum(np.square(counts - expected)) / expected, len(values) - 1
    assert max(0, free - 5 * (2 * free) ** 0.5) <= chi_square < free + 5 * (2 * free) ** 0.5


def test_what_is_chosen_is_spread_evenly():
    found = changes(COUNT)
    for axis, (side, farthest, longest) in enumerate(zip(SIDES, (3, 4), (9, 12))):
        even(found.shift[:, axis], np.arange(-farthest, farthest + 1))
        even(found.cut[:, axis], np.arange(1, longest + 1))
        for cut in 1, longest:
            corners = found.corner[found.cut[:, axis] == cut, axis]
            even(corners, np.arange(side - cut + 1), len(corners))
    logs = np.log(found.shrink) / np.log(1.15)
    assert logs.min() == pytest.approx(-1, abs=1e-4) and logs.max() == pytest.approx(1, abs=1e-4)
    even(np.floor(logs * 3.999), np.arange(-4, 4))


def test_what_is_chosen_is_independent():
    all_of_it, half = changes(COUNT), changes(COUNT, 0.5)
    place = (all_of_it.corner + 0.5) / (SIDES - all_of_it.cut + 1)  # of the places there are
    happens = half.shift.any(1), half.shrink != 1, half.cut.any(1)
    columns = *all_of_it.shift.T, *all_of_it.cut.T, *place.T, all_of_it.shrink, *happens
    pairs = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert 1.5 / COUNT**0.5 < np.abs(pairs).max() < 5 / COUNT**0.5


def test_each_change_comes_as_often_as_its_probability():
    found = changes(COUNT, 0.3)
    still = 1 / (7 * 9)  # of the shifts are by nothing
    for share, expected in (
        ((found.shift != 0).any(1).mean(), 0.3 * (1 - still)),
        ((found.shrink != 1).mean(), 0.3),
        ((found.cut != 0).all(1).mean(), 0.3),
    ):
        assert share == pytest.approx(expected, abs=4 * (0.3 * 0.7 / COUNT) ** 0.5)
    images = random_images(3000)
    changed = (augmented(images, seeds(3000), 0.3, WHITE) != images).any((1, 2, 3)).mean()
    assert changed == pytest.approx(1 - (0.7 + 0.3 * still) * 0.7 * 0.7, abs=0.035)


@pytest.mark.parametrize('jit_compile', [False, True])
def test_the_gradient_is_that_of_finite_differences(jit_compile):
    count = 12
    images, weights = random_images(count), random_images(2 * count)[count:]

    @tf.function(jit_compile=jit_compile)
    def gradient(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            found = augment_at_once(images, seeds(count), tf.constant(0.7), tf.constant(WHITE))
            total = tf.reduce_sum(found * weights)
        return tape.gradient(total, images)

    found = gradient(tf.constant(images)).numpy()
    rng = np.random.default_rng(1)
    for direction in rng.choice([-0.5, 0.5], (8, *images.shape)).astype(np.float32):
        sides = [augmented(images + x, seeds(count), 0.7, WHITE) for x in (direction, -direction)]
        difference = ((sides[0] - sides[1]).astype(np.float64) * weights).sum((1, 2, 3))
        expected = 2 * (found * direction).astype(np.float64).sum((1, 2, 3))
        np.testing.assert_allclose(difference, expected, rtol=1e-3, atol=1e-3)
        assert np.abs(expected).max() > 1
    assert (found != weights).any((1, 2, 3)).sum() > count / 2


@PAPERS
def test_compiled_it_is_the_same(paper):
    images = random_images(64, len(paper))
    jit = tf.function(augment_at_once, jit_compile=True)
    found = jit(images, seeds(64), tf.constant(0.7), tf.constant(paper))
    np.testing.assert_allclose(found, augmented(images, seeds(64), 0.7, paper), atol=3e-5)


def test_an_image_changes_alike_whatever_else_is_in_its_batch():
    images = random_images(64)
    some = np.array([3, 7])
    found = augmented(images[some], tf.gather(seeds(64), some), 1.0, WHITE)
    whole = augmented(images, seeds(64), 1.0, WHITE)
    np.testing.assert_allclose(found, whole[some], atol=1e-6)
    assert np.abs(whole[3] - whole[7]).max() > 0.5


def test_another_seed_changes_otherwise():
    images = np.repeat(random_images(1), 100, axis=0)
    found = augmented(images, seeds(100), 1.0, WHITE).reshape(100, -1)
    assert len(np.unique(found, axis=0)) == 100
    assert not np.array_equal(found, augmented(images, seeds(100, 6), 1.0, WHITE).reshape(100, -1))
