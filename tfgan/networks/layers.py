"""Layers that networks share, in the precision that the configuration asks for."""

import math

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.latents import slerp
from tfgan.networks import windows
from tfgan.networks.backward import LEAK
from tfgan.objectives import OBJECTIVES

POLICIES = {'float32': 'float32', 'bfloat16': 'mixed_bfloat16'}


def dense(config, units, **more):
    return keras.layers.Dense(units, dtype=POLICIES[config.precision], **more)


def hidden(config):
    return [dense(config, config.width) for _ in range(config.depth)]


def embedding(config, num_classes):
    # As large as the latents beside it; Keras's own default would be a twentieth of that.
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return keras.layers.Embedding(num_classes, config.latent_size, embeddings_initializer=normal)


def leaky(hidden):
    return tf.nn.leaky_relu(hidden, LEAK)


def flat(maps):
    return tf.reshape(maps, [-1, math.prod(maps.shape[1:])])


def between(generator, first, second, share, labels, to_labels=None, **enlarged):
    """What a generator makes at `share` [n] of the way from latents to latents [n, latent_size].

    The classes are those of `labels`, or on the way from them to `to_labels`, int [n]. A pen's
    images can be `enlarged=` so many times.
    """
    if hasattr(generator, 'between'):
        return generator.between(first, second, share, labels, to_labels, **enlarged)
    return generator(slerp(first, second, share), on_the_way(generator, labels, to_labels, share))


def on_the_way(generator, labels, to_labels, share):
    """Shares of the classes [n, classes] at `share` [n] of the way from labels to labels [n]."""
    if to_labels is None:
        return labels
    count, share = generator.trunk.embedding.input_dim, share[:, None]
    return (1 - share) * tf.one_hot(labels, count) + share * tf.one_hot(to_labels, count)


SQUASH = {'linear': tf.identity, 'tanh': tf.tanh}


class BuiltOnCall:
    """A layer whose first call makes its weights.

    Keras traces a layer without a `build` as a graph first, which takes longer than the call.
    """

    def build(self, shape):
        pass


class Score(BuiltOnCall, keras.layers.Layer):
    """Features [n, ...] and labels [n] to logits [n] through dense layers.

    A logit is a common score and how well a class fits, the projection of Miyato and Koyama 2018.
    """

    def __init__(self, config: Config, num_classes: int):
        super().__init__()
        self.num_classes = num_classes
        self.hidden = hidden(config)
        # Games that compare two scores cannot move what is common to all of them.
        self.logit = dense(config, 1, use_bias=OBJECTIVES[config.objective].anchored)
        self.fits = dense(config, num_classes, use_bias=False)

    def call(self, features, labels, via):
        hidden = flat(features)
        for layer in self.hidden:
            hidden = via.leaky(via.affine(layer, hidden))
        fits = tf.cast(via.affine(self.fits, hidden), tf.float32)
        fit = tf.reduce_sum(fits * tf.one_hot(labels, self.num_classes), axis=1)
        return tf.cast(via.affine(self.logit, hidden)[:, 0], tf.float32) + fit


class Trunk(BuiltOnCall, keras.layers.Layer):
    """Latents [n, latent_size] and labels [n] to features [n, width] through dense layers.

    Labels can be shares of the classes too, float32 [n, classes].
    """

    def __init__(self, config: Config, num_classes: int):
        super().__init__()
        self.embedding = embedding(config, num_classes)
        self.hidden = hidden(config)

    def call(self, latents, labels):
        hidden = tf.concat([latents, self._embedded(labels)], axis=1)
        for layer in self.hidden:
            hidden = leaky(layer(hidden))
        return hidden

    def _embedded(self, labels):
        labels = tf.convert_to_tensor(labels)
        if labels.dtype.is_integer:
            return self.embedding(labels)
        return tf.matmul(labels, self.embedding.embeddings)


def conv(config, channels, size, kind=windows.Conv2D, strides=2, **more):
    policy = POLICIES[config.precision]
    return kind(channels, size, strides=strides, padding='same', dtype=policy, **more)
