"""Features learned from a data set itself, by telling its classes or its examples apart.

With classes a network learns to tell them; without, that an example changed a little is still the
same and no other. Both learn to tell damaged examples, or their features would hide specks and
grain.
"""

import math

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfgan.forms.base import form_named
from tfgan.gan.optimizers import Adam
from tfgan.networks.backward import LEAK

FEATURES = 128
WIDTH = 16  # channels of the first convolution
COARSEST = 8  # pixels, above which a convolution halves once more
MOST = 60_000  # images of a larger set
MEASURED = 5000  # of them, for the scale of the features
BATCH = 128
BLOCK = 512  # images at a time, at most
BLOCK_BYTES = 1 << 24  # of pixels at a time
PASSES = 3  # over all images; without classes one, as it looks at each three times
LEAST_STEPS = 300  # however few the images
LEARNING_RATE = 4e-3
TEMPERATURE = 0.1
SOUND = 0.5  # of the images that a classifier learns from


class Network(keras.Model):
    """Images float32 [n, h, w, c] to FEATURES features and, from them, to `units` outputs."""

    def __init__(self, side: int, units: int, seed: int):
        super().__init__(name='extractor')
        halvings = max(0, math.ceil(math.log2(side / COARSEST)))
        starts = (keras.initializers.HeNormal(seed + i) for i in range(halvings + 2))
        self.convolutions = [
            keras.layers.Conv2D(WIDTH << i, 4, 2, 'same', kernel_initializer=next(starts))
            for i in range(halvings)
        ]
        self.flat = keras.layers.Flatten()
        self.dense = keras.layers.Dense(FEATURES, kernel_initializer=next(starts))
        self.head = keras.layers.Dense(units, kernel_initializer=next(starts))

    def features(self, images):
        for convolution in self.convolutions:
            images = tf.nn.leaky_relu(convolution(images), LEAK)
        return tf.nn.leaky_relu(self.dense(self.flat(images)), LEAK)

    def call(self, images):
        return self.head(self.features(images))


