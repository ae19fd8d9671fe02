"""One step of a game: both players' gradients, their updates, and the compiled loop of steps."""

import functools
from typing import NamedTuple

import tensorflow as tf

from tfgan import latents
from tfgan.gan import adaptive_augmentation, ema
from tfgan.gan.optimizers import learning_rate
from tfgan.networks import windows
from tfgan.networks.backward import backward

METRICS = (
    'loss/discriminator',
    'loss/generator',
    'loss/penalty',
    'accuracy/real',
    'accuracy/generated',
    'gradient_norm/discriminator',
    'gradient_norm/generator',
)
THRESHOLD_MEMORY = 0.99  # of the decision threshold, from one step to the next
# The discriminator ends a little faster than the generator, to keep that from narrowing.
FINAL_RATE_SHARE = {'discriminator': 0.1, 'generator': 0.02}
# Random streams of an example's seed: latents take the counters from 0 on, their labels -2.
CHANGE_STREAMS = {'real': -3, 'generated': -4}
GIVEN_STREAM = -6


class Batch(NamedTuple):
    """What a replica works on: its share of a global batch, or a part of that."""

    real: tf.Tensor  # float32 [b, *shape]
    latents: tf.Tensor  # float32 [b, latent_size]
    labels: tf.Tensor  # int32 [b], of both
    mix: tf.Tensor  # float32 [b] in [0, 1), for penalties between the two
    changes: tuple  # how (real, generated) examples are augmented; () if they are not
    given: tuple = ()  # what of an example the generator is told


class Scored(NamedTuple):
    """Logits of real and generated examples and their labels, [n] each."""

    real: tf.Tensor
    fake: tf.Tensor
    labels: tf.Tensor


