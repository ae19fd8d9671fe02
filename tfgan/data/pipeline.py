"""Batches of a source as a function of (seed, step)."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tfgan import latents
from tfgan.data.source import Source
from tfgan.errors import SourceError


def batches(source: Source, strategy, batch_size: int, seed: int, first_step: int = 0):
    """An endless iterator of (examples [b, *shape], labels int32 [b]) for each replica.

    Image number i of the run, `batch_size` of them a step, is the one at place i of an endless row
    of shuffles of the whole source. So the batches of a step are the same however the run is spread
    and wherever it was broken off, and there is no state to save.
    """
    refusals = []
    batches = iter(
        strategy.distribute_datasets_from_function(
            lambda context: _replica_batches(
                source, strategy, batch_size, seed, first_step, refusals, context
            )
        )
    )
    batches.refusals = refusals
    return batches


@contextlib.contextmanager
def plain_refusals(batches) -> Iterator[None]:
    """Raises the source's own SourceError in a block that draws `batches` within TensorFlow.

    That makes an error of its own of it, with pages of its insides in the message.
    """
    try:
        yield
    except tf.errors.OpError:
        if batches.refusals:
            raise batches.refusals[0] from None
        raise


def _replica_batches(source, strategy, batch_size, seed, first_step, refusals, context):
    replicas = strategy.num_replicas_in_sync
    local = replicas // context.num_input_pipelines
    share = batch_size // replicas

    @tf.autograph.experimental.do_not_convert  # It has no loops, and converting takes time.
    def indices(element):
        # Elements go to this pipeline's replicas in turn: one element is one replica's batch.
        step = first_step + element // local
        replica = context.input_pipeline_id * local + element % local
        number = step * batch_size + replica * share + tf.range(share, dtype=tf.int64)
        return shuffled(number, len(source), seed)

    def read(index):
        try:
            return source.images(index), source.labels[index]
        except SourceError as error:
            refusals.append(error)
            raise

    @tf.autograph.experimental.do_not_convert
    def load(index):
        images, labels = tf.numpy_function(read, [index], [source.dtype, tf.int32], False)
        return tf.ensure_shape(images, [share, *source.shape]), tf.ensure_shape(labels, [share])

    dataset = tf.data.Dataset.counter(0).map(indices)
    return dataset.map(load, num_parallel_calls=2, deterministic=True).prefetch(4)


def shuffled(number, count: int, seed: int):
    """Which of `count` examples is at place `number` (int64 [n]) of the row of shuffles."""
    epoch, place = number // count, number % count
    # The cipher behind the shuffle takes as few as 8 bits of each of its three keys, and its usual
    # four rounds leave the orders of two epochs alike.
    keys = tf.bitwise.right_shift(latents.fold(seed, epoch)[:, None], [[0, 20, 40]])
    most = tf.zeros_like(place) + (count - 1)
    # The public `index_shuffle` pads seeds along the wrong axis when there is one for each index.
    return tf.raw_ops.RandomIndexShuffle(index=place, seed=keys, max_index=most, rounds=8)
