"""The strokes of a recipe's drawings: of seeds or latents, with kept strokes and sliders."""

import numpy as np
import tensorflow as tf

from tfgan import latents
from tfgan.networks.strokes import Strokes
from tfgan.saved_model import sliders as sliders_of


def strokes(generator, sliders: list[dict], class_names: list[str], drawing: dict) -> Strokes:
    """The strokes [1, ...] that a pen makes of one drawing of a recipe, as the studio's page does.

    Raises KeyError, TypeError and ValueError where the recipe is of no drawing of the model.
    """
    label = tf.constant([class_names.index(drawing['label'])])
    found = generator.strokes(_latents(generator, drawing), label)
    if kept := drawing.get('kept'):
        others = strokes(generator, sliders, class_names, kept['of'])
        found = _with_kept(found, others, kept['strokes'])
    values = sliders_of.values_of(sliders, drawing.get('sliders') or {})
    if values == [each['default'] for each in sliders]:
        return found
    return sliders_of.edited(found, generator.shape, sliders_of.moves(sliders, label, [values]))


def _latents(generator, drawing):
    size = generator.trunk.embedding.output_dim
    if 'latents' not in drawing:
        share = tf.constant([drawing.get('truncation', 1)], tf.float32)
        return latents.normal(tf.constant([drawing['seed']], tf.int64), size, share)
    given = np.array([drawing['latents']], np.float32)
    if given.shape != (1, size):
        raise ValueError(f'latents of shape {given.shape}')
    return tf.constant(given)


def _with_kept(found: Strokes, others: Strokes, numbers: list[int]) -> Strokes:
    """Strokes with those of such numbers from others."""
    is_kept = np.isin(np.arange(found.ink.shape[1]), np.array(numbers, int))

    def chosen(own, other):
        return tf.where(is_kept.reshape([1, -1] + [1] * (own.ndim - 2)), other, own)

    return Strokes(*map(chosen, found, others))
