"""A few bytes do not become much memory or time before they are refused."""

import concurrent.futures
import functools
import gzip
import itertools
import json
import os
import socket
import time

import grpc
import http2
import pytest
from clients import Bystander, post
from http2 import field
from servers import Server
from tensorflow_serving.apis import predict_pb2

MIB = 1 << 20
BODY = 8 * MIB - 100  # This is what --max_bytes allows, nearly.
ANSWER_BYTES = 2000


@pytest.fixture(scope='module')
def server(exported):
    with Server(exported.parent) as server:
        for body in '{"instances": [3]}', ' ' * MIB:  # What serves large ones is there, too.
            post(server.place, body)
        yield server
        assert server.end() == (0, '')


def filled(start, unit, end, size=BODY):
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


def rows(unit):
    return filled('{"instances": [', f'{unit},', f'{unit}]}}')


def numbered_keys(size=BODY):
    keys = ','.join(f'"{number}":0' for number in range(size // 12))
    return f'{{{keys}'


JSON_BODIES = {
    'strings': lambda: filled('{"instances": [' + '"",' * 100 + '"', 'x', '"]}', 4 * MIB),
    'many strings': lambda: filled('{"instances": [' + '"",' * 9000 + '"', 'x', '"]}'),
    'lists': lambda: rows('[]'),
    'objects': lambda: rows('{}'),
    'empty strings': lambda: rows('""'),
    'numbers': lambda: rows('0'),
    'floats': lambda: rows('.5'.replace('.', '1.')),
    'nulls': lambda: rows('null'),
    'nested rows': lambda: rows('[[[[0]]]]'),
    'ragged': lambda: rows('[0],[0,0]'),
    'rows of an object': lambda: rows('{"seed":0}'),
    'one row too many': lambda: json.dumps({'instances': [[0] * 2500] * 1025}),
    'one long row': lambda: filled('{"signature_name": "latents", "inputs": [[', '1,', '1]]}'),
    'two long rows': lambda: filled('{"inputs": [[1],[', '1,', '1]]}'),
    'inputs': lambda: f'{{"inputs": {numbered_keys()}}}}}',
    'keys': lambda: numbered_keys() + '}',
    'one long key': lambda: filled('{"inputs": {"', 'x', '": 0}}'),
    'signature': lambda: filled('{"signature_name": "', 'x', '", "inputs": [1]}'),
    'deep': lambda: '[' * BODY,
    'deep rows': lambda: filled('{"instances": ', '[', ''),
    'deep objects': lambda: filled('{"inputs": ', '{"a":', ''),
    'digits': lambda: filled('{"inputs": [', '9', ']}'),
    'decimals': lambda: filled('{"inputs": [0.', '9', ']}'),
    'exponent': lambda: filled('{"inputs": [1e', '9', ']}'),
    'escapes': lambda: filled('{"inputs": ["', '\\ud800', '"]}'),
    'spaces': lambda: ' ' * BODY,
}
# MiB of memory; NumPy would give each string as many places as the longest has.
TAKEN = {'strings': 64}
MOST_TAKEN = 256


@pytest.mark.parametrize('kind', JSON_BODIES)
def test_json_takes_little_more_than_its_bytes(server, kind):
    body = JSON_BODIES[kind]()
    assert len(body) <= 8 * MIB
    with server.growth() as grown, Bystander(server) as other:
        status, answer = post(server.place, body)
    assert status == 400 and len(answer['error']) < ANSWER_BYTES
    assert grown.peak < TAKEN.get(kind, MOST_TAKEN)
    assert other.is_served()


def values(number, unit):
    """A field with so many packed values."""
    return field(number, unit * ((BODY - 200) // len(unit)))


def repeated(number, payload=b''):
    """So many fields, of a few bytes each."""
    each = field(number, payload)
    return each * ((BODY - 200) // len(each))


def distinct_inputs():
    seed = http2.seeds(1)
    entries = (
        field(2, field(1, f'{number:x}'.encode()) + field(2, seed)) for number in itertools.count()
    )
    return b''.join(itertools.islice(entries, BODY // 24))


four = functools.partial(http2.tensor, http2.INT64, [4])
GRPC_BODIES = {
    'int64_val': lambda: http2.predict_request({'seed': four(values(10, b'\1'))}),
    'int_val': lambda: http2.predict_request({'seed': four(values(7, b'\1'))}),
    'float_val': lambda: http2.predict_request({'seed': four(values(5, b'\0\0\0\0'))}),
    'double_val': lambda: http2.predict_request({'seed': four(values(6, bytes(8)))}),
    'half_val': lambda: http2.predict_request({'seed': four(values(13, b'\1'))}),
    'bool_val': lambda: http2.predict_request({'seed': four(values(11, b'\1'))}),
    'string_val': lambda: http2.predict_request({'seed': four(repeated(8))}),
    'variant_val': lambda: http2.predict_request({'seed': four(repeated(15))}),
    'tensor_content': lambda: http2.predict_request({'seed': four(values(4, b'\1'))}),
    'as its type is': lambda: http2.predict_request(
        {'seed': http2.tensor(19, [4], values(13, b'\1'))}
    ),
    'dims': lambda: http2.predict_request({'seed': b'\x08\x09' + field(2, repeated(2))}),
    'inputs': lambda: http2.predict_request({}, more=distinct_inputs()),
    'output_filter': lambda: http2.predict_request({'seed': http2.seeds(1)}, more=repeated(3)),
    'unknown fields': lambda: http2.predict_request({}, more=repeated(99)),
    'model': lambda: http2.predict_request({'seed': http2.seeds(1)}, model='x' * (BODY - 200)),
}
CODES = {'model': grpc.StatusCode.NOT_FOUND, 'output_filter': grpc.StatusCode.INVALID_ARGUMENT}
MOST_TAKEN_AT_ONCE = {4: 400, 20: 600}  # MiB, for so many bodies of 8 MiB at once


@pytest.mark.parametrize('kind', GRPC_BODIES)
def test_tensors_of_too_many_values_take_little_more_than_their_bytes(server, kind, full):
    body = GRPC_BODIES[kind]()
    assert len(body) <= 8 * MIB
    at_once = 20 if full or kind == 'int64_val' else 4
    with server.channel(('grpc.max_send_message_length', -1)) as channel:
        call = channel.unary_unary(http2.PREDICT)  # It sends bytes as they are.
        with server.growth() as grown, Bystander(server) as other, Bystander(server, api='grpc'):
            calls = [call.future(body, timeout=60) for _ in range(at_once)]
            codes = {each.code() for each in calls}
            details = max(len(each.details()) for each in calls)
    assert codes == {CODES.get(kind, grpc.StatusCode.INVALID_ARGUMENT)}
    assert details < ANSWER_BYTES
    began = time.monotonic()
    predict_pb2.PredictRequest.FromString(body)
    decode_secs = time.monotonic() - began
    assert grown.peak < MOST_TAKEN_AT_ONCE[at_once]
    assert other.is_served(2 * decode_secs)  # It is read, and looked through.


@functools.cache
def bomb(mib):
    """Zeros, packed: 400 MiB are some 408 KB."""
    return gzip.compress(bytes(mib * MIB))


def test_what_is_packed_stays_small(server, full):
    packed, at_once = (bomb(400), 100) if full else (bomb(100), 24)
    headers = {'Content-Encoding': 'gzip'}

    def send(_):
        try:
            return post(server.place, packed, **headers)[0]
        except ConnectionError:
            return 413  # It was closed after the answer, while more was sent.

    began = time.monotonic()
    with server.growth() as grown, Bystander(server) as other:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            assert set(pool.map(send, range(at_once))) == {413}
        secs = time.monotonic() - began
    assert secs < 10
    assert grown.peak < 200
    assert other.is_served()


HEAD = b'POST /v1/models/toy:predict HTTP/1.1\r\nHost: localhost\r\n'


@pytest.mark.parametrize('more', [b'', b'Expect: 100-continue\r\n', b'Content-Encoding: gzip\r\n'])
def test_a_body_that_says_it_is_too_long_is_not_awaited(server, more):
    with socket.create_connection(server.place, timeout=10) as client:
        client.sendall(HEAD + b'Content-Length: 1000000000\r\n' + more + b'\r\n')
        said = b''.join(iter(lambda: client.recv(4096), b''))
    assert said.startswith(b'HTTP/1.1 413 ')
    assert b'connection: close' in said.lower()


@pytest.mark.parametrize('length', ['Content-Length: 1000000000', 'Transfer-Encoding: chunked'])
def test_reading_stops_where_a_body_is_too_long(server, length):
    piece = os.urandom(64 << 10)
    if 'chunked' in length:
        piece = b'%x\r\n%s\r\n' % (len(piece), piece)
    sent = 0
    with socket.create_connection(server.place, timeout=10) as client, server.growth() as grown:
        client.sendall(HEAD + f'{length}\r\n\r\n'.encode())
        try:
            while sent < 500 * MIB:
                sent += client.send(piece)
        except (ConnectionError, TimeoutError):
            pass
    assert sent < 32 * MIB  # which the sockets between them may hold
    assert grown.peak < 64
