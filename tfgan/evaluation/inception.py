"""Inception v3's features, from a file of weights or downloaded."""

import os
import pathlib

import keras
import tensorflow as tf

from tfgan.errors import FeatureError, quoted
from tfgan.evaluation.cache import digest, first_line
from tfgan.evaluation.extractor import Extractor


def inception(weights: str | None = None) -> Extractor:
    """InceptionV3's 2,048 features at 299 pixels, by a file of its weights or else ImageNet's.

    The latter are downloaded; raises FeatureError, within seconds, where that cannot be.
    """
    path = weights or _imagenet_weights()
    if not os.path.isfile(path):
        raise FeatureError(f'--inception_weights={quoted(path)} is no file')
    network = keras.applications.InceptionV3(include_top=False, pooling='avg', weights=None)
    try:
        network.load_weights(path)
    except Exception as error:  # whatever HDF5, zip and Keras make of a file
        raise FeatureError(
            f'{quoted(path)} has no weights for InceptionV3 without its top: {first_line(error)}'
        ) from error

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None] * 4, tf.uint8)])
    def look(images):
        pixels = tf.image.resize(
            tf.cast(images, tf.float32) / 127.5 - 1, [299, 299], antialias=True
        )
        colours = tf.repeat(pixels, 3 // tf.shape(images)[-1], axis=-1)
        return network(tf.ensure_shape(colours, [None, 299, 299, 3]), training=False)

    name = 'Inception trained on ImageNet' if weights is None else f'Inception with {weights}'
    return Extractor(name, digest(dict(enumerate(network.get_weights()))), None, look, block=32)


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
