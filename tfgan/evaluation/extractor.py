"""Feature extractors for the metrics: one learned from the data set itself, and Inception.

The own one needs no download, and an image's class or nothing of it. With classes it learns to tell
them; without, that a drawing moved, turned or scaled a little is still the same and no other. Both
learn to tell damaged drawings, or their features would hide specks and grain.
"""

import dataclasses
import itertools
import math
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfgan.errors import FeatureError
from tfgan.evaluation.cache import cache_path, digest, remembered
from tfgan.evaluation.damage import DAMAGES, damage, move
from tfgan.forms.drawing.pixels import to_float
from tfgan.gan.optimizers import Adam
from tfgan.networks.shared_backward import LEAK

FORMAT = 1  # of the cache; another one when the network or its training changes
SIDE = 32  # pixels; larger images are averaged down to that
FEATURES = 128
WIDTH = 16  # channels of the first convolution
LEAST = 20  # images
MOST = 60_000  # images of a larger set
BATCH = 128
PASSES = 3  # over all images; without classes one, as it looks at each three times
LEAST_STEPS = 300  # however few the images
LEARNING_RATE = 4e-3
TEMPERATURE = 0.1
SOUND = 0.5  # of the images that a classifier learns from
BLOCK_BYTES = 1 << 24  # of pixels at a time


@dataclasses.dataclass(frozen=True, eq=False)
class Extractor:
    """Features float32 [n, d] of uint8 images [n, *shape]; a classifier's also tell the class."""

    name: str
    key: str  # tells extractors apart, whatever their name
    shape: tuple[int, int, int] | None  # of the images, if it is not free
    look: Callable  # a uint8 tensor [n, *shape] to features
    head: tuple[np.ndarray, np.ndarray] | None = None  # features to logits, if it can classify
    accuracy: float | None = None  # share right of the tenth it has not seen
    block: int = 512

    def features(self, images: np.ndarray) -> np.ndarray:
        """Features float32 [n, d] of images; raises FeatureError if they are of another shape."""
        if images.dtype != np.uint8 or images.shape[1:] != (self.shape or images.shape[1:]):
            found = f'{images.dtype} {images.shape}'
            raise FeatureError(f'{self.name} looks at uint8 images of {self.shape}, not at {found}')
        starts = range(0, len(images), self.block)
        return np.concatenate([self.look(images[i : i + self.block]).numpy() for i in starts])

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Labels int64 [n] of images."""
        return self.classes(self.features(images))

    def classes(self, features: np.ndarray) -> np.ndarray:
        """Labels int64 [n] by features."""
        if self.head is None:
            raise FeatureError(f'{self.name} knows no classes')
        kernel, bias = self.head
        return (features @ kernel + bias).argmax(axis=1)


def extractor_of(source, cache_dir: str | os.PathLike | None = None, seed: int = 0) -> Extractor:
    """The extractor of a data set: trained on it, or remembered from the last time.

    A stacked one's sees each channel as the inner set's does. Raises FeatureError if there are too
    few images.
    """
    if source.layers:
        return _of_layers(extractor_of(source.layers, cache_dir, seed), source.shape)
    check_count(source)
    labelled = np.count_nonzero(source.shares) >= 2
    path = cache_path(cache_dir, f'extractor-{source.fingerprint}-{seed}-{FORMAT}.npz')
    state = remembered(path, lambda: _trained(source, labelled, seed))
    network = _network(source, labelled, seed)
    network.set_weights([state[f'weight_{i}'] for i in range(len(network.weights))])
    kernel, bias = (_content(weight.numpy()) for weight in network.head.weights)
    found = Extractor(
        name='a network trained on this data set without labels',
        key=digest(state),
        shape=source.shape,
        look=_looking(network, source.shape, state['scale']),
        block=block_of(source.shape),
    )
    if not labelled:
        return found
    return dataclasses.replace(
        found,
        name='a classifier trained on this data set',
        head=(kernel / state['scale'], bias),
        accuracy=float(state['accuracy']),
    )


def _of_layers(inner: Extractor, shape) -> Extractor:
    """Features of each channel, one after the other; a class is one of the inner's for each."""
    height, width, channels = shape

    def look(images):
        layers = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [-1, height, width, 1])
        return tf.reshape(inner.look(layers), [len(images), -1])

    found = dataclasses.replace(
        inner,
        name=f'{inner.name}, of each channel',
        key=f'{inner.key}-{channels}',
        shape=shape,
        look=look,
        block=block_of(shape),
    )
    if inner.head is None:
        return found
    kernel, bias = inner.head
    # In the order of the stacked labels, the last channel's running fastest.
    triples = np.array(list(itertools.product(range(len(bias)), repeat=channels))).T
    head = np.concatenate([kernel[:, each] for each in triples]), bias[triples].sum(axis=0)
    return dataclasses.replace(found, head=head, accuracy=inner.accuracy**channels)


def _looking(network, shape, scale):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.uint8)])
    def look(images):
        return scale * network.features(_to_float(_shrunk(images)))

    return look


def check_count(source) -> None:
    """Raises FeatureError if a data set has too few images for figures of them to mean a thing."""
    if len(source) < LEAST:
        found = f'{source.dataset} has {len(source)} images'
        raise FeatureError(f'{found}; to judge drawings by them takes at least {LEAST}')


