"""The figures of quality where they are known by hand, and beside other people's code."""

import math
import tracemalloc

import numpy as np
import prdc
import pytest
import scipy.linalg
from scipy import stats
from sklearn.metrics.pairwise import polynomial_kernel

from tfgan.evaluation import metrics
from tfgan.evaluation.metrics import Gaussian


def features(seed, count=200, width=6, shift=0.0):
    draw = np.random.default_rng(seed).normal(shift, size=(count, width))
    return draw.astype(np.float32)


def line(*points):
    return np.array(points, np.float32)[:, None]


def normal(mean, covariance):
    return Gaussian(np.array(mean, float), np.array(covariance, float))


@pytest.mark.parametrize(
    'call',
    [
        lambda x: metrics.gaussian(x),
        lambda x: metrics.kernel_distance(x, features(0)),
        lambda x: metrics.nearest(features(0), x),
        lambda x: metrics.precision_recall(x, features(0)),
        lambda x: metrics.diversity(x),
    ],
)
def test_features_must_be_rows_of_finite_numbers(call):
    with pytest.raises(ValueError, match=r'\[4, 3, 2\]'):
        call(np.zeros((4, 3, 2), np.float32))
    broken = features(1)
    broken[7, 2], broken[9, 1], broken[9, 2] = np.nan, np.inf, -np.inf
    with pytest.raises(ValueError, match='2 rows are not, the first 7'):
        call(broken)


@pytest.mark.parametrize(
    'call', [metrics.kernel_distance, metrics.nearest, metrics.precision_recall]
)
def test_features_must_be_of_one_width(call):
    with pytest.raises(ValueError, match='not 6 and 5'):
        call(features(0), features(1, width=5))


def test_gaussian_by_hand():
    found = metrics.gaussian(np.array([[0, 1], [2, 1], [4, 7]], np.float32))
    assert found.mean.tolist() == [2, 3]
    assert found.covariance.tolist() == [[4, 6], [6, 12]]
    assert found.mean.dtype == found.covariance.dtype == np.float64


@pytest.mark.parametrize('count', [2, 1024, 2500])
def test_gaussian_in_blocks_is_numpys_whole(count):
    # Far from the origin, where sums of squares lose the variance.
    some = 1000 + 0.01 * features(0, count)
    found, wide = metrics.gaussian(some), some.astype(np.float64)
    assert found.mean == pytest.approx(wide.mean(0), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(wide, rowvar=False), rel=1e-6, abs=1e-12)


def test_one_row_has_no_covariance():
    with pytest.raises(ValueError, match=r'n >= 2, not \[1, 6\]'):
        metrics.gaussian(features(0, 1))


def test_frechet_by_hand():
    # (m1 - m2)^2 + (s1 - s2)^2, in each of independent dimensions.
    assert metrics.frechet(normal([1], [[4]]), normal([4], [[25]])) == pytest.approx(9 + 9)
    real, fake = normal([0, 1], [[1, 0], [0, 9]]), normal([2, 1], [[16, 0], [0, 4]])
    assert metrics.frechet(real, fake) == pytest.approx(4 + 9 + 1)


def test_frechet_of_singular_covariances():
    # One lies on the first axis and one on the second: nothing is shared.
    real, fake = normal([0, 0], [[4, 0], [0, 0]]), normal([0, 0], [[0, 0], [0, 9]])
    assert metrics.frechet(real, fake) == pytest.approx(4 + 9)
    assert metrics.frechet(real, normal([0, 0], np.zeros((2, 2)))) == pytest.approx(4)
    few = metrics.gaussian(features(0, count=4, width=50))
    assert 0 <= metrics.frechet(few, few) < 1e-5


@pytest.mark.parametrize('width', [1, 3, 20])
def test_frechet_beside_scipys_square_root(width):
    rng = np.random.default_rng(width)
    mixed = [features(i, width=width, shift=i) @ rng.normal(size=(width, width)) for i in (0, 1)]
    real, fake = map(metrics.gaussian, mixed)
    root = scipy.linalg.sqrtm(real.covariance @ fake.covariance).real
    expected = np.square(real.mean - fake.mean).sum() + np.trace(
        real.covariance + fake.covariance - 2 * root
    )
    assert metrics.frechet(real, fake) == pytest.approx(expected, rel=1e-8)
    assert metrics.frechet(fake, real) == pytest.approx(expected, rel=1e-8)


