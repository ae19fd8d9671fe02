"""Rows that wait: by turns, limited in all, dropped when nobody waits, safe from bad ones."""

import concurrent.futures
import contextlib
import json
import socket
import struct
import threading
import time

import grpc
import http2
import pytest
from clients import ONE_ROW, asked, connect, post, read_answer
from servers import Server

ROWS = ('tfgan_batch_rows_sum', 'busy')
BATCHES = ('tfgan_batch_rows_count', 'busy')


@pytest.fixture(scope='module')
def server(both):
    with Server(both, '--trust_model') as server:
        post(server.place, ONE_ROW)
        yield server
        assert server.end() == (0, '')


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
        request = asked({'instances': list(range(rows))})
        with connect(server.place) as client, client.makefile('rb') as answers:
            while not self._stop.is_set():
                client.sendall(request)
                self.counts[number] += read_answer(answers)[0] == 200

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


@pytest.mark.parametrize('api', ['rest', 'grpc'])
def test_greedy_clients_leave_others_their_turn(server, api, full):
    """The owner gets as many answers of one row as any of six others gets of 1,024."""
    with Greedy(server, 6, api) as others, Owner(server) as owner:
        time.sleep(1)
        before, theirs_before = owner.count, list(others.counts)
        time.sleep(10 if full else 3)
        count = owner.count - before
        theirs = [now - then for now, then in zip(others.counts, theirs_before, strict=True)]
    assert sum(theirs) > 0 and owner.refused == 0
    assert count >= 0.7 * sum(theirs) / len(theirs)


class Owner:
    """One connection that asks for one row after another: how often with and without success."""

    def __init__(self, server):
        self.count, self.refused, self._ended = 0, 0, False
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
                client.sendall(asked(ONE_ROW))
                is_answer = read_answer(answers)[0] == 200
                self.count += is_answer
                self.refused += not is_answer


def test_waiting_rows_are_limited_in_all(both):
    """A batch runs; 60 rows of one signature wait, so 60 of another and of a model cannot."""
    sixty = [0] * 60
    with (
        Server(both, '--trust_model', '--max_waiting=100') as server,
        contextlib.ExitStack() as stack,
    ):
        first, second, third, fourth = (
            stack.enter_context(connect(server.place)) for _ in range(4)
        )
        first.sendall(asked({'instances': [2_000_000]}, 'busy'))
        time.sleep(0.5)
        second.sendall(asked({'signature_name': 'also', 'instances': sixty}, 'busy'))
        time.sleep(0.3)
        began = time.monotonic()
        third.sendall(asked({'signature_name': 'picky', 'instances': sixty}, 'busy'))
        fourth.sendall(asked({'instances': sixty}))
        for refused in third, fourth:
            assert refused.recv(1000).startswith(b'HTTP/1.1 503 ')
        assert time.monotonic() - began < 1
        for served in first, second:
            assert served.recv(1000).startswith(b'HTTP/1.1 200 ')
        assert server.end()[0] == 0


# -- What nobody waits for


HELD_SECS = 3
# Its signature is not the one that runs, so that it waits for the model and for no batch before it.
HUNDRED = {'signature_name': 'also', 'instances': [0] * 100}
HUNDRED_BY_GRPC = http2.predict_request(
    {'seed': http2.seeds(*[0] * 100)}, model='busy', signature='also'
)


@contextlib.contextmanager
def held(server, secs=HELD_SECS):
    """A batch of one row that takes so long, while the block runs; what it had to wait for it."""
    with connect(server.place) as client:
        client.sendall(asked({'instances': [int(secs * 1e6)]}, 'busy'))
        time.sleep(0.3)
        yield
        assert client.recv(100).startswith(b'HTTP/1.1 200 ')


def connection_that_asks(server):
    client = connect(server.place)
    client.sendall(asked(HUNDRED, 'busy'))
    return client


def leave_by_reset(server):
    """A connection that asks for a hundred rows, and a function that resets it."""
    client = connection_that_asks(server)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    return client.close


def leave_by_closing(server):
    """The same; the function closes it, which is at first as if it had only sent all."""
    return connection_that_asks(server).close


def leave_grpc(server):
    """The same by gRPC; the function cancels it."""
    channel = server.channel()
    call = channel.unary_unary(http2.PREDICT).future(HUNDRED_BY_GRPC)

    def leave():
        call.cancel()
        channel.close()

    return leave


@pytest.mark.parametrize('ask', [leave_by_reset, leave_by_closing, leave_grpc])
def test_requests_of_clients_that_left_are_not_drawn(server, ask):
    before = server.counts()[ROWS]
    with held(server):
        leaving = [ask(server) for _ in range(8)]
        time.sleep(0.4)
        for leave in leaving:
            leave()
    assert post(server.place, '{"instances": [0]}', 'busy')[0] == 200
    assert server.counts()[ROWS] == before + 2


@pytest.mark.parametrize('api', ['rest', 'grpc', 'deadline'])
def test_requests_that_were_refused_late_are_not_drawn(both, api):
    secs = 30 if api == 'deadline' else 0.6
    with Server(both, '--trust_model', f'--max_secs={secs}') as server:
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
def test_a_label_that_is_none_reaches_no_batch(server, api):
    with server.channel() as channel:
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


def test_a_bad_row_that_only_the_model_knows_costs_its_sender(server):
    """Of 33 requests that wait for one batch one is bad; the others are not drawn one by one."""
    before = server.counts()[BATCHES]
    numbers = [5] * 16 + [-1] + [5] * 16
    with concurrent.futures.ThreadPoolExecutor(33) as pool:
        with held(server):
            bodies = [
                json.dumps({'signature_name': 'picky', 'instances': [number]}) for number in numbers
            ]
            answers = [pool.submit(post, server.place, body, 'busy') for body in bodies]
            time.sleep(0.5)
        statuses = [each.result()[0] for each in answers]
    assert statuses == [400 if number < 0 else 200 for number in numbers]
    # One held them, one was refused; then halves, until the bad one is alone.
    assert server.counts()[BATCHES] - before <= 2 + 12
