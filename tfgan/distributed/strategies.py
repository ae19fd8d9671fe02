"""Where a run's replicas live: one `tf.distribute` strategy by name."""

import contextlib
import faulthandler
import json
import os

import tensorflow as tf

from tfgan.distributed import cluster
from tfgan.errors import StrategyError


def make(
    name: str, virtual_devices: int = 1, peer_secs: float = 600.0, trusted_network: bool = False
):
    """The strategy called so, and why in words; `auto` takes all that a cluster or GPUs offer.

    `virtual_devices` make one CPU look like several. Call it before any other TensorFlow
    operation; it waits until all processes of a cluster are there, but no longer than `peer_secs`.
    What opens a port is refused where others can reach it, unless the network is trusted. Raises
    StrategyError and ClusterError.
    """
    if name not in ('auto', *MAKERS):
        raise StrategyError(f'--strategy={name}: expected one of auto, {", ".join(MAKERS)}')
    config = cluster.find(os.environ)
    count = len(cluster.addresses(config))
    _check_virtual(name, virtual_devices, count)
    _divide_cpu(virtual_devices)
    why = 'as asked'
    if name == 'auto':
        name, why = _best(count)
    strategy = MAKERS[name](config, peer_secs, trusted_network)
    return strategy, f'{name}, {why}: {_size(strategy.num_replicas_in_sync, count)}'


def _best(count):
    if count > 1:
        return 'multi_worker', f'because {_origin()} names several processes'
    for kind in 'GPU', 'CPU':
        if len(tf.config.list_logical_devices(kind)) > 1:
            return 'mirrored', f'because there are several {kind} devices'
    return 'single', 'because there is one device and no cluster'


def _origin():
    return 'TF_CONFIG' if os.environ.get('TF_CONFIG') else 'Slurm'


def _size(replicas, count):
    words = f'{replicas} replica{"s" if replicas > 1 else ""}'
    return f'{words} in {count} processes' if count > 1 else words


def _check_virtual(name, virtual_devices, count):
    if virtual_devices > 1 and (count > 1 or name not in ('auto', 'mirrored')):
        raise StrategyError(
            f'--virtual_devices={virtual_devices}: only --strategy=mirrored, in a process by '
            f'itself, shares work among them; got --strategy={name}, {max(1, count)} process(es)'
        )


def _divide_cpu(virtual_devices):
    [cpu, *_] = tf.config.list_physical_devices('CPU')
    if virtual_devices > 1:
        device = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [device] * virtual_devices)


def _single(_config, _peer_secs, _trusted):
    return tf.distribute.get_strategy()


def _mirrored(_config, _peer_secs, _trusted):
    kind = 'GPU' if tf.config.list_logical_devices('GPU') else 'CPU'
    return tf.distribute.MirroredStrategy(
        [device.name for device in tf.config.list_logical_devices(kind)]
    )


def _multi_worker(config, peer_secs, trusted):
    if not config:
        raise StrategyError(
            '--strategy=multi_worker: neither TF_CONFIG nor Slurm says which processes there are; '
            f'TF_CONFIG should be like {cluster.EXAMPLE}'
        )
    everyone = cluster.addresses(config)
    if len(everyone) > 1:
        cluster.check_network('multi_worker', trusted)
    else:
        config = {}  # else a process by itself would open a port, too
    # TensorFlow's own reader of Slurm's variables fails without GPUs and puts node10 before node2.
    os.environ['TF_CONFIG'] = json.dumps(config)
    with _limited(everyone, peer_secs):
        return tf.distribute.MultiWorkerMirroredStrategy()


@contextlib.contextmanager
def _limited(addresses, secs):
    """Ends the process, which has said why, if the block waits for others for so many seconds."""
    if len(addresses) <= 1:
        yield
        return
    print(f'  waiting for {", ".join(addresses)}, {secs:g} s at most (--peer_secs)', flush=True)
    # TensorFlow holds Python still while it waits, so no signal and no thread of Python's can help.
    with open(os.devnull, 'w') as nowhere:
        faulthandler.dump_traceback_later(secs, exit=True, file=nowhere)
        yield
        faulthandler.cancel_dump_traceback_later()


def _tpu(_config, _peer_secs, trusted):
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        if resolver.master() not in ('', 'local'):  # it is reached by a server on this side, too
            cluster.check_network('tpu', trusted)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise StrategyError(
            f'--strategy=tpu: no TPU answers here ({type(error).__name__}); it needs a TPU machine '
            'with tensorflow-tpu. --strategy=auto takes what this machine has'
        ) from error
    return tf.distribute.TPUStrategy(resolver)


MAKERS = {
    'single': _single,
    'mirrored': _mirrored,
    'multi_worker': _multi_worker,
    'tpu': _tpu,
}
