"""The training of an encoder on a finished game's averaged generator, which stays as it is.

It learns from drawings of the generator, whose latents are known, and from real examples, which are
to be drawn alike. Of some of both a part is hidden.
"""

import functools
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgan import latents
from tfgan.gan.optimizers import Adam, falling
from tfgan.gan.state import counter
from tfgan.networks import windows
from tfgan.networks.encoder import Encoder
from tfgan.networks.likeness import unlikeness

LEARNING_RATE, FINAL_RATE_SHARE, DECAY_FROM = 1e-3, 0.01, 0.5
BETAS = 0.9, 0.99
LATENTS_WEIGHT, LABELS_WEIGHT = 0.02, 0.1  # beside that of how unlike drawings are, 1
PRIOR = 0.01  # weight of the mean square of real examples' latents: it keeps them usual
HIDDEN_SHARE = 0.3  # of the examples: a part of each is hidden
HOLE_SIDES = 0.3, 0.7  # of the example's
METRICS = 'loss', 'unlikeness'
# Random streams: of a run's seed that of all drawings, and of a drawing's those of its hole.
DRAWINGS, HOLES = -5, (-11, -12, -13, -14, -15)


class Batch(NamedTuple):
    """A replica's share of the examples of a step: real ones, and what others are drawn from."""

    real: tf.Tensor  # float32 [b, *shape]
    real_labels: tf.Tensor  # int32 [b]
    latents: tf.Tensor  # float32 [b, latent_size]
    labels: tf.Tensor  # int32 [b]
    known: tf.Tensor  # float32 [2 b, h, w]: 0 where an example is hidden, real ones first


class Encoding:
    """An encoder in training, on examples of the source of a Gan and under its strategy."""

    def __init__(self, gan):
        self._gan, self.strategy = gan, gan.strategy
        replicas = gan.strategy.num_replicas_in_sync
        self._replica_batch = -(-gan.config.batch_size // (2 * replicas))
        self.batch_size = replicas * self._replica_batch  # of real examples, and of drawings
        keras.utils.set_random_seed(gan.config.seed)
        with gan.strategy.scope():
            self.encoder = Encoder(gan.config, gan.shape, len(gan.class_shares))
            self.encoder(tf.zeros([1, *gan.shape]), tf.ones([1, *gan.shape[:2]]))
            self._adam = Adam(self.encoder.trainable_variables, *BETAS)
            self.step, self.game_step = counter(), counter()

    def state(self) -> dict[str, list]:
        """All that a checkpoint must hold, as lists of variables; `game_step` is the game's own."""
        return {
            'encoder': self.encoder.variables,
            'encoder_adam': self._adam.variables,
            'encoder_counters': [self.step, self.game_step],
        }

    @functools.cached_property
    def train(self):
        """train(batches, steps, start, slope) takes `steps` steps, an int64 tensor, in one call.

        Progress is start + slope * step. Returns the metrics' means, float32 [len(METRICS)].
        """
        return tf.function(functools.partial(self._train))

    def _train(self, batches, steps, start, slope):
        total = tf.zeros([len(METRICS)])
        for _ in tf.range(steps):
            step = tf.identity(self.step)
            progress = start + slope * tf.cast(step, tf.float32)
            found = self.strategy.run(self._replica_step, (next(batches), step, progress))
            total += self.strategy.experimental_local_results(found)[0]
            self.step.assign_add(1)
        return total / tf.cast(steps, tf.float32)

    @tf.autograph.experimental.do_not_convert  # It has no loops, and converting takes seconds.
    def _replica_step(self, examples, step, progress):
        gradients, metrics = self._compiled(self._batch(*examples, step))
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync > 1:
            [metrics, *gradients] = replica.all_reduce(
                tf.distribute.ReduceOp.SUM, [metrics, *gradients]
            )
        rate = LEARNING_RATE * falling(progress, DECAY_FROM, FINAL_RATE_SHARE)
        self._adam.apply(gradients, rate, step + 1)
        return metrics

    @functools.cached_property
    def _compiled(self):
        """The gradients, compiled by XLA if the game's are."""
        if not self._gan.stepper.xla:
            return self._gradients
        return tf.function(self._by_xla, jit_compile=True, autograph=False)

    def _by_xla(self, batch):
        with windows.for_xla():
            return self._gradients(batch)

    def _gradients(self, batch):
        """(gradients, metrics [len(METRICS)]) of a replica's share; sums over all are means."""
        with tf.GradientTape() as tape:
            losses = self._losses(batch)
        return tape.gradient(losses[0], self.encoder.trainable_variables), tf.stack(losses)

    def _batch(self, raw, labels, step):
        """This replica's share of a step's examples, of its raw real ones and their labels."""
        gan, replica = self._gan, tf.distribute.get_replica_context()
        first = step * self.batch_size + self._replica_batch * tf.cast(
            replica.replica_id_in_sync_group, tf.int64
        )
        numbers = first + tf.range(self._replica_batch, dtype=tf.int64)
        seeds = latents.fold(latents.fold(gan.config.seed, DRAWINGS), numbers)
        normal = latents.normal(seeds, gan.config.latent_size)
        both = tf.concat([latents.fold(seeds, -1), seeds], axis=0)
        known = 1 - holes(both, gan.shape[:2])
        drawn = latents.classes(seeds, gan.class_shares)
        return Batch(gan.form.encode(raw, gan.shape), labels, normal, drawn, known)

    def _losses(self, batch):
        """The loss, and how unlike drawings are: summed over replicas, means of the batch."""
        generator, ground = self._gan.average, self.encoder.ground
        fake = generator(batch.latents, batch.labels)
        examples = tf.concat([batch.real, fake], axis=0)
        labels = tf.concat([batch.real_labels, batch.labels], axis=0)
        found, logits = self.encoder(examples, batch.known)
        unlike = self._mean(unlikeness(generator(found, labels), examples, ground))
        of_real, of_fake = tf.split(found, 2)
        loss = unlike + LABELS_WEIGHT * self._mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        )
        loss += LATENTS_WEIGHT * self._mean(tf.reduce_mean((of_fake - batch.latents) ** 2, axis=1))
        loss += PRIOR * self._mean(tf.reduce_mean(of_real**2, axis=1))
        return loss, unlike

    def _mean(self, values):
        """This replica's share of a mean over the whole batch."""
        return tf.reduce_mean(values) / self.strategy.num_replicas_in_sync


def holes(seeds, sides):
    """What of examples is hidden, [n, h, w]: 1 in a rectangle of some of them, by seeds [n]."""
    height, width = sides
    chance, top, left, down, across = (
        latents.uniform(latents.fold(seeds, stream))[:, None, None] for stream in HOLES
    )
    least, most = HOLE_SIDES
    down, across = least + (most - least) * down, least + (most - least) * across
    y = (tf.range(height, dtype=tf.float32)[None, :, None] + 0.5) / height
    x = (tf.range(width, dtype=tf.float32)[None, None, :] + 0.5) / width
    within = abs(y - top) < down / 2
    within &= abs(x - left) < across / 2
    return tf.cast(within & (chance < HIDDEN_SHARE), tf.float32)
