"""What a Gan draws to be looked at: sheets of fixed seeds and walks."""

import tensorflow as tf

from tfgan import latents


def around(corners, place):
    """The latents at `place`, in [0, corners), of a walk from corner to corner and back."""
    corner, share = int(place), place % 1
    shares = tf.fill(corners[0].shape[:1], share)
    return latents.slerp(corners[corner], corners[(corner + 1) % len(corners)], shares)
