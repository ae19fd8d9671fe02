"""How unlike images are: the share of their ink in which they differ, sharp and blurred."""

import numpy as np
import tensorflow as tf

SIDE = 28  # pixels, of images whose blurs these are
BLURS = 3, 7  # sides of squares that are averaged: a line has no slope to one out of reach
LEAST_INK = 1e-3  # of an image, that an empty one has a share too


def unlikeness(images, others, ground, known=None):
    """The mean over the blurs of `ink_difference` [n] of images float32 [n, h, w, c].

    `ground` is what an image is where nothing is drawn, [c]. Only where `known` [n, h, w] is 1 is
    looked at.
    """
    first, second = images - ground, others - ground
    if known is not None:
        first, second = first * known[..., None], second * known[..., None]
    larger = max(1, round(max(images.shape[1:3]) / SIDE))
    blurs = [1, *(larger * size for size in BLURS)]
    both = tf.concat([first, second], axis=0)  # A graph has the matrices of a blur once then.
    pairs = (tf.split(_blurred(both, size), 2) for size in blurs)
    return tf.add_n([ink_difference(*pair) for pair in pairs]) / len(blurs)


def ink_difference(first, second):
    """Differences of ink over the larger ink of both, [n]: 1 less the intersection over union.

    Ink float32 [n, h, w, c] is how far pixels are from the paper, whichever way.
    """
    differ = tf.reduce_sum(tf.abs(first - second), axis=[1, 2, 3])
    either = tf.reduce_sum(tf.maximum(tf.abs(first), tf.abs(second)), axis=[1, 2, 3])
    return differ / (either + LEAST_INK)


def _blurred(ink, size):
    """Ink averaged over squares, as products of two matrices: XLA's pooling takes far longer."""
    if size == 1:
        return ink
    rows, columns = (_averaging(side, size) for side in ink.shape[1:3])
    return tf.einsum('ij,njkc,lk->nilc', rows, ink, columns)


def _averaging(side, size):
    """The matrix [side, side] that averages over `size` places, fewer at the ends."""
    place = np.arange(side)
    near = np.abs(place[:, None] - place) <= size // 2
    return (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
