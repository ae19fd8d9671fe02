"""Clients that take all of something (connections, streams, memory, turns) shut nobody out."""

import concurrent.futures
import contextlib
import errno
import itertools
import json
import os
import select
import shutil
import socket
import struct
import threading
import time

import grpc
import http2
import pytest
from servers import ONE_ROW, Bystander, Server, post

HEAD = b'POST /v1/models/%s:predict HTTP/1.1\r\nHost: localhost\r\n'
ROWS = ('tfgan_batch_rows_sum', 'busy')
BATCHES = ('tfgan_batch_rows_count', 'busy')
PAUSE_SECS = 0.75  # What asks for a row beside all this has it in so many seconds.


def asked(body, model='busy', more=b''):
    """The bytes of a request for a prediction."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HEAD % model.encode() + b'Content-Length: %d\r\n%s\r\n' % (len(body), more) + body


def connect(place, receive_buffer=None):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(30)
    client.connect(place)
    return client


def is_closed(client):
    """Whether a client from which nothing is to come was closed by the other side."""
    ready, _, _ = select.select([client], [], [], 0)
    try:
        return bool(ready) and client.recv(1 << 16) == b''
    except ConnectionError:
        return True


# -- Connections and descriptors


def silent(server):
    return connect(server.place)


def kept_alive(server):
    client = connect(server.place)
    client.sendall(asked(ONE_ROW, 'toy'))
    assert client.recv(1 << 16).startswith(b'HTTP/1.1 200')
    return client


def silent_grpc(server):
    return connect(server.grpc_place)


def idle_grpc(server):
    client = connect(server.grpc_place)
    client.sendall(http2.PREFACE + http2.settings())
    return client


@pytest.mark.parametrize('idle', [silent, kept_alive, silent_grpc, idle_grpc])
def test_idle_connections_are_let_go_before_descriptors_run_out(both, idle, full):
    descriptors, connections = (1024, 1100) if full else (64, 80)
    with (
        Server(both, '--max_secs=30', descriptors=descriptors) as server,
        contextlib.ExitStack() as stack,
    ):
        clients = []
        for _ in range(connections):
            with contextlib.suppress(ConnectionError):  # A newer one may be refused, too.
                clients.append(stack.enter_context(contextlib.closing(idle(server))))
        with Bystander(server, 'toy') as rest, Bystander(server, 'toy', 'grpc') as by_grpc:
            time.sleep(1.5)
        assert server.lives(), server.heard()
        for other in rest, by_grpc:
            assert not other.wrong and max(other.secs) < PAUSE_SECS
        first_half = clients[: len(clients) // 2]
        assert any(map(is_closed, first_half)) or 'grpc' in idle.__name__
        assert server.end()[0] == 0


def test_connections_are_limited_and_the_oldest_idle_one_goes(both):
    with Server(both, '--max_connections=10') as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(silent(server)) for _ in range(8)]
        busy = stack.enter_context(connect(server.place))
        busy.sendall(asked({'instances': [1_500_000]}))
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
        began = time.monotonic()
        numbers = range(1, 2 * streams, 2)
        silent.send(b''.join(map(http2.call_headers, numbers)))
        with Bystander(server, 'toy', 'grpc') as other:
            ended = ended_streams(silent, streams)
            secs = time.monotonic() - began
        assert len(ended) == streams or silent.socket.recv(1) == b''
        assert secs < 3 * 2 + 1
        assert not other.wrong and max(other.secs) < PAUSE_SECS
        assert server.end()[0] == 0


def ended_streams(connection, count):
    """The numbers of streams that the server ended, until there are so many or it closed."""
    ended = set()
    for kind, flags, stream, _ in connection.frames():
        if kind == http2.RST_STREAM or (flags & http2.END_STREAM and stream):
            ended.add(stream)
        if len(ended) == count:
            break
    return ended


BLOBS = {'signature_name': 'blobs', 'instances': [1] * 16}  # These are 22 MB of JSON.


@pytest.mark.parametrize('pipelined', [1, 8])
def test_answers_that_nobody_reads_are_let_go(both, full, pipelined):
    count, secs = 48 if full else 6, 2
    with Server(both, f'--max_secs={secs}') as server, contextlib.ExitStack() as stack:
        post(server.place, json.dumps(BLOBS), 'busy')
        with server.growth() as grown:
            clients = [stack.enter_context(connect(server.place, 4096)) for _ in range(count)]
            for client in clients:
                client.sendall(asked(BLOBS) * pipelined)
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
            began = time.monotonic()
            for client in clients:
                assert len(ended_streams(client, streams)) in (0, streams)
            assert time.monotonic() - began < 3 * secs + 1 + count
            time.sleep(0.5)
        assert grown.kept < 64
        assert server.end()[0] == 0


# -- Turns and rows


class Greedy:
    """Clients that ask for as many rows as they may, over and over; `counts` are their answers."""

    def __init__(self, server, clients, api, rows=1024):
        self.counts = [0] * clients
        self._stop = threading.Event()
        ask = {'rest': self._by_rest, 'grpc': self._by_grpc}[api]
        self._threads = [
            threading.Thread(target=ask, args=[server, number, rows]) for number in range(clients)
        ]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        for each in self._threads:
            each.join()

    def _by_rest(self, server, number, rows):
        request = asked({'instances': list(range(rows))}, 'toy')
        with connect(server.place) as client, client.makefile('rb') as answers:
            while not self._stop.is_set():
                client.sendall(request)
                self.counts[number] += b' 200 ' in read_answer(answers)[0]

    def _by_grpc(self, server, number, rows):
        body = http2.predict_request({'seed': http2.seeds(*range(rows))})
        with server.channel() as channel:
            call = channel.unary_unary(http2.PREDICT)
            waiting = []
            while not self._stop.is_set():
                waiting = [each for each in waiting if not each.done()]
                waiting += [self._call(call, body, number) for _ in range(8 - len(waiting))]
                time.sleep(0.002)

    def _call(self, call, body, number):
        def count(done):
            self.counts[number] += done.code() == grpc.StatusCode.OK

        future = call.future(body, timeout=60)
        future.add_done_callback(count)
        return future


def read_answer(file):
    """(first line, {header: value}, body) of an answer; all empty where the connection ended."""
    first, headers = file.readline(), {}
    while (line := file.readline().strip()) != b'':
        name, _, value = line.partition(b':')
        headers[name.lower()] = value.strip()
    return first, headers, file.read(int(headers.get(b'content-length', 0)))


@pytest.mark.parametrize('api', ['rest', 'grpc'])
def test_greedy_clients_leave_others_their_turn(exported, api, full):
    """The owner gets as many answers of one row as any of six others gets of 1,024."""
    with Server(exported.parent) as server:
        post(server.place, ONE_ROW)
        before = 0
        with Greedy(server, 6, api) as others, Owner(server) as owner:
            time.sleep(1)
            before, theirs_before = owner.count, list(others.counts)
            time.sleep(10 if full else 3)
            count = owner.count - before
            theirs = [now - then for now, then in zip(others.counts, theirs_before, strict=True)]
        assert sum(theirs) > 0
        assert count >= 0.7 * sum(theirs) / len(theirs)
        assert server.end() == (0, '')


class Owner:
    """One connection that asks for one row after another; `count` are its answers."""

    def __init__(self, server):
        self.count, self._ended = 0, False
        self._thread = threading.Thread(target=self._ask_on, args=[server])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended = True
        self._thread.join()

    def _ask_on(self, server):
        with connect(server.place) as client, client.makefile('rb') as answers:
            while not self._ended:
                client.sendall(asked(ONE_ROW, 'toy'))
                self.count += b' 200 ' in read_answer(answers)[0]


def test_waiting_rows_are_limited_in_all(both):
    """A batch runs; 60 rows of one signature wait, so 60 of another and of a model cannot."""
    sixty = [0] * 60
    with Server(both, '--max_waiting=100') as server, contextlib.ExitStack() as stack:
        first, second, third, fourth = (
            stack.enter_context(connect(server.place)) for _ in range(4)
        )
        first.sendall(asked({'instances': [2_000_000]}))
        time.sleep(0.5)
        second.sendall(asked({'signature_name': 'also', 'instances': sixty}))
        time.sleep(0.3)
        began = time.monotonic()
        third.sendall(asked({'signature_name': 'picky', 'instances': sixty}))
        fourth.sendall(asked({'instances': sixty}, 'toy'))
        for refused in third, fourth:
            assert refused.recv(1000).startswith(b'HTTP/1.1 503 ')
        assert time.monotonic() - began < 1
        for served in first, second:
            assert served.recv(1000).startswith(b'HTTP/1.1 200 ')
        assert server.end()[0] == 0


# -- What nobody waits for


HELD_SECS = 1.5
# Its signature is not the one that runs, so that it waits for the model and for no batch before it.
HUNDRED = {'signature_name': 'also', 'instances': [0] * 100}
HUNDRED_BY_GRPC = http2.predict_request(
    {'seed': http2.seeds(*[0] * 100)}, model='busy', signature='also'
)


@contextlib.contextmanager
def held(server, secs=HELD_SECS):
    """A batch of one row that takes so long, while the block runs; what it had to wait for it."""
    with connect(server.place) as client:
        client.sendall(asked({'instances': [int(secs * 1e6)]}))
        time.sleep(0.3)
        yield
        assert client.recv(100).startswith(b'HTTP/1.1 200 ')


def leave_rest(server):
    """A connection that asks for a hundred rows, and a function that resets it."""
    client = connect(server.place)
    client.sendall(asked(HUNDRED))

    def leave():
        # A client that closes looks like one that has only sent all; one that resets does not.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        client.close()

    return leave


def leave_grpc(server):
    """The same by gRPC; the function cancels it."""
    channel = server.channel()
    call = channel.unary_unary(http2.PREDICT).future(HUNDRED_BY_GRPC)

    def leave():
        call.cancel()
        channel.close()

    return leave


@pytest.mark.parametrize('ask', [leave_rest, leave_grpc])
def test_requests_of_clients_that_left_are_not_drawn(both, ask):
    with Server(both) as server:
        before = server.counts()[ROWS]
        with held(server):
            leaving = [ask(server) for _ in range(8)]
            time.sleep(0.4)
            for leave in leaving:
                leave()
        assert post(server.place, '{"instances": [0]}', 'busy')[0] == 200
        assert server.counts()[ROWS] == before + 2
        assert server.end()[0] == 0


@pytest.mark.parametrize('api', ['rest', 'grpc', 'deadline'])
def test_requests_that_were_refused_late_are_not_drawn(both, api):
    secs = 30 if api == 'deadline' else 0.6
    with Server(both, f'--max_secs={secs}') as server:
        before = server.counts()[ROWS]
        with concurrent.futures.ThreadPoolExecutor(8) as pool, server.channel() as channel:
            holding = pool.submit(post, server.place, '{"instances": [1500000]}', 'busy')
            time.sleep(0.3)
            if api == 'rest':
                body = json.dumps(HUNDRED)
                late = [pool.submit(post, server.place, body, 'busy') for _ in range(4)]
                assert {each.result()[0] for each in late} == {504}
            else:
                call = channel.unary_unary(http2.PREDICT)
                timeout = 0.6 if api == 'deadline' else 60
                late = [call.future(HUNDRED_BY_GRPC, timeout=timeout) for _ in range(4)]
                assert {each.code() for each in late} == {grpc.StatusCode.DEADLINE_EXCEEDED}
            holding.result()
        time.sleep(1.2)  # The batch that held them ends.
        assert post(server.place, '{"instances": [0]}', 'busy')[0] == 200
        assert server.counts()[ROWS] == before + 2
        assert server.end()[0] == 0


# -- Bad rows


@pytest.mark.parametrize('api', ['rest', 'grpc'])
def test_a_label_that_is_none_reaches_no_batch(both, api):
    with Server(both) as server, server.channel() as channel:
        call = channel.unary_unary(http2.PREDICT)
        names = ('tfgan_batch_rows_sum', 'toy'), ('tfgan_batch_rows_count', 'toy')
        before = [server.counts()[name] for name in names]
        for label in (3, 4, 2**31 - 1):
            if api == 'rest':
                rows = [{'seed': 1, 'label': 0}, {'seed': 1, 'label': label}]
                body = json.dumps({'signature_name': 'labelled', 'instances': rows})
                status, answer = post(server.place, body)
                assert status == 400 and 'label' in answer['error']
            else:
                values = http2.field(7, http2.varint(0) + http2.varint(label % 2**64))
                inputs = {
                    'seed': http2.seeds(1, 1),
                    'label': http2.tensor(http2.INT32, [2], values),
                }
                body = http2.predict_request(inputs, signature='labelled')
                refused = call.future(body, timeout=20)
                assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT
                assert 'label' in refused.details()
        assert [server.counts()[name] for name in names] == before
        assert server.end() == (0, '')


def test_a_bad_row_that_only_the_model_knows_costs_its_sender(both):
    """Of 33 requests that wait for one batch one is bad; the others are not drawn one by one."""
    with Server(both) as server:
        before = server.counts()[BATCHES]
        numbers = [5] * 16 + [-1] + [5] * 16
        with concurrent.futures.ThreadPoolExecutor(33) as pool:
            with held(server):
                bodies = [
                    json.dumps({'signature_name': 'picky', 'instances': [number]})
                    for number in numbers
                ]
                answers = [pool.submit(post, server.place, body, 'busy') for body in bodies]
                time.sleep(0.5)
            statuses = [each.result()[0] for each in answers]
        assert statuses == [400 if number < 0 else 200 for number in numbers]
        # One held them, one was refused; then halves, until the bad one is alone.
        assert server.counts()[BATCHES] - before <= 2 + 12
        assert server.end()[0] == 0
