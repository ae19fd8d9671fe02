"""The REST API as TensorFlow Serving documents it, of a server in a process of its own."""

import base64
import contextlib
import gzip
import io
import json
import socket
import time
import urllib.parse
import zlib

import numpy as np
import pytest
import requests
from PIL import Image

SIGNATURES = {
    *('serving_default', 'labelled', 'truncated', 'png', 'latents', 'interpolate'),
    *('discriminate', 'classes', 'recipe'),
}


@pytest.fixture
def predict(served):
    """Posts a body to the model's :predict; (status, parsed answer)."""

    def post(body, path='/v1/models/toy:predict'):
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = requests.post(served.rest + path, data=data, timeout=20)
        assert answer.headers['Content-Type'].startswith('application/json')
        return answer.status_code, answer.json()

    return post


def test_rows_and_columns_draw_what_training_drew(predict, toy):
    expected = toy.draw(np.array([3, 7])).tolist()
    for body in {'instances': [3, 7]}, {'instances': [{'seed': 3}, {'seed': 7}]}:
        assert predict(body) == (200, {'predictions': expected})
    for body in {'inputs': [3, 7]}, {'inputs': {'seed': [3, 7]}}:
        assert predict(body) == (200, {'outputs': expected})


def test_pngs_are_in_base64(predict, toy):
    status, answer = predict({'signature_name': 'png', 'instances': [3, 7]})
    assert status == 200
    for row, expected in zip(answer['predictions'], toy.draw(np.array([3, 7])), strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(row['b64'])))
        assert np.array_equal(np.asarray(image), expected[..., 0])


@pytest.mark.parametrize(
    'place',
    ['/v1/models/toy', '/V1/Models/toy/versions/1', '/v1/models/t%6Fy/versions/0001'],
)
def test_a_version_may_be_named(served, predict, place):
    assert predict({'instances': [3]}, f'{place}:predict')[0] == 200
    assert requests.get(served.rest + place).json() == {
        'model_version_status': [
            {
                'version': '1',
                'state': 'AVAILABLE',
                'status': {'error_code': 'OK', 'error_message': ''},
            }
        ]
    }


def test_metadata_have_the_signatures(served):
    said = requests.get(f'{served.rest}/v1/models/toy/metadata').json()
    assert said['model_spec'] == {'name': 'toy', 'signature_name': '', 'version': '1'}
    signatures = said['metadata']['signature_def']['signature_def']
    assert set(signatures) == SIGNATURES
    seed = signatures['serving_default']['inputs']['seed']
    assert seed['dtype'] == 'DT_INT64'
    assert seed['tensor_shape'] == {'dim': [{'size': '-1', 'name': ''}], 'unknown_rank': False}


@pytest.mark.parametrize(
    ('method', 'path', 'body', 'status', 'words'),
    [
        ('POST', '/v1/models/dog:predict', '{"instances": [1]}', 404,
         'Servable not found for request: Latest(dog)'),
        ('POST', '/v1/models/toy/versions/9:predict', '{"inputs": [1]}', 404, 'Specific(toy, 9)'),
        ('POST', '/v1/models/toy/labels/stable:predict', '{"inputs": [1]}', 400,
         'Unrecognized servable version label: stable'),
        ('GET', '/v1/models/toy/labels/b%20c', None, 400,
         'Unrecognized servable version label: b c'),
        ('GET', '/v1/models/toy/labels/x/metadata', None, 400,
         'Unrecognized servable version label: x'),
        ('GET', '/v1/models/toy/versions/1/labels/x', None, 400, 'Malformed request'),
        ('GET', f'/v1/models/toy/versions/{2**63 - 1}', None, 404, 'version 9223372036854775807'),
        ('GET', '/v1/models/a%3Ab', None, 404, 'any versions of model a:b'),
        ('GET', '/v1/models/dog', None, 404, 'Could not find any versions of model dog'),
        ('GET', '/v1/models/toy/versions/9', None, 404, 'version 9 of model toy'),
        ('GET', '/v1/models/dog/metadata', None, 404, 'Latest(dog)'),
        ('POST', '/v1/models/toy:paint', '{}', 400, 'Malformed request: POST /v1/models/toy:paint'),
        ('POST', '/v1/models/toy:classify', '{}', 400, ':predict'),
        ('GET', '/v1/models/toy:predict', None, 400, 'Malformed request: GET'),
        ('DELETE', '/v1/models/toy', None, 400, 'Malformed request: DELETE'),
        ('GET', '/v1/models', None, 400, 'Malformed request'),
        ('GET', '/', None, 404, 'Malformed request'),
        ('POST', '/v1/models/toy:predict', '{"instances": [', 400, 'JSON Parse error'),
        ('POST', '/v1/models/toy:predict', '{"signature_name": "paint", "inputs": [1]}', 400,
         'Serving signature name: "paint" not found'),
        ('POST', '/v1/models/toy:predict', json.dumps({'inputs': [0] * 257}), 400, 'have 256'),
        ('POST', '/v1/models/toy:predict', ' ' * 100_001, 413, '100000 bytes'),
    ],
)  # fmt: skip
def test_errors_are_those_of_tensorflow_serving(served, method, path, body, status, words):
    answer = requests.request(method, served.rest + path, data=body, timeout=20)
    assert answer.status_code == status
    assert list(answer.json()) == ['error'] and words in answer.json()['error']