def test_frechet_needs_one_width():
    with pytest.raises(ValueError, match=r'\(1, 1\) and \(2, 2\)'):
        metrics.frechet(normal([0], [[1]]), normal([0, 0], np.eye(2)))


def test_kernel_distance_by_double_loops():
    real, fake = features(0, 5, 3).astype(float), features(1, 5, 3, shift=0.5).astype(float)

    def mean(a, b, apart):
        pairs = [(i, j) for i in range(5) for j in range(5) if not apart or i != j]
        return sum((a[i] @ b[j] / 3 + 1) ** 3 for i, j in pairs) / len(pairs)

    expected = mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)
    found = metrics.kernel_distance(real, fake, blocks=1)
    assert found.value == pytest.approx(expected, rel=1e-10)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_kernel_distance_beside_sklearn():
    real, fake = features(0, 300), features(1, 300, shift=0.2)
    within = [
        (kernel.sum() - np.trace(kernel)) / (300 * 299)
        for kernel in (polynomial_kernel(x.astype(float), degree=3) for x in (real, fake))
    ]
    between = polynomial_kernel(real.astype(float), fake.astype(float), degree=3).mean()
    found = metrics.kernel_distance(real, fake, blocks=1)
    assert found.value == pytest.approx(sum(within) - 2 * between, rel=1e-9)


def test_kernel_distance_is_unbiased_and_its_interval_honest():
    draws = [
        metrics.kernel_distance(features(2 * i, 100, 3), features(2 * i + 1, 100, 3))
        for i in range(400)
    ]
    values = np.array([draw.value for draw in draws])
    assert abs(values.mean()) < 3.5 * values.std() / len(values) ** 0.5
    assert (values < 0).mean() == pytest.approx(0.5, abs=0.2)
    assert np.mean([draw.low <= 0 <= draw.high for draw in draws]) == pytest.approx(0.93, abs=0.05)
    assert all(draw.low <= draw.value <= draw.high for draw in draws)


def test_kernel_distance_sees_a_shift_and_its_interval_shrinks_with_n():
    def found(n, shift):
        sets = [(features(2 * i, n), features(2 * i + 1, n, shift=shift)) for i in range(8)]
        return [metrics.kernel_distance(*pair) for pair in sets]

    def width(intervals):
        return np.mean([interval.high - interval.low for interval in intervals])

    # Between equal sets it falls as 1 / n, between others in the end as 1 / sqrt(n).
    assert width(found(200, 0)) / width(found(1600, 0)) == pytest.approx(8, rel=0.4)
    few, many = found(200, 0.5), found(1600, 0.5)
    assert 8**0.5 < width(few) / width(many) < 8
    assert all(interval.low > 0 for interval in few + many)


@pytest.mark.parametrize(('n', 'm'), [(2, 2), (3, 9), (10, 7), (41, 40)])
def test_kernel_distance_of_few(n, m):
    found = metrics.kernel_distance(features(0, n), features(1, m))
    assert math.isfinite(found.value) and found.low <= found.value <= found.high


def test_kernel_distance_is_a_function_of_the_seed():
    real, fake = features(0), features(1)
    assert metrics.kernel_distance(real, fake) == metrics.kernel_distance(real, fake)
    assert metrics.kernel_distance(real, fake) != metrics.kernel_distance(real, fake, seed=1)


def test_kernel_distance_deals_every_row():
    # A thousand rows in blocks of 10 are a hundred blocks; a row moved in any must be seen.
    real, fake = features(0, 1000), features(1, 1000)
    before = metrics.kernel_distance(real, fake, block_size=10).value
    for row in 0, 500, 999:
        moved = fake.copy()
        moved[row] += 10
        assert abs(metrics.kernel_distance(real, moved, block_size=10).value - before) > 0.01