class Step:
    """Steps of a game, by the state that they read and write."""

    def __init__(self, state, xla: bool | None = None):
        """With `xla` the gradients are compiled by XLA; if None, as the configuration says."""
        self._state = state
        self.xla = _by_xla(state) if xla is None else xla
        self.compiled = self.gradients
        # Only this much: XLA takes neither the fused update nor, on a CPU, what replicas share.
        if self.xla:
            self.compiled = tf.function(self._for_xla, jit_compile=True, autograph=False)

    def _for_xla(self, *arguments):
        with windows.for_xla():
            return self.gradients(*arguments)

    def gradients(self, batch: Batch, weight, global_batch: Scored | None = None):
        """Both players' gradients and the metrics, as this replica's share of the global batch.

        `weight` is the penalty's. `global_batch` is given unless all replicas call this at once.
        Sums over replicas are means over the global batch. Returns ({player: [gradient]},
        {metric: scalar}).
        """
        state = self._state
        with tf.GradientTape() as drawing:
            fake = state.generator(batch.latents, batch.labels, *batch.given)
            shown = self._augmented(batch, fake)
        critic = self._critic(*shown, batch)
        scored = _scored(critic.logits, batch.labels)
        global_batch = global_batch or self._of_all_replicas(scored)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([critic.logits, critic.slopes])
            now = _scored(critic.logits, batch.labels)
            d_losses = self._losses(state.objective.discriminator, now, global_batch)
            g_losses = self._losses(state.objective.generator, now, global_batch)
            penalty = self._penalty(critic.slopes, batch.labels)
            weighted = weight * penalty
        logit_grads = _parts(tape.gradient(g_losses, critic.logits), batch.labels)[1]
        fake_slopes = _parts(critic.slopes, batch.labels)[1]
        gradients = {
            'discriminator': critic.gradients(
                state.discriminator.trainable_variables,
                tape.gradient(d_losses, critic.logits),
                tape.gradient(weighted, critic.slopes),
            ),
            'generator': drawing.gradient(
                shown[1],
                state.generator.trainable_variables,
                _broadcast(logit_grads, fake_slopes) * fake_slopes,
            ),
        }
        # An embedding's are sparse, on each replica for other rows, and do not add up as they are.
        gradients = tf.nest.map_structure(tf.convert_to_tensor, gradients)
        return gradients, self._metrics(d_losses[0], g_losses[0], penalty, scored)

    def _metrics(self, d_loss, g_loss, penalty, scored):
        threshold = self._state.decision_threshold
        return {
            'loss/discriminator': d_loss,
            'loss/generator': g_loss,
            'loss/penalty': penalty,
            'accuracy/real': self._mean(tf.cast(scored.real > threshold, tf.float32)),
            'accuracy/generated': self._mean(tf.cast(scored.fake < threshold, tf.float32)),
            'decision_threshold': self._mean(0.5 * (scored.real + scored.fake)),
        }

    def _augmented(self, batch, fake):
        """(real, generated) examples as the discriminator sees them."""
        if not batch.changes:
            return batch.real, fake
        apply = self._state.augmentation.apply
        return tuple(apply(x, change) for x, change in zip((batch.real, fake), batch.changes))

    def _accumulated(self, batch, weight):
        """The `gradients` of a replica's share, of one part after the other, so that only a part
        has to fit in memory; games that compare need the logits of all parts first."""
        parts = tf.nest.map_structure(
            lambda x: tf.reshape(x, [self._state.accumulate, -1, *x.shape[1:]]), batch
        )
        logits = tf.map_fn(
            self._logits, parts, fn_output_signature=(tf.float32,) * 2, parallel_iterations=1
        )
        flat = (tf.reshape(each, [-1]) for each in logits)
        global_batch = self._of_all_replicas(Scored(*flat, batch.labels))

        def add(total, part):
            return tf.nest.map_structure(tf.add, total, self.compiled(part, weight, global_batch))

        first = tf.nest.map_structure(lambda x: x[0], parts)
        rest = tf.nest.map_structure(lambda x: x[1:], parts)
        begun = self.compiled(first, weight, global_batch)
        return tf.foldl(add, rest, begun, parallel_iterations=1)

    def _logits(self, part):
        """The discriminator's (real, generated) logits [b] of a part's examples."""
        fake = self._state.generator(part.latents, part.labels, *part.given)
        shown = self._augmented(part, fake)
        return tuple(self._state.discriminator(x, part.labels) for x in shown)

    def _changes(self, seeds):
        """How the (real, generated) examples of seeds [b] are augmented."""
        state = self._state
        if state.augmentation is None:
            return ()
        return tuple(
            state.augmentation.choose(latents.fold(seeds, stream), state.change_probability)
            for stream in CHANGE_STREAMS.values()
        )

    def _critic(self, real, fake, batch):
        """The discriminator's slopes at all examples that a loss or a penalty looks at."""
        examples = [real, fake]
        if self._state.penalty_weight and self._state.objective.between:
            examples.append(real + _broadcast(batch.mix, real) * (fake - real))
        labels = tf.tile(batch.labels, [len(examples)])
        make = backward(self._state.architecture)
        return make(self._state.discriminator, tf.concat(examples, axis=0), labels)

    def _penalty(self, slopes, labels):
        if not self._state.penalty_weight:
            return tf.constant(0.0)
        if self._state.objective.between:
            slopes = _parts(slopes, labels)[2]
        return self._mean(self._state.objective.penalty(slopes))

    def _losses(self, loss, scored, global_batch):
        """A loss's mean over all pairs of a real and a generated example of one class, twice.

        First as a function of this replica's real logits and then of its generated ones. Where a
        game compares the two, all pairs are less noisy than those that happen to share a place in
        the batch; in the other games they come to the same.
        """
        alike = tf.cast(scored.labels[:, None] == global_batch.labels, tf.float32)
        alike /= tf.reduce_sum(alike, axis=1, keepdims=True)
        return [
            self._mean(alike * loss(scored.real[:, None], global_batch.fake)),
            self._mean(alike * loss(global_batch.real, scored.fake[:, None])),
        ]

    def _of_all_replicas(self, scored):
        """What was scored as that of the global batch, which is constant here."""
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync == 1:
            return scored
        columns = tf.stack([tf.cast(each, tf.float32) for each in scored], axis=1)
        gathered = replica.all_gather(columns, axis=0)
        return Scored(*(tf.cast(gathered[:, i], each.dtype) for i, each in enumerate(scored)))

    def _mean(self, values):
        # Divided by the global batch, because gradients and metrics are summed over replicas.
        return tf.reduce_sum(values) / self._state.config.batch_size

    def _batch(self, raw, labels, step):
        """This replica's share of a step's global batch, of its raw examples and labels."""
        state, replica = self._state, tf.distribute.get_replica_context()
        first = step * state.config.batch_size + state.replica_batch * tf.cast(
            replica.replica_id_in_sync_group, tf.int64
        )
        seeds = latents.fold(
            state.config.seed, first + tf.range(state.replica_batch, dtype=tf.int64)
        )
        normal = latents.normal(seeds, state.config.latent_size)
        mix = latents.uniform(seeds)
        real = state.form.encode(raw, state.shape)
        given = state.form.given(real, latents.fold(seeds, GIVEN_STREAM))
        return Batch(real, normal, labels, mix, self._changes(seeds), given)

    @tf.autograph.experimental.do_not_convert  # It has no loops, and converting takes seconds.
    def _replica_step(self, examples, step, progress):
        """One step on this replica's examples and labels; the metrics, the same on each replica."""
        state = self._state
        batch = self._batch(*examples, step)
        weight = state.penalty_weight * state.penalty_decay**progress
        work = self.compiled if state.accumulate == 1 else self._accumulated
        gradients, metrics = _summed(work(batch, weight))
        for player, values in gradients.items():
            metrics[f'gradient_norm/{player}'] = tf.linalg.global_norm(values)
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(list(metrics.values()))))
        # A sum of squares is finite only where Adam's squares are, so nothing bad gets through.
        tf.cond(finite, lambda: self._update(gradients, step, progress), lambda: None)
        return metrics, finite

    def _update(self, gradients, step, progress):
        state, config = self._state, self._state.config
        count = step + 1 - state.skipped
        shares = {'discriminator': 1.0, 'generator': config.generator_rate}
        for player, values in gradients.items():
            rate = shares[player] * learning_rate(config, progress, FINAL_RATE_SHARE[player])
            getattr(state, f'{player}_adam').apply(values, rate, count)
        memory = ema.memory(step + 1, config.batch_size, config.ema_images, config.ema_share)
        ema.update(state.average.variables, state.generator.variables, memory)

    @functools.cached_property
    def train(self):
        """train(batches, steps, start, slope) takes `steps` steps, an int64 tensor, in one call.

        Progress is start + slope * step. Returns the metrics' means over the good steps, and for
        each the count of steps in which it was not finite, both float32 [len(METRICS)].
        """
        # TensorFlow counts how often a function is traced by its code, and would warn of the sixth
        # in a process; a partial function counts by itself.
        return tf.function(functools.partial(self._train))

    def _train(self, batches, steps, start, slope):
        state = self._state
        total = bad = tf.zeros([len(METRICS)])
        for _ in tf.range(steps):
            step = tf.identity(state.step)
            progress = start + slope * tf.cast(step, tf.float32)
            results = state.strategy.run(self._replica_step, (next(batches), step, progress))
            metrics, finite = tf.nest.map_structure(self._first, results)
            self._count(finite, metrics)
            values = tf.stack([metrics[name] for name in METRICS])
            total += tf.where(finite, values, 0.0)
            bad += tf.cast(~tf.math.is_finite(values), tf.float32)
        return total, bad

    def _first(self, values):
        # They were summed already: every replica holds the same.
        return self._state.strategy.experimental_local_results(values)[0]

    @tf.autograph.experimental.do_not_convert
    def _count(self, finite, metrics):
        state, failed = self._state, tf.cast(~finite, tf.int64)
        state.step.assign_add(1)
        state.skipped.assign_add(failed)
        state.streak.assign((state.streak + 1) * failed)
        if not state.objective.anchored:
            old, new = state.decision_threshold, metrics['decision_threshold']
            moved = THRESHOLD_MEMORY * old + (1 - THRESHOLD_MEMORY) * new  # finite if these are
            old.assign(tf.where(finite, moved, old))
        if state.augmentation is not None:
            overfitting = 2 * metrics['accuracy/real'] - 1  # the mean sign of what was right
            moved = adaptive_augmentation.step_probability(
                state.change_probability, overfitting, state.config.batch_size
            )
            state.change_probability.assign(tf.where(finite, moved, state.change_probability))


def _by_xla(state):
    """Whether XLA compiles the gradients where nothing was measured."""
    if state.config.xla != 'auto':
        return state.config.xla == 'on'
    return state.architecture.jit and state.strategy.num_replicas_in_sync == 1


def _summed(values):
    """The sums of nested values over all replicas."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:  # all_reduce would keep this graph for ever
        return values
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, values)


def _parts(values, labels):
    """Values of real, generated and perhaps further examples, apart."""
    return tf.split(values, values.shape[0] // labels.shape[0])


def _scored(logits, labels):
    return Scored(*_parts(logits, labels)[:2], labels)


def _broadcast(values, like):
    """Values [b] in as many dimensions as `like` [b, ...] has."""
    return tf.reshape(values, [-1] + [1] * (len(like.shape) - 1))
