"""Where a run's replicas live: one `tf.distribute` strategy by name."""

import json
import os

import numpy as np
import tensorflow as tf

from tfgan.config import ConfigError

NAMES = ('auto', 'single', 'mirrored', 'multi_worker', 'tpu')


class StrategyError(ConfigError):
    """A strategy that this machine cannot offer."""


def make(name: str) -> tf.distribute.Strategy:
    """The strategy called so; `auto` takes all that TF_CONFIG or the machine's GPUs offer.

    Call it before any other TensorFlow operation. Raises StrategyError.
    """
    if name == 'auto':
        name = _best()
    if name == 'single':
        return tf.distribute.get_strategy()
    if name == 'mirrored':
        return tf.distribute.MirroredStrategy(_devices())
    if name == 'multi_worker':
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == 'tpu':
        return _tpu()
    raise StrategyError(f'--strategy={name}: expected one of {", ".join(NAMES)}')


def _best():
    workers = json.loads(os.environ.get('TF_CONFIG') or '{}').get('cluster', {}).get('worker', [])
    if len(workers) > 1:
        return 'multi_worker'
    return 'mirrored' if len(tf.config.list_logical_devices('GPU')) > 1 else 'single'


def _devices():
    kind = 'GPU' if tf.config.list_logical_devices('GPU') else 'CPU'
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _tpu():
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise StrategyError(
            f'--strategy=tpu: no TPU answers here ({type(error).__name__}); it needs a TPU machine '
            'with tensorflow-tpu. --strategy=auto takes what this machine has'
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def is_chief(strategy) -> bool:
    """Whether this process is the one that writes files."""
    resolver = strategy.cluster_resolver
    if resolver is None or not getattr(resolver, 'task_type', None):
        return True
    return resolver.task_type == 'chief' or (
        resolver.task_id == 0 and 'chief' not in resolver.cluster_spec().jobs
    )


def agree(strategy, values, chief_only) -> np.ndarray:
    """What all processes hold from now on: the sum of `values`, of which those marked
    `chief_only` count from the chief alone; both [n], float64."""
    values = np.asarray(values, np.float64)
    if not _has_peers(strategy):
        return values
    if not is_chief(strategy):
        values = np.where(chief_only, 0, values)
    share = tf.constant(values / (strategy.num_replicas_in_sync // _processes(strategy)))
    total = strategy.run(
        lambda: tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, share)
    )
    return strategy.experimental_local_results(total)[0].numpy()


def wait_for_all(strategy) -> None:
    """Returns once every process is here: one that leaves early takes the others down."""
    agree(strategy, [0], [False])


def _has_peers(strategy):
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and (
        _processes(strategy) > 1
    )


def _processes(strategy):
    return (
        sum(len(tasks) for tasks in strategy.cluster_resolver.cluster_spec().as_dict().values())
        or 1
    )
