"""Processes that train together: what they tell each other, and when one is gone."""

import os
import re
import signal
import subprocess
import sys
import time

import forks
import pytest
from commands import TOY, checkpoint, small_data, waited_for
from loopback import cut_off, environments, needs_others

TOGETHER = ['--strategy=multi_worker', '--trusted_network', '--peer_secs=60', *TOY]

TALK = """
import os, sys, time
import numpy as np, tensorflow as tf
from tfgan import errors
from tfgan.distributed import cluster, coordination, strategies
me = cluster.find(os.environ)['task']['index']
strategy, why = strategies.make('auto', peer_secs=60, trusted_network=True)
assert 'TF_CONFIG' in why and '2 processes' in why
assert coordination.processes(strategy) == 2 and coordination.is_chief(strategy) == (me == 0)
total = coordination.agree(strategy, [5 + me, 5 + me, 0.25], [True, False, False])
assert list(total) == [5, 11, 0.5]
with strategy.scope():
    numbers = tf.Variable([1.0 + me, float('inf')]), tf.Variable(2**40 + me, dtype=tf.int64)
for variable in numbers:
    variable.assign(variable + me)  # they start as the chief's
coordination.share(strategy, numbers)
assert [each.numpy().tolist() for each in numbers] == [[1.0, float('inf')], 2**40]
coordination.check_same(strategy, settings='a', data='b')
"""
DIFFER = """
try:
    coordination.check_same(strategy, settings='a', data=str(me))
    assert me == 0
except errors.PeerError as error:
    assert me == 1 and 'other data than the first' in str(error), error
    time.sleep(5)
"""
HANG = """
if me:
    print('asleep', flush=True)
    time.sleep(600)
with coordination.Patience(2, 3.0):
    coordination.wait_for_all(strategy)
"""


def started(processes, command, **more):
    return [
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **(more | {key: value[i] for key, value in more.items() if isinstance(value, list)}),
        )
        for i, environment in enumerate(environments(processes))
    ]


@pytest.fixture
def ended():
    """A list of processes that are ended with the test."""
    processes = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_what_they_tell_each_other(ended):
    ended += started(2, [*forks.python(), '-c', TALK + DIFFER])
    for process in ended:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err


def test_one_that_only_seems_alive_is_not_waited_for(ended):
    ended += started(2, [*forks.python(), '-c', TALK + HANG])
    assert ended[1].stdout.readline().startswith('  waiting for ')
    assert ended[1].stdout.readline() == 'asleep\n'
    began = time.monotonic()
    _, err = ended[0].communicate(timeout=60)
    assert ended[0].returncode == 1
    assert 2 < time.monotonic() - began < 20
    assert 'no answer from one of the 2 processes for 3 s (--peer_secs)' in err
    assert 'same command' in err and 'Traceback' not in err


@pytest.mark.long
def test_nor_one_that_never_starts(tmp_path):
    began = time.monotonic()
    command = [*forks.python(), '-m', 'tfgan.train', '--peer_secs=3', '--trusted_network', *TOY]
    done = subprocess.run(
        command, env=environments(2)[0], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r'  waiting for [\d.:]+, [\d.:]+, 3 s at most \(--peer_secs\)', last)
    assert 'Traceback' not in done.stderr
    assert time.monotonic() - began < 40
    assert list(tmp_path.iterdir()) == []


def test_they_do_not_begin_where_a_stranger_reaches_them(tmp_path):
    needs_others()
    command = [*forks.python(), '-m', 'tfgan.train', *TOY]
    done = subprocess.run(
        command, env=environments(2)[0], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and 'waiting' not in done.stdout
    [refusal] = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert '--trusted_network' in refusal and 'Traceback' not in done.stderr
    assert list(tmp_path.iterdir()) == []


BOTH = """
mkdir 0 1
(cd 1 && TF_CONFIG=$SECOND exec "$@") &
(cd 0 && TF_CONFIG=$FIRST exec "$@") && wait $!
"""


@pytest.mark.long
def test_without_a_network_they_need_no_word(tmp_path):
    first, second = environments(2)
    command = [*cut_off(), 'sh', '-euc', BOTH, 'sh', sys.executable, '-m', 'tfgan.train']
    command += ['--steps=20', '--run_dir=r', '--export_dir=m', small_data(tmp_path), *TOY]
    variables = {'FIRST': first['TF_CONFIG'], 'SECOND': second['TF_CONFIG']}
    done = subprocess.run(
        command, cwd=tmp_path, env=first | variables, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert '2 replicas in 2 processes' in done.stdout
    assert (tmp_path / '0/m/1/saved_model.pb').exists()


def train(tmp_path, processes, python, *flags):
    """Processes that see nothing of each other's files."""
    folders = [tmp_path / str(i) for i in range(processes)]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    command = ['-m', 'tfgan.train', *TOGETHER, *flags]
    return started(processes, [*python, *command], cwd=folders)


def newest(tmp_path):
    """The steps of the newest checkpoint, 0 without any."""
    names = (tmp_path / '0/r/checkpoints').glob('step-*.index')
    return max((int(path.stem.split('-')[1]) for path in names), default=0)


def outcome(process):
    out, err = process.communicate(timeout=100)
    assert 'Traceback' not in err
    return process.returncode, out + err


@pytest.mark.long
def test_what_ends_one_ends_all_and_they_go_on(tmp_path, ended):
    count = 3
    python = [sys.executable]  # What stands for a command does not pass SIGSTOP on.
    (tmp_path / 'data').mkdir()
    flags = ['--batch_size=12', '--steps=1000', '--checkpoint_secs=0.3', '--run_dir=r']
    flags.append(small_data(tmp_path / 'data'))
    for victim, number in [
        (2, signal.SIGKILL),
        (2, signal.SIGTERM),
        (0, signal.SIGTERM),
        (0, signal.SIGKILL),
        (1, signal.SIGSTOP),
    ]:
        before = newest(tmp_path)
        ended[:] = train(tmp_path, count, python, *flags, '--export_dir=m')
        waited_for(ended[0], lambda before=before: newest(tmp_path) > before, 100)
        os.kill(ended[victim].pid, number)
        began = time.monotonic()
        others = [process for process in ended if process is not ended[victim]]
        for code, err in map(outcome, others):
            if number == signal.SIGTERM:
                assert code == 143, err
            else:
                assert code == 1 and 'error: another process is gone' in err, err
                assert 'same command' in err
        secs = time.monotonic() - began
        print(f'{number.name} to {victim}: the others ended after {secs:.1f} s')
        assert secs < 40
        for process in ended:
            process.kill()
            process.communicate()
    ended[:] = train(tmp_path, count, python, *flags, '--export_dir=m')
    assert 'continuing r at step' in ended[0].communicate(timeout=500)[0]
    assert [process.wait(60) for process in ended] == [0] * count
    found = checkpoint(tmp_path / '0/r')
    counters = [found[f'counters/{i}/.ATTRIBUTES/VARIABLE_VALUE'] for i in (0, 1)]
    assert counters == [1000, 0]  # steps, and those of them that were skipped
    assert sorted(os.listdir(tmp_path / '0')) == ['m', 'r']
    assert [os.listdir(tmp_path / str(i)) for i in range(1, count)] == [[]] * (count - 1)
