"""The inner loop: two networks, a moving average, two optimizers and their step; tensors only."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfgan import latents
from tfgan.config import Config
from tfgan.errors import ConfigError
from tfgan.forms.drawing import augment, sheets
from tfgan.forms.drawing.pixels import to_float, to_uint8
from tfgan.gan import ema
from tfgan.gan.optimizers import Adam, learning_rate
from tfgan.gan.sampling import around
from tfgan.networks.architectures import ARCHITECTURES
from tfgan.networks.shared_backward import Backward
from tfgan.objectives import OBJECTIVES

METRICS = (
    'loss/discriminator',
    'loss/generator',
    'loss/penalty',
    'accuracy/real',
    'accuracy/generated',
    'gradient_norm/discriminator',
    'gradient_norm/generator',
)


class Gan:
    """A generator and a discriminator at play on images of one shape, under a strategy."""

    def __init__(
        self, config: Config, shape, class_shares, strategy=None, paper=None, accumulate: int = 1
    ):
        """Builds all for images [h, w, c] whose classes are as frequent as `class_shares`.

        With the colour of their `paper`, uint8 [c], the discriminator sees all images augmented, as
        far as it overfits. A replica works on its share of a batch in so many parts, one after the
        other, as `accumulate` says.
        """
        self.config, self.shape = config, tuple(shape)
        self.paper = None if paper is None else to_float(np.array(paper, np.uint8))
        self.class_shares = np.asarray(class_shares, np.float64)
        self.strategy = strategy or tf.distribute.get_strategy()
        self.objective = OBJECTIVES[config.objective]
        self.penalty_weight = _penalty_weight(config, self.objective)
        decay = config.penalty_decay
        self.penalty_decay = self.objective.decay if decay is None else decay
        self._accumulate = accumulate
        self._replica_batch = _replica_batch(config.batch_size, self.strategy, accumulate)
        keras.utils.set_random_seed(config.seed)  # the networks' initial weights
        with self.strategy.scope():
            self._build()

    def _build(self):
        config = self.config
        make_generator, make_discriminator, jit = ARCHITECTURES[config.architecture]
        # Only this much: XLA takes neither the fused update nor, on a CPU, what replicas share.
        # With augmentation it takes longer to compile than it then saves in a run of minutes.
        jit = jit and self.paper is None and self.strategy.num_replicas_in_sync == 1
        self._compiled = tf.function(self.gradients, jit_compile=True) if jit else self.gradients
        num_classes = len(self.class_shares)
        self.generator = make_generator(config, self.shape, num_classes)
        exact = dataclasses.replace(config, precision='float32')
        self.average = make_generator(exact, self.shape, num_classes)
        self.discriminator = make_discriminator(config, self.shape, num_classes)
        label = tf.zeros([1], tf.int32)
        for generator in (self.generator, self.average):
            generator(tf.zeros([1, config.latent_size]), label)
        self.discriminator(tf.zeros([1, *self.shape]), label)
        self.average.set_weights(self.generator.get_weights())
        betas = config.beta_1, config.beta_2
        self.generator_adam = Adam(self.generator.trainable_variables, *betas)
        self.discriminator_adam = Adam(self.discriminator.trainable_variables, *betas)
        self.step, self.skipped, self.streak = (_counter() for _ in range(3))
        self.middle, self.augmentation = (_counter(tf.float32) for _ in range(2))

    def state(self) -> dict[str, list]:
        """All that a checkpoint must hold, as lists of variables.

        `skipped` counts updates that were not finite, `streak` those since the last one that was,
        `middle` follows the logit half way between real and generated, and `augmentation` is how
        probable a change of an image is.
        """
        return {
            'generator': self.generator.variables,
            'average': self.average.variables,
            'discriminator': self.discriminator.variables,
            'generator_adam': self.generator_adam.variables,
            'discriminator_adam': self.discriminator_adam.variables,
            'counters': [self.step, self.skipped, self.streak, self.middle, self.augmentation],
        }

    def draw(self, seeds: np.ndarray, labels=None) -> np.ndarray:
        """Drawings uint8 [n, h, w, c] of int seeds [n]; their labels too come from the seeds."""
        seeds = np.asarray(seeds, np.int64)
        if labels is None:
            labels = latents.classes(tf.constant(seeds), self.class_shares)
        return np.concatenate(
            [self._draw(seeds[i : i + 256], labels[i : i + 256]) for i in range(0, len(seeds), 256)]
        )

    def _draw(self, seeds, labels):
        return self._draw_points(latents.normal(seeds, self.config.latent_size), labels)

    @tf.function(reduce_retracing=True)
    def _draw_points(self, points, labels):
        return to_uint8(self.average(points, labels))

    def specimens(self, rows: int = 8, columns: int = 10) -> np.ndarray:
        """A sheet of drawings of the seeds 0, 1, ...; its columns are the first classes."""
        seeds = np.arange(rows * columns)
        labels = (seeds % columns % len(self.class_shares)).astype(np.int32)
        return sheets.sheet(self.draw(seeds, labels), columns)

    def walk(self, walkers: int, frames: int) -> np.ndarray:
        """Round trips through the latents: uint8 [frames, walkers, h, w, c]."""
        labels = (np.arange(walkers) % len(self.class_shares)).astype(np.int32)
        corners = latents.normal(tf.range(3 * walkers, dtype=tf.int64), self.config.latent_size)
        corners = tf.split(corners, 3)
        return np.stack(
            [
                self._draw_points(around(corners, 3 * i / frames), labels).numpy()
                for i in range(frames)
            ]
        )

    def gradients(self, real, points, labels, mix, changes, weight, everyone=None):
        """Both players' gradients and the metrics, as this replica's share of the global batch.

        `real` float32 [b, h, w, c], `points` latents [b, latent_size], `labels` int32 [b] of both,
        `mix` float32 [b] in [0, 1) for penalties between the two, `changes` how (real, generated)
        images are augmented, if they are, and `weight` the penalty's. `everyone` is the global
        batch's (real logits, generated logits, labels), [n] each, unless all replicas call this at
        once. Sums over replicas are means over the global batch. Returns ({player: [gradient]},
        {metric: scalar}).
        """
        with tf.GradientTape() as drawing:
            fake = self.generator(points, labels)
            if changes:
                fake = augment.apply(fake, changes[1], self.paper)
        if changes:
            real = augment.apply(real, changes[0], self.paper)
        critic = self._critic(real, fake, labels, mix)
        real_logits, fake_logits = _parts(critic.logits, labels)[:2]
        everyone = everyone or self._of_all_replicas(real_logits, fake_logits, labels)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([critic.logits, critic.slopes])
            logits = _parts(critic.logits, labels)[:2]
            d_losses = self._losses(self.objective.discriminator, logits, labels, everyone)
            g_losses = self._losses(self.objective.generator, logits, labels, everyone)
            penalty = self._penalty(critic.slopes, labels)
            weighted = weight * penalty
        pulls = _parts(tape.gradient(g_losses, critic.logits), labels)[1]
        g_slopes = pulls[:, None, None, None] * _parts(critic.slopes, labels)[1]
        gradients = {
            'discriminator': critic.gradients(
                self.discriminator.trainable_variables,
                tape.gradient(d_losses, critic.logits),
                tape.gradient(weighted, critic.slopes),
            ),
            'generator': drawing.gradient(fake, self.generator.trainable_variables, g_slopes),
        }
        # An embedding's are sparse, on each replica for other rows, and do not add up as they are.
        gradients = tf.nest.map_structure(tf.convert_to_tensor, gradients)
        return gradients, {
            'loss/discriminator': d_losses[0],
            'loss/generator': g_losses[0],
            'loss/penalty': penalty,
            'accuracy/real': self._mean(tf.cast(real_logits > self.middle, tf.float32)),
            'accuracy/generated': self._mean(tf.cast(fake_logits < self.middle, tf.float32)),
            'middle': self._mean(0.5 * (real_logits + fake_logits)),
        }

    def _accumulated(self, share, weight):
        """The `gradients` of a replica's share, of one part after the other, so that only a part
        has to fit in memory; games that compare need the logits of all parts first."""
        parts = tf.nest.map_structure(
            lambda x: tf.reshape(x, [self._accumulate, -1, *x.shape[1:]]), share
        )
        logits = tf.map_fn(
            self._logits, parts, fn_output_signature=(tf.float32,) * 2, parallel_iterations=1
        )
        everyone = self._of_all_replicas(*(tf.reshape(each, [-1]) for each in logits), share[2])

        def gradients(part):
            return self._compiled(*part, weight, everyone)

        def add(total, part):
            return tf.nest.map_structure(tf.add, total, gradients(part))

        first = tf.nest.map_structure(lambda x: x[0], parts)
        rest = tf.nest.map_structure(lambda x: x[1:], parts)
        return tf.foldl(add, rest, gradients(first), parallel_iterations=1)

    def _logits(self, part):
        """The discriminator's (real, generated) logits [b] of a part's images."""
        real, points, labels, _, changes = part
        fake = self.generator(points, labels)
        if changes:
            real, fake = (
                augment.apply(x, how, self.paper) for x, how in zip((real, fake), changes)
            )
        return self.discriminator(real, labels), self.discriminator(fake, labels)

    def _changes(self, seeds):
        """How the (real, generated) images of seeds [b] are augmented."""
        if self.paper is None:
            return ()
        return tuple(
            augment.choose(latents.fold(seeds, counter), self.augmentation, *self.shape[:2])
            for counter in (-3, -4)  # latents take those from 0 on, and their labels -2
        )

    def _critic(self, real, fake, labels, mix):
        """The discriminator's slopes at all images that a loss or a penalty looks at."""
        images = [real, fake]
        if self.penalty_weight and self.objective.between:
            images.append(real + mix[:, None, None, None] * (fake - real))
        labels = tf.tile(labels, [len(images)])
        return Backward(self.discriminator, tf.concat(images, axis=0), labels)

    def _penalty(self, slopes, labels):
        if not self.penalty_weight:
            return tf.constant(0.0)
        if self.objective.between:
            slopes = _parts(slopes, labels)[2]
        return self._mean(self.objective.penalty(slopes))

    def _losses(self, loss, logits, labels, everyone):
        """A loss's mean over all pairs of a real and a generated image of one class, twice.

        First as a function of this replica's real logits and then of its generated ones. Where a
        game compares the two, all pairs are less noisy than those that happen to share a place in
        the batch; in the other games they come to the same.
        """
        (real, fake), (all_real, all_fake, all_labels) = logits, everyone
        alike = tf.cast(labels[:, None] == all_labels, tf.float32)
        alike /= tf.reduce_sum(alike, axis=1, keepdims=True)
        return [
            self._mean(alike * loss(real[:, None], all_fake)),
            self._mean(alike * loss(all_real, fake[:, None])),
        ]

    def _of_all_replicas(self, *values):
        """Values [b] as those of the global batch, which are constants here."""
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync == 1:
            return values
        columns = tf.stack([tf.cast(each, tf.float32) for each in values], axis=1)
        gathered = replica.all_gather(columns, axis=0)
        return [tf.cast(gathered[:, i], each.dtype) for i, each in enumerate(values)]

    def _mean(self, values):
        # Divided by the global batch, because gradients and metrics are summed over replicas.
        return tf.reduce_sum(values) / self.config.batch_size

    def _replica_step(self, batch, step, progress):
        """One step on this replica's images and labels; the metrics, the same on each replica."""
        pixels, labels = batch
        replica = tf.distribute.get_replica_context()
        first = step * self.config.batch_size + self._replica_batch * tf.cast(
            replica.replica_id_in_sync_group, tf.int64
        )
        seeds = latents.fold(
            self.config.seed, first + tf.range(self._replica_batch, dtype=tf.int64)
        )
        points = latents.normal(seeds, self.config.latent_size)
        weight = self.penalty_weight * self.penalty_decay**progress
        mix = latents.uniform(seeds)
        share = to_float(pixels), points, labels, mix, self._changes(seeds)
        if self._accumulate == 1:
            sums = self._compiled(*share, weight)
        else:
            sums = self._accumulated(share, weight)
        gradients, metrics = replica.all_reduce(tf.distribute.ReduceOp.SUM, sums)
        for player, values in gradients.items():
            metrics[f'gradient_norm/{player}'] = tf.linalg.global_norm(values)
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(list(metrics.values()))))
        # A sum of squares is finite only where Adam's squares are, so nothing bad gets through.
        tf.cond(finite, lambda: self._update(gradients, metrics, step, progress), lambda: None)
        return metrics, finite

    def _update(self, gradients, metrics, step, progress):
        count = step + 1 - self.skipped
        # It ends a little faster than the generator, to keep that from narrowing.
        rate = learning_rate(self.config, progress, 0.1)
        self.discriminator_adam.apply(gradients['discriminator'], rate, count)
        rate = learning_rate(self.config, progress, 0.02)
        self.generator_adam.apply(gradients['generator'], rate, count)
        memory = ema.memory(
            step + 1, self.config.batch_size, self.config.ema_images, self.config.ema_share
        )
        ema.update(self.average.variables, self.generator.variables, memory)

    @tf.function
    def train(self, batches, steps, start, slope):
        """Takes `steps` steps (an int64 tensor) in one call; progress is start + slope * step.

        Returns the metrics' means over the good steps, and for each the count of steps in which it
        was not finite, both float32 [len(METRICS)].
        """
        total = bad = tf.zeros([len(METRICS)])
        for _ in tf.range(steps):
            step = tf.identity(self.step)
            progress = start + slope * tf.cast(step, tf.float32)
            metrics, finite = self.strategy.run(self._replica_step, (next(batches), step, progress))
            metrics = {name: self._first(value) for name, value in metrics.items()}
            finite = self._first(finite)
            self._count(finite, metrics)
            values = tf.stack([metrics[name] for name in METRICS])
            total += tf.where(finite, values, 0.0)
            bad += tf.cast(~tf.math.is_finite(values), tf.float32)
        return total, bad

    def _first(self, values):
        # They were summed already: every replica holds the same.
        return self.strategy.experimental_local_results(values)[0]

    def _count(self, finite, metrics):
        failed = tf.cast(~finite, tf.int64)
        self.step.assign_add(1)
        self.skipped.assign_add(failed)
        self.streak.assign((self.streak + 1) * failed)
        if not self.objective.anchored:
            moved = 0.99 * self.middle + 0.01 * metrics['middle']  # finite if these are
            self.middle.assign(tf.where(finite, moved, self.middle))
        if self.paper is not None:
            overfitting = 2 * metrics['accuracy/real'] - 1  # the mean sign of what was right
            moved = augment.step_probability(self.augmentation, overfitting, self.config.batch_size)
            self.augmentation.assign(tf.where(finite, moved, self.augmentation))


def _parts(values, labels):
    """Values of real, generated and perhaps further images, apart."""
    return tf.split(values, values.shape[0] // labels.shape[0])


def _counter(dtype=tf.int64):
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


def _penalty_weight(config, objective):
    if config.penalty_weight is None:
        return objective.weight
    if config.penalty_weight and not objective.penalty:
        raise ConfigError(
            f'--penalty_weight={config.penalty_weight}: the objective {config.objective} has no '
            'penalty; wasserstein and relativistic have one'
        )
    return config.penalty_weight
