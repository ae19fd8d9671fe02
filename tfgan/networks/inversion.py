"""Images drawn by a generator as near as it comes: an encoder's guess, improved by its slopes."""

import math

import tensorflow as tf

from tfgan.networks.likeness import unlikeness

CANDIDATES = 16  # of each image, of which the best is taken
RATE, FINAL_RATE_SHARE = 0.5, 0.05
BETA_1, BETA_2, EPSILON = 0.6, 0.95, 1e-8  # of Adam
SPREAD = 0.5  # of candidates around the guess
PRIOR = 1e-3  # weight of the mean square of latents, which keeps them usual


def invert(generator, encoder, images, known, label, steps, noise):
    """(latents [n, latent_size], labels [n]) of drawings near images float32 [n, h, w, c].

    Only where `known` [n, h, w] is 1 is looked at. A negative label is guessed. Of several
    candidates, which so many `steps` [n] improve, the nearest is taken. Where a generator has no
    styles, candidates differ by `noise`, normal numbers [n * CANDIDATES, latent_size].
    """
    guess, logits = encoder(images, known)
    guessed = tf.argmax(logits, axis=1, output_type=tf.int32)
    label = tf.where(label < 0, guessed, label)
    start = _candidates(generator, guess, noise)
    repeated = [tf.repeat(each, CANDIDATES, axis=0) for each in (images, known, label, steps)]
    found, errors = _improved(generator, encoder.ground, start, *repeated)
    best = tf.argmin(tf.reshape(errors, [-1, CANDIDATES]), axis=1)
    found = tf.reshape(found, [-1, CANDIDATES, guess.shape[1]])
    return tf.gather(found, best, axis=1, batch_dims=1), label


def _candidates(generator, guess, noise):
    """Latents [n * CANDIDATES, latent_size] near a guess, each in a style of its own if it has."""
    if hasattr(generator, 'other_styles'):
        return tf.reshape(generator.other_styles(guess, CANDIDATES), [-1, guess.shape[1]])
    first = tf.tile(tf.range(CANDIDATES) == 0, tf.shape(guess)[:1])[:, None]
    around = tf.repeat(guess, CANDIDATES, axis=0)
    return tf.where(first, around, around + SPREAD * noise)


def _improved(generator, ground, start, images, known, labels, steps):
    """The best latents within each row's own number of steps of Adam, and their errors [n].

    The rate falls over the steps.
    """

    def step(number, found, mean, square, best, least):
        with tf.GradientTape() as tape:
            tape.watch(found)
            unlike = unlikeness(generator(found, labels), images, ground, known)
            errors = unlike + PRIOR * tf.reduce_mean(found**2, axis=1)
        slope = tape.gradient(errors, found)
        better = (errors < least) & (number <= steps)
        best = tf.where(better[:, None], found, best)
        least = tf.where(better, errors, least)
        mean = BETA_1 * mean + (1 - BETA_1) * slope
        square = BETA_2 * square + (1 - BETA_2) * slope**2
        power = tf.cast(number + 1, tf.float32)
        share = tf.cast(number, tf.float32) / tf.cast(tf.maximum(steps, 1), tf.float32)
        fall = 0.5 * (1 + tf.cos(math.pi * tf.minimum(share, 1.0)))
        rate = RATE * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * fall)[:, None]
        moment = tf.sqrt(square / (1 - BETA_2**power)) + EPSILON
        moved = found - rate * mean / (1 - BETA_1**power) / moment
        if hasattr(generator, 'in_style_of'):
            moved = generator.in_style_of(moved, start)
        return number + 1, moved, mean, square, best, least

    zeros, most = tf.zeros_like(start), tf.fill(tf.shape(start)[:1], start.dtype.max)
    last = tf.reduce_max(steps)  # after which errors are looked at once more
    state = 0, start, zeros, zeros, start, most
    return tf.while_loop(lambda number, *_: number <= last, step, state)[4:]
