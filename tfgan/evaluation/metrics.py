"""What features of two sets of examples, float32 [n, d], tell of distance, quality and variety."""

import math
from typing import NamedTuple

import numpy as np

BINS = 1000  # of distances, much finer than what they are smoothed by
UNSEEN = 1e-6  # the real share of a class that no real image has


class Gaussian(NamedTuple):
    """Mean float64 [d] and covariance float64 [d, d] of features."""

    mean: np.ndarray
    covariance: np.ndarray


def gaussian(features: np.ndarray) -> Gaussian:
    """The mean and the unbiased covariance (over n - 1) of features float32 [n, d], n >= 2."""
    features = _features(features, least=2)
    mean = features.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((len(mean), len(mean)))
    for rows in _blocks(len(features)):
        # Centred first: sums of squares less n times the mean's would cancel.
        centred = features[rows] - mean
        scatter += centred.T @ centred
    return Gaussian(mean, scatter / (len(features) - 1))


def frechet(real: Gaussian, fake: Gaussian) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)): the squared Fréchet distance of two Gaussians.

    Dowson and Landau 1982; on features of a network, Heusel et al. 2017. Never below 0.
    """
    if real.covariance.shape != fake.covariance.shape:
        shapes = f'{real.covariance.shape} and {fake.covariance.shape}'
        raise ValueError(f'the covariances must be of one shape, not {shapes}')
    values, vectors = np.linalg.eigh(real.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    # S1 S2 has the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric, so they are real and,
    # but for rounding, not negative, even where S1 has no inverse.
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ fake.covariance @ root), 0)).sum()
    apart = np.square(real.mean - fake.mean).sum()
    return max(float(apart + np.trace(real.covariance + fake.covariance) - 2 * shared), 0.0)


class Interval(NamedTuple):
    """A value and the ends of its 95% interval."""

    value: float
    low: float
    high: float


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, blocks: int = 20, block_size: int = 1000, seed: int = 0
) -> Interval:
    """The unbiased squared MMD with kernel (x.y / d + 1)^3 (Binkowski et al. 2018).

    It is 0 on average, and so at times below, where both sets are of one distribution. Features
    float32 [n, d] and [m, d] of any n, m >= 2. Both sets are shuffled and dealt into `blocks` or
    more blocks (fewer if they would have less than two rows) of at most `block_size` rows. No row
    is in two, so the blocks are independent, and resampling them (the bootstrap) gives an honest
    interval of their mean. One block alone says nothing of its spread: the interval is infinite.
    """
    real, fake = _features(real, least=2), _features(fake, least=2)
    _same_width(real, fake)
    rng = np.random.default_rng(seed)
    count = min(len(real), len(fake))
    size = max(2, min(block_size, count // blocks))
    dealt = count // size
    rows = [rng.permutation(len(x))[: dealt * size].reshape(dealt, size) for x in (real, fake)]
    found = np.array([_squared_mmd(real[i], fake[j]) for i, j in zip(*rows)])
    if dealt == 1:
        return Interval(float(found[0]), -math.inf, math.inf)
    means = found[rng.integers(dealt, size=(2000, dealt))].mean(axis=1)
    return Interval(float(found.mean()), *map(float, np.quantile(means, (0.025, 0.975))))


def _squared_mmd(real, fake):
    """mean k(x, x') + mean k(y, y') - 2 mean k(x, y), x and x' different rows, and so y and y'."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    return _mean_of_pairs(real) + _mean_of_pairs(fake) - 2 * _kernel(real, fake).mean()


def _mean_of_pairs(rows):
    kernel = _kernel(rows, rows)
    return (kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1))