def test_nearest_by_hand():
    distance, index = metrics.nearest(line(0, 6, 9), line(10, 1, 4))
    assert (distance.tolist(), index.tolist()) == ([1, 2, 1], [1, 2, 0])
    distance, index = metrics.nearest(line(0, 6, 9), line(10, 1, 4), k=2)
    assert (distance.tolist(), index.tolist()) == ([4, 4, 5], [2, 0, 2])
    assert distance.dtype == np.float32


def test_a_duplicate_is_a_neighbour_and_the_row_itself_is_not():
    rows = line(3, 0, 3, 7)
    distance, index = metrics.nearest(rows, rows, leave_out=True)
    assert (distance.tolist(), index.tolist()) == ([0, 3, 0, 4], [2, 0, 0, 0])
    distance, _ = metrics.nearest(rows, rows, leave_out=True, k=2)
    assert distance.tolist() == [3, 3, 3, 4]
    assert metrics.nearest(rows, rows)[0].tolist() == [0, 0, 0, 0]


def test_a_duplicate_is_at_nought_far_from_the_origin():
    others = 10_000 + features(0, 100, 50)
    distance, index = metrics.nearest(others[::-1].copy(), others)
    assert np.all(distance == 0)
    assert index.tolist() == list(range(100))[::-1]


@pytest.mark.parametrize('leave_out', [False, True])
@pytest.mark.parametrize('k', [1, 3])
def test_nearest_in_blocks_is_the_whole(k, leave_out):
    others = features(0)
    queries = others if leave_out else features(1, 150)
    apart = np.linalg.norm(queries[:, None].astype(float) - others, axis=2)
    if leave_out:
        np.fill_diagonal(apart, np.inf)
    for block in 1, 64, 1024:
        distance, index = metrics.nearest(queries, others, leave_out, k, block)
        assert index.tolist() == apart.argsort(axis=1)[:, k - 1].tolist()
        assert distance == pytest.approx(np.sort(apart, axis=1)[:, k - 1], rel=1e-5)


def test_memory_is_bounded_by_the_block():
    real, fake = features(0, 20_000, 4), features(1, 20_000, 4)
    radii = np.ones(len(real), np.float32)
    tracemalloc.start()
    try:
        metrics.nearest(real[:2000], fake, k=2, block=500)
        nearest = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        metrics.gaussian(real)
        gaussian = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        metrics.precision_recall(real, fake[:500], real_radii=radii, k=1)
        balls = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    block = 500 * 20_000 * 4  # bytes; the whole of 2,000 queries would be four of it
    assert block < nearest < 1.2 * block
    assert gaussian < 1e6  # of 20,000 x 20,000 in float32 there would be 1.6e9
    assert balls < 8e6  # 1,024 x 500 and what is compared of it; the whole would be 40e6


def test_nearest_refuses_what_there_is_not():
    with pytest.raises(ValueError, match='k is 4; 4 features have 1 to 3'):
        metrics.nearest(line(0, 1, 2, 3), line(0, 1, 2, 3), leave_out=True, k=4)
    with pytest.raises(ValueError, match='k is 0; 2 features have 1 to 2'):
        metrics.nearest(line(0), line(1, 2), k=0)
    with pytest.raises(ValueError, match='1 queries cannot be 2 others'):
        metrics.nearest(line(0), line(1, 2), leave_out=True)


def test_precision_recall_by_hand():
    # Radii for k = 1: 1, 1, 3 and 4 about the reals 0, 1, 4 and 8; 0.5, 0.5 and 18 about the fakes.
    found = metrics.precision_recall(line(0, 1, 4, 8), line(1.5, 2, 20), k=1)
    assert found == {
        # 1.5 and 2 are within 3 of 4 and, the first, within 1 of 1, but not 2, whose ball is open.
        'precision': pytest.approx(2 / 3),
        'density': pytest.approx(3 / 3),
        # 4 and 8 are within 18 of 20, and 1 at 0.5 of 1.5 is not in its open ball.
        'recall': pytest.approx(2 / 4),
        'coverage': pytest.approx(2 / 4),
    }


