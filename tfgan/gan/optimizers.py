"""Adam as one fused update a variable, of summed gradients, and its learning rate over a run."""

import math

import tensorflow as tf

from tfgan.config import Config


def learning_rate(config: Config, progress, least: float):
    """Flat until `decay_from` of the run, then half a cosine to `least` of itself."""
    if config.decay_from == 1:
        return tf.constant(config.learning_rate)
    return config.learning_rate * falling(progress, config.decay_from, least)


def falling(progress, decay_from: float, least: float):
    """1 until `decay_from` of a run, then half a cosine to `least`."""
    fall = tf.clip_by_value((progress - decay_from) / (1 - decay_from), 0.0, 1.0)
    return least + (1 - least) * 0.5 * (1 + tf.cos(math.pi * fall))


class Adam:
    """Adam (Kingma and Ba 2015) for Keras variables; make it inside the strategy's scope.

    Keras's own would sum the gradients again, and cannot be skipped within a strategy's graph.
    """

    def __init__(self, variables, beta_1: float, beta_2: float, epsilon: float = 1e-8):
        self.targets = [variable.value for variable in variables]
        self.means = [_zeros(target) for target in self.targets]
        self.squares = [_zeros(target) for target in self.targets]
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    @property
    def variables(self) -> list[tf.Variable]:
        """All state: both moments; the caller counts the updates."""
        return [*self.means, *self.squares]

    def apply(self, gradients, learning_rate, count) -> None:
        """One update, the `count`-th (from 1), in replica context."""
        power = tf.cast(count, tf.float32)
        for target, mean, square, gradient in zip(
            self.targets, self.means, self.squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=target.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=self.beta_1**power,
                beta2_power=self.beta_2**power,
                lr=learning_rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )


def _zeros(target):
    return tf.Variable(tf.zeros_like(target), trainable=False)
