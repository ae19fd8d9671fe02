"""Drawings as their judge sees them: small, and moved or damaged on purpose to learn from."""

import numpy as np
import tensorflow as tf

from tfgan.forms.drawing.pixels import to_float

SIDE = 32  # pixels; larger images are averaged down to that
DAMAGES = 4  # blur, specks, haze, gaps


class DrawingViews:
    """Views of images on paper of a colour uint8 [c]."""

    damages = DAMAGES

    def __init__(self, paper):
        self._paper = self.encode(tf.constant(paper, tf.float32))

    def small(self, images):
        """Images uint8 averaged down until no side is longer than SIDE: whole numbers float32."""
        height, width = images.shape[1:3]
        if max(height, width) <= SIDE:
            return tf.cast(images, tf.float32)
        size = [-(-side * SIDE // max(height, width)) for side in (height, width)]
        return tf.round(tf.image.resize(images, size, 'area'))

    def encode(self, small):
        return to_float(small)

    def thumbnails(self, images) -> np.ndarray:
        """Images uint8 [n, h, w, c] as rows of grey, SIDE x SIDE at most: uint8 [n, pixels]."""
        grey = self.small(images).numpy().mean(axis=-1, dtype=np.float32)
        return np.round(grey).astype(np.uint8).reshape(len(images), -1)

    def move(self, images, seed):
        return move(images, self._paper, seed)

    def damage(self, images, seed):
        return damage(images, self._paper, seed)


def move(images, paper, seed):
    """Images float32 [n, h, w, c] shifted, turned and scaled a little, each its own way."""
    height, width = images.shape[1:3]
    u = tf.random.stateless_uniform([4, tf.shape(images)[0]], seed, -1, 1)
    angle, scale = 0.2 * u[0], tf.exp(0.12 * u[1])
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    # About the middle m: x -> A (x - m) + m + shift.
    x, y = (width - 1) / 2, (height - 1) / 2
    right, down = x + width / 12 * u[2], y + height / 12 * u[3]
    zero = tf.zeros_like(angle)
    rows = [cosine, -sine, right - cosine * x + sine * y]
    rows += [sine, cosine, down - sine * x - cosine * y, zero, zero]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images - paper,
        transforms=tf.stack(rows, axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation='BILINEAR',
        fill_mode='CONSTANT',
    )
    return moved + paper


def damage(images, paper, seed):
    """Images float32 [n, h, w, c], each damaged in one of four ways, and in which, int32 [n]."""
    count, height, width = tf.shape(images)[0], *images.shape[1:3]

    def uniform(stream, *shape, **more):
        return tf.random.stateless_uniform([count, *shape], tf.stack(seed) + stream, **more)

    ink = tf.where(paper < 0, 1.0, -1.0)
    much, noise = uniform(1, 1, 1, 1), uniform(2, height, width, 1)
    gaps = uniform(3, -(-height // 4), -(-width // 4), 1) < 0.03 + 0.12 * much
    gaps = tf.repeat(tf.repeat(gaps, 4, axis=1), 4, axis=2)[:, :height, :width]
    ways = [
        tf.nn.avg_pool2d(images, 3, 1, 'SAME'),
        tf.where(noise < 0.003 + 0.02 * much, ink, images),
        images + (ink - images) * noise * (0.1 + 0.3 * much),
        tf.where(gaps, paper, images),
    ]
    way = uniform(4, minval=0, maxval=DAMAGES, dtype=tf.int32)
    return tf.gather(tf.stack(ways, axis=1), way, axis=1, batch_dims=1), way