def test_precision_recall_of_collapse_and_of_invention():
    real = features(0, 400)
    collapsed = real[:1] + 1e-3 * features(1, 400)
    found = metrics.precision_recall(real, collapsed)
    assert found['precision'] == 1 and found['recall'] < 0.02 and found['coverage'] < 0.1
    invented = metrics.precision_recall(real, features(1, 400, shift=20))
    assert list(invented.values()) == [0, 0, 0, 0]
    same = metrics.precision_recall(real, real)
    assert same['precision'] == same['recall'] == same['coverage'] == 1
    # A ball holds its centre and four others; that the fifth is not within, rounding decides.
    assert same['density'] == pytest.approx(1, abs=0.15)


def test_a_copy_is_in_the_ball_of_its_original():
    # In many dimensions in no other: a squared distance rounded to below 0 would lose it.
    real = features(0, 100, 200)
    found = metrics.precision_recall(real, real[::-1].copy(), k=1)
    assert found['precision'] == found['recall'] == found['coverage'] == 1


def test_distances_are_held_a_block_at_a_time(monkeypatch):
    shapes, distances = [], metrics._distances

    def seen(a, b):
        shapes.append((len(a), len(b)))
        return distances(a, b)

    monkeypatch.setattr(metrics, '_distances', seen)
    metrics.precision_recall(features(0, 100), features(1, 70), block=64)
    assert shapes == [(64, 64), (64, 6), (36, 64), (36, 6)]


@pytest.mark.parametrize(('k', 'shift', 'origin'), [(1, 0.0, 0), (5, 0.3, 0), (3, 0.6, 100)])
def test_precision_recall_beside_prdc(k, shift, origin):
    real, fake = origin + features(0, 300), origin + features(1, 250, shift=shift)
    expected = prdc.compute_prdc(real.astype(float), fake.astype(float), nearest_k=k)
    for block in 64, 1024:
        found = metrics.precision_recall(real, fake, k, block=block)
        assert found == pytest.approx(expected, abs=1e-9)
    radii, _ = metrics.nearest(real, real, leave_out=True, k=k)
    assert metrics.precision_recall(real, fake, k, real_radii=radii) == found
    narrow = metrics.precision_recall(real, fake, k, real_radii=radii / 4)
    assert narrow['precision'] < found['precision'] and narrow['recall'] == found['recall']


def test_radii_are_of_the_reals():
    with pytest.raises(ValueError, match='200 real features cannot have 3 radii'):
        metrics.precision_recall(features(0), features(1), real_radii=np.ones(3))


def test_class_shares_and_modes():
    labels = np.array([0, 2, 2, 2, 4])
    assert metrics.class_shares(labels, 6).tolist() == pytest.approx([0.2, 0, 0.6, 0, 0.2, 0])
    assert metrics.class_shares(labels, 6).dtype == np.float64
    assert metrics.modes_covered(labels, 6) == 3
    for wrong in [0, 5], [-1, 2]:
        with pytest.raises(
            ValueError, match=f'{min(wrong)} to {max(wrong)}; 5 classes have 0 to 4'
        ):
            metrics.class_shares(np.array(wrong), 5)
    with pytest.raises(ValueError, match='no labels'):
        metrics.modes_covered(np.array([], int), 5)


def test_kl_divergence_by_hand():
    assert metrics.kl_divergence([0.5, 0.5], [0.25, 0.75]) == pytest.approx(
        0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    )
    assert metrics.kl_divergence([1, 0, 0, 0], [0.25] * 4) == pytest.approx(math.log(4))
    assert metrics.kl_divergence([0.3, 0, 0.7], [0.3, 0, 0.7]) == 0
    assert metrics.kl_divergence([0.2, 0.8, 0], [0.2, 0.7, 0.1]) == pytest.approx(
        0.8 * math.log(0.8 / 0.7)
    )


def test_kl_divergence_of_classes_that_are_not_real():
    assert metrics.kl_divergence([0.5, 0.5], [1, 0]) == pytest.approx(
        0.5 * math.log(0.5) + 0.5 * math.log(0.5e6)
    )
    assert metrics.kl_divergence([1 - 1e-6, 1e-6], [1, 0]) >= 0
    with pytest.raises(ValueError, match=r'\(2,\) and \(3,\)'):
        metrics.kl_divergence([1, 0, 0], [1, 0])


