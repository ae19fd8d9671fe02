"""The samples for Slurm and Kubernetes are whole, and the commands they run train on loopback."""

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys

import forks
import pytest
import yaml
from commands import TOY, small_data
from loopback import HERE, free_ports

ROOT = HERE.parent
SLURM = ROOT / 'scripts/slurm/train.sbatch'
STEPS = ['--steps=20', '--run_dir=runs/toy', '--export_dir=models/toy', *TOY]

# What srun does, with both tasks on this machine.
SRUN = f"""#!{sys.executable}
import os, subprocess, sys
command = sys.argv[1:]
while command[0].startswith('--'):
    command.pop(0)
step = {{'NUM_TASKS': '2', 'NODELIST': 'localhost', 'TASKS_PER_NODE': '2'}}
step = {{f'SLURM_STEP_{{key}}': value for key, value in step.items()}}
tasks = [
    subprocess.Popen(command, env=os.environ | step | {{'SLURM_PROCID': str(i)}}) for i in range(2)
]
sys.exit(max(task.wait(120) for task in tasks))
"""


def python_at(folder):
    folder.mkdir(parents=True)
    (folder / 'python').write_text(f'#!/bin/sh\nexec {shlex.join(forks.python())} "$@"\n')
    (folder / 'python').chmod(0o755)
    return folder


@pytest.fixture
def place(tmp_path):
    """A project's directory with an environment, and a cluster's commands on the path."""
    python_at(tmp_path / '.venv/bin')
    (tmp_path / 'bin').mkdir()
    for name, text in ('srun', SRUN), ('scontrol', '#!/bin/sh\necho scontrol "$@"\n'):
        (tmp_path / 'bin' / name).write_text(text)
        (tmp_path / 'bin' / name).chmod(0o755)
    return tmp_path


def environment(place, **more):
    path = f'{place / "bin"}{os.pathsep}{os.environ["PATH"]}'
    return os.environ | {'PATH': path, 'PYTHONPATH': str(ROOT)} | more


@pytest.mark.long
def test_the_slurm_job_trains_with_two_tasks(place):
    done = subprocess.run(
        [SLURM, '--trusted_network', *STEPS, small_data(place)],
        cwd=place, env=environment(place, SLURM_JOB_ID='77'), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'multi_worker, as asked: 2 replicas in 2 processes' in done.stdout
    port = 12_000 + 16 * 77
    assert f'waiting for localhost:{port}, localhost:{port + 1}, ' in done.stdout
    assert (place / 'models/toy/1/saved_model.pb').exists()
    assert not (place / 'models/toy/2').exists()


@pytest.mark.parametrize(('code', 'queued'), [(143, True), (1, False), (137, False)])
def test_a_slurm_job_that_was_told_to_end_queues_again(place, code, queued):
    (place / 'bin/srun').write_text(f'#!/bin/sh\nexit {code}\n')
    variables = environment(place, SLURM_JOB_ID='77')
    done = subprocess.run([SLURM], cwd=place, env=variables, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout == ('scontrol requeue 77\n' if queued else '')


def test_slurms_options_are_its_own():
    options = re.findall(r'^#SBATCH --([a-z-]+)(?:=(\S+))?$', SLURM.read_text(), re.MULTILINE)
    assert len(options) == SLURM.read_text().count('#SBATCH')
    known = dict(options)
    assert {'nodes', 'ntasks-per-node', 'time', 'requeue', 'open-mode', 'output'} <= set(known)
    signal, secs = known['signal'].split('@')
    assert signal == 'TERM' and int(secs) > 60


def manifest():
    text = (ROOT / 'scripts/kubernetes/train.yaml').read_text()
    return {each['kind']: each for each in yaml.safe_load_all(text)}


def test_the_kubernetes_job_holds_together():
    service, job = manifest()['Service'], manifest()['Job']
    pod = job['spec']['template']
    [container] = pod['spec']['containers']
    variables = {each['name']: each['value'] for each in container['env']}
    assert job['spec']['completions'] == job['spec']['parallelism'] == int(variables['WORKERS'])
    assert job['spec']['completionMode'] == 'Indexed'
    assert service['spec']['selector'] == pod['metadata']['labels']
    # A pod is called after its job and its index; the service is its domain.
    assert pod['spec']['subdomain'] == service['metadata']['name']
    [port] = {each['containerPort'] for each in container['ports']}
    domain = f'{job["metadata"]["name"]}-%d.{service["metadata"]["name"]}:{port}'
    assert variables['ADDRESS'] == domain
    assert {each['port'] for each in service['spec']['ports']} == {port}
    mounts = {mount['mountPath']: mount['name'] for mount in container['volumeMounts']}
    assert container['workingDir'] in mounts
    assert set(mounts.values()) == {volume['name'] for volume in pod['spec']['volumes']}


def test_only_the_jobs_own_pods_reach_its_port():
    policy, pod = manifest()['NetworkPolicy']['spec'], manifest()['Job']['spec']['template']
    [container] = pod['spec']['containers']
    own = {'matchLabels': pod['metadata']['labels']}
    assert policy['podSelector'] == own and policy['policyTypes'] == ['Ingress']
    [rule] = policy['ingress']
    assert rule['from'] == [{'podSelector': own}]
    ports = [each['containerPort'] for each in container['ports']]
    assert rule['ports'] == [{'protocol': 'TCP', 'port': port} for port in ports]
    assert '--trusted_network' in container['command'][2]
    assert '--trusted_network' not in SLURM.read_text().split('set -eu')[1]  # a person says so


def two_free_ports():
    """All but the last digit, which is 0 and 1, of two ports."""
    while True:
        tens = free_ports(1)[0] // 10
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for last in range(2):
                stack.enter_context(socket.create_server(('127.0.0.1', 10 * tens + last)))
            return tens


@pytest.mark.long
def test_the_kubernetes_command_trains_with_two_pods(tmp_path):
    [container] = manifest()['Job']['spec']['template']['spec']['containers']
    address = f'127.0.0.1:{two_free_ports()}%d'
    bin, started = python_at(tmp_path / 'bin'), []
    for index in range(2):
        variables = {'WORKERS': '2', 'ADDRESS': address, 'JOB_COMPLETION_INDEX': str(index)}
        path = f'{bin}{os.pathsep}{os.environ["PATH"]}'
        started.append(
            subprocess.Popen(
                [*container['command'], *STEPS, small_data(tmp_path)],
                cwd=tmp_path,
                env=os.environ | variables | {'PATH': path, 'PYTHONPATH': str(ROOT)},
            )
        )
    try:
        assert [process.wait(120) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    assert (tmp_path / 'models/toy/1/saved_model.pb').exists()
