"""The server leaves: readiness first, then what was begun, in time; no request is lost."""

import concurrent.futures
import contextlib
import itertools
import json
import signal
import threading
import time

import http2
import pytest
from clients import ONE_ROW, asked, connect, post, read_answer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from servers import Server

BLOBS = {'signature_name': 'blobs', 'instances': [1] * 16}  # These are 22 MB of JSON.


def deaf_rest(server):
    """A client that asked for much and reads nothing."""
    client = connect(server.place, 4096)
    client.sendall(asked(BLOBS, 'busy'))
    return client


def deaf_grpc(server):
    client = http2.Connection(server.grpc_place, INITIAL_WINDOW_SIZE=0)
    inputs = {'seed': http2.seeds(*[1] * 16)}
    body = http2.predict_request(inputs, model='busy', signature='blobs')
    client.send(http2.call_headers(1) + http2.call_data(1, http2.message(body)))
    return client


def silent_grpc(server):
    client = http2.Connection(server.grpc_place)
    client.send(http2.call_headers(1))
    return client


def half_a_request(server):
    client = connect(server.place)
    client.sendall(asked(ONE_ROW)[:-4])
    return client


@pytest.mark.parametrize('client', [deaf_rest, deaf_grpc, silent_grpc, half_a_request])
def test_a_client_that_dawdles_holds_the_end_for_a_bounded_time(both, client):
    with (
        Server(both, '--trust_model', '--shutdown_secs=2') as server,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(2):
            stack.enter_context(client(server))
        time.sleep(2)  # Large answers were made.
        began = time.monotonic()
        server.tell()
        assert server.wait() == 0
        assert time.monotonic() - began < 3 * 2
        assert 'Traceback' not in server.heard()


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
    ],
)
def test_a_second_signal_ends_it_at_once(both, first, second):
    with Server(both, '--trust_model') as server, deaf_rest(server), deaf_grpc(server):
        time.sleep(1.5)
        server.tell(first)
        time.sleep(0.7)
        assert server.lives()  # It waits for its clients, for --shutdown_secs.
        server.tell(second)
        began = time.monotonic()
        server.wait()
        assert time.monotonic() - began < 2
        assert 'Traceback' not in server.heard()


@pytest.mark.parametrize('pause', [0, 0.02])
def test_clients_that_go_on_asking_lose_nothing(both, pause):
    """Each request is answered, and a connection ends only after an answer that says so."""
    lost, counts, told = [], [], []

    def ask_on(server):
        with connect(server.place) as client, client.makefile('rb') as answers:
            for count in itertools.count():
                try:
                    client.sendall(asked(ONE_ROW))
                    status, headers, _ = read_answer(answers)
                except ConnectionError as error:
                    status, headers = repr(error), {}
                if status != 200:
                    lost.append(status)
                    break
                if headers.get(b'connection', b'').lower() == b'close':
                    told.append(count)
                    break
                time.sleep(pause)
            counts.append(count)

    with Server(both, '--trust_model') as server:
        threads = [threading.Thread(target=ask_on, args=[server]) for _ in range(16)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        began = time.monotonic()
        server.tell()
        for thread in threads:
            thread.join()
        assert server.wait() == 0
        assert time.monotonic() - began < 8
    assert lost == []
    assert len(told) == 16 and min(counts) > 1


def test_idle_connections_are_closed_soon(both):
    """They have nothing to lose: the end does not wait for --shutdown_secs."""
    with Server(both, '--trust_model') as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(connect(server.place))
            client.sendall(asked(ONE_ROW))
            assert client.recv(1 << 16).startswith(b'HTTP/1.1 200')
            stack.enter_context(connect(server.place))
        began = time.monotonic()
        assert server.end() == (0, '')
        assert time.monotonic() - began < 10


def test_readiness_goes_first(both):
    """A request runs while the server leaves: health and status tell so before it is answered."""
    states = health_pb2.HealthCheckResponse
    with (
        Server(both, '--trust_model') as server,
        server.channel() as channel,
        contextlib.ExitStack() as stack,
    ):
        status, working = (stack.enter_context(connect(server.place)) for _ in range(2))
        answers, worked = (stack.enter_context(each.makefile('rb')) for each in (status, working))
        get = b'GET /v1/models/busy HTTP/1.1\r\nHost: localhost\r\n\r\n'
        status.sendall(get)
        assert read_answer(answers)[0] == 200
        stub = health_pb2_grpc.HealthStub(channel)
        watched = stub.Watch(health_pb2.HealthCheckRequest(service='busy'), timeout=60)
        assert next(watched).status == states.SERVING
        working.sendall(asked({'instances': [3_000_000]}, 'busy'))
        time.sleep(0.5)
        began = time.monotonic()
        server.tell()
        assert next(watched).status == states.NOT_SERVING
        status.sendall(get)
        code, headers, body = read_answer(answers)
        assert (code, headers[b'connection'].lower()) == (503, b'close')
        assert list(json.loads(body)) == ['error']
        assert time.monotonic() - began < 1.5  # The request still runs.
        code, headers, _ = read_answer(worked)
        assert (code, headers[b'connection'].lower()) == (200, b'close')
        assert server.wait() == 0


def test_calls_by_grpc_that_were_begun_are_answered(both):
    inputs = {'seed': http2.seeds(1_500_000)}
    with Server(both, '--trust_model') as server, server.channel() as channel:
        call = channel.unary_unary(http2.PREDICT)
        calls = [call.future(http2.predict_request(inputs, 'busy'), timeout=30) for _ in range(4)]
        time.sleep(0.5)
        server.tell()
        for each in calls:
            assert each.result()
        assert server.wait() == 0


def test_what_waits_is_answered_and_what_comes_late_is_told(both):
    with Server(both, '--trust_model') as server, concurrent.futures.ThreadPoolExecutor(4) as pool:
        body = json.dumps({'instances': [1_000_000]})
        waiting = [pool.submit(post, server.place, body, 'busy') for _ in range(4)]
        time.sleep(0.5)
        server.tell()
        assert [each.result()[0] for each in waiting] == [200] * 4
        assert server.wait() == 0
        with pytest.raises(ConnectionError):
            connect(server.place)
