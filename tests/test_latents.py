"""Latents and labels are functions of the seed alone, and as random as they should be."""

import statistics

import numpy as np
import pytest
import tensorflow as tf

from tfgan import latents

COUNT = 20_000
SEEDS = tf.range(COUNT, dtype=tf.int64)
EXTREMES = np.array([0, 1, -1, 2**63 - 1, -(2**63), 2**40 + 5, -77])


@pytest.fixture(scope='module')
def numbers():
    return latents.normal(SEEDS, 8).numpy()


def correlations(*columns):
    """The correlation of each pair of columns [n, k], as one row."""
    table = np.corrcoef(np.concatenate(columns, axis=1).T)
    return table[np.triu_indices(len(table), 1)]


@pytest.mark.parametrize('size', [1, 3, 4, 7, 64])
@pytest.mark.parametrize('wrap', ['graph', 'xla', 'alone', 'order', 'among others', 'numpy'])
def test_a_seed_has_its_latents_bit_for_bit(wrap, size):
    seeds = tf.constant(EXTREMES, tf.int64)
    expected = latents.normal(seeds, size).numpy()
    assert expected.shape == (len(EXTREMES), size) and expected.dtype == np.float32
    found = {
        'graph': lambda: tf.function(latents.normal)(seeds, size),
        'xla': lambda: tf.function(latents.normal, jit_compile=True)(seeds, size),
        'alone': lambda: tf.concat([latents.normal(seed[None], size) for seed in seeds], axis=0),
        'order': lambda: latents.normal(seeds[::-1], size)[::-1],
        'among others': lambda: latents.normal(tf.concat([SEEDS[:999], seeds], 0), size)[999:],
        'numpy': lambda: latents.normal(EXTREMES, size),
    }[wrap]()
    assert np.array_equal(found, expected)


def test_small_seeds_may_be_of_any_integer_type():
    expected = latents.normal(SEEDS[:5], 6).numpy()
    for kind in np.int32, np.uint8, np.int64:
        assert np.array_equal(latents.normal(np.arange(5, dtype=kind), 6), expected)


def test_fewer_numbers_are_the_first_ones(numbers):
    for size in 1, 3, 5:
        assert np.array_equal(latents.normal(SEEDS[:50], size), numbers[:50, :size])


def test_no_two_seeds_are_alike():
    small = np.arange(2, 500)
    seeds = np.concatenate([EXTREMES, small, -small - 77, small << 32, small * 2**50])
    assert len(np.unique(latents.normal(seeds, 8), axis=0)) == len(seeds)


def test_the_hash_is_splitmix64():
    # The published generator's first numbers from state 0, and what they give as quantiles.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    found = latents.fold(0, tf.range(3, dtype=tf.int64)).numpy().astype(np.uint64)
    assert found.tolist() == expected
    normal = statistics.NormalDist()
    for place, bits in enumerate((0xCDAF, 0x7B1D, 0xA839, 0xE220, 0x65F4)):
        quantile = normal.inv_cdf((bits + 0.5) / 2**16)
        assert latents.normal(tf.zeros([1], tf.int64), 5)[0, place].numpy() == np.float32(quantile)


def test_latents_are_normal(numbers):
    assert numbers.mean(0) == pytest.approx(0, abs=5 / COUNT**0.5)
    assert numbers.std(0) == pytest.approx(1, abs=5 / (2 * COUNT) ** 0.5)
    for quantile in np.arange(-3, 3.5, 0.5):
        expected = statistics.NormalDist().cdf(quantile)
        error = 5 * (expected * (1 - expected) / numbers.size) ** 0.5
        assert (numbers < quantile).mean() == pytest.approx(expected, abs=error)
    assert 3.9 < numbers.max() < 4.33
    assert -4.33 < numbers.min() < -3.9


def test_latents_are_independent(numbers):
    neighbours = np.roll(numbers, 1, axis=0)
    for pairs in (
        correlations(numbers),
        correlations(np.square(numbers)),
        correlations(numbers, neighbours),
        correlations(np.abs(numbers), np.abs(neighbours)),
    ):
        # Of so many, chance makes neither a large one nor only small ones.
        assert 1.5 / COUNT**0.5 < np.abs(pairs).max() < 5 / COUNT**0.5


@pytest.mark.parametrize('seed', [0, 1, 2**31 - 1, -5])
def test_folded_seeds_are_independent(numbers, seed):
    folded, next_seeds = latents.fold(seed, SEEDS), latents.fold(seed + 1, SEEDS)
    assert len(np.unique(tf.concat([folded, next_seeds], axis=0))) == 2 * COUNT
    columns = [latents.normal(seeds, 4).numpy() for seeds in (folded, next_seeds)]
    pairs = correlations(*columns, np.roll(columns[0], 1, axis=0), numbers[:, :4])
    assert 1.5 / COUNT**0.5 < np.abs(pairs).max() < 5 / COUNT**0.5


