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


@pytest.mark.parametrize(('size', 'stride', 'for_xla'), [(1, 1, 0), (3, 1, 0), (4, 2, 1)])
def test_a_layer_is_made_for_the_code_around_it(size, stride, for_xla):
    images = tf.random.stateless_uniform([2, 6, 6, 3], [1, 2])
    layer = windows.Conv2D(4, size, stride, padding='same')
    plain = layer(images)

    @tf.function(autograph=False)
    def compiled(images):
        with windows.for_xla():
            return layer(images)

    operations = [
        each.type for each in compiled.get_concrete_function(images).graph.get_operations()
    ]
    assert ('Conv2D' in operations) == (not for_xla)
    np.testing.assert_allclose(compiled(images), plain, atol=1e-5)
    np.testing.assert_allclose(plain, tf.nn.conv2d(images, layer.kernel, stride, 'SAME'), atol=1e-5)
