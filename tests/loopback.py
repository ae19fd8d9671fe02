"""Environments of processes that train together on this machine."""

import json
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent


def free_ports(count):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def environments(processes):
    """One for each of so many processes; they find the package and the tests' modules."""
    common = os.environ | {'PYTHONPATH': os.pathsep.join([str(HERE), str(HERE.parent)])}
    if processes == 1:
        return [common]
    workers = [f'127.0.0.1:{port}' for port in free_ports(processes)]
    tasks = [{'type': 'worker', 'index': index} for index in range(processes)]
    configs = [{'cluster': {'worker': workers}, 'task': task} for task in tasks]
    return [common | {'TF_CONFIG': json.dumps(config)} for config in configs]


def needs_others():
    """Skips a test on a machine that nobody else can reach."""
    if [name for _, name in socket.if_nameindex()] == ['lo']:
        pytest.skip('this machine has no network')


def cut_off():
    """The beginning of a command line that has no network but the loopback."""
    command = ['unshare', '--map-root-user', '--net', 'sh', '-c']
    command += ['ip link set lo up && exec "$@"', 'sh']
    if not (shutil.which('unshare') and shutil.which('ip')):
        pytest.skip('unshare and ip are not here')
    if subprocess.run([*command, 'true'], capture_output=True).returncode:
        pytest.skip('a network of its own is not permitted here')
    return command
