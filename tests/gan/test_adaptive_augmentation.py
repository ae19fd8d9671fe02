"""The probability of changes follows what the discriminator knows by heart."""

import pytest
import tensorflow as tf

from tfgan.gan import adaptive_augmentation


def step(probability, overfitting, batch_size=128, **options):
    arguments = (tf.constant(x) for x in (probability, overfitting))
    return adaptive_augmentation.step_probability(*arguments, batch_size, **options).numpy()


def test_the_probability_follows_the_overfitting():
    assert step(0.3, 0.21) == pytest.approx(0.3 + 128 / 100_000, abs=1e-7)
    assert step(0.3, 0.19) == pytest.approx(0.3 - 128 / 100_000, abs=1e-7)
    assert step(0.3, 0.7, target=0.6, images_to_full=1280) == pytest.approx(0.4, abs=1e-6)
    assert step(0.3, 1.0, tf.constant(64, tf.int64)) == pytest.approx(0.30064, abs=1e-7)


def test_the_probability_has_a_cap_and_a_floor():
    assert step(0.7999, 1.0) == pytest.approx(0.8, abs=1e-7)
    assert step(0.8, 1.0) == pytest.approx(0.8, abs=1e-7)
    assert step(0.0001, -1.0) == step(0.0, 0.0) == 0


def test_a_whole_run_of_the_controller():
    @tf.function(jit_compile=True)
    def run(overfitting, steps):
        probability = tf.constant(0.0)
        for _ in tf.range(steps):
            probability = adaptive_augmentation.step_probability(probability, overfitting, 100)
        return probability

    assert run(tf.constant(1.0), 500).numpy() == pytest.approx(0.5, abs=1e-3)
    assert run(tf.constant(1.0), 2000).numpy() == pytest.approx(0.8, abs=1e-6)


def test_only_a_small_set_is_changed():
    assert adaptive_augmentation.wanted(1) and adaptive_augmentation.wanted(19_999)
    assert not adaptive_augmentation.wanted(20_000) and not adaptive_augmentation.wanted(60_000)