def _kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def nearest(
    queries: np.ndarray, others: np.ndarray, leave_out: bool = False, k: int = 1, block: int = 1024
) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance float32 [n] to the k-th nearest of `others`, and its index int64 [n].

    Features float32 [n, d] and [m, d]. With `leave_out` the queries are the others, and row i is
    no neighbour of itself; a duplicate of it in another row is, at distance 0. Holds one matrix of
    `block` x m at a time.
    """
    queries, others = _features(queries), _features(others)
    _same_width(queries, others)
    if leave_out and len(queries) != len(others):
        raise ValueError(f'to leave one out, {len(queries)} queries cannot be {len(others)} others')
    if not 1 <= k <= len(others) - leave_out:
        raise ValueError(f'k is {k}; {len(others)} features have 1 to {len(others) - leave_out}')
    # Near the origin float32 has more digits for what tells rows apart.
    centre = others.mean(axis=0)
    centred = others - centre
    half_squared = np.square(centred).sum(axis=1) / 2
    distance, index = np.empty(len(queries), np.float32), np.empty(len(queries), np.int64)
    page = np.empty((min(block, len(queries)), len(others)), np.float32)  # reused by all blocks
    for rows in _blocks(len(queries), block):
        # |b|^2 / 2 - ab ranks like |a - b|, as |a|^2 is the same for all b.
        rank = np.matmul(queries[rows] - centre, centred.T, out=page[: rows.stop - rows.start])
        np.subtract(half_squared, rank, out=rank)
        if leave_out:
            np.fill_diagonal(rank[:, rows], np.inf)
        index[rows] = _kth_smallest(rank, k)
        # The distance itself by difference: a duplicate is at 0, not at a rounding error.
        distance[rows] = np.linalg.norm(queries[rows] - others[index[rows]], axis=1)
    return distance, index


def _kth_smallest(values, k):
    """The column of each row's k-th smallest; spoils `values`, as `argpartition` would copy it."""
    for _ in range(k - 1):
        values[np.arange(len(values)), values.argmin(axis=1)] = np.inf
    return values.argmin(axis=1)


def precision_recall(
    real: np.ndarray,
    fake: np.ndarray,
    k: int = 5,
    real_radii: np.ndarray | None = None,
    block: int = 1024,
) -> dict[str, float]:
    """How much of one set lies among the other: 'precision', 'recall', 'density', 'coverage'.

    Features float32 [n, d] and [m, d]. Every row has a ball that ends at the k-th nearest other row
    of its own set. Precision: the share of fakes in some real's ball; recall: of reals in some
    fake's (Kynkäänniemi et al. 2019). Density: the balls of reals that a fake is in, over k;
    coverage: the share of reals with a fake in their ball (Naeem et al. 2020). `real_radii` [n] are
    `nearest(real, real, leave_out=True, k=k)[0]`, should they be at hand.
    """
    real, fake = _features(real), _features(fake)
    _same_width(real, fake)
    centre = real.mean(axis=0)  # for more digits, as in `nearest`
    real, fake = real - centre, fake - centre
    if real_radii is None:
        real_radii, _ = nearest(real, real, leave_out=True, k=k)
    if len(real_radii) != len(real):
        raise ValueError(f'{len(real)} real features cannot have {len(real_radii)} radii')
    fake_radii, _ = nearest(fake, fake, leave_out=True, k=k)
    balls = np.zeros(len(fake), np.int64)
    recalled, covered = np.zeros((2, len(real)), bool)
    for i in _blocks(len(real), block):
        for j in _blocks(len(fake), block):
            distance = _distances(real[i], fake[j])
            # Balls are open, as in the authors' code: one of radius 0 has nothing in it.
            within = distance < real_radii[i, None]
            balls[j] += within.sum(axis=0)
            covered[i] |= within.any(axis=1)
            recalled[i] |= (distance < fake_radii[j]).any(axis=1)
    return {
        'precision': float((balls > 0).mean()),
        'recall': float(recalled.mean()),
        'density': float(balls.mean() / k),
        'coverage': float(covered.mean()),
    }


def _distances(a, b):
    """|a - b| of all pairs, [n, m], by |a|^2 + |b|^2 - 2 ab, which rounding may take below 0."""
    squared = a @ b.T
    squared *= -2
    squared += np.square(a).sum(axis=1)[:, None]
    squared += np.square(b).sum(axis=1)
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared)


def class_shares(labels: np.ndarray, count: int) -> np.ndarray:
    """The share of each of `count` classes in labels int [n]: float64 [count]."""
    labels = np.asarray(labels)
    if not len(labels):
        raise ValueError('no labels have no shares')
    if labels.min() < 0 or labels.max() >= count:
        raise ValueError(
            f'labels from {labels.min()} to {labels.max()}; {count} classes have 0 to {count - 1}'
        )
    return np.bincount(labels, minlength=count) / len(labels)


def kl_divergence(fake_shares: np.ndarray, real_shares: np.ndarray) -> float:
    """KL(fake || real) = sum f log(f / r) in nats, of shares [count]; 0 log 0 is 0.

    A class without a real share counts as one in a million, so the result is finite: at most 13.8,
    where all fakes are of such a class.
    """
    fake, real = np.asarray(fake_shares, np.float64), np.asarray(real_shares, np.float64)
    if fake.shape != real.shape:
        raise ValueError(f'the shares must be of one shape, not {real.shape} and {fake.shape}')
    there = fake > 0
    ratio = fake[there] / np.maximum(real, UNSEEN)[there]
    # The floors come on top of real shares that sum to 1, so a hair below 0 is possible.
    return max(float(fake[there] @ np.log(ratio)), 0.0)