def block_of(shape) -> int:
    """How many images of a shape to hold at a time."""
    return max(1, min(512, BLOCK_BYTES // math.prod(shape)))


def small(images: np.ndarray) -> np.ndarray:
    """Images uint8 averaged down until no side is longer than SIDE; smaller ones as they are."""
    if max(images.shape[1:3]) <= SIDE:
        return images
    return _shrunk(images).numpy().astype(np.uint8)


def _shrunk(images):
    """As `small`, whole numbers float32."""
    height, width = images.shape[1:3]
    if max(height, width) <= SIDE:
        return tf.cast(images, tf.float32)
    size = [-(-side * SIDE // max(height, width)) for side in (height, width)]
    return tf.round(tf.image.resize(images, size, 'area'))


def _to_float(levels):
    return levels / 127.5 - 1


class Network(keras.Model):
    """Images float32 [n, h, w, c] to FEATURES features and, from them, to `units` outputs."""

    def __init__(self, side: int, units: int, seed: int):
        super().__init__(name='extractor')
        halvings = max(0, math.ceil(math.log2(side / 8)))
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


def _network(source, labelled, seed):
    units = (len(source.class_names) if labelled else FEATURES // 2) + DAMAGES + 1
    shape = small(np.zeros([1, *source.shape], np.uint8)).shape
    network = Network(max(shape[1:3]), units, 100 * seed)
    network(tf.zeros(shape))
    return network


def _trained(source, labelled, seed) -> dict:
    """All there is to an extractor; of a classifier, a tenth of the set is left to measure it."""
    chosen = np.random.default_rng(seed).permutation(len(source))[:MOST]
    images, labels = _read(source, chosen), source.labels[chosen].astype(np.int32)
    held = len(chosen) // 10 if labelled else 0
    network = _network(source, labelled, seed)
    paper = _to_float(tf.constant(source.paper, tf.float32))
    loss = (_classifying if labelled else _contrasting)(network, paper, seed)
    _train(network, loss, images[held:], labels[held:], PASSES if labelled else PASSES // 3, seed)
    sample = np.concatenate([network.features(x) for x in _floats(images[-5000:])])
    guesses = [_content(network(x).numpy()).argmax(axis=1) for x in _floats(images[:held])]
    state = {f'weight_{i}': array for i, array in enumerate(network.get_weights())}
    # As a network scales its features as it pleases, their mean variance is made 1.
    state['scale'] = np.float32(1 / np.sqrt(max(sample.var(axis=0).mean(), 1e-12)))
    state['accuracy'] = np.mean(np.concatenate(guesses) == labels[:held]) if held else np.nan
    return state


def _content(outputs):
    """Logits of the classes, or the embedding: what is left beside the state of damage."""
    return outputs[..., : -DAMAGES - 1]


def _read(source, chosen):
    """Small images of the source, uint8."""
    blocks = np.array_split(chosen, -(-len(chosen) // block_of(source.shape)))
    bar = tqdm.tqdm(blocks, desc='reading the data set', disable=None, delay=1)
    return np.concatenate([small(source.images(block)) for block in bar])


def _floats(images, block=512):
    return (to_float(images[i : i + block]) for i in range(0, len(images), block))


def _train(network, loss, images, labels, passes, seed):
    """Adam with a learning rate that falls to 0 along half a cosine."""
    adam = Adam(network.trainable_variables, 0.9, 0.999)

    @tf.function(autograph=False)
    def step(images, labels, count, rate):
        with tf.GradientTape() as tape:
            value = loss(_to_float(tf.cast(images, tf.float32)), labels, count)
        adam.apply(tape.gradient(value, network.trainable_variables), rate, count)

    batch = min(BATCH, len(images))
    steps = max(LEAST_STEPS, passes * len(images) // batch)
    order = _orders(len(images), steps * batch, np.random.default_rng(seed))
    for i in tqdm.trange(steps, desc='training the feature extractor', disable=None, delay=1):
        rows = order[i * batch : (i + 1) * batch]
        rate = LEARNING_RATE * (1 + math.cos(math.pi * i / steps)) / 2
        step(images[rows], labels[rows], tf.constant(i + 1), tf.constant(rate))


def _orders(count, length, rng):
    """`length` indices: one shuffle of all after the other."""
    return np.concatenate([rng.permutation(count) for _ in range(-(-length // count))])[:length]


def _classifying(network, paper, seed):
    """Cross-entropy of the class, and half of that of what was done to it, if anything."""

    def loss(images, labels, count):
        damaged, ways = damage(images, paper, (seed, count))
        sound = tf.random.stateless_uniform(tf.shape(labels), (seed, count)) < SOUND
        outputs = network(tf.where(sound[:, None, None, None], images, damaged))
        return _cross_entropy(labels, _content(outputs)) + _state_loss(
            tf.where(sound, DAMAGES, ways), outputs
        )

    return loss


def _cross_entropy(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def _state_loss(ways, outputs):
    return _cross_entropy(ways, outputs[:, -DAMAGES - 1 :]) / 2


def _contrasting(network, paper, seed):
    """NT-Xent (Chen et al. 2020) with damaged drawings among the others, and what was done to them.

    Each drawing finds its own moved one among those of the batch and damaged ones of them.
    """

    def loss(images, _, count):
        moved = move(images, paper, (seed, count))
        damaged, ways = damage(moved, paper, (seed, count))
        outputs = network(tf.concat([images, moved, damaged], axis=0))
        first, second, third = tf.split(tf.math.l2_normalize(_content(outputs), axis=1), 3)
        logits = first @ tf.transpose(tf.concat([second, third], axis=0)) / TEMPERATURE
        sound = tf.fill(tf.shape(ways), DAMAGES)
        return _cross_entropy(tf.range(tf.shape(images)[0]), logits) + _state_loss(
            tf.concat([sound, sound, ways], axis=0), outputs
        )

    return loss
