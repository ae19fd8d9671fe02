"""Products of windows are the convolutions that TensorFlow has."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan.networks import windows


@pytest.mark.parametrize(
    ('height', 'width', 'channels', 'stride'),
    [
        (28, 28, 1, 4),
        (7, 9, 3, 2),
        (30, 13, 2, 4),
        (5, 4, 1, 1),
        (16, 16, 8, 2),
    ],
)
@pytest.mark.parametrize('xla', [False, True])
def test_it_is_the_convolution_and_its_gradients(height, width, channels, stride, xla):
    rng = np.random.default_rng(0)
    images = tf.constant(rng.normal(size=(3, height, width, channels)), tf.float32)
    kernel = tf.constant(rng.normal(size=(2 * stride, 2 * stride, channels, 5)), tf.float32)

    def gradients(convolution):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            output = convolution(images, kernel)
            loss = tf.reduce_sum(output * tf.sin(tf.range(5.0)) * output)
        return output, *tape.gradient(loss, [images, kernel])

    ours = tf.function(gradients, jit_compile=xla)(lambda *x: windows.convolution(*x, stride))
    theirs = gradients(lambda *x: tf.nn.conv2d(*x, stride, 'SAME'))
    for our, their in zip(ours, theirs, strict=True):
        assert our.shape == their.shape
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-3)


def test_a_layer_of_another_kernel_is_as_it_was():
    images = tf.random.stateless_uniform([2, 6, 6, 3], [1, 2])
    for size, stride in (1, 1), (3, 1), (4, 2):
        layer = windows.Conv2D(4, size, stride, padding='same')
        output = layer(images)
        expected = tf.nn.conv2d(images, layer.kernel, stride, 'SAME')
        np.testing.assert_allclose(output, expected, atol=1e-5)
