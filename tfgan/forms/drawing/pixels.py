"""Images as stored, uint8, and as networks see them, float32 in [-1, 1]."""

import numpy as np


def to_float(images):
    """uint8 to float32 in [-1, 1]; a TensorFlow tensor or an array."""
    if isinstance(images, np.ndarray):
        return images.astype(np.float32) / 127.5 - 1
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 127.5 - 1


def to_uint8(images):
    """float32 around [-1, 1] to uint8, rounded; what lies outside saturates, NaN is mid-grey."""
    import tensorflow as tf

    images = tf.where(tf.math.is_nan(images), 0.0, images)  # as a uint8 it could be anything
    return tf.cast(tf.round(tf.clip_by_value((images + 1) * 127.5, 0, 255)), tf.uint8)


def commonest(colours: np.ndarray) -> tuple[int, ...]:
    """The commonest of colours uint8 [n, c]: of those that are alike, 16 levels a channel, the
    median."""
    bins = (colours >> 4).astype(np.int64) @ 16 ** np.arange(colours.shape[-1])
    alike = colours[bins == np.bincount(bins).argmax()]
    return tuple(int(level) for level in np.median(alike, axis=0))
