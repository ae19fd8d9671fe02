"""Changes of images, for a discriminator that sees few: it then cannot learn them by heart.

After Karras et al. 2020 (ADA) and Zhao et al. 2020 (DiffAugment). Drawings are moved, made a
little larger or smaller, and covered in part; never mirrored, turned or coloured, which would make
other drawings of them. What comes in from outside is paper.
"""

import typing

import numpy as np
import tensorflow as tf

from tfgan import latents
from tfgan.forms.drawing.pixels import to_float

SHIFT = 8  # by up to this part of a side
CUT = 3  # a rectangle of up to this part of each side
# 1 / scale, evenly spaced in its logarithm. Looked up, as the latents are: a power would round
# differently with the place of an image in its batch.
SHRINKS = (1.15 ** np.linspace(-1, 1, 256)).astype(np.float32)


class Changes(typing.NamedTuple):
    """What happens to each image: float32, in pixels down and to the right."""

    shift: tf.Tensor  # [b, 2]
    shrink: tf.Tensor  # [b], 1 / scale
    corner: tf.Tensor  # [b, 2], the first pixel of the cut
    cut: tf.Tensor  # [b, 2], its sides; 0 for none


class DrawingAugmentation:
    """Changes of images [h, w, c] on paper of a colour uint8 [c]."""

    def __init__(self, shape, paper):
        self._sides = shape[:2]
        self.paper = to_float(np.array(paper, np.uint8))

    def choose(self, seeds, probability):
        """The changes for int64 seeds [b]; each kind comes with `probability`, a float32 scalar."""
        return choose(seeds, probability, *self._sides)

    def apply(self, images, changes):
        """Images float32 [b, h, w, c] with the changes; those without any are as they were."""
        return apply(images, changes, self.paper)


def choose(seeds, probability, height: int, width: int) -> Changes:
    """The changes for int64 seeds [b]: of each image its own, whatever else is in its batch."""
    counters = tf.range(10, dtype=tf.int64)
    numbers = latents.uniform(latents.fold(seeds[:, None], counters[None, :]))
    chosen, shift, size, place, shrink = tf.split(numbers, [3, 2, 2, 2, 1], axis=1)
    shifted, scaled, cut = tf.split(chosen < probability, 3, axis=1)
    sides = np.array([height, width], np.float32)
    farthest = sides // SHIFT  # in whole pixels, which keep strokes sharp
    shift = tf.floor(shift * (2 * farthest + 1)) - farthest
    size = 1 + tf.floor(size * (sides // CUT))
    corner = tf.floor(place * (sides - size + 1))
    shrink = tf.gather(SHRINKS, tf.cast(shrink * len(SHRINKS), tf.int32))
    shrink = tf.where(scaled, shrink, 1.0)[:, 0]
    return Changes(tf.where(shifted, shift, 0.0), shrink, corner, tf.where(cut, size, 0.0))


def apply(images, changes: Changes, paper):
    """Images float32 [b, h, w, c] with the changes; `paper` is float32 [c]."""
    height, width = images.shape[1:3]
    rows = _sampling(height, changes.shift[:, 0], changes.shrink)
    columns = _sampling(width, changes.shift[:, 1], changes.shrink)
    # out = paper + rows (images - paper) columns^T: beyond the border there is nothing but paper
    ink = tf.einsum('byi,bijc->byjc', rows, images - paper)
    moved = paper + tf.einsum('bxj,byjc->byxc', columns, ink)
    still = tf.reduce_all(changes.shift == 0, axis=1) & (changes.shrink == 1)
    images = tf.where(still[:, None, None, None], images, moved)  # bit for bit if it stays
    tall = _span(height, changes.corner[:, 0], changes.cut[:, 0])
    wide = _span(width, changes.corner[:, 1], changes.cut[:, 1])
    return tf.where((tall[:, :, None] & wide[:, None, :])[..., None], paper, images)


def _sampling(side: int, shift, shrink):
    """Linear interpolation as matrices [b, side, side]: each row is of a pixel of the result."""
    pixels = tf.range(side, dtype=tf.float32)
    middle = (side - 1) / 2
    source = (pixels - middle - shift[:, None]) * shrink[:, None] + middle
    return tf.nn.relu(1 - tf.abs(source[:, :, None] - pixels))


def _span(side: int, start, length):
    """Which pixels of a side lie in [start, start + length): bool [b, side]."""
    pixels = tf.range(side, dtype=tf.float32)
    return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])