def modes_covered(labels: np.ndarray, count: int) -> int:
    """How many of `count` classes appear at least once in labels int [n]."""
    return int(np.count_nonzero(class_shares(labels, count)))


def diversity(features: np.ndarray, pairs: int = 10_000, seed: int = 0) -> float:
    """The mean distance between two different rows of features float32 [n, d], n >= 2.

    Estimated from random pairs; set against that of real features, less is collapse.
    """
    features = _features(features, least=2)
    rng = np.random.default_rng(seed)
    first = rng.integers(len(features), size=pairs)
    second = (first + rng.integers(1, len(features), size=pairs)) % len(features)
    between = [
        np.linalg.norm(features[first[i]] - features[second[i]], axis=1) for i in _blocks(pairs)
    ]
    return float(np.concatenate(between).mean(dtype=np.float64))


def overlapped_area(real: np.ndarray, fake: np.ndarray) -> float:
    """How alike the distances among real rows are to those from real to fake ones: 0 to 1.

    Yang and Lerch 2020: the area under both of the densities of the two sets of distances, by
    Gaussian kernels of Scott's width, from the least distance to the largest. Descriptors [n, d]
    and [m, d]; rows that are not finite are left out, and it is NaN where less than two are left.
    """
    real, fake = (np.asarray(x, np.float64) for x in (real, fake))
    real, fake = (x[np.isfinite(x).all(axis=1)] for x in (real, fake))
    if min(len(real), len(fake)) < 2:
        return math.nan
    among = _apart(real, real)[~np.eye(len(real), dtype=bool)]
    between = _apart(real, fake).ravel()
    edges = np.histogram_bin_edges(np.concatenate([among, between]), BINS)
    low, high = edges[0], edges[-1]
    densities = [_density(distances, edges) for distances in (among, between)]
    return float(np.minimum(*densities).sum() * (high - low) / BINS)


def _apart(a, b):
    """Exact, so that equal rows are at 0: |a - b| of all pairs, [n, m]."""
    return np.sqrt(sum(np.square(x[:, None] - y) for x, y in zip(a.T, b.T, strict=True)))


def _density(values, edges):
    """Of values in bins with such edges, smoothed, in the middle of each."""
    counts, middles = np.histogram(values, edges)[0], (edges[1:] + edges[:-1]) / 2
    # Where all values are one, the kernel is as wide as a bin.
    width = max(values.std(ddof=1) * len(values) ** -0.2, edges[1] - edges[0])
    kernel = np.exp(-np.square((middles[:, None] - middles) / width) / 2)
    return kernel @ counts / (len(values) * width * math.sqrt(2 * math.pi))


class Copies(NamedTuple):
    """The share of generated images that copy, that of real ones by the same test, and the test."""

    rate: float
    baseline: float
    threshold: float


def copies(to_training: np.ndarray, among_training: np.ndarray, level: float = 0.01) -> Copies:
    """The share of generated images as near to a training image as few real images are.

    `to_training` [n]: their distances to the nearest training image. `among_training` [m]: each
    training image's distance to the nearest other one, as far as an unseen image would be; or those
    of unseen images. What is no further than the latter's `level` quantile is a copy: where
    training images have duplicates that is 0, and distance 0 still is one. `baseline` is the share
    of the latter that pass for copies, `level` unless there are ties; a rate well above it is
    memory.
    """
    generated, real = (np.asarray(x, np.float64) for x in (to_training, among_training))
    if not (generated.size and real.size and 0 < level < 1):
        raise ValueError(
            f'{generated.size} and {real.size} distances at level {level}; '
            'one or more of each and a level between 0 and 1 are needed'
        )
    # A quantile that is one of the distances: between two of them none would be as near.
    threshold = np.quantile(real, level, method='inverted_cdf')
    rate, baseline = ((distances <= threshold).mean() for distances in (generated, real))
    return Copies(float(rate), float(baseline), float(threshold))


def _features(features, least=1):
    """Features as float32 [n, d], of at least so many rows, all finite."""
    features = np.asarray(features, np.float32)
    if features.ndim != 2 or len(features) < least:
        raise ValueError(f'features must be [n, d] with n >= {least}, not {list(features.shape)}')
    # A sum is finite only if all are (and is one number where a mask would be n x d).
    if not np.isfinite(features.sum(dtype=np.float64)):
        bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
        raise ValueError(f'features must be finite; {len(bad)} rows are not, the first {bad[0]}')
    return features


def _same_width(a, b):
    if a.shape[1] != b.shape[1]:
        raise ValueError(f'features must be of one width, not {a.shape[1]} and {b.shape[1]}')


def _blocks(count, size=1024):
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
