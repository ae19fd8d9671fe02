"""What the processes of one run tell each other, and what comes of it when one is gone."""

import functools
import hashlib
import os
import sys
import threading

import numpy as np
import tensorflow as tf

from tfgan.errors import PeerError

# What TensorFlow raises when a process of the cluster has died, hangs or has given up.
GONE = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
ADVICE = 'End those that are left, and start all with the same command: it goes on from there'


def is_chief(strategy) -> bool:
    """Whether this process is the one that writes files."""
    resolver = strategy.cluster_resolver
    if resolver is None or not getattr(resolver, 'task_type', None):
        return True
    return resolver.task_type == 'chief' or (
        resolver.task_id == 0 and 'chief' not in resolver.cluster_spec().jobs
    )


def processes(strategy) -> int:
    """How many processes train together."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 1
    jobs = strategy.cluster_resolver.cluster_spec().as_dict().values()
    return sum(len(tasks) for tasks in jobs) or 1


def agree(strategy, values, chief_only) -> np.ndarray:
    """What all processes hold from now on: the sum of `values`, of which those marked
    `chief_only` count from the chief alone; both [n], float64."""
    values = np.asarray(values, np.float64)
    if processes(strategy) == 1:
        return values
    if not is_chief(strategy):
        values = np.where(chief_only, 0, values)
    [total] = _summed(strategy)([tf.constant(values)], only_first=False)
    return total.numpy() / (strategy.num_replicas_in_sync // processes(strategy))


def wait_for_all(strategy) -> None:
    """Returns once every process is here: one that leaves early takes the others down."""
    agree(strategy, [0], [False])


def check_same(strategy, **work: str) -> None:
    """Raises PeerError in every process whose work, a text for each name, is not the chief's."""
    mine = [int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) for text in work.values()]
    chiefs = agree(strategy, mine, [True] * len(mine))
    if other := [name for name, a, b in zip(work, mine, chiefs) if a != b]:
        raise PeerError(
            f'this process has other {" and other ".join(other)} than the first one: give all '
            'the same flags and the same data'
        )


def share(strategy, variables) -> None:
    """Gives the chief's values of variables to all processes."""
    exact = [tf.cast(tf.convert_to_tensor(variable), tf.float64) for variable in variables]
    for variable, value in zip(variables, _summed(strategy)(exact, only_first=True)):
        variable.assign(tf.cast(value, variable.dtype))


@functools.lru_cache(1)
def _summed(strategy):
    """A function that adds up tensors of all replicas, or what the chief's first one has."""

    def add(values, only_first):
        replica = tf.distribute.get_replica_context()
        counts = tf.equal(replica.replica_id_in_sync_group, 0) if only_first else True
        values = [tf.where(counts, value, tf.zeros_like(value)) for value in values]
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, values)

    @tf.function(autograph=False)
    def summed(values, only_first):
        sums = strategy.run(add, (values, only_first))
        return [strategy.experimental_local_results(each)[0] for each in sums]

    return summed


class Patience:
    """Keeps a `with` block from waiting for other processes for more than so many seconds.

    What waits in TensorFlow for others does so for ever and hears no signal: so after that time
    the process ends, with a message. Where TensorFlow notices itself that one is gone, which takes
    it up to half a minute, the block raises PeerError.
    """

    def __init__(self, count: int, secs: float):
        self._count, self._secs = count, secs

    def __enter__(self):
        if self._count > 1:
            self._timer = threading.Timer(self._secs, self._give_up)
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, _kind, error, _traceback):
        if self._count == 1:
            return
        self._timer.cancel()
        if isinstance(error, GONE):
            raise PeerError(f'another process is gone ({_reason(error)}). {ADVICE}') from error

    def _give_up(self):
        print(
            f'error: no answer from one of the {self._count} processes for {self._secs:g} s '
            f'(--peer_secs). {ADVICE}',
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)


def _reason(error):
    """The line of a graph's error that says what happened, which comes after where."""
    lines = error.message.splitlines()
    told = [line for line in lines if 'Collective ops is aborted by' in line] or lines
    return told[0].split('aborted by: ')[-1].strip()[:200]
