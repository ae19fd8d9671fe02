"""Latents and labels as pure functions of seeds: the same in any batch, process and order.

The normal numbers are looked up in a table of quantiles, by bits of an integer hash. Logarithm and
cosine would do too, but round differently with the place of a number in its batch.
"""

import functools
import statistics

import numpy as np
import tensorflow as tf

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, the increment of splitmix64


HALF = 1 << 15  # of the quantiles, which are those of the other half with the other sign


@functools.cache
def quantiles() -> np.ndarray:
    """The normal distribution's quantiles at 1/2 + (i + 1/2) / 65,536: float32 in (0, 4.33)."""
    levels = 0.5 + (np.arange(HALF) + 0.5) / (2 * HALF)
    return np.array([statistics.NormalDist().inv_cdf(level) for level in levels], np.float32)


def _mix(bits):
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): uint64 to well-mixed uint64."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ tf.bitwise.right_shift(bits, _u64(shift))) * _u64(factor)
    return bits ^ tf.bitwise.right_shift(bits, _u64(31))


def _u64(value):
    return tf.constant(value, tf.uint64)


def _hash(seeds, counters):
    """Well-mixed uint64 for each pair of an int64 seed and an int64 counter, broadcast."""
    seeds, counters = (tf.bitcast(tf.cast(x, tf.int64), tf.uint64) for x in (seeds, counters))
    return _mix(_mix(seeds * _u64(_GOLDEN)) + (counters + _u64(1)) * _u64(_GOLDEN))


def fold(seed, counters):
    """New int64 seeds from a seed and a counter."""
    return tf.bitcast(_hash(seed, counters), tf.int64)


def normal(seeds, size: int, truncation=None, table=None):
    """Latents float32 [n, size], normally distributed, of int64 seeds [n].

    With `truncation` float32 [n] in [0, 1] they are of the middle share of the distribution only
    (the truncation trick of Brock et al. 2018, arXiv:1809.11096): 1 leaves them as they are, and
    at 0 all are about 0. `table` has the `quantiles()` where they need not be a constant.
    """
    words = -(-size // 4)  # a hash holds four numbers of 16 bits
    bits = _hash(seeds[:, None], tf.range(words, dtype=tf.int64)[None, :])
    index = tf.reshape(tf.cast(tf.bitcast(bits, tf.uint16), tf.int32), [-1, 4 * words])[:, :size]
    if truncation is not None:
        index = _towards_middle(index, truncation)
    upper = index >= HALF
    place = tf.where(upper, index - HALF, HALF - 1 - index)
    found = tf.gather(tf.constant(quantiles()) if table is None else table, place)
    return tf.where(upper, found, -found)


def _towards_middle(index, share):
    share = tf.where(share > 0, tf.minimum(share, 1.0), 0.0)[:, None]  # 0 for what is no number
    middle = tf.constant(((1 << 16) - 1) / 2)
    return tf.cast(tf.floor((tf.cast(index, tf.float32) - middle) * share + middle + 0.5), tf.int32)


def uniform(seeds):
    """Numbers float32 [n] in [0, 1) of int64 seeds [n], independent of their latents."""
    bits = tf.bitwise.right_shift(_hash(seeds, tf.constant(-2, tf.int64)), _u64(40))
    return tf.cast(tf.bitcast(bits, tf.int64), tf.float32) * 2.0**-24


def classes(seeds, shares):
    """Labels int32 [n] of int64 seeds [n], as frequent as `shares` [classes], which sum to 1."""
    upper = np.cumsum(shares, dtype=np.float64).astype(np.float32)
    upper[np.flatnonzero(shares)[-1] :] = 1.0
    return tf.searchsorted(tf.constant(upper), uniform(seeds), side='right', out_type=tf.int32)


def slerp(first, second, share):
    """The point at `share` [n] of the way from latents to latents [n, size], along the sphere."""
    share = share[:, None]
    cosine = tf.reduce_sum(_unit(first) * _unit(second), axis=1, keepdims=True)
    # Parallel or opposite latents have no one way between them; a hair off is close enough.
    angle = tf.acos(tf.clip_by_value(cosine, -0.9999, 0.9999))
    return (tf.sin((1 - share) * angle) * first + tf.sin(share * angle) * second) / tf.sin(angle)


def _unit(latents):
    return tf.math.l2_normalize(latents, axis=1)
