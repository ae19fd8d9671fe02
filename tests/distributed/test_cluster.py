"""Who trains together: what Kubeflow, Vertex AI and Slurm set, and what makes no sense."""

import json
import socket
import subprocess
import sys

import pytest
from loopback import cut_off, environments, needs_others

from tfgan.distributed import cluster
from tfgan.distributed.cluster import (
    addresses,
    check_network,
    expand_counts,
    expand_hosts,
    find,
)
from tfgan.errors import ClusterError


def tf_config(task=('worker', 0), **jobs):
    kind, index = task
    return json.dumps({'cluster': jobs, 'task': {'type': kind, 'index': index}})


KUBEFLOW = {
    'cluster': {'worker': ['gan-worker-0.default.svc:2222', 'gan-worker-1.default.svc:2222']},
    'task': {'type': 'worker', 'index': 1},
    'environment': 'cloud',
}
VERTEX = {
    'cluster': {'chief': ['cmle-0:2222'], 'worker': ['cmle-1:2222', 'cmle-2:2222']},
    'task': {'type': 'worker', 'index': 1, 'trial': 'x'},
    'job': '{}',
}
SLURM = {
    'SLURM_JOB_ID': '54321',
    'SLURM_PROCID': '2',
    'SLURM_STEP_NUM_TASKS': '5',
    'SLURM_STEP_NODELIST': 'node[2,10],login',
    'SLURM_STEP_TASKS_PER_NODE': '2(x2),1',
}


def test_a_process_by_itself():
    for environment in {}, {'TF_CONFIG': ''}, {'TF_CONFIG': '{}'}, {'SLURM_STEP_NUM_TASKS': '1'}:
        assert addresses(find(environment)) == []
    assert addresses(find({'TF_CONFIG': tf_config(worker=['a:1'])})) == ['a:1']


@pytest.mark.parametrize('config', [KUBEFLOW, VERTEX])
def test_tf_config_is_taken_as_it_is(config):
    found = find({'TF_CONFIG': json.dumps(config)} | SLURM)
    assert found == config
    assert addresses(found) == [each for job in config['cluster'].values() for each in job]


def test_an_index_may_be_a_text():
    found = find({'TF_CONFIG': tf_config(('worker', '1'), worker=['a:1', 'b:1'])})
    assert found['task'] == {'type': 'worker', 'index': 1}


def test_the_first_writes_whatever_the_order():
    text = tf_config(worker=['b:1'], chief=['a:1'])
    assert addresses(find({'TF_CONFIG': text})) == ['a:1', 'b:1']


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('{', 'Expecting property name'),
        ('[]', 'no attribute'),
        ('{"cluster": []}', 'no attribute'),
        (tf_config(worker=['a:1'], ps=['b:1']), 'the cluster has ps'),
        (tf_config(worker='ab'), 'host:port'),
        (tf_config(worker=['a', 'b:1']), 'host:port'),
        (tf_config(worker=[3]), 'expected string'),
        (tf_config(('worker', 2), worker=['a:1', 'b:1']), "{'type': 'worker', 'index': 2}"),
        (tf_config(('worker', '2'), worker=['a:1', 'b:1']), "'index': '2'"),
        (tf_config(('worker', '-1'), worker=['a:1', 'b:1']), "'index': '-1'"),
        (tf_config(('worker', True), worker=['a:1', 'b:1']), "'index': True"),
        (tf_config(('chief', 0), worker=['a:1', 'b:1']), "'type': 'chief'"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', 'no task {}'),
    ],
)
def test_a_wrong_tf_config_is_quoted_beside_a_right_one(text, words):
    with pytest.raises(ClusterError) as refusal:
        find({'TF_CONFIG': text})
    assert words in str(refusal.value)
    assert repr(text) in str(refusal.value) and cluster.EXAMPLE in str(refusal.value)
    assert len(addresses(find({'TF_CONFIG': cluster.EXAMPLE}))) == 2


def test_slurm_says_the_same():
    found = find(SLURM)
    ports = 12_000 + 16 * 321, 12_001 + 16 * 321
    names = ('node2', 'node2', 'node10', 'node10', 'login')
    assert addresses(found) == [f'{name}:{ports[i % 2]}' for i, name in enumerate(names)]
    assert found['task'] == {'type': 'worker', 'index': 2}


@pytest.mark.parametrize(
    'change',
    [
        {'SLURM_PROCID': '5'},
        {'SLURM_PROCID': 'first'},
        {'SLURM_STEP_TASKS_PER_NODE': '2(x2)'},
        {'SLURM_STEP_NODELIST': 'node[2,'},
        {'SLURM_JOB_ID': ''},
    ],
)
def test_slurm_variables_that_make_no_sense(change):
    with pytest.raises(ClusterError, match='SLURM_STEP_NODELIST'):
        find(SLURM | change)
    with pytest.raises(ClusterError, match='SLURM_STEP_NODELIST'):
        find({key: value for key, value in SLURM.items() if key != next(iter(change))})


def test_a_number_of_tasks_that_is_none_is_no_process_by_itself():
    with pytest.raises(ClusterError, match='SLURM_STEP_NUM_TASKS'):
        find({'SLURM_STEP_NUM_TASKS': 'five'})


@pytest.mark.parametrize(
    ('text', 'hosts'),
    [
        ('localhost', ['localhost']),
        ('a,b.example.org,c-1', ['a', 'b.example.org', 'c-1']),
        ('n[1-3]', ['n1', 'n2', 'n3']),
        ('gpu[08-10,12],login', ['gpu08', 'gpu09', 'gpu10', 'gpu12', 'login']),
        ('r[1-2]n[09-10].x', ['r1n09.x', 'r1n10.x', 'r2n09.x', 'r2n10.x']),
    ],
)
def test_host_names_in_short(text, hosts):
    assert expand_hosts(text) == hosts


def test_counts_in_short():
    assert expand_counts('2(x3),1') == [2, 2, 2, 1]
    assert expand_counts('1') == [1]
    assert expand_counts('3,12(x2)') == [3, 12, 12]


def test_a_port_is_opened_where_strangers_are_kept_out():
    needs_others()
    with pytest.raises(ClusterError) as refusal:
        check_network('multi_worker', trusted=False)
    words = str(refusal.value)
    assert words.startswith('--strategy=multi_worker opens a port')
    for word in 'read files and run code', '--trusted_network', '--virtual_devices=2':
        assert word in words
    named = words.split('(by ')[1].split(')')[0].split(', ')
    assert set(named) <= {name for _, name in socket.if_nameindex()} - {'lo'}
    check_network('multi_worker', trusted=True)


def test_or_where_nobody_else_is():
    code = "from tfgan.distributed import cluster; cluster.check_network('multi_worker', False)"
    command = [*cut_off(), sys.executable, '-c', code]
    done = subprocess.run(command, env=environments(1)[0], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
