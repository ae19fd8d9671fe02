"""Subclassed networks: generators of (latents, labels), discriminators of (images, labels)."""

import math

import keras
import tensorflow as tf

from tfgan.config import Config


def _embedding(num_classes, size):
    # As large as the latents beside it; Keras's own default would be a twentieth of that.
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return keras.layers.Embedding(num_classes, size, embeddings_initializer=normal)


def _hidden(config):
    return [keras.layers.Dense(config.width) for _ in range(config.depth)]


def _run(layers, hidden):
    for layer in layers:
        hidden = tf.nn.leaky_relu(layer(hidden), 0.2)
    return hidden


class MlpGenerator(keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.shape = shape
        self.embedding = _embedding(num_classes, config.latent_size)
        self.hidden = _hidden(config)
        self.pixels = keras.layers.Dense(math.prod(shape))
        self.squash = {'linear': tf.identity, 'tanh': tf.tanh}[config.output]

    def call(self, latents, labels):
        hidden = _run(self.hidden, tf.concat([latents, self.embedding(labels)], axis=1))
        return self.squash(tf.reshape(self.pixels(hidden), [-1, *self.shape]))


class MlpDiscriminator(keras.Model):
    """Images [n, *shape] and labels [n] to logits [n] through dense layers."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.features = math.prod(shape)
        self.hidden = _hidden(config)
        self.logit = keras.layers.Dense(1)
        self.embedding = keras.layers.Embedding(num_classes, config.width)

    def call(self, images, labels):
        hidden = _run(self.hidden, tf.reshape(images, [-1, self.features]))
        # Projection (Miyato and Koyama 2018): a common score plus how well it fits its class.
        fit = tf.reduce_sum(self.embedding(labels) * hidden, axis=1)
        return self.logit(hidden)[:, 0] + fit


ARCHITECTURES = {
    'mlp': (MlpGenerator, MlpDiscriminator),
}
