"""The average forgets half in its half-life, which grows with the images seen."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan.gan import ema


def memory(step, *arguments):
    return float(ema.memory(tf.constant(step, tf.int64), *arguments))


@pytest.mark.parametrize(('batch_size', 'half_life_images'), [(8, 800), (64, 50_048), (5, 5)])
def test_half_is_forgotten_in_a_half_life(batch_size, half_life_images):
    kept = memory(10**6, batch_size, half_life_images, 1.0)
    assert kept ** (half_life_images / batch_size) == pytest.approx(0.5, rel=1e-3)


def test_early_the_half_life_is_a_share_of_what_was_seen():
    # Step 30 of 10 images: 300 seen, a tenth of them is 30 images, three steps.
    assert memory(30, 10, 1000, 0.1) ** 3 == pytest.approx(0.5, rel=1e-5)
    assert memory(1000, 10, 1000, 0.1) == memory(9999, 10, 1000, 0.1)
    assert memory(999, 10, 1000, 0.1) < memory(1000, 10, 1000, 0.1)


def test_the_average_starts_as_the_first_weights():
    assert memory(0, 64, 50_000, 0.05) == 0
    assert memory(1, 64, 50_000, 0.05) == pytest.approx(2**-20, rel=1e-4)


def test_a_long_run_does_not_overflow():
    # More images than 32 bits can count, in a graph, where the step is a tensor.
    traced = tf.function(lambda step: ema.memory(step, 64, 50_000, 0.05))
    expected = 0.5 ** (64 / 50_000)
    assert float(traced(tf.constant(2**40, tf.int64))) == pytest.approx(expected, rel=1e-6)


def test_update_moves_each_average_towards_its_variable():
    averages = [tf.Variable([0.0, 4.0]), tf.Variable(10.0)]
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(-10.0)]
    ema.update(averages, variables, tf.constant(0.75))
    np.testing.assert_allclose(averages[0], [0.25, 3.5])
    np.testing.assert_allclose(averages[1], 5.0)
    np.testing.assert_array_equal(variables[0], [1.0, 2.0])
    ema.update(averages, variables, tf.constant(1.0))
    np.testing.assert_allclose(averages[1], 5.0)
    ema.update(averages, variables, tf.constant(0.0))
    np.testing.assert_allclose(averages[1], -10.0)


def test_a_pair_too_few_is_an_error():
    with pytest.raises(ValueError, match='zip'):
        ema.update([tf.Variable(0.0)], [], tf.constant(0.5))
