"""Convolutions as products of windows, which on a processor XLA differentiates in half the time.

A kernel that is two strides wide sees two by two blocks, of a stride's pixels on each side. So its
convolution is one matrix product of the blocks' windows, and so are both of its gradients. Without
XLA, TensorFlow's own convolutions are faster, so a layer is made for the code that calls it.
"""

import contextlib
import contextvars

import keras
import tensorflow as tf

from tfgan.networks import keras_defaults  # noqa: F401

CORNERS = (0, 0), (0, 1), (1, 0), (1, 1)

_for_xla = contextvars.ContextVar('_for_xla', default=False)


@contextlib.contextmanager
def for_xla():
    """Layers that are called within are made for XLA to compile."""
    token = _for_xla.set(True)
    try:
        yield
    finally:
        _for_xla.reset(token)


def is_for_xla() -> bool:
    """Whether layers that are called now are made for XLA."""
    return _for_xla.get()


class Conv2D(keras.layers.Conv2D):
    """Keras's own, for padding "same"; for XLA of windows if a kernel is two strides wide."""

    def convolution_op(self, inputs, kernel):
        if not is_for_xla() or self.kernel_size[0] != 2 * self.strides[0]:
            return super().convolution_op(inputs, kernel)
        return convolution(inputs, kernel, self.strides[0])


def convolution(images, kernel, stride: int):
    """Images [n, h, w, c] by a kernel [2 s, 2 s, c, d], s the stride: [n, h / s, w / s, d].

    The sides of the result are rounded up, and images padded, as by tf.nn.conv2d with "SAME".
    """
    height, width, channels = images.shape[1:]
    rows, columns = -(-height // stride), -(-width // stride)
    around = [_around(height, rows, stride), _around(width, columns, stride)]
    padded = tf.pad(images, [[0, 0], *around, [0, 0]])
    blocks = tf.nn.space_to_depth(padded, stride) if stride > 1 else padded
    windows = [blocks[:, y : y + rows, x : x + columns] for y, x in CORNERS]
    size = 4 * stride * stride * channels
    kernel = tf.reshape(kernel, [2, stride, 2, stride, channels, -1])
    kernel = tf.reshape(tf.transpose(kernel, [0, 2, 1, 3, 4, 5]), [size, -1])
    product = tf.matmul(tf.reshape(tf.concat(windows, axis=3), [-1, size]), kernel)
    return tf.reshape(product, [-1, rows, columns, kernel.shape[1]])


def _around(side, blocks, stride):
    """Pixels of padding before and after a side."""
    padding = (blocks + 1) * stride - side
    return [padding // 2, padding - padding // 2]
