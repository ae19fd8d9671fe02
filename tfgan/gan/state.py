"""The state of a game: two networks, a moving average, two optimizers and some counters."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

from tfgan.config import Config
from tfgan.errors import ConfigError
from tfgan.forms.base import DRAWING, Augmentation, form_named
from tfgan.gan.optimizers import Adam
from tfgan.objectives import OBJECTIVES, zero_centred

SMALL_PIXELS = 32 * 32  # of images for which objectives have the weights of their penalties


class State:
    """All that a step of a game reads and writes, on examples of one shape, under a strategy."""

    def __init__(
        self,
        config: Config,
        shape,
        class_shares,
        strategy=None,
        augmentation: Augmentation | None = None,
        accumulate: int = 1,
        form: str = DRAWING,
        ground=None,
    ):
        """Builds all for examples of `shape` whose classes are as frequent as `class_shares`.

        With an `augmentation` the discriminator sees all examples changed, as far as it overfits. A
        replica works on its share of a batch in so many parts, one after the other, as `accumulate`
        says. `ground` is what an example of the data is where nothing is drawn, for generators that
        draw on it: levels [channels] in [-1, 1]. Raises ConfigError.
        """
        self.config, self.shape, self.form = config, tuple(shape), form_named(form)
        self.class_shares = np.asarray(class_shares, np.float64)
        self.strategy = strategy or tf.distribute.get_strategy()
        self.augmentation, self.accumulate = augmentation, accumulate
        self.objective = OBJECTIVES[config.objective]
        self.penalty_weight = _penalty_weight(config, self.objective, self.shape)
        decay = config.penalty_decay
        self.penalty_decay = self.objective.decay if decay is None else decay
        self.architecture = self.form.architectures[config.architecture]
        self.replica_batch = _replica_batch(config.batch_size, self.strategy, accumulate)
        if config.xla == 'on' and self.strategy.num_replicas_in_sync > 1:
            raise ConfigError('--xla=on: XLA compiles the steps of one device only; leave it out')
        keras.utils.set_random_seed(config.seed)  # the networks' initial weights
        with self.strategy.scope():
            self._build(ground)

    def _build(self, ground):
        config, num_classes = self.config, len(self.class_shares)
        self.generator = self.architecture.make_generator(config, self.shape, num_classes)
        exact = dataclasses.replace(config, precision='float32')
        self.average = self.architecture.make_generator(exact, self.shape, num_classes)
        self.discriminator = self.architecture.make_discriminator(config, self.shape, num_classes)
        label = tf.zeros([1], tf.int32)
        for generator in (self.generator, self.average):
            generator(tf.zeros([1, config.latent_size]), label)
        if ground is not None and hasattr(self.generator, 'ground'):
            self.generator.ground.assign(ground)
        self.discriminator(tf.zeros([1, *self.shape]), label)
        self.average.set_weights(self.generator.get_weights())
        betas = config.beta_1, config.beta_2
        self.generator_adam = Adam(self.generator.trainable_variables, *betas)
        self.discriminator_adam = Adam(self.discriminator.trainable_variables, *betas)
        self.step, self.skipped, self.streak = (counter() for _ in range(3))
        self.decision_threshold, self.change_probability = (counter(tf.float32) for _ in range(2))

    def state(self) -> dict[str, list]:
        """All that a checkpoint must hold, as lists of variables.

        `skipped` counts updates that were not finite, `streak` those since the last one that was,
        `decision_threshold` follows the logit half way between real and generated, and
        `change_probability` is how probable a change of an example is.
        """
        counters = [self.step, self.skipped, self.streak]
        return {
            'generator': self.generator.variables,
            'average': self.average.variables,
            'discriminator': self.discriminator.variables,
            'generator_adam': self.generator_adam.variables,
            'discriminator_adam': self.discriminator_adam.variables,
            'counters': [*counters, self.decision_threshold, self.change_probability],
        }


def counter(dtype=tf.int64):
    return tf.Variable(
        tf.zeros([], dtype),
        trainable=False,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _replica_batch(batch_size, strategy, accumulate):
    replicas = strategy.num_replicas_in_sync
    if batch_size % (replicas * accumulate):
        parts = f', each in {accumulate} parts' if accumulate > 1 else ''
        raise ConfigError(
            f'--batch_size={batch_size} is shared by {replicas} devices{parts}: give a multiple of '
            f'{replicas * accumulate}'
        )
    return batch_size // replicas


def _penalty_weight(config, objective, shape):
    if config.penalty_weight is None:
        # One that pulls slopes to a length of 1 means the slope of all pixels together.
        return objective.weight * (_larger(shape) if objective.penalty is zero_centred else 1)
    if config.penalty_weight and not objective.penalty:
        raise ConfigError(
            f'--penalty_weight={config.penalty_weight}: the objective {config.objective} has no '
            'penalty; wasserstein and relativistic have one'
        )
    return config.penalty_weight


def _larger(shape):
    """How many times as many pixels there are as weights of penalties are meant for, or 1.

    The more pixels share what a discriminator sees, the less its slope at each: of an image four
    times as large, the sum of their squares is a quarter.
    """
    return max(1.0, math.prod(shape[:2]) / SMALL_PIXELS)
