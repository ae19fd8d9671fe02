"""Which strategy a machine is given, why, and what it cannot be given."""

import os
import subprocess

import forks
import pytest
from loopback import environments, needs_others

SCRIPT = """
import sys
import psutil
from tfgan.distributed import strategies
print(strategies.make(*eval(sys.argv[1]))[1])
open_ports = [each for each in psutil.Process().net_connections() if each.status == 'LISTEN']
assert open_ports == [], open_ports
"""


def make(*arguments, **variables):
    environment = environments(1)[0] | variables
    command = [*forks.python(), '-c', SCRIPT, repr(arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('auto',), 'single, because there is one device and no cluster: 1 replica'),
        (('auto', 3), 'mirrored, because there are several CPU devices: 3 replicas'),
        (('mirrored', 2), 'mirrored, as asked: 2 replicas'),
        (('mirrored',), 'mirrored, as asked: 1 replica'),
    ],
)
def test_it_says_what_it_takes_and_why(arguments, words):
    done = make(*arguments)
    assert done.stdout.splitlines() == [words], done.stderr


@pytest.mark.parametrize(
    ('arguments', 'variables', 'words'),
    [
        (('two',), {}, ['--strategy=two', 'auto', 'mirrored', 'multi_worker', 'tpu']),
        (('single', 2), {}, ['--virtual_devices=2', '--strategy=mirrored']),
        (('multi_worker',), {}, ['TF_CONFIG', '"worker": ["a:2222"']),
        (('auto',), {'TF_CONFIG': '{"cluster"'}, ["TF_CONFIG='{", '"worker": ["a:2222"']),
        (('auto',), {'SLURM_STEP_NUM_TASKS': '2'}, ['SLURM_STEP_NUM_TASKS', 'no sense']),
        (('tpu',), {}, ['no TPU answers', '--strategy=auto']),
    ],
)
def test_what_there_is_not_is_refused(arguments, variables, words):
    done = make(*arguments, **variables)
    assert done.returncode == 1
    refusal = done.stderr.splitlines()[-1]
    assert refusal.startswith('tfgan.') and 'Error: ' in refusal
    assert all(word in refusal for word in words), refusal


def test_a_cluster_of_one_is_one_process_without_a_port():
    alone = '{"cluster": {"worker": ["127.0.0.1:0"]}, "task": {"type": "worker", "index": 0}}'
    for name, words in [
        ('auto', 'single, because there is one device and no cluster: 1 replica\n'),
        ('multi_worker', 'multi_worker, as asked: 1 replica\n'),
    ]:
        done = make(name, TF_CONFIG=alone)
        assert (done.stdout, done.returncode) == (words, 0), done.stderr
    assert os.environ.get('TF_CONFIG') is None


@pytest.mark.parametrize('name', ['auto', 'multi_worker'])
def test_a_cluster_of_more_takes_a_trusted_network(name):
    needs_others()
    pair = environments(2)[0]['TF_CONFIG']
    done = make(name, 1, 3.0, TF_CONFIG=pair)
    assert (done.stdout, done.returncode) == ('', 1)
    assert '--trusted_network' in done.stderr.splitlines()[-1]
    done = make(name, 1, 3.0, True, TF_CONFIG=pair)
    assert done.stdout.startswith('  waiting for '), done.stderr
