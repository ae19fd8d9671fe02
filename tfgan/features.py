"""Feature extractors for the metrics: one learned from the data set itself, and Inception.

The own one needs no download, and an image's class or nothing of it. With classes it learns to tell
them; without, that a drawing moved, turned or scaled a little is still the same and no other. Both
learn to tell damaged drawings, or their features would hide specks and grain.
"""

import dataclasses
import hashlib
import io
import itertools
import math
import os
import pathlib
import sys
import zipfile
import zlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfgan import disk
from tfgan import images as pictures
from tfgan.adam import Adam
from tfgan.backprop import LEAK

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
DAMAGES = 4  # blur, specks, haze, gaps
SOUND = 0.5  # of the images that a classifier learns from
BLOCK_BYTES = 1 << 24  # of pixels at a time
DAMAGED = OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error


class FeatureError(ValueError):
    """No extractor can be had, or it cannot look at these images."""


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


def extractor(source, cache_dir: str | os.PathLike | None = None, seed: int = 0) -> Extractor:
    """The extractor of a data set: trained on it, or remembered from the last time.

    A stacked one's sees each channel as the inner set's does. Raises FeatureError if there are too
    few images.
    """
    if source.layers:
        return _of_layers(extractor(source.layers, cache_dir, seed), source.shape)
    check_count(source)
    labelled = np.count_nonzero(source.shares) >= 2
    path = cache_path(cache_dir, f'extractor-{source.fingerprint}-{seed}-{FORMAT}.npz')
    state = remembered(path, lambda: _trained(source, labelled, seed))
    network = _network(source, labelled, seed)
    network.set_weights([state[f'weight_{i}'] for i in range(len(network.weights))])
    kernel, bias = (_content(weight.numpy()) for weight in network.head.weights)
    found = Extractor(
        name='a network trained on this data set without labels',
        key=_digest(state),
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
    return (pictures.to_float(images[i : i + block]) for i in range(0, len(images), block))


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


def move(images, paper, seed):
    """Images float32 [n, h, w, c] shifted, turned and scaled a little, each its own way."""
    height, width = images.shape[1:3]
    u = tf.random.stateless_uniform([4, tf.shape(images)[0]], seed, -1, 1)
    angle, scale = 0.2 * u[0], tf.exp(0.12 * u[1])
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    # About the middle m: x -> A (x - m) + m + shift.
    x, y = (width - 1) / 2, (height - 1) / 2
    right, down = x + width / 12 * u[2], y + height / 12 * u[3]
    zero = tf.zeros_like(angle)
    rows = [cosine, -sine, right - cosine * x + sine * y]
    rows += [sine, cosine, down - sine * x - cosine * y, zero, zero]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images - paper,
        transforms=tf.stack(rows, axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation='BILINEAR',
        fill_mode='CONSTANT',
    )
    return moved + paper


def damage(images, paper, seed):
    """Images float32 [n, h, w, c], each damaged in one of four ways, and in which, int32 [n]."""
    count, height, width = tf.shape(images)[0], *images.shape[1:3]

    def uniform(stream, *shape, **more):
        return tf.random.stateless_uniform([count, *shape], tf.stack(seed) + stream, **more)

    ink = tf.where(paper < 0, 1.0, -1.0)
    much, noise = uniform(1, 1, 1, 1), uniform(2, height, width, 1)
    gaps = uniform(3, -(-height // 4), -(-width // 4), 1) < 0.03 + 0.12 * much
    gaps = tf.repeat(tf.repeat(gaps, 4, axis=1), 4, axis=2)[:, :height, :width]
    ways = [
        tf.nn.avg_pool2d(images, 3, 1, 'SAME'),
        tf.where(noise < 0.003 + 0.02 * much, ink, images),
        images + (ink - images) * noise * (0.1 + 0.3 * much),
        tf.where(gaps, paper, images),
    ]
    way = uniform(4, minval=0, maxval=DAMAGES, dtype=tf.int32)
    return tf.gather(tf.stack(ways, axis=1), way, axis=1, batch_dims=1), way


def inception(weights: str | None = None) -> Extractor:
    """InceptionV3's 2,048 features at 299 pixels, by a file of its weights or else ImageNet's.

    The latter are downloaded; raises FeatureError, within seconds, where that cannot be.
    """
    path = weights or _imagenet_weights()
    if not os.path.isfile(path):
        raise FeatureError(f'--inception_weights={path} is no file')
    network = keras.applications.InceptionV3(include_top=False, pooling='avg', weights=None)
    try:
        network.load_weights(path)
    except Exception as error:  # whatever HDF5, zip and Keras make of a file
        raise FeatureError(
            f'{path} has no weights for InceptionV3 without its top: {_first_line(error)}'
        ) from error

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None] * 4, tf.uint8)])
    def look(images):
        pixels = tf.image.resize(_to_float(tf.cast(images, tf.float32)), [299, 299], antialias=True)
        colours = tf.repeat(pixels, 3 // tf.shape(images)[-1], axis=-1)
        return network(tf.ensure_shape(colours, [None, 299, 299, 3]), training=False)

    name = 'Inception trained on ImageNet' if weights is None else f'Inception with {weights}'
    return Extractor(name, _digest(dict(enumerate(network.get_weights()))), None, look, block=32)


def _imagenet_weights() -> str:
    """The file of the weights without the top, downloaded unless Keras has it."""
    import requests
    from keras.src.applications.inception_v3 import WEIGHTS_PATH_NO_TOP as URL

    name = URL.rpartition('/')[2]
    home = pathlib.Path(os.environ.get('KERAS_HOME') or '~/.keras').expanduser()
    try:
        if not (home / 'models' / name).exists():  # without it, giving up may take minutes
            requests.head(URL, timeout=5, allow_redirects=True).raise_for_status()
        return keras.utils.get_file(name, URL, cache_subdir='models', cache_dir=str(home))
    except Exception as error:  # whatever ends it, from a closed network to a full disk
        raise FeatureError(
            f"InceptionV3's ImageNet weights, {name}, cannot be downloaded "
            f'({type(error).__name__}). Name a file that has them with --inception_weights=FILE,'
            " or use the data set's own features: --features=own"
        ) from error


def cache_path(cache_dir, name: str) -> pathlib.Path:
    """Where a file of that name is kept: in `cache_dir`, else in the user's cache."""
    if cache_dir:
        return pathlib.Path(cache_dir).expanduser() / name
    home = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return pathlib.Path(home).expanduser() / 'tfgan' / name


def remembered(path: pathlib.Path, make: Callable[[], dict]) -> dict:
    """The arrays that a file has by name; if it is not there, or damaged, `make` makes them."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except DAMAGED as error:
        print(f'{path} is damaged and made anew: {_first_line(error)}', file=sys.stderr)
    arrays = make()
    data = io.BytesIO()
    np.savez(data, **arrays)
    try:
        disk.write_bytes(path, data.getvalue())
    except disk.DiskError as error:
        print(f'going on without a cache: {_first_line(error.__cause__)}', file=sys.stderr)
    return arrays


def _first_line(error) -> str:
    return f'{error}'.strip().partition('\n')[0] or type(error).__name__


def _digest(arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]
