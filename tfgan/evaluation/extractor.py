"""Feature extractors for the metrics: one learned from the data set itself, and Inception.

The own one needs no download, and an image's class or nothing of it.
"""

import dataclasses
import itertools
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan.errors import FeatureError, quoted
from tfgan.evaluation.cache import cache_path, digest, remembered
from tfgan.evaluation.feature_learning import Learner, block_of
from tfgan.forms.base import form_named

FORMAT = 1  # of the cache; another one when the network or its training changes
LEAST = 20  # images


@dataclasses.dataclass(frozen=True, eq=False)
class Extractor:
    """Features float32 [n, d] of raw images [n, *shape]; a classifier's also tell the class."""

    name: str
    key: str  # tells extractors apart, whatever their name
    shape: tuple[int, ...] | None  # of the images, if it is not free
    look: Callable  # a tensor [n, *shape] of raw ones to features
    head: tuple[np.ndarray, np.ndarray] | None = None  # features to logits, if it can classify
    accuracy: float | None = None  # share right of the tenth it has not seen
    block: int = 512
    dtype: type = np.uint8

    def features(self, images: np.ndarray) -> np.ndarray:
        """Features float32 [n, d] of images; raises FeatureError if they are of another shape."""
        if images.dtype != self.dtype or images.shape[1:] != (self.shape or images.shape[1:]):
            found, looks_at = f'{images.dtype} {images.shape}', np.dtype(self.dtype).name
            raise FeatureError(
                f'{self.name} looks at {looks_at} images of {self.shape}, not at {found}'
            )
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
    learner = Learner(source, seed)
    path = cache_path(cache_dir, f'extractor-{source.fingerprint}-{seed}-{FORMAT}.npz')
    state = remembered(path, learner.learned)
    learner.network.set_weights([state[f'weight_{i}'] for i in range(len(learner.network.weights))])
    kernel, bias = (learner.content(weight.numpy()) for weight in learner.network.head.weights)
    found = Extractor(
        name='a network trained on this data set without labels',
        key=digest(state),
        shape=source.shape,
        look=_looking(learner, source, state['scale']),
        block=block_of(source.shape),
        dtype=source.dtype,
    )
    if not learner.labelled:
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


def _looking(learner, source, scale):
    spec = tf.TensorSpec([None, *source.shape], source.dtype)

    @tf.function(autograph=False, input_signature=[spec])
    def look(images):
        return scale * learner.network.features(learner.views.encode(learner.views.small(images)))

    return look


def check_count(source) -> None:
    """Raises FeatureError if a data set has too few images for figures of them to mean a thing."""
    if len(source) < LEAST:
        made, given = form_named(source.form).nouns
        found = f'{quoted(source.dataset)} has {len(source)} {given}s'
        raise FeatureError(f'{found}; to judge {made}s by them takes at least {LEAST}')
