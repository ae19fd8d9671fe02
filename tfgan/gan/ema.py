"""An exponential moving average of weights, its half-life counted in images."""

import tensorflow as tf


def memory(step, batch_size: int, half_life_images: float, share: float):
    """The share of the average that outlives one step: float32 scalar of an int64 step.

    The half-life is the shorter of `half_life_images` and `share` of the images seen, so that the
    average follows closely at first and settles later.
    """
    seen = tf.cast(step * batch_size, tf.float32)
    half_life = tf.minimum(float(half_life_images), share * seen)
    return 0.5 ** (batch_size / tf.maximum(half_life, 1e-3))


def update(averages, variables, memory) -> None:
    """average = memory average + (1 - memory) variable, for each pair; finite if these are."""
    for average, variable in zip(averages, variables, strict=True):
        average.assign(memory * average + (1 - memory) * variable)
