"""Requests damaged at random, by REST and by gRPC: none ends the server or is taken for its fault.

Each comes of a seed alone. What fails says which, and `send(server, seed, seeds(server))` of
REST, MESSAGES or FRAMES below sends it again.
"""

import concurrent.futures
import contextlib
import gzip
import json
import socket
import time
import zlib

import damage
import grpc
import http2
import numpy as np
import pytest
import requests
import tensorflow as tf
from clients import ONE_ROW, post
from servers import Server

FLAGS = '--max_rows=64', '--max_bytes=60000', '--max_secs=1'
AT_ONCE = 16
ROUND = 100  # After so many a good request is answered.
GOOD_SECS = 1
KEPT_MIB = 48
# What a request may be answered with, however damaged: 505 is for other versions of HTTP.
STATUSES = {200, 204, 400, 403, 404, 405, 408, 411, 413, 414, 415, 417, 431, 501, 503, 504, 505}
FAULTS = grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN


@pytest.fixture(scope='module')
def server(exported):
    with Server(exported.parent, *FLAGS) as server:
        yield server
        code, said = server.end()
        assert code == 0 and 'Traceback' not in said


# -- Good requests, from which the others are made


def signatures(server):
    """{name: {input: (type, shape without rows)}} of the toy's signatures."""
    said = requests.get(f'{server.rest}/v1/models/toy/metadata', timeout=20).json()
    found = said['metadata']['signature_def']['signature_def']
    return {name: dict(map(_spec, found[name]['inputs'].items())) for name in sorted(found)}


def values(dtype, shape, rows=2):
    whole = np.arange(rows * int(np.prod(shape, dtype=int))).reshape([rows, *shape])
    return (whole % 2).astype(dtype.as_numpy_dtype)


TYPES = {'DT_FLOAT': tf.float32, 'DT_INT32': tf.int32, 'DT_UINT8': tf.uint8, 'DT_INT64': tf.int64}


def _spec(named):
    name, info = named
    sizes = [int(each['size']) for each in info['tensor_shape'].get('dim', [])]
    return name, (TYPES[info['dtype']], sizes[1:])


def bodies(server):
    """JSON for each signature, in both forms."""
    found = []
    for name, specs in signatures(server).items():
        columns = {each: values(*spec).tolist() for each, spec in specs.items()}
        rows = [dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)]
        for content in {'inputs': columns}, {'instances': rows}:
            found.append(json.dumps({'signature_name': name} | content).encode())
    return [*found, ONE_ROW]


PATHS = [
    b'/v1/models/toy', b'/v1/models/toy/versions/1', b'/v1/models/toy/metadata',
    b'/v1/models/toy/labels/x', b'/monitoring/prometheus/metrics', b'/', b'*',
    b'http://localhost/v1/models/toy',
]  # fmt: skip
HEADERS = [
    b'Host: localhost', b'Host: evil.example', b'Content-Type: application/json', b'Expect: x',
    b'Expect: 100-continue', b'Content-Encoding: gzip', b'Content-Encoding: br', b'Accept: */*',
    b'Transfer-Encoding: chunked', b'Transfer-Encoding: gzip, chunked', b'Content-Length: 7',
    b'Content-Length: -1', b'Content-Length: 0x10', b'Content-Length: 99999999999999999999',
    b'Connection: close', b'Connection: upgrade', b'Upgrade: h2c', b'Upgrade: websocket',
    b'Origin: https://evil.example', b'Origin: null', b'Range: bytes=0-', b'Cookie: a=b; c',
    b'Sec-WebSocket-Key: x', b'Access-Control-Request-Method: POST', b' folded: yes', b': none',
    b'X: ' + b'x' * 9000, b'Trailer: X', b'TE: trailers', b'X-Forwarded-For: 1.2.3.4',
]  # fmt: skip


# -- REST


def chosen(rng, among):
    return among[rng.integers(len(among))]


def damaged(data, rng):
    """With one to three kinds of damage, one time in three none."""
    if rng.random() < 1 / 3:
        return data
    kinds = damage.flipped, damage.cut, damage.extended, damage.holed, damage.other_length
    for _ in range(rng.integers(1, 4)):
        data = chosen(rng, kinds)(data, rng) if data else data
    return data


NUMBERS = [
    b'-1', b'9223372036854775808', b'1e999', b'NaN', b'-Infinity', b'null', b'true', b'""', b'[]',
    b'{}', b'[[[[[]]]]]', b'1.5', b'"\\ud800"', b'9' * 400, b'{"b64": "AAAA"}', b'0.0000001', b'-0',
]  # fmt: skip


def other_value(data, rng):
    """A digit of JSON becomes something else."""
    places = [place for place, byte in enumerate(data) if byte in b'01']
    if not places:
        return data
    place = chosen(rng, places)
    return data[:place] + chosen(rng, NUMBERS) + data[place + 1 :]


