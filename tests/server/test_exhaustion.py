"""Clients that take all of something (connections, streams, memory, turns) shut nobody out."""

import concurrent.futures
import contextlib
import errno
import itertools
import json
import os
import shutil
import time

import http2
import pytest
from clients import ONE_ROW, Bystander, asked, connect, is_closed, post
from servers import Server

ROWS = ('tfgan_batch_rows_sum', 'busy')


# -- Connections and descriptors


def silent(server):
    return connect(server.place)


def kept_alive(server):
    client = connect(server.place)
    client.sendall(asked(ONE_ROW))
    assert client.recv(1 << 16).startswith(b'HTTP/1.1 200')
    return client


def silent_grpc(server):
    return connect(server.grpc_place)


def idle_grpc(server):
    client = connect(server.grpc_place)
    client.sendall(http2.PREFACE + http2.settings())
    return client


def crowd(server, stack, idle, full):
    """So many idle connections that there are no descriptors for all of them."""
    clients = []
    for _ in range(1100 if full else 80):
        with contextlib.suppress(ConnectionError):  # A newer one may be refused, too.
            clients.append(stack.enter_context(contextlib.closing(idle(server))))
    return clients


@pytest.mark.parametrize('idle', [silent, kept_alive])
def test_idle_connections_are_let_go_before_descriptors_run_out(both, idle, full):
    descriptors = 1024 if full else 64
    with (
        Server(both, '--max_secs=30', descriptors=descriptors) as server,
        contextlib.ExitStack() as stack,
    ):
        clients = crowd(server, stack, idle, full)
        with Bystander(server, 'toy') as rest, Bystander(server, 'toy', 'grpc') as by_grpc:
            time.sleep(1.5)
        assert server.lives(), server.heard()
        assert rest.is_served() and by_grpc.is_served()
        assert any(map(is_closed, clients[: len(clients) // 2]))
        assert server.end()[0] == 0


@pytest.mark.parametrize('idle', [silent_grpc, idle_grpc])
def test_idle_connections_by_grpc_keep_others_out_for_max_secs_at_most(both, idle, full):
    """Its library takes no new ones beyond the limit, and closes those that idle."""
    descriptors = 1024 if full else 64
    with (
        Server(both, '--max_secs=2', descriptors=descriptors) as server,
        contextlib.ExitStack() as stack,
    ):
        with Bystander(server, 'toy', 'grpc') as earlier:
            crowd(server, stack, idle, full)
            with Bystander(server, 'toy') as rest:
                time.sleep(1.5)
        assert server.lives(), server.heard()
        assert rest.is_served() and earlier.is_served()
        time.sleep(3)
        with Bystander(server, 'toy', 'grpc') as later:
            time.sleep(1)
        assert later.is_served()
        assert server.end()[0] == 0


def test_connections_are_limited_and_the_oldest_idle_one_goes(both):
    with Server(both, '--max_connections=10') as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(silent(server)) for _ in range(8)]
        busy = stack.enter_context(connect(server.place))
        busy.sendall(asked({'instances': [1_500_000]}, 'busy'))
        time.sleep(0.2)
        clients += [stack.enter_context(silent(server)) for _ in range(12)]
        assert post(server.place, ONE_ROW)[0] == 200
        assert all(map(is_closed, clients[:8]))
        assert busy.recv(100).startswith(b'HTTP/1.1 200')  # It was no idle one.
        assert server.end()[0] == 0


def test_a_look_that_fails_is_told_and_tried_again(exported, tmp_path):
    """The folder of models becomes one that cannot be read, and then is there again."""
    models, place = tmp_path / 'models', tmp_path / 'place'
    shutil.copytree(exported, models / 'toy')
    place.symlink_to(models)
    with Server(place) as server:
        place.unlink()
        place.symlink_to('x' * 300)  # Whoever follows it is told that the name is too long.
        with pytest.raises(OSError, match='too long') as raised:
            os.stat(place)
        assert raised.value.errno == errno.ENAMETOOLONG
        server.until('too long', secs=10)
        time.sleep(2)  # There were twenty looks, if each came after --poll_secs.
        assert server.lives()
        assert post(server.place, ONE_ROW, 'toy')[0] == 200
        assert 1 <= server.heard().count('too long') <= 6
        assert 'Traceback' not in server.heard()
        place.unlink()
        shutil.copytree(models / 'toy/1', models / 'toy/2')
        place.symlink_to(models)
        server.until('toy version 2 is served', secs=20)
        assert server.end()[0] == 0


# -- Streams, and answers that nobody reads


def test_silent_streams_shut_nobody_out(both):
    streams = 4096  # --max_waiting has as many.
    with Server(both, '--max_secs=2') as server, http2.Connection(server.grpc_place) as silent:
        with Bystander(server, 'toy', 'grpc') as other:
            silent.send(b''.join(map(http2.call_headers, range(1, 2 * streams, 2))))
            _, in_time = ended_streams(silent, streams, 10)
        assert in_time and other.is_served()
        assert server.end()[0] == 0


def ended_streams(connection, count, secs):
    """The numbers of streams that the server ended, and whether that or an end came in time."""
    began, ended = time.monotonic(), set()
    for kind, flags, stream, _ in connection.frames():
        if kind == http2.RST_STREAM or (kind == http2.HEADERS and flags & http2.END_STREAM):
            ended.add(stream)
        if len(ended) == count or time.monotonic() - began > secs:
            break
    return ended, time.monotonic() - began < secs


BLOBS = {'signature_name': 'blobs', 'instances': [1] * 16}  # These are 22 MB of JSON.


@pytest.mark.parametrize('pipelined', [1, 8])
def test_answers_that_nobody_reads_are_let_go(both, full, pipelined):
    count, secs = 48 if full else 6, 2
    with Server(both, f'--max_secs={secs}') as server, contextlib.ExitStack() as stack:
        post(server.place, json.dumps(BLOBS), 'busy')
        with server.growth() as grown:
            clients = [stack.enter_context(connect(server.place, 4096)) for _ in range(count)]
            for client in clients:
                client.sendall(asked(BLOBS, 'busy') * pipelined)
            until_drawn(server, 16 * (count + 1))
            time.sleep(2 * secs + 1)
        assert grown.kept < 64
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            whole = 22 << 20
            assert all(size < whole for size in pool.map(size_of_rest, clients))
        assert server.end()[0] == 0


def until_drawn(server, rows, secs=20):
    """Waits until so many rows were drawn, or so long."""
    began = time.monotonic()
    while server.counts()[ROWS] < rows and time.monotonic() - began < secs:
        time.sleep(0.1)


def size_of_rest(client):
    """How many bytes still come, until the other side closes; it does so."""
    size = 0
    with contextlib.suppress(ConnectionError):
        while more := client.recv(1 << 20):
            size += len(more)
    return size


def test_answers_without_a_window_are_let_go(both, full):
    count, streams, secs = (12, 4, 2) if full else (3, 2, 2)
    request = http2.predict_request(
        {'seed': http2.seeds(*[1] * 16)}, model='busy', signature='blobs'
    )
    with Server(both, f'--max_secs={secs}') as server, contextlib.ExitStack() as stack:
        with server.growth() as grown:
            clients = [
                stack.enter_context(http2.Connection(server.grpc_place, INITIAL_WINDOW_SIZE=0))
                for _ in range(count)
            ]
            for client, number in itertools.product(clients, range(1, 2 * streams, 2)):
                client.send(http2.call_headers(number))
                client.send(http2.call_data(number, http2.message(request)))
            with concurrent.futures.ThreadPoolExecutor(count) as pool:
                ends = list(pool.map(lambda client: ended_streams(client, streams, 12), clients))
            assert all(in_time for _, in_time in ends)
            time.sleep(0.5)
        assert grown.kept < 64
        assert server.end()[0] == 0
