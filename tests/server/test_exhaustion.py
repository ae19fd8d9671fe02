"""Clients that take all of something (connections, streams, memory, turns) shut nobody out."""

import concurrent.futures
import contextlib
import errno
import itertools
import os
import shutil
import time

import http2
import pytest
from clients import ONE_ROW, Bystander, asked, connect, is_closed, post
from servers import Server

UNTIL_SECS = 10  # What takes --max_secs=2 has ended.
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


def opened(server, stack, idle, count):
    """So many clients that idle."""
    clients = []
    for _ in range(count):
        with contextlib.suppress(ConnectionError):  # A newer one may be refused.
            clients.append(stack.enter_context(contextlib.closing(idle(server))))
    return clients


def at_size(full):
    """(descriptors, more connections than these)"""
    return (1024, 1100) if full else (64, 80)


@pytest.mark.parametrize('idle', [silent, kept_alive])
def test_idle_connections_are_let_go_before_descriptors_run_out(both, idle, full):
    descriptors, count = at_size(full)
    with (
        Server(both, '--trust_model', descriptors=descriptors) as server,
        contextlib.ExitStack() as stack,
    ):
        clients = opened(server, stack, idle, count)
        with Bystander(server) as rest, Bystander(server, api='grpc') as by_grpc:
            time.sleep(1)
        assert rest.is_served() and by_grpc.is_served()
        assert any(map(is_closed, clients[: count // 2]))
        assert server.end()[0] == 0


@pytest.mark.parametrize('idle', [silent_grpc, idle_grpc])
def test_idle_connections_of_grpc_end_before_descriptors_run_out(both, idle, full):
    """gRPC refuses newer ones, until those that idle end by --max_secs; REST is open meanwhile."""
    descriptors, count = at_size(full)
    with (
        Server(both, '--trust_model', '--max_secs=2', descriptors=descriptors) as server,
        contextlib.ExitStack() as stack,
    ):
        opened(server, stack, idle, count)
        with Bystander(server) as rest, server.channel() as channel:
            body = http2.predict_request({'seed': http2.seeds(3)})
            call = channel.unary_unary(http2.PREDICT)
            assert call(body, timeout=UNTIL_SECS, wait_for_ready=True)
        assert rest.is_served()
        assert server.end()[0] == 0


def test_connections_are_limited_and_the_oldest_idle_one_goes(both):
    with (
        Server(both, '--trust_model', '--max_connections=10') as server,
        contextlib.ExitStack() as stack,
    ):
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
    with (
        Server(both, '--trust_model', '--max_secs=2') as server,
        http2.Connection(server.grpc_place) as silent,
    ):
        with Bystander(server, api='grpc') as other:
            silent.send(b''.join(map(http2.call_headers, range(1, 2 * streams, 2))))
            _, in_time = ended_streams(silent, streams, UNTIL_SECS)
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


BLOBS = {'signature_name': 'blobs', 'instances': [1] * 16}
BLOBS_MIB = 22  # of JSON, about


@pytest.mark.parametrize('pipelined', [1, 8])
def test_answers_that_nobody_reads_are_let_go(both, full, pipelined):
    """What a second round takes is let go again; C's allocator keeps some of the first's."""
    count = 48 if full else 10
    with Server(both, '--trust_model', '--max_secs=2') as server, contextlib.ExitStack() as stack:
        until_let_go(server, unread_answers(server, stack, count, pipelined))
        with server.growth() as grown:
            clients = unread_answers(server, stack, count, pipelined)
            until_let_go(server, clients)
        assert grown.kept < count * BLOBS_MIB / 2
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            assert all(size < BLOBS_MIB << 20 for size in pool.map(size_of_rest, clients))
        assert server.end()[0] == 0


def unread_answers(server, stack, count, pipelined):
    """Clients that asked for much and read nothing, once all was drawn."""
    clients = [stack.enter_context(connect(server.place, 4096)) for _ in range(count)]
    drawn = server.counts().get(ROWS, 0)
    for client in clients:
        client.sendall(asked(BLOBS, 'busy') * pipelined)
    until_drawn(server, drawn + len(BLOBS['instances']) * count)
    return clients


def until_let_go(server, clients):
    """Waits until most of the clients' connections have no end at the server any more."""
    before, began = server.descriptors(), time.monotonic()
    while server.descriptors() > before - len(clients) / 2 and (
        time.monotonic() - began < UNTIL_SECS
    ):
        time.sleep(0.1)
    time.sleep(1)


def until_drawn(server, rows, secs=20):
    """Waits until so many rows were drawn, or so long."""
    began = time.monotonic()
    while server.counts().get(ROWS, 0) < rows and time.monotonic() - began < secs:
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
    with (
        Server(both, '--trust_model', f'--max_secs={secs}') as server,
        contextlib.ExitStack() as stack,
    ):
        assert are_in_time(unwanted_answers(server, stack, count, streams), streams)
        with server.growth() as grown:
            clients = unwanted_answers(server, stack, count, streams)
            assert are_in_time(clients, streams)
            time.sleep(0.5)
        assert grown.kept < 64
        assert server.end()[0] == 0


def unwanted_answers(server, stack, count, streams):
    """Connections that asked for much on each stream and let nothing come."""
    seeds = {'seed': http2.seeds(*BLOBS['instances'])}
    request = http2.message(http2.predict_request(seeds, 'busy', 'blobs'))
    clients = [
        stack.enter_context(http2.Connection(server.grpc_place, INITIAL_WINDOW_SIZE=0))
        for _ in range(count)
    ]
    for client, number in itertools.product(clients, range(1, 2 * streams, 2)):
        client.send(http2.call_headers(number) + http2.call_data(number, request))
    return clients


def are_in_time(clients, streams):
    """Whether the server ended all streams of all connections, or these, in time."""
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        ends = pool.map(lambda client: ended_streams(client, streams, UNTIL_SECS), clients)
        return all(in_time for _, in_time in ends)
