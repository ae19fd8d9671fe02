"""Environments of processes that train together on this machine."""

import json
import os
import pathlib
import socket

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
