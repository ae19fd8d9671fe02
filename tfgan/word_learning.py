"""A new word for an exported model: a class that is fitted to a few drawings of a person's.

The generator's weights stay as they are. The word gets a vector of its own among those of the
classes and, where a pen picks styles, styles of its own; they alone are learned.
"""

import dataclasses
import pathlib
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tqdm

from tfgan import config, latents
from tfgan.errors import ConfigError, ModelError, listed, quoted
from tfgan.forms.base import form_named
from tfgan.gan.gan import Gan
from tfgan.gan.optimizers import Adam, falling
from tfgan.networks.encoder import Encoder
from tfgan.networks.inversion import CANDIDATES, invert
from tfgan.networks.likeness import unlikeness
from tfgan.saved_model import sliders, writer

LEAST, MOST = 3, 100  # drawings that a word is learned from
SECS = 15.0  # of fitting
BATCH, RATE, BETAS = 32, 0.02, (0.5, 0.95)
GUESS_STEPS = 30  # to the drawings as the nearest class draws them, from where it begins
BAR = '{l_bar}{bar}| {remaining} left'


class Parts(NamedTuple):
    """What an export is made of."""

    gan: Gan
    encoder: Encoder


def learn(
    model, images, word: str, out, secs: float = SECS, steps: int | None = None
) -> pathlib.Path:
    """Writes the next version of a model at `out` that draws `word` too, and returns its folder.

    `model` is a loaded one that has an encoder, `images` are pictures as `Model.redraw` takes them.
    It is fitted for so many seconds, or in so many `steps` if they are given: then it is the same
    each time. All other classes draw what they drew. Raises ModelError and StorageError.
    """
    names = model.card.data['class_names']
    if word in names or not word.strip():
        raise ModelError(f'--word={quoted(word)}: expected a new one; there are {listed(names)}')
    if not LEAST <= len(images) <= MOST:
        raise ModelError(f'{len(images)} drawings: a word is learned from {LEAST} to {MOST}')
    own = model.framed(images)
    known = [each.known for each in own]
    grown = _with_one_more(parts(model), len(names))
    examples = grown.gan.form.encode(
        tf.constant(np.stack([each.image for each in own])), grown.gan.shape
    )
    fit(grown, examples, tf.constant(np.stack(known)), secs, steps)
    data = model.card.data | {
        'class_names': [*names, word],
        # By chance it is never drawn: so each seed has the class that it had.
        'class_counts': [*model.card.data['class_counts'], 0],
    }
    out = pathlib.Path(out)
    card = dataclasses.replace(model.card, name=out.name, data=data, scores={})
    kept = sliders.read(model.version)
    return writer.write(grown.gan, out, card, grown.encoder, model.is_compact, kept)


def parts(model) -> Parts:
    """The networks of a loaded model, with its weights."""
    card = model.card
    counts = np.array(card.data['class_counts'], float)
    try:
        settings = config.Config(**card.config)
    except (TypeError, ConfigError) as error:
        said = f'--model={quoted(model.version)}: its configuration is none of today'
        raise ModelError(f'{said} ({quoted(error)}); export the run once more') from error
    shape = form_named(card.form).shape(card.data)
    gan = Gan(settings, shape, counts / counts.sum(), form=card.form)
    encoder = Encoder(settings, gan.shape, len(counts))
    encoder(tf.zeros([1, *gan.shape]), tf.ones([1, *gan.shape[:2]]))
    judges = [] if model.is_compact else [gan.discriminator]
    networks = gan.average, *judges, encoder
    variables = [variable for network in networks for variable in network.variables]
    for variable, weights in zip(variables, model.weights(), strict=True):
        variable.assign(weights)
    gan.decision_threshold.assign(model.decision_threshold())
    return Parts(gan, encoder)


def _with_one_more(old: Parts, count: int) -> Parts:
    """The same with one more class than `count`, whose weights are the mean of the others'."""
    shares = [*old.gan.class_shares, 0.0]
    gan = Gan(old.gan.config, old.gan.shape, shares, form=old.gan.form.name)
    encoder = Encoder(gan.config, gan.shape, count + 1)
    encoder(tf.zeros([1, *gan.shape]), tf.ones([1, *gan.shape[:2]]))
    pairs = (old.gan.average, gan.average), (old.gan.discriminator, gan.discriminator)
    for before, after in (*pairs, (old.encoder, encoder)):
        for one, other in zip(before.variables, after.variables, strict=True):
            other.assign(_grown(one.numpy(), other.shape, count))
    gan.decision_threshold.assign(old.gan.decision_threshold)
    return Parts(gan, encoder)


def _grown(weights, shape, count):
    """Weights in a shape that has more along one axis: there they are the mean of the classes'."""
    for axis, (now, wanted) in enumerate(zip(weights.shape, shape, strict=True)):
        if now != wanted:
            each = np.stack(np.split(weights, count, axis=axis))
            return np.concatenate([weights, each.mean(axis=0)], axis=axis)
    return weights