def chunked(data, rng):
    """A body in chunks, now and then with an extension or a wrong size."""
    pieces = []
    while data:
        size = int(rng.integers(1, 2000))
        said = size if rng.random() < 0.02 else len(data[:size])
        extension = b';a=b' if rng.random() < 0.1 else b''
        pieces.append(b'%x%s\r\n%s\r\n' % (said, extension, data[:size]))
        data = data[size:]
    return b''.join(pieces) + b'0\r\n\r\n'


def rest_request(rng, good):
    """The bytes of one request."""
    body = chosen(rng, good)
    body = other_value(body, rng) if rng.random() < 0.5 else damaged(body, rng)
    if rng.random() < 0.1:
        other = chosen(rng, good)
        body = body[: rng.integers(len(body) + 1)] + other[rng.integers(len(other)) :]
    headers = [b'Host: localhost']
    if rng.random() < 0.25:
        body = damaged(chosen(rng, [gzip.compress, zlib.compress])(body), rng)
        headers.append(b'Content-Encoding: ' + chosen(rng, [b'gzip', b'deflate', b'GZIP']))
    if rng.random() < 0.25:
        body = chunked(body, rng)
        headers.append(b'Transfer-Encoding: chunked')
    else:
        headers.append(b'Content-Length: %d' % len(body))
    method, path = b'POST', b'/v1/models/toy:predict'
    if rng.random() < 0.15:
        method = chosen(rng, [b'GET', b'PUT', b'HEAD', b'OPTIONS', b'CONNECT', b'TRACE', b'BREW'])
        path = chosen(rng, PATHS)
    if rng.random() < 0.3:
        headers += [chosen(rng, [*HEADERS, *headers]) for _ in range(rng.integers(1, 4))]
        rng.shuffle(headers)
    head = b'\r\n'.join([method + b' ' + path + b' HTTP/1.1', *headers, b'', b''])
    return (damaged(head, rng) if rng.random() < 0.2 else head) + body


def send_rest(server, seed, good):
    """(whether a request that is made of a seed was answered, what is wrong with it or None)."""
    rng = np.random.default_rng(seed)
    sent = b''.join(rest_request(rng, good) for _ in range(1 + (rng.random() < 0.2)))
    with socket.create_connection(server.place, timeout=10) as client:
        said = b''
        try:
            client.sendall(sent)
            if rng.random() < 0.95:  # The others are told by --max_secs.
                client.shutdown(socket.SHUT_WR)
            while more := client.recv(1 << 16):
                said += more
        except TimeoutError:
            return False, f'neither an end nor more after {said[:100]!r}'
        except OSError:
            pass  # It was sent away before it was heard out.
    first = said.split(b'\r\n', 1)[0]
    if said and (not first.startswith(b'HTTP/') or int(first.split()[1]) not in STATUSES):
        return True, f'{said[:300]!r}'
    return bool(said), 'a second answer is a 500' if b'\r\nHTTP/1.1 500' in said else None


# -- gRPC


METHODS = [
    'tensorflow.serving.PredictionService/GetModelMetadata',
    'tensorflow.serving.PredictionService/Classify',
    'tensorflow.serving.PredictionService/Regress',
    'tensorflow.serving.PredictionService/MultiInference',
    'tensorflow.serving.ModelService/GetModelStatus',
    'tensorflow.serving.ModelService/HandleReloadConfigRequest',
    'grpc.health.v1.Health/Check',
    'tensorflow.serving.PredictionService/None',
]
COMPRESSIONS = (
    grpc.Compression.NoCompression,
    grpc.Compression.Gzip,
    grpc.Compression.Deflate,
)


def messages(server):
    """A PredictRequest for each signature, values as bytes and one by one."""
    from tensorflow_serving.apis import predict_pb2

    found = []
    for name, specs in signatures(server).items():
        for one_by_one in False, True:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = 'toy', name
            for each, (dtype, shape) in specs.items():
                proto = tf.make_tensor_proto(values(dtype, shape))
                if one_by_one:
                    tensor = tf.make_ndarray(proto)
                    proto.ClearField('tensor_content')
                    field = {'float32': 'float_val', 'int64': 'int64_val'}.get(
                        dtype.name, 'int_val'
                    )
                    getattr(proto, field).extend(tensor.ravel().tolist())
                request.inputs[each].CopyFrom(proto)
            found.append(request.SerializeToString())
    return found


