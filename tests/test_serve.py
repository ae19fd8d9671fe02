"""The server as a whole: it starts, swaps, is attacked, and ends well."""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import threading
import time

import forks
import grpc
import numpy as np
import pytest
import requests
from grpc_health.v1 import health_pb2, health_pb2_grpc
from servers import LIMITS, Server
from toy_models import export_toy, toy_gan

import tfgan
from tfgan.errors import ModelError

ROOT = pathlib.Path(__file__).parents[1]
HOST = 'Host: localhost\r\n'


@pytest.fixture
def models(exported, tmp_path):
    shutil.copytree(exported, tmp_path / 'models/toy')
    return tmp_path / 'models'


def test_it_says_where_it_is_and_ends_in_peace(models):
    with Server(models) as server:
        assert 'toy version 1 is served' in server.said
        assert server.rest.startswith('http://127.0.0.1:')
        assert requests.post(f'{server.rest}/v1/models/toy:predict', json={'inputs': [1]}).ok
        assert server.end() == (0, '')


def test_what_was_asked_before_the_end_is_answered(models):
    body = json.dumps({'instances': list(range(1000))}).encode()
    head = f'POST /v1/models/toy:predict HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n\r\n'
    with Server(models) as server:
        clients = [socket.create_connection(server.place) for _ in range(8)]
        for client in clients:
            client.sendall(head.encode() + body)
        requests.get(f'{server.rest}/v1/models/toy')  # answered, so the others have been heard
        assert server.end()[0] == 0
    answers = [whole(client) for client in clients]
    assert [status for status, _ in answers].count(200) >= 4  # as many rows as may wait
    for status, content in answers:
        assert status in (200, 503)
        assert (
            len(content['predictions']) == 1000 if status == 200 else 'waiting' in content['error']
        )


def whole(client):
    """The status and content of the answer to all that a connection asked."""
    with client:
        head, _, body = b''.join(iter(lambda: client.recv(1 << 20), b'')).partition(b'\r\n\r\n')
    return int(head.split()[1]), json.loads(body)


@pytest.mark.long
def test_a_new_version_takes_over_without_a_fault(models, toy):
    """A thread asks all the time while a version comes; each answer is one of the two versions'."""
    with Server(models) as server:
        new, seeds = toy_gan(seed=1), np.arange(4)
        expected = [gan.draw(seeds).astype(int) for gan in (toy, new)]
        seen, faults, stop = [], [], threading.Event()

        def ask():
            model = tfgan.connect(server.rest, 'toy')
            while not stop.is_set():
                try:
                    drawn = model.draw(seeds)
                except ModelError as error:
                    faults.append(str(error))
                    continue
                seen.append([bool(abs(drawn - each).max() <= 1) for each in expected])

        askers = [threading.Thread(target=ask) for _ in range(32)]
        for asker in askers:
            asker.start()
        export_toy(new, models / 'toy')
        server.until('toy version 2 is served')
        time.sleep(0.5)
        stop.set()
        for asker in askers:
            asker.join()
        assert faults == []
        assert [True, False] in seen and [False, True] in seen
        assert all(sum(which) == 1 for which in seen)
        assert tfgan.connect(server.grpc, 'toy').status() == {1: 'END', 2: 'AVAILABLE'}
        assert server.end()[0] == 0


@pytest.fixture(scope='module')
def elsewhere(exported, tmp_path_factory):
    """A server at the IPv6 loopback, of models and versions whose names are not plain."""
    models = tmp_path_factory.mktemp('served') / 'my models [1]'
    for name in NAMES:
        shutil.copytree(exported / '1', models / name / '0001')
    with Server(models, '--host=::1') as server:
        yield server


NAMES = 'v[2]', 'my models', 'a:b?c#d%20', 'ünï'


@pytest.mark.parametrize('kind', ['rest', 'grpc'])
@pytest.mark.parametrize('name', NAMES)
def test_models_of_any_name_are_served_at_an_ipv6_address(elsewhere, toy, kind, name):
    place = getattr(elsewhere, kind)
    assert place.startswith({'rest': 'http://[::1]:', 'grpc': 'grpc://[::1]:'}[kind])
    model = tfgan.connect(place, name, version=1)
    assert model.status() == {1: 'AVAILABLE'}
    assert model.metadata()['model_spec']['name'] == name
    assert np.array_equal(model.draw([3, 7]), toy.draw(np.array([3, 7])))