class Learner:
    """A network for a source, and how it learns to look at it."""

    def __init__(self, source, seed: int):
        self._source, self._seed = source, seed
        self.views = form_named(source.form).views(source)
        self.labelled = np.count_nonzero(source.shares) >= 2
        # Beside the classes, or an embedding, the outputs tell the state: a damage or none.
        self._states = self.views.damages + 1
        units = len(source.class_names) if self.labelled else FEATURES // 2
        raw = np.zeros([1, *source.shape], source.dtype)
        seen = self.views.encode(self.views.small(raw))
        self.network = Network(max(seen.shape[1:3]), units + self._states, 100 * seed)
        self.network(seen)

    def content(self, outputs):
        """Logits of the classes, or the embedding: what is left beside the state."""
        return outputs[..., : -self._states]

    def learned(self) -> dict:
        """All there is to an extractor; a tenth of the set is left to measure a classifier."""
        tenth = min(len(self._source), MOST) // 10
        chosen, apart = two_samples(self._source, self._seed, tenth)
        chosen = chosen[:MOST]
        images, labels = self._read(chosen), self._source.labels[chosen].astype(np.int32)
        held = apart if self.labelled else 0
        self._train(images[held:], labels[held:], PASSES if self.labelled else PASSES // 3)
        network, block = self.network, self._blocks
        sample = np.concatenate([network.features(x) for x in block(images[-MEASURED:])])
        guesses = [self.content(network(x).numpy()).argmax(axis=1) for x in block(images[:held])]
        state = {f'weight_{i}': array for i, array in enumerate(network.get_weights())}
        # As a network scales its features as it pleases, their mean variance is made 1.
        state['scale'] = np.float32(1 / np.sqrt(max(sample.var(axis=0).mean(), 1e-12)))
        state['accuracy'] = np.mean(np.concatenate(guesses) == labels[:held]) if held else np.nan
        return state

    def _read(self, chosen):
        """Small examples of the source, uint8."""
        blocks = np.array_split(chosen, -(-len(chosen) // block_of(self._source.shape)))
        bar = tqdm.tqdm(blocks, desc='reading the data set', disable=None, delay=1)
        images = (self.views.small(self._source.images(block)) for block in bar)
        return np.concatenate([each.numpy().astype(np.uint8) for each in images])

    def _blocks(self, images):
        return (self.views.encode(images[i : i + BLOCK]) for i in range(0, len(images), BLOCK))

    def _train(self, images, labels, passes):
        """Adam with a learning rate that falls to 0 along half a cosine."""
        variables = self.network.trainable_variables
        adam, loss = (
            Adam(variables, 0.9, 0.999),
            self._classify if self.labelled else self._contrast,
        )

        @tf.function(autograph=False)
        def step(images, labels, count, rate):
            with tf.GradientTape() as tape:
                value = loss(self.views.encode(images), labels, (self._seed, count))
            adam.apply(tape.gradient(value, variables), rate, count)

        batch = min(BATCH, len(images))
        steps = max(LEAST_STEPS, passes * len(images) // batch)
        order = _orders(len(images), steps * batch, np.random.default_rng(self._seed))
        for i in tqdm.trange(steps, desc='training the feature extractor', disable=None, delay=1):
            rows = order[i * batch : (i + 1) * batch]
            rate = LEARNING_RATE * (1 + math.cos(math.pi * i / steps)) / 2
            step(images[rows], labels[rows], tf.constant(i + 1), tf.constant(rate))

    def _classify(self, images, labels, seed):
        """Cross-entropy of the class, and half of that of what was done to it, if anything."""
        damaged, ways = self.views.damage(images, seed)
        sound = tf.random.stateless_uniform(tf.shape(labels), seed) < SOUND
        outputs = self.network(tf.where(sound[:, None, None, None], images, damaged))
        states = tf.where(sound, self.views.damages, ways)
        return _cross_entropy(labels, self.content(outputs)) + self._state_loss(states, outputs)

    def _contrast(self, images, _, seed):
        """NT-Xent (Chen et al. 2020) with damaged examples among the others, and the states.

        Each example finds its own moved one among those of the batch and damaged ones of them.
        """
        moved = self.views.move(images, seed)
        damaged, ways = self.views.damage(moved, seed)
        outputs = self.network(tf.concat([images, moved, damaged], axis=0))
        first, second, third = tf.split(tf.math.l2_normalize(self.content(outputs), axis=1), 3)
        logits = first @ tf.transpose(tf.concat([second, third], axis=0)) / TEMPERATURE
        sound = tf.fill(tf.shape(ways), self.views.damages)
        states = tf.concat([sound, sound, ways], axis=0)
        own = tf.range(tf.shape(images)[0])
        return _cross_entropy(own, logits) + self._state_loss(states, outputs)

    def _state_loss(self, states, outputs):
        return _cross_entropy(states, outputs[:, -self._states :]) / 2


def two_samples(source, seed: int, first: int) -> tuple[np.ndarray, int]:
    """All indices of a source at random, and how many of them are the first sample of two.

    These are `first` or, of windows of pieces, somewhat less: no piece has windows in both samples,
    as those overlap and repeat each other.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(source))
    origins = getattr(source, 'origins', None)
    if origins is None:
        return order, first
    place = rng.permutation(origins.max() + 1)[origins[order]]
    cut = np.sort(place)[first]
    if not cut:  # The piece that comes first is as large as that.
        return order, first
    is_first = place < cut
    return np.concatenate([order[is_first], order[~is_first]]), int(is_first.sum())


def block_of(shape) -> int:
    """How many images of a shape to hold at a time."""
    return max(1, min(BLOCK, BLOCK_BYTES // math.prod(shape)))


def _cross_entropy(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def _orders(count, length, rng):
    """`length` indices: one shuffle of all after the other."""
    return np.concatenate([rng.permutation(count) for _ in range(-(-length // count))])[:length]