def packed(served, body, encoding):
    """The answer to a body that is said to be packed so."""
    return requests.post(
        f'{served.rest}/v1/models/toy:predict', data=body, timeout=20,
        headers={'Content-Encoding': encoding},
    )  # fmt: skip


GOOD = b'{"instances": [3]}'
PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(
    ('pack', 'encoding'),
    [
        (gzip.compress, 'gzip'),
        (gzip.compress, 'GZIP'),
        (zlib.compress, 'deflate'),
        (bytes, 'identity'),
    ],
)
def test_a_compressed_body_is_read(served, pack, encoding):
    assert packed(served, pack(GOOD), encoding).status_code == 200


@pytest.mark.parametrize('pack', [gzip.compress, zlib.compress])
def test_a_compressed_body_is_counted_unpacked(served, pack):
    bomb = packed(served, pack(b' ' * 50_000_000), 'gzip')
    assert bomb.status_code == 413 and 'error' in bomb.json()


@pytest.mark.parametrize('encoding', ['br', 'zstd', 'compress', 'gzip, gzip', 'x-none'])
def test_other_encodings_are_refused_in_json(served, encoding):
    refused = packed(served, GOOD, encoding)
    assert refused.status_code == 400
    assert refused.json()['error'].startswith(f'Content-Encoding: {encoding}: send the body as it')
    assert 'gzip or deflate' in refused.json()['error']


@pytest.mark.parametrize(
    'body',
    [b'', GOOD, PACKED[:-3], PACKED + b'more'],
    ids=['empty', 'plain', 'short', 'long'],
)
def test_a_body_that_does_not_unpack_is_refused_in_json(served, body):
    refused = packed(served, body, 'gzip')
    assert refused.status_code == 400
    assert refused.json()['error'].startswith('Content-Encoding: gzip: ')


def connect(served):
    place = urllib.parse.urlparse(served.rest)
    return socket.create_connection((place.hostname, place.port), timeout=20)


HEAD = b'POST /v1/models/toy:predict HTTP/1.1\r\nHost: localhost\r\n'


STARTS = [
    *(b'', HEAD[:20], HEAD),
    *(HEAD + b'Content-Length: 99\r\n\r\n', HEAD + b'Content-Length: 9\r\n\r\n{'),
]


def test_clients_that_dawdle_are_sent_away(served):
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(served)) for _ in STARTS]
        for client, start in zip(clients, STARTS):
            client.sendall(start)
        for client in clients:
            said = b''
            while more := client.recv(4096):
                said += more
                if b'408' in said:
                    break
            assert not said or b'408' in said or b'400' in said
    assert time.monotonic() - began < 12  # of 3 seconds that each may take, and their rounding


@pytest.mark.parametrize('more', [b'', b'Connection: close\r\n', b'Connection: keep-alive\r\n'])
@pytest.mark.parametrize('request_', [b'GET', b'POST', b'chunked'])
def test_a_half_closed_connection_is_answered(served, request_, more):
    """A client may send all and close its side: each of so many is answered."""
    whole = {
        b'GET': b'GET /v1/models/toy HTTP/1.1\r\nHost: localhost\r\n' + more + b'\r\n',
        b'POST': HEAD + b'Content-Length: 18\r\n' + more + b'\r\n{"instances": [3]}',
        b'chunked': HEAD + b'Transfer-Encoding: chunked\r\n' + more
        + b'\r\n12\r\n{"instances": [3]}\r\n0\r\n\r\n',
    }[request_]  # fmt: skip
    answers = []
    for _ in range(14):
        with connect(served) as client:
            client.sendall(whole)
            client.shutdown(socket.SHUT_WR)
            answers.append(b''.join(iter(lambda: client.recv(4096), b''))[:12])
    assert answers == [b'HTTP/1.1 200'] * 14


def test_counts_are_there_for_prometheus(served, predict):
    predict({'instances': [3]})
    page = requests.get(f'{served.rest}/monitoring/prometheus/metrics')
    assert page.headers['Content-Type'].startswith('text/plain')
    assert 'tfgan_requests_total{api="rest",code="OK"}' in page.text
    assert 'tfgan_model_version{model="toy"} 1.0' in page.text
    assert 'tfgan_batch_rows_count{model="toy"}' in page.text
