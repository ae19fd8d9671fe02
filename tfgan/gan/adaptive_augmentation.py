"""How often the discriminator sees changed examples: as often as it overfits (ADA).

After Karras et al. 2020, arXiv:2006.06676.
"""

import tensorflow as tf

FEW = 20_000  # images; of more, a discriminator learns none by heart in a run on a CPU
CAP = 0.8  # above it the generator draws the changes too (Karras et al. 2020, section 2.2)
# ADA's 0.6 is for a game without a comparison: in one with, whose slopes are held small, the
# discriminator is never as sure, and drawings were copies of 500 before it was.
TARGET = 0.2
IMAGES_TO_FULL = 100_000  # ADA takes 500,000, which a short run never sees


def step_probability(
    probability,
    overfitting,
    batch_size,
    target: float = TARGET,
    images_to_full: int = IMAGES_TO_FULL,
):
    """The next probability: a step up if the discriminator overfits, else down (ADA).

    `overfitting` is the mean of sign(logit - middle) over real images: 0 for a discriminator that
    can tell nothing, 1 for one that knows every real image.
    """
    step = tf.cast(batch_size, tf.float32) / images_to_full
    step = tf.where(overfitting > target, step, -step)
    return tf.clip_by_value(probability + step, 0.0, CAP)


def wanted(count: int) -> bool:
    """Whether a set of so many images is small enough for them to be changed."""
    return count < FEW
