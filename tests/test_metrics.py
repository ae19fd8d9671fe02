"""The sliced Wasserstein distance, where it is known."""

import math

import numpy as np
import pytest

from tfgan.metrics import sliced_wasserstein


def some(seed, count=40, shape=(3, 4, 1)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def test_a_set_is_no_distance_from_itself_in_any_order():
    real = some(0)
    assert sliced_wasserstein(real, real.copy()) == 0
    assert sliced_wasserstein(real, real[::-1]) == pytest.approx(0, abs=1e-6)
    assert sliced_wasserstein(real, some(1)) > 0.02


def test_one_pixel_from_black_to_white_is_one():
    black, white = np.zeros((5, 1, 1, 1), np.uint8), np.full((5, 1, 1, 1), 255, np.uint8)
    assert sliced_wasserstein(black, white) == pytest.approx(1)
    mixed = np.concatenate([black[:3], white[:2]])
    assert sliced_wasserstein(black, mixed) == pytest.approx(0.4)


@pytest.mark.parametrize('shape', [(2, 2, 1), (4, 4, 3)])
def test_a_shift_of_every_pixel(shape):
    # A unit vector's mean length along a fixed axis of d is G(d/2) / (sqrt(pi) G((d + 1)/2)).
    size = math.prod(shape)
    mean = math.exp(math.lgamma(size / 2) - math.lgamma((size + 1) / 2)) / math.pi**0.5
    real = some(0, shape=shape) // 2
    found = sliced_wasserstein(real, real + 51, directions=8192)
    assert found == pytest.approx(0.2 * size**0.5 * mean, rel=0.03)


def test_symmetric():
    assert sliced_wasserstein(some(0), some(1)) == pytest.approx(
        sliced_wasserstein(some(1), some(0))
    )


def test_sets_that_lack_variety_are_far():
    real, other = some(0, 400), some(1, 400)
    same = np.broadcast_to(real.mean(0).astype(np.uint8), real.shape)
    assert sliced_wasserstein(real, same) > 3 * sliced_wasserstein(real, other)


@pytest.mark.parametrize('fake', [some(1, 39), some(1, 40, (3, 5, 1))])
def test_other_shapes_are_quoted(fake):
    with pytest.raises(ValueError, match=rf'\(40, 12\) and \({len(fake)}, {fake[0].size}\)'):
        sliced_wasserstein(some(0), fake)
