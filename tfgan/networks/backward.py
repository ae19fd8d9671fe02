"""Backward passes through a discriminator, for every loss on its logits and penalty on its slopes.

The shared pass is for piecewise linear networks; any other takes the plain double pass. With the
side of each leaky ReLU given, such a network D is affine in its image, layer by layer:
z = A a + b. Let d be the slope of a logit at z, and s its slope at the image. Then for a loss whose
slopes at the logits are c, and a penalty whose slopes at s are p, the gradient of both together at
A and b is that of <d, A u + c b> with d and u = c a + t held fixed, where t is what comes of p when
it is sent through D as a change of the image would be. So one d serves both players and the
penalty, and nothing is differentiated twice.
"""

import keras
import tensorflow as tf

from tfgan.networks import keras_defaults  # noqa: F401
from tfgan.networks.architecture import Architecture

LEAK = 0.2  # the slope of a leaky ReLU below zero


class Forward:
    """A pass of images through a network, which notes what the backward pass needs."""

    def __init__(self):
        self.layers, self.inputs, self.outputs, self.sides = [], [], [], []

    def affine(self, layer, hidden):
        """The output of a Keras Dense or Conv layer without activation."""
        output = layer(hidden)
        for notes, note in (self.layers, layer), (self.inputs, hidden), (self.outputs, output):
            notes.append(note)
        return output

    def shifted(self, hidden, by: float):
        """Hidden units plus a number, which is no part of a change to them."""
        return hidden + by

    def leaky(self, hidden):
        """A leaky ReLU."""
        self.sides.append(hidden)
        return tf.nn.leaky_relu(hidden, LEAK)


class _Change:
    """A pass of changes to the images of a `Forward`, each unit on the side that it took there."""

    def __init__(self, forward):
        self.inputs, self._sides = [], iter(forward.sides)

    def affine(self, layer, change):
        self.inputs.append(change)
        return _linear(layer, change)

    def shifted(self, change, by):
        return change

    def leaky(self, change):
        return tf.raw_ops.LeakyReluGrad(gradients=change, features=next(self._sides), alpha=LEAK)


def _linear(layer, hidden):
    hidden, kernel = (tf.cast(x, layer.compute_dtype) for x in (hidden, layer.kernel))
    if isinstance(layer, keras.layers.Dense):
        return tf.matmul(hidden, kernel)
    return layer.convolution_op(hidden, kernel)


def _biased(layer, hidden, shares):
    output = _linear(layer, hidden)
    return output + tf.cast(shares * layer.bias, output.dtype) if layer.use_bias else output


class SharedBackward:
    """The slopes of a network's logits at its layers and images, and the gradients they give."""

    def __init__(self, network, images, labels):
        """Runs network(images, labels, via=...), images float32 [n, h, w, c] and labels int32 [n].

        `logits` are [n], `slopes` each logit's at its own image: [n, h, w, c].
        """
        self._network, self._labels, self._forward = network, labels, Forward()
        with tf.GradientTape() as tape:
            tape.watch(images)
            self.logits = network(images, labels, via=self._forward)
        # Each logit depends on its own image only: the slopes of their sum are everyone's own.
        *self._deltas, self.slopes = tape.gradient(self.logits, [*self._forward.outputs, images])

    def gradients(self, variables, logit_grads, slope_grads=None):
        """The gradients at `variables` of a loss on the logits plus a penalty on the slopes.

        `logit_grads` [n] are the loss's at the logits, `slope_grads` [n, h, w, c] the penalty's at
        the slopes.
        """
        forward = self._forward
        scales = [_like(logit_grads, hidden) for hidden in forward.inputs]
        inputs = [
            tf.cast(scale, hidden.dtype) * hidden for scale, hidden in zip(scales, forward.inputs)
        ]
        if slope_grads is not None:
            change = _Change(forward)
            self._network(slope_grads, self._labels, via=change)
            inputs = [scaled + moved for scaled, moved in zip(inputs, change.inputs)]
        with tf.GradientTape() as tape:
            # These outputs are never computed: their gradients at kernel and bias need none.
            outputs = [_biased(*each) for each in zip(forward.layers, inputs, scales)]
        return tape.gradient(outputs, variables, self._deltas)


def _like(values, hidden):
    return tf.reshape(values, [-1] + [1] * (len(hidden.shape) - 1))


class DoubleBackward:
    """The same of any network, by differentiating its slopes once more."""

    def __init__(self, network, images, labels):
        """Runs network(images, labels); `logits` and `slopes` are those of `SharedBackward`."""
        with tf.GradientTape() as self._tape:
            with tf.GradientTape() as inner:
                inner.watch(images)
                self.logits = network(images, labels)
            self.slopes = inner.gradient(self.logits, images)

    def gradients(self, variables, logit_grads, slope_grads=None):
        """The gradients at `variables`, as those of `SharedBackward`."""
        slope_grads = tf.zeros_like(self.slopes) if slope_grads is None else slope_grads
        outputs, grads = [self.logits, self.slopes], [logit_grads, slope_grads]
        return self._tape.gradient(outputs, variables, grads)


def backward(architecture: Architecture) -> type:
    """The backward pass for the discriminator of an architecture."""
    return SharedBackward if architecture.piecewise_linear else DoubleBackward