def fit(parts: Parts, examples, known, secs: float, steps: int | None = None) -> None:
    """Fits the last class to examples float32 [n, *shape], where `known` [n, h, w] is 1.

    A pen's styles are shared out among the examples, and drawings in each become like its example.
    """
    fitting = _Fitting(parts, examples, known)
    bar = tqdm.tqdm(total=100, desc='learning', bar_format=BAR, delay=1, disable=None)
    began, step, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        fitting.step(tf.constant(step, tf.int64), tf.constant(progress, tf.float32))
        step += 1
        progress = step / steps if steps else (time.monotonic() - began) / secs
        bar.update(min(100.0, 100 * progress) - bar.n)
    bar.close()


class _Fitting:
    """Steps that change what belongs to the last class and nothing else."""

    def __init__(self, parts, examples, known):
        self._gan, self._encoder = parts
        self._examples, self._known = examples, known
        self._word = len(self._gan.class_shares) - 1
        generator = self._gan.average
        # Each with the axis of its classes.
        self._places = [(generator.trunk.embedding.embeddings, 0)]
        if hasattr(generator, 'style'):
            self._places.append((generator.style.embeddings, 0))
        self._guesses = [(self._encoder.logits.kernel, 1), (self._encoder.logits.bias, 0)]
        self._latents = self._begun()
        self._adam = Adam([variable for variable, _ in self._places + self._guesses], *BETAS)
        self.step = tf.function(self._step, autograph=False)

    def _begun(self):
        """Latents [n, latent_size] of the examples as the nearest class draws them.

        The word begins as that class, and its styles as they are in those drawings.
        """
        gan, count = self._gan, len(self._examples)
        generator, word = gan.average, self._word
        logits = self._encoder(self._examples, self._known)[1][:, :word]
        nearest = tf.argmax(tf.reduce_mean(logits, axis=0), output_type=tf.int32)
        noise = latents.normal(tf.range(count * CANDIDATES, dtype=tf.int64), gan.config.latent_size)
        steps, labels = tf.fill([count], GUESS_STEPS), tf.fill([count], nearest)
        work = self._examples, self._known, labels, steps, noise
        found, _ = invert(generator, self._encoder, *work)
        table = generator.trunk.embedding.embeddings
        table.assign(tf.tensor_scatter_nd_update(table, [[word]], table[nearest][None]))
        if hasattr(generator, 'style'):
            whole = found + generator.style_of(found, labels)
            taken = tf.range(generator.styles) % count
            rows = word * generator.styles + tf.range(generator.styles)
            styles = generator.style.embeddings
            wanted = tf.gather(whole, taken)
            styles.assign(tf.tensor_scatter_nd_update(styles, rows[:, None], wanted))
        return found

    def _step(self, number, progress):
        gan, word = self._gan, self._word
        generator, size = gan.average, gan.config.latent_size
        seeds = latents.fold(number, tf.range(2 * BATCH, dtype=tf.int64))
        normal, others = tf.split(latents.normal(seeds, size), 2)
        taken = tf.cast(seeds[:BATCH] % len(self._examples), tf.int32)
        if hasattr(generator, 'style'):
            taken = tf.argmax(normal[:, : generator.styles], axis=1, output_type=tf.int32)
            taken %= len(self._examples)
        else:
            normal = tf.gather(self._latents, taken)
        wanted, known = tf.gather(self._examples, taken), tf.gather(self._known, taken)
        labels = tf.fill([BATCH], word)
        other_labels = tf.cast(seeds[BATCH:] % word, tf.int32)
        other = generator(others, other_labels)
        variables = [variable for variable, _ in self._places + self._guesses]
        with tf.GradientTape() as tape:
            drawn = generator(normal, labels)
            loss = tf.reduce_mean(unlikeness(drawn, wanted, self._encoder.ground, known))
            seen = tf.concat([tf.stop_gradient(drawn), self._examples, other], axis=0)
            everywhere = tf.ones(seen.shape[:3])
            told = tf.concat([labels, tf.fill([len(self._examples)], word), other_labels], axis=0)
            logits = self._encoder(seen, everywhere)[1]
            loss += tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(told, logits))
        gradients = tape.gradient(loss, variables)
        masked = [
            self._of_word(tf.convert_to_tensor(gradient), axis)
            for gradient, (_, axis) in zip(gradients, self._places + self._guesses, strict=True)
        ]
        self._adam.apply(masked, RATE * falling(progress, 0.3, 0.05), number + 1)

    def _of_word(self, gradient, axis):
        """A gradient that is 0 for all classes but the last."""
        rows = gradient.shape[axis] // (self._word + 1)
        mask = tf.cast(tf.range(gradient.shape[axis]) >= self._word * rows, tf.float32)
        return gradient * (mask[:, None] if axis == 0 and len(gradient.shape) > 1 else mask)
