"""Which strategy a machine is given, why, and what it cannot be given."""

import os
import subprocess

import forks
import pytest
from loopback import environments

SCRIPT = """
import sys
from tfgan.distributed import strategies
print(strategies.make(*eval(sys.argv[1]))[1])
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


def test_a_cluster_of_one_is_one_process():
    alone = '{"cluster": {"worker": ["127.0.0.1:0"]}, "task": {"type": "worker", "index": 0}}'
    assert make('auto', TF_CONFIG=alone).stdout == (
        'single, because there is one device and no cluster: 1 replica\n'
    )
    assert os.environ.get('TF_CONFIG') is None