def test_who_watches_is_told_of_changes_and_keeps_nobody_waiting(models):
    """The version that is there does not load, then one comes that does, then the server ends."""
    (models / 'toy').rename(models / 'good')
    shutil.copytree(models / 'good/1', models / 'toy/1')
    (models / 'toy/1/saved_model.pb').write_bytes(b'no model')
    states = health_pb2.HealthCheckResponse
    with Server(models) as server, channel_to(server) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watched = stub.Watch(health_pb2.HealthCheckRequest(service='toy'), timeout=60)
        assert next(watched).status == states.NOT_SERVING
        shutil.copytree(models / 'good/1', models / 'toy/2')
        assert next(watched).status == states.SERVING
        began = time.monotonic()
        assert server.end()[0] == 0
        assert time.monotonic() - began < 10  # of the 30 s that requests may take
        assert [answer.status for answer in watched] == [states.NOT_SERVING]


def channel_to(server):
    return grpc.insecure_channel(server.grpc.removeprefix('grpc://'))


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--models=nowhere'], 'nowhere: no such directory'),
        (['--models=.'], 'no exported model there'),
        (['--max_rows=0'], 'max_rows'),
    ],
)
def test_refusals_come_before_it_listens(tmp_path, flags, words):
    done = serve(tmp_path, *flags)
    assert done.returncode == 1 and words in done.stderr
    assert 'Traceback' not in done.stderr or '--max_rows' in done.stderr


def serve(cwd, *flags):
    return subprocess.run(
        [*forks.python(), '-m', 'tfgan.serve', *flags],
        cwd=cwd, env=os.environ | {'PYTHONPATH': str(ROOT)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize('flag', ['port', 'grpc_port'])
def test_a_port_that_is_taken_is_said(models, flag):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        free = {'port': 0, 'grpc_port': 0} | {flag: port}
        ports = [f'--{name}={number}' for name, number in free.items()]
        done = serve(models.parent, '--models=models', *ports)
    assert done.returncode == 1
    assert '--host=127.0.0.1' in done.stderr  # an address that is not this machine's fails alike
    assert f'--{flag}={port}' in done.stderr and 'Traceback' not in done.stderr


GOOD = {'instances': [1, 2]}


def wrong_bodies(rng):
    """A body that no client should send."""
    number = rng.choice(['1', '1.5', '-3', '1e400', 'NaN', '9' * 30, 'null', 'true', '"x"', '{}'])
    shape = rng.choice(['[{}]', '{}', '[[{}]]', '{{"seed": {}}}', '[{{"seed": {}}}]', '[{}, []]'])
    name = rng.choice(
        ['png', 'labelled', 'latents', 'truncated', 'interpolate', 'discriminate', '']
    )
    key = rng.choice(['inputs', 'instances', 'stances'])
    whole = f'{{"signature_name": "{name}", "{key}": {shape.format(number)}}}'
    return rng.choice([
        whole,
        whole[: rng.randrange(len(whole))],
        json.dumps({'inputs': [0] * rng.choice([0, 257, 5000])}),
        '[' * rng.choice([1, 5000, 90_000]),
        '{"instances":' * 5000,
        ' ' * 200_000,
    ]).encode()  # fmt: skip


def random_bytes(rng):
    return rng.randbytes(rng.randrange(1, 3000))


def request_bytes(rng):
    body = wrong_bodies(rng) if rng.random() < 0.8 else random_bytes(rng)
    length = rng.choice([len(body)] * 6 + [0, 3, len(body) + 5, -1])
    path = rng.choice(['/v1/models/toy:predict'] * 6 + ['/v1/models/%00:predict', '/' + 'x' * 9000])
    method = rng.choice(['POST'] * 8 + ['GET', 'PUT', 'BREW'])
    return (
        f'{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n'.encode()
        + body
    )


def attack(place, seed):
    """One hostile connection; the status of the answer, or None if the connection was closed."""
    rng = random.Random(seed)
    with socket.create_connection(place, timeout=20) as client:
        try:
            client.sendall(random_bytes(rng) if rng.random() < 0.2 else request_bytes(rng))
            if rng.random() < 0.4:
                client.shutdown(rng.choice([socket.SHUT_WR, socket.SHUT_RDWR]))
            said = client.recv(65536)
        except TimeoutError:
            raise  # it was neither answered nor closed
        except OSError:
            return None  # sent away before it was heard out
    return int(said.split()[1]) if said.startswith(b'HTTP/1.') else None


def test_hostile_requests_are_survived(models, full):
    half = 1000 if full else 200
    with Server(models, *LIMITS, '--max_secs=1') as server:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda seed: attack(server.place, seed), range(half)))
            before = server.resident()
            found += pool.map(lambda seed: attack(server.place, seed), range(half, 2 * half))
        assert {status for status in found if status} <= {200, 400, 404, 405, 408, 413, 414, 501}
        assert found.count(400) > half / 2  # most were heard, and told
        assert server.resident() < before + 32  # MiB
        good = requests.post(f'{server.rest}/v1/models/toy:predict', json=GOOD, timeout=5)
        assert good.status_code == 200
        code, said = server.end()
        assert (code, said) == (0, '')