def test_uniform_numbers(numbers):
    found = latents.uniform(SEEDS).numpy()
    assert found.dtype == np.float32
    assert found.min() >= 0 and found.max() < 1
    bins = np.histogram(found, 20, (0, 1))[0]
    assert 5 < np.sum(np.square(bins - COUNT / 20)) / (COUNT / 20) < 44  # 19 expected
    pairs = correlations(found[:, None], numbers)
    assert np.abs(pairs[: numbers.shape[1]]).max() < 5 / COUNT**0.5
    compiled = tf.function(latents.uniform, jit_compile=True)(SEEDS[:99])
    assert np.array_equal(compiled, found[:99])
    assert np.array_equal(latents.uniform(EXTREMES)[2:], latents.uniform(EXTREMES[2:]))


@pytest.mark.parametrize('shares', [[0.1] * 10, [0.5, 0.3, 0.15, 0.05], [0, 0.3, 0, 0.7, 0], [1.0]])
def test_classes_are_as_frequent_as_their_shares(shares):
    shares = np.array(shares)
    labels = latents.classes(SEEDS, shares).numpy()
    assert labels.dtype == np.int32
    counts = np.bincount(labels, minlength=len(shares))
    assert len(counts) == len(shares)
    assert not counts[shares == 0].any()
    drawn = shares > 0
    expected = COUNT * shares[drawn]
    chi_square = np.sum(np.square(counts[drawn] - expected) / expected)
    free = drawn.sum() - 1
    # Neither too far from the shares nor suspiciously near.
    assert 1e-4 * free <= chi_square <= free + 5 * (2 * free) ** 0.5
    assert np.array_equal(latents.classes(SEEDS[5:9], shares), labels[5:9])


def test_a_number_on_the_border_is_of_the_upper_class():
    numbers = latents.uniform(SEEDS[:4]).numpy()
    for seed, border in enumerate(numbers):
        assert latents.classes(SEEDS[seed : seed + 1], [border, 1 - border]).numpy() == 1


def point(*numbers):
    return tf.constant([numbers], tf.float32)


def at(share, first, second):
    return latents.slerp(first, second, tf.constant([share]))


def test_slerp_goes_from_end_to_end():
    first, second = latents.normal(SEEDS[:3], 64), latents.normal(SEEDS[3:6], 64)
    way = lambda share: latents.slerp(first, second, tf.fill([3], share)).numpy()  # noqa: E731
    np.testing.assert_allclose(way(0.0), first, atol=1e-5)
    np.testing.assert_allclose(way(1.0), second, atol=1e-5)
    np.testing.assert_allclose(
        way(0.25), latents.slerp(second, first, tf.fill([3], 0.75)), atol=1e-5
    )
    steps = np.linalg.norm(np.diff([way(i / 8) for i in range(9)], axis=0), axis=2)
    steps /= steps.mean(axis=0)
    assert steps.min() > 0.8 and steps.max() < 1.2


def test_slerp_keeps_to_the_sphere():
    right_angle = point(2, 0, 0), point(0, 2, 0)
    half = 2**0.5
    np.testing.assert_allclose(at(0.5, *right_angle), point(half, half, 0), rtol=1e-5)
    np.testing.assert_allclose(
        at(1 / 3, *right_angle), point(3**0.5, 1, 0), rtol=1e-5
    )  # 30 of 90 degrees
    for share in 0.1, 0.7:
        assert np.linalg.norm(at(share, *right_angle)) == pytest.approx(2, rel=1e-5)


def test_each_pair_has_its_own_share():
    first, second = (tf.repeat(x, 3, axis=0) for x in (point(1, 0), point(0, 1)))
    found = latents.slerp(first, second, tf.constant([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(found, [[1, 0], [0.5**0.5] * 2, [0, 1]], atol=1e-6)


@pytest.mark.parametrize('end', [point(1, 2, -3), point(2, 0, 0)])
@pytest.mark.parametrize('share', [0.0, 0.3, 0.5, 1.0])
def test_slerp_between_parallel_and_opposite_points(share, end):
    np.testing.assert_allclose(at(share, end, end), end, rtol=1e-3)
    opposite = at(share, end, -end).numpy()
    assert np.isfinite(opposite).all()
    assert np.linalg.norm(opposite) < 1.01 * np.linalg.norm(end)
    if share in (0.0, 1.0):
        np.testing.assert_allclose(opposite, (1 - 2 * share) * end, rtol=1e-4)
