"""The processes that train together, from TF_CONFIG or from Slurm; imports no TensorFlow.

Kubeflow, Vertex AI and their like set TF_CONFIG, JSON with all processes' addresses and this one's
place among them. Slurm's `srun` says the same in variables of its own.
"""

import itertools
import json
import re
from collections.abc import Mapping

import psutil

from tfgan.errors import ClusterError

JOBS = ('chief', 'worker')  # of TF_CONFIG, in the order of the processes
EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


def find(environment: Mapping[str, str]) -> dict:
    """What TF_CONFIG says or would say, {} for a process by itself; raises ClusterError."""
    if environment.get('TF_CONFIG'):
        return _checked(environment['TF_CONFIG'])
    if environment.get('SLURM_STEP_NUM_TASKS', '1') not in ('', '1'):
        return _of_slurm(environment)
    return {}


def addresses(config: dict) -> list[str]:
    """Where the processes are, the one that writes first."""
    return [each for job in JOBS for each in config.get('cluster', {}).get(job, [])]


def check_network(strategy: str, trusted: bool) -> None:
    """Raises ClusterError where others can reach this machine, unless all of them are trusted.

    TensorFlow's server listens at every interface, whatever address it is given, and lets nobody
    be asked who they are: no setting of it changes either.
    """
    if not trusted and (found := _interfaces()):
        raise ClusterError(
            f"--strategy={strategy} opens a port of TensorFlow's own server, and whoever reaches "
            f'this machine (by {", ".join(found)}) can reach it: it cannot ask who they are, and '
            'lets them read files and run code as this user. Only a network that is closed to '
            'strangers will do: there, add --trusted_network. On one machine by itself '
            '--virtual_devices=2, without TF_CONFIG, shares the work and opens no port'
        )


def _interfaces() -> list[str]:
    """The network interfaces that are up and lead to other machines."""
    found = psutil.net_if_stats().items()
    return [name for name, each in found if each.isup and 'loopback' not in each.flags.split(',')]


def _checked(text: str) -> dict:
    try:
        config = json.loads(text)
        cluster, task = config.get('cluster', {}), config.get('task', {})
        if strange := sorted(set(cluster) - set(JOBS)):
            raise ValueError(f'the cluster has {", ".join(strange)}; only chief and worker train')
        everyone = addresses(config)
        if not all(re.fullmatch(r'\S+:\d+', each) for each in everyone):
            raise ValueError('the cluster takes lists of addresses host:port')
        if everyone:
            config['task'] = task | {'index': _index(task, cluster)}
    except (AttributeError, TypeError, ValueError) as error:
        raise ClusterError(f'TF_CONFIG={text!r}: {error}; it should be like {EXAMPLE}') from error
    return config


def _index(task: dict, cluster: dict) -> int:
    """This process's place, which templates of YAML often make a text."""
    place = str(task.get('index'))
    if place.isdecimal() and int(place) < len(cluster.get(task.get('type'), [])):
        return int(place)
    raise ValueError(f'the cluster has no task {task}')


def _of_slurm(environment: Mapping[str, str]) -> dict:
    try:
        hosts = expand_hosts(environment['SLURM_STEP_NODELIST'])
        counts = expand_counts(environment['SLURM_STEP_TASKS_PER_NODE'])
        # Ports of the job's own, because two jobs may share a node.
        first_port = 12_000 + 16 * (int(environment['SLURM_JOB_ID']) % 1000)
        workers = [
            f'{host}:{first_port + place}'
            for host, count in zip(hosts, counts, strict=True)
            for place in range(count)
        ]
        rank = range(len(workers))[int(environment['SLURM_PROCID'])]
    except (KeyError, ValueError, IndexError) as error:
        found = {key: value for key, value in environment.items() if key.startswith('SLURM_STEP')}
        raise ClusterError(f"Slurm's variables {found} make no sense: {error!r}") from error
    return {'cluster': {'worker': workers}, 'task': {'type': 'worker', 'index': rank}}


def expand_hosts(text: str) -> list[str]:
    """Slurm's short form of host names, such as 'gpu[08-10,12],login', as a list."""
    parts = re.findall(r'(?:[^,\[\]]|\[[^\]]*\])+', text)
    return [host for part in parts for host in _expanded(part)]


def _expanded(part: str) -> list[str]:
    pieces = re.split(r'\[(.*?)\]', part)  # names and, between them, what stood in brackets
    choices = [_numbers(piece) if i % 2 else [piece] for i, piece in enumerate(pieces)]
    return [''.join(each) for each in itertools.product(*choices)]


def _numbers(text: str) -> list[str]:
    """'08-10,12' as ['08', '09', '10', '12']."""
    numbers = []
    for span in text.split(','):
        first, _, last = span.partition('-')
        numbers += [
            f'{number:0{len(first)}}' for number in range(int(first), int(last or first) + 1)
        ]
    return numbers


def expand_counts(text: str) -> list[int]:
    """Slurm's short form of a number for each host, such as '2(x3),1', as a list."""
    counts = re.findall(r'(\d+)(?:\(x(\d+)\))?', text)
    return [int(count) for count, times in counts for _ in range(int(times or 1))]