def damaged_tensor(data, rng):
    """A message of which one tensor has another shape, type or number of values."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest.FromString(data)
    proto = request.inputs[chosen(rng, sorted(request.inputs))]
    kind = rng.integers(6)
    if kind == 0:
        proto.dtype = int(rng.integers(0, 40))
    elif kind == 1:
        proto.tensor_shape.dim.add(size=int(chosen(rng, [0, 1, -1, 2**62])))
    elif kind == 2:
        proto.tensor_shape.dim[0].size = int(chosen(rng, [0, 1, 64, 65, -1, -(2**63), 2**63 - 1]))
    elif kind == 3:
        proto.tensor_content = rng.bytes(rng.integers(0, 3000))
    elif kind == 4:
        proto.string_val.extend([b''] * int(rng.integers(1, 100)))
        proto.half_val.extend([1] * int(rng.integers(0, 100)))
    else:
        proto.tensor_shape.unknown_rank = True
        request.output_filter.append('image')
    return request.SerializeToString()


def send_message(server, seed, good):
    """The same of a call whose message is made of a seed; its frames are whole."""
    rng = np.random.default_rng(seed)
    sent = chosen(rng, good)
    sent = damaged_tensor(sent, rng) if rng.random() < 0.5 else damaged(sent, rng)
    method = http2.PREDICT if rng.random() < 0.8 else f'/{chosen(rng, METHODS)}'
    with server.channel() as channel:
        call = channel.unary_unary(method)
        compression = chosen(rng, COMPRESSIONS)
        ended = call.future(sent, timeout=10, compression=compression)
        code = ended.code()
    if code in FAULTS or code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return True, f'{method}: {code}: {ended.details()[:200]}'
    return True, None


def send_frames(server, seed, good):
    """The same of frames that are made of a seed; whatever answers, or nothing, will do."""
    rng = np.random.default_rng(seed)
    sent = chosen(rng, good)
    flag, more = 0, []
    if rng.random() < 0.5:
        flag, more = 1, [('grpc-encoding', chosen(rng, ['gzip', 'deflate', 'identity', 'x']))]
        sent = chosen(rng, [gzip.compress, zlib.compress, bytes])(sent)
    if rng.random() < 0.2:
        more.append(('grpc-timeout', chosen(rng, ['1n', '0S', '99999999H', 'x', '-1S'])))
    message = http2.message(damaged(sent, rng), flag if rng.random() < 0.9 else 7)
    if rng.random() < 0.3:
        message = damaged(message, rng)
    call = http2.call_headers(1, http2.PREDICT, *more) + http2.call_data(1, message)
    frames = [http2.PREFACE + http2.settings(), call]
    for _ in range(rng.integers(0, 4)):
        kind, flags, stream = (int(rng.integers(0, most)) for most in (12, 256, 6))
        frames.insert(
            rng.integers(1, 3), http2.frame(kind, flags, stream, rng.bytes(rng.integers(0, 40)))
        )
    data = b''.join(frames)
    data = damaged(data, rng) if rng.random() < 0.5 else data
    answered = False
    with (
        contextlib.suppress(OSError),
        socket.create_connection(server.grpc_place, timeout=0.2) as client,
    ):
        client.sendall(data)
        while client.recv(1 << 16):
            answered = True
    return answered, None


REST = send_rest, bodies
MESSAGES = send_message, messages
FRAMES = send_frames, messages


def good_secs(server):
    """How long a good request takes, by the slower of both protocols."""
    began = time.monotonic()
    assert post(server.place, ONE_ROW)[0] == 200
    rest = time.monotonic()
    with server.channel() as channel:
        body = http2.predict_request({'seed': http2.seeds(3)})
        channel.unary_unary(http2.PREDICT)(body, timeout=20, wait_for_ready=True)
    return max(rest - began, time.monotonic() - rest)


@pytest.mark.parametrize('kind', [REST, MESSAGES, FRAMES], ids=['rest', 'messages', 'frames'])
def test_damaged_requests_are_refused_or_answered(server, kind, full):
    send, seeds = kind
    count = (8000 if full else 300) if kind != FRAMES else (4000 if full else 150)
    good, answered, wrong, before = seeds(server), 0, [], None
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, count, ROUND):
            numbers = range(first, min(first + ROUND, count))
            results = list(pool.map(lambda seed: send(server, seed, good), numbers))
            answered += sum(heard for heard, _ in results)
            wrong += [
                f'seed {seed}: {fault}'
                for seed, (_, fault) in zip(numbers, results, strict=True)
                if fault
            ]
            assert server.lives(), f'seeds {numbers}: {server.heard()[-2000:]}'
            assert good_secs(server) < GOOD_SECS, f'after seeds {numbers}'
            if before is None and first >= count / 4 - ROUND:
                before = server.resident()  # What it takes from the first on, it has now.
    assert not wrong, '\n'.join([f'{len(wrong)} of {count}', *wrong[:20]])
    assert answered > 0.7 * count  # The others' connections were closed.
    assert server.resident() - before < KEPT_MIB
    assert 'Traceback' not in server.heard()


@pytest.mark.parametrize('kind', [REST, MESSAGES], ids=['rest', 'messages'])
def test_what_is_damaged_was_good(server, kind):
    """Each seed's request is answered as long as nothing damages it."""
    _, seeds = kind
    for good in seeds(server):
        if kind == REST:
            assert post(server.place, good)[0] == 200, good[:100]
        else:
            with server.channel() as channel:
                channel.unary_unary(http2.PREDICT)(good, timeout=20)
