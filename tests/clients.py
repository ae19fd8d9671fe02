"""Clients of a server: one that asks once, one that goes on asking, and connections by hand."""

import contextlib
import http.client
import json
import select
import socket
import threading
import time

ONE_ROW = b'{"instances": [3]}'


def post(place, body, model='toy', **headers):
    """(status, parsed answer) of a prediction over a connection of its own."""
    connection = http.client.HTTPConnection(*place, timeout=60)
    with contextlib.closing(connection):
        connection.request('POST', f'/v1/models/{model}:predict', body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


class Bystander:
    """A client that asks for one row after another while others do what they do.

    `wrong` has whatever was no answer, and `slowest` how long the slowest took, in seconds.
    `patience` is what it may take: a part of a second, or some times as long as it took before the
    others came, where a machine has much else to do.
    """

    PATIENCE_SECS, TIMES, BEFORE = 1.0, 5, 15

    def __init__(self, server, model='toy', api='rest'):
        self._secs, self.wrong = [], []
        self._stop, self._is_ready = threading.Event(), threading.Event()
        target = self._by_rest if api == 'rest' else self._by_grpc
        self._thread = threading.Thread(target=target, args=[server, model])

    def __enter__(self):
        self._thread.start()
        assert self._is_ready.wait(60)
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()

    @property
    def slowest(self):
        return max(self._secs[self.BEFORE :])

    @property
    def patience(self):
        return max(self.PATIENCE_SECS, self.TIMES * max(self._secs[: self.BEFORE]))

    def is_served(self, once_secs=0.0):
        """Whether each answer was right and in time; tells what was not.

        `once_secs` is what something takes here and now that a server cannot interrupt.
        """
        assert not self.wrong, self.wrong[:3]
        patience = max(self.patience, self.TIMES * once_secs)
        assert self.slowest < patience, f'{self.slowest:.2f} s of {patience:.2f}'
        return True

    def _by_rest(self, server, model):
        def ask():
            status, answer = post(server.place, ONE_ROW, model)
            assert status == 200, answer

        self._ask_on(ask)

    def _by_grpc(self, server, model):
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs['seed'].CopyFrom(tf.make_tensor_proto([3], tf.int64))
        with server.channel() as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            self._ask_on(lambda: stub.Predict(request, timeout=60))

    def _ask_on(self, ask):
        while not (self._stop.is_set() and len(self._secs) > self.BEFORE):
            began = time.monotonic()
            try:
                ask()
            except Exception as error:
                self.wrong.append(f'{type(error).__name__}: {error}')
            self._secs.append(time.monotonic() - began)
            if len(self._secs) == self.BEFORE:
                self._is_ready.set()
            if self._is_ready.is_set():
                self._stop.wait(0.02)


def asked(body, model='toy', more=''):
    """The bytes of a request for a prediction."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f'POST /v1/models/{model}:predict HTTP/1.1\r\nHost: localhost\r\n'
    return f'{head}Content-Length: {len(body)}\r\n{more}\r\n'.encode() + body


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


def read_answer(file):
    """(status, {header: value}, body) of an answer; the status is None where there is none."""
    first, headers = file.readline(), {}
    if not first:
        return None, {}, b''
    while (line := file.readline().strip()) != b'':
        name, _, value = line.partition(b':')
        headers[name.lower()] = value.strip()
    return int(first.split()[1]), headers, file.read(int(headers.get(b'content-length', 0)))
