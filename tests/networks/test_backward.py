"""One backward pass gives what differentiating twice gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import ARCHITECTURES

from tfgan import config
from tfgan.networks.backward import Forward, SharedBackward, backward
from tfgan.networks.conv import LargeDiscriminator

SHAPE = 16, 16, 2
COUNT, CLASSES = 6, 3
# Without --all not every weight is tried with XLA and without; XLA takes its time.
QUICK = {'mlp': [(0.0, True), (0.7, True)], 'hybrid': [(0.7, True)]}


class Convolutional(keras.Model):
    """Strides, padding, averaging and a residual sum: all that is linear between leaky ReLUs."""

    def __init__(self):
        super().__init__()
        convolution = keras.layers.Conv2D
        self.first = convolution(4, 3, padding='same')
        self.branch = convolution(4, 3, padding='same', use_bias=False)
        self.second = convolution(5, 4, strides=2, padding='valid')
        self.logit = keras.layers.Dense(1)

    def call(self, images, labels, via=None):
        via = via or Forward()
        hidden = via.leaky(via.affine(self.first, images))
        hidden = hidden + via.leaky(via.affine(self.branch, hidden))
        hidden = tf.nn.avg_pool2d(hidden, 2, 1, 'VALID')
        hidden = via.leaky(via.affine(self.second, hidden))
        return via.affine(self.logit, tf.reshape(hidden, [-1, 6 * 6 * 5]))[:, 0]


def networks(precision='float32'):
    settings = config.make(width=16, depth=2, channels=4, precision=precision)
    rows = ARCHITECTURES.items()
    return {name: row.make_discriminator(settings, SHAPE, CLASSES) for name, row in rows} | {
        'convolutional': Convolutional(),
        'of large images': LargeDiscriminator(settings, (64, 128, 2), CLASSES),  # two halvings
    }


def prepared(name, precision='float32'):
    keras.utils.set_random_seed(5)
    network = networks(precision)[name]
    images = tf.random.stateless_uniform([COUNT, *SHAPE], [1, 2], -1, 1)
    labels = tf.constant([0, 1, 2, 2, 0, 1])
    network(images, labels)
    for variable in network.trainable_variables:  # a new network's biases are all nil
        variable.assign_add(
            0.1 * tf.random.stateless_normal(variable.shape, [len(variable.shape), 7])
        )
    return network, images, labels


def loss(logits):
    return tf.reduce_sum(tf.math.softplus(logits) * np.arange(1, COUNT + 1))


def penalty(slopes):
    return tf.reduce_sum(tf.square(slopes) * np.linspace(1, 3, SHAPE[0])[:, None, None])


def by_differentiating_twice(network, images, labels, weight):
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(images)
            logits = network(images, labels)
        slopes = inner.gradient(logits, images)
        total = loss(logits) + weight * penalty(slopes)
    return logits, slopes, tape.gradient(total, network.trainable_variables)


def in_one_pass(name, network, images, labels, weight):
    make = backward(ARCHITECTURES[name]) if name in ARCHITECTURES else SharedBackward
    passed = make(network, images, labels)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([passed.logits, passed.slopes])
        value = loss(passed.logits)
        punished = weight * penalty(passed.slopes)
    logit_grads = tape.gradient(value, passed.logits)
    slope_grads = tape.gradient(punished, passed.slopes) if weight else None
    gradients = passed.gradients(network.trainable_variables, logit_grads, slope_grads)
    return passed.logits, passed.slopes, gradients


def close(found, expected, tolerance):
    scale = np.abs(expected).max()
    return scale > 0 and np.abs(found - expected).max() < tolerance * scale


@pytest.mark.parametrize(('weight', 'jit'), [(0.0, True), (0.7, False), (0.7, True), (0.0, False)])
@pytest.mark.parametrize('name', networks())
def test_one_pass_equals_differentiating_twice(name, weight, jit, full):
    if not full and (weight, jit) not in QUICK.get(name, [(0.7, False)]):
        pytest.skip('it takes --all')
    network, images, labels = prepared(name)
    expected = by_differentiating_twice(network, images, labels, weight)
    run = tf.function(lambda: in_one_pass(name, network, images, labels, weight), jit_compile=jit)
    for found, wanted in zip(tf.nest.flatten(run()), tf.nest.flatten(expected), strict=True):
        assert close(found.numpy(), wanted.numpy(), 1e-5)


@pytest.mark.parametrize('name', ARCHITECTURES)
def test_bfloat16_is_near(name, full):
    if not full and name == 'recurrent':
        pytest.skip('it takes --all')
    expected = in_one_pass(name, *prepared(name), 0.7)
    found = in_one_pass(name, *prepared(name, 'bfloat16'), 0.7)
    for rough, exact in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        assert rough.dtype == tf.float32
        # As a whole: a rounded unit may take the other side, and then its own slope is another.
        assert np.linalg.norm(rough - exact) < 0.05 * np.linalg.norm(exact)
        assert not np.array_equal(rough, exact)
