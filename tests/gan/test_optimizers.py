"""Adam as Keras has it, but applied as is."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan.gan.optimizers import Adam

SHAPES = (3, 4), (5,)


def variables(seed=0):
    rng = np.random.default_rng(seed)
    return [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in SHAPES]


def gradients(step):
    rng = np.random.default_rng(1000 + step)
    # From large to tiny, so that epsilon counts somewhere.
    scales = 10.0, 1e-7
    return [
        tf.constant(scale * rng.normal(size=shape), tf.float32)
        for scale, shape in zip(scales, SHAPES, strict=True)
    ]


def rate(step):
    return 0.05 / (1 + step)


def take(adam, first, last):
    for step in range(first, last):
        adam.apply(gradients(step), tf.constant(rate(step)), tf.constant(step + 1, tf.int64))


@pytest.mark.parametrize(('beta_1', 'beta_2'), [(0.0, 0.99), (0.5, 0.999)])
def test_as_keras_has_it(beta_1, beta_2):
    ours, theirs = variables(), variables()
    take(Adam(ours, beta_1, beta_2), 0, 20)
    reference = keras.optimizers.Adam(beta_1=beta_1, beta_2=beta_2, epsilon=1e-8)
    for step in range(20):
        reference.learning_rate = rate(step)
        reference.apply(gradients(step), theirs)
    for mine, other, start in zip(ours, theirs, variables(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-6)
        assert np.abs(mine - start).mean() > 1e-2


def test_the_first_step_is_of_the_learning_rates_size():
    ours = variables()
    Adam(ours, 0.5, 0.99).apply(gradients(0), 0.01, tf.constant(1, tf.int64))
    for mine, start, gradient in zip(ours, variables(), gradients(0), strict=True):
        # The paper's epsilon hat: it is added before the square's bias is taken out.
        expected = start - 0.01 * gradient / (np.abs(gradient) + 1e-8 / (1 - 0.99) ** 0.5)
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-6)


def test_the_variables_are_the_whole_state():
    whole, first, second = variables(), variables(), variables(seed=1)
    take(Adam(whole, 0.5, 0.9), 0, 8)
    before, after = Adam(first, 0.5, 0.9), Adam(second, 0.5, 0.9)
    take(before, 0, 5)
    for old, new in zip([*first, *before.variables], [*second, *after.variables], strict=True):
        new.assign(old)
    take(after, 5, 8)
    for mine, other in zip(whole, second, strict=True):
        np.testing.assert_array_equal(mine, other)
    moments = [np.abs(variable).max() for variable in after.variables]
    assert min(moments) > 0  # none lies idle


def test_in_a_graph_as_outside():
    eager, traced = variables(), variables()
    take(Adam(eager, 0.5, 0.9), 0, 3)
    adam = Adam(traced, 0.5, 0.9)
    apply = tf.function(adam.apply)
    for step in range(3):
        apply(gradients(step), tf.constant(rate(step)), tf.constant(step + 1, tf.int64))
    for mine, other in zip(eager, traced, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)


def test_a_gradient_too_few_is_an_error():
    with pytest.raises(ValueError, match='zip'):
        Adam(variables(), 0.5, 0.9).apply(gradients(0)[:1], 0.1, tf.constant(1, tf.int64))