def test_diversity_by_hand():
    assert metrics.diversity(line(2, 5)) == 3
    # The three pairs of 0, 1 and 5 are 1, 4 and 5 apart.
    assert metrics.diversity(line(0, 1, 5), pairs=50_000) == pytest.approx(10 / 3, rel=0.01)
    assert metrics.diversity(np.ones((9, 3))) == 0


def test_diversity_of_all_dimensions():
    # Two standard normal points in d dimensions are 2 G((d + 1) / 2) / G(d / 2) apart.
    expected = 2 * math.gamma(3.5) / math.gamma(3)
    assert metrics.diversity(features(0, 5000)) == pytest.approx(expected, rel=0.02)
    assert metrics.diversity(features(0)) == metrics.diversity(features(0))
    assert metrics.diversity(features(0)) != metrics.diversity(features(0), seed=1)
    assert metrics.diversity(3 * features(0)) == pytest.approx(3 * metrics.diversity(features(0)))


def test_copies_by_hand():
    among = np.arange(1, 101, dtype=np.float32)
    # Five of a hundred are no further than 5.
    found = metrics.copies(np.array([4, 5, 5.5, 90]), among[::-1], level=0.05)
    assert found == metrics.Copies(rate=0.5, baseline=0.05, threshold=5)
    assert metrics.copies(among, among).baseline == pytest.approx(0.01)


def test_copies_where_the_real_have_duplicates():
    among = np.array([0] * 10 + [1] * 90)
    found = metrics.copies(np.array([0, 0, 0, 0.5]), among)
    assert found == metrics.Copies(rate=0.75, baseline=0.1, threshold=0)


def test_copies_are_seen_and_new_drawings_are_none():
    real, new = features(0, 1000), features(1, 1000)
    among, _ = metrics.nearest(real, real, leave_out=True)
    fresh = metrics.copies(metrics.nearest(new, real)[0], among, level=0.05)
    assert fresh.baseline == pytest.approx(0.05)
    assert fresh.rate == pytest.approx(0.05, abs=0.025)  # as a held-out set
    mixed = np.concatenate([new[:700], real[:300] + 1e-4])
    assert metrics.copies(metrics.nearest(mixed, real)[0], among).rate == pytest.approx(
        0.3, abs=0.03
    )


@pytest.mark.parametrize(
    ('generated', 'real', 'level'), [([], [1], 0.01), ([1], [], 0.01), ([1], [1], 1)]
)
def test_copies_need_distances_and_a_level(generated, real, level):
    with pytest.raises(
        ValueError, match=f'{len(generated)} and {len(real)} distances at level {level}'
    ):
        metrics.copies(np.array(generated), np.array(real), level)


def area_by_hand(real, fake):
    """mgeval's: of Gaussian densities of distances, integrated from the least to the largest."""
    among = [
        np.linalg.norm(a - b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j
    ]
    between = [np.linalg.norm(a - b) for a in real for b in fake]
    x = np.linspace(min(among + between), max(among + between), 4000)
    lower = np.minimum(stats.gaussian_kde(among)(x), stats.gaussian_kde(between)(x))
    return np.trapezoid(lower, x)


@pytest.mark.parametrize('width', [1, 5])
def test_overlapped_area_is_that_of_the_densities_of_distances(width):
    rng = np.random.default_rng(0)
    real = rng.normal(size=[40, width])
    for shift, low, high in ((0, 0.75, 1), (2, 0.1, 0.9), (20, 0, 0.01)):
        fake = rng.normal(size=[30, width]) + shift
        found = metrics.overlapped_area(real, fake)
        assert low <= found <= high
        assert found == pytest.approx(area_by_hand(real, fake), abs=0.003)


def test_overlapped_area_of_what_hardly_varies():
    ones = np.ones([9, 1])
    assert metrics.overlapped_area(ones, ones) == pytest.approx(1, abs=0.02)
    assert metrics.overlapped_area(ones, 3 * ones) < 0.01
    missing = np.array([[np.nan], [1.0], [2.0], [4.0]])
    assert metrics.overlapped_area(missing, missing) == metrics.overlapped_area(
        missing[1:], missing[1:]
    )
    assert np.isnan(metrics.overlapped_area(missing, missing[:2]))
