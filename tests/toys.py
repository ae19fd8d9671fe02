"""Small Gans, sources and batches that tests share."""

import numpy as np
import tensorflow as tf

from tfgan import config
from tfgan.data import pipeline
from tfgan.forms.base import MUSIC, form_named
from tfgan.forms.drawing import FORM
from tfgan.forms.drawing.augment import DrawingAugmentation
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.music.pieces import AGAIN, MIDDLE, OCTAVES, REST, Pieces
from tfgan.gan.gan import METRICS, Gan

ARCHITECTURES = FORM.architectures
SHAPES = (20, 16, 1), (8, 8, 3), (9, 13, 1)  # the last of which cannot be halved
STEPS_ROWS_VOICES = (32, 25, 4), (16, 26, 2), (16, 25, 1)  # the second tells what is struck again


def settings(**changes):
    small = dict(steps=40, batch_size=8, width=16, depth=2, latent_size=6, channels=4)
    # At other rates a game may turn a unit over by rounding, and its spreads differ from then on.
    small |= dict(architecture='hybrid', generator_rate=1.0)
    return config.make('default', **(small | changes))


def noise(shape=SHAPES[0], count=50, classes=3):
    """A source of random images."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (count, *shape), np.uint8)
    labels = rng.integers(0, classes, count).astype(np.int32)
    names = tuple('abc'[:classes])
    return Drawings('noise', shape, labels, names, read=lambda indices: pixels[indices])


def tunes(shape, count=50, classes=2):
    """A source of random pieces [steps, voices], of so many rows."""
    steps, rows, voices = shape
    rng = np.random.default_rng(3)
    pitches = rows // OCTAVES * OCTAVES
    lowest = MIDDLE - pitches // 2
    raw = rng.integers(lowest - 1, lowest + pitches, (count, steps // 2, voices)).astype(np.int32)
    raw = np.where(raw < lowest, REST, raw).repeat(2, axis=1)
    if rows > pitches + 1:  # some of the notes are struck again
        raw[:, 1::4] = np.where(raw[:, 1::4] == REST, REST, raw[:, 1::4] + AGAIN)
    labels = rng.integers(0, classes, count).astype(np.int32)
    names, notes = ('major', 'minor', 'other')[:classes], {'rows': rows}
    return Pieces('tunes', (steps, voices), labels, names, read=raw.__getitem__, notes=notes)


def play(gan, source, steps, first_step=0):
    config = gan.config
    batches = pipeline.batches(source, gan.strategy, config.batch_size, config.seed, first_step)
    total, bad = gan.train(batches, tf.constant(steps, tf.int64), 0.0, 1 / config.steps)
    return dict(zip(METRICS, total.numpy() / steps, strict=True)), bad.numpy()


def weights(gan):
    return [variable.numpy() for group in gan.state().values() for variable in group]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def augmented(config, source, strategy=None, parts=1):
    """A Gan that augments about every third image in each way."""
    form = form_named(source.form)
    shape = form.shape(source.summary())
    changes = form.augmentation(source) if source.form == MUSIC else None
    changes = changes or DrawingAugmentation(source.shape, [255] * source.shape[-1])
    gan = Gan(config, shape, source.shares, strategy, changes, parts, source.form)
    gan.change_probability.assign(0.3)
    return gan
