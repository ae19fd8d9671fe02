"""Objectives and penalties as short mirrored formulas.

In every formula x is a real image, y = G(z) a generated one and D a logit. Losses take logits
`(real, fake)`, both [batch], and return one loss per example, to be minimised by their player.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

softplus = tf.math.softplus


def minimax_discriminator(real, fake):
    """-log s(D(x)) - log(1 - s(D(y))), s the sigmoid: the cross-entropy of telling x from y."""
    return softplus(-real) + softplus(fake)


def minimax_generator(real, fake):
    """log(1 - s(D(y))): the same game with the sign turned; flat while D is sure."""
    return -softplus(fake)


def non_saturating_generator(real, fake):
    """-log s(D(y)): the cross-entropy of passing for real; steep while D is sure."""
    return softplus(-fake)


def least_squares_discriminator(real, fake):
    """((D(x) - 1)^2 + (D(y) + 1)^2) / 2: the mean squared error to +1 and -1."""
    return 0.5 * (tf.square(real - 1) + tf.square(fake + 1))


def least_squares_generator(real, fake):
    """(D(y) - 1)^2 / 2."""
    return 0.5 * tf.square(fake - 1)


def wasserstein_discriminator(real, fake):
    """D(y) - D(x): minus the transport cost that a 1-Lipschitz D can prove."""
    return fake - real


def wasserstein_generator(real, fake):
    """-D(y)."""
    return -fake


def hinge_discriminator(real, fake):
    """max(0, 1 - D(x)) + max(0, 1 + D(y))."""
    return tf.nn.relu(1 - real) + tf.nn.relu(1 + fake)


def relativistic_discriminator(real, fake):
    """-log s(D(x) - D(y)): x should look more real than the y it is paired with."""
    return softplus(fake - real)


def relativistic_generator(real, fake):
    """-log s(D(y) - D(x)): y should look more real than x."""
    return softplus(real - fake)


def one_centred(slopes):
    """(|grad D(u)| - 1)^2, u = x + m (y - x), m in [0, 1) drawn for each pair."""
    # The square root's own slope is infinite at zero, where a constant critic puts it.
    return tf.square(tf.sqrt(_squared(slopes) + 1e-12) - 1)


def zero_centred(slopes):
    """|grad D(x)|^2 / 2, R1, and the same at y, R2."""
    return 0.5 * _squared(slopes)


def _squared(slopes):
    return tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3])


class Objective(NamedTuple):
    """A game: both players' losses, a penalty on the discriminator's slopes, and its weight.

    Of the weight `decay` is left at the end of a run. A penalty takes slopes at images,
    [n, h, w, c], and returns one value for each: at the real and the generated ones or, where
    `between`, at one between each pair. `anchored` games put the line between real and generated
    at logit 0; the others only compare.
    """

    discriminator: Callable
    generator: Callable
    penalty: Callable | None = None
    weight: float = 0.0
    decay: float = 1.0
    between: bool = False
    anchored: bool = True


# fmt: off
OBJECTIVES = {
    # Goodfellow et al. 2014, equations 1 and, for the second, section 3
    'minimax':        Objective(minimax_discriminator, minimax_generator),
    'non_saturating': Objective(minimax_discriminator, non_saturating_generator),
    # Mao et al. 2017, with a = -1 and b = c = 1
    'least_squares':  Objective(least_squares_discriminator, least_squares_generator),
    # Gulrajani et al. 2017, equation 3
    'wasserstein':    Objective(wasserstein_discriminator, wasserstein_generator,
                                one_centred, 10.0, between=True, anchored=False),
    # Lim and Ye 2017; Miyato et al. 2018
    'hinge':          Objective(hinge_discriminator, wasserstein_generator),
    # Jolicoeur-Martineau 2018; with R1 + R2 that fade: Huang et al. 2024 (R3GAN), section 2
    'relativistic':   Objective(relativistic_discriminator, relativistic_generator,
                                zero_centred, 2.0, decay=0.1, anchored=False),
}
