"""REST bodies are the arrays that TensorFlow Serving makes of them, or refused as it does."""

import json

import numpy as np
import pytest

from tfgan.errors import RefusedError
from tfgan.server import rest_json

ONE = {'seed': (np.dtype('int64'), (None,))}
TWO = ONE | {'share': (np.dtype('float32'), (None,))}
POINTS = {'latents': (np.dtype('float32'), (None, 2))}
PIXELS = {'image': (np.dtype('uint8'), (None, 1, 2))}


def arrays(body, specs):
    return rest_json.arrays(rest_json.parse(body.encode()), specs)


@pytest.mark.parametrize(
    ('body', 'specs', 'expected'),
    [
        ('{"instances": [7, -8]}', ONE, {'seed': [7, -8]}),
        ('{"instances": [{"seed": 7}]}', ONE, {'seed': [7]}),
        ('{"instances": [9223372036854775807]}', ONE, {'seed': [2**63 - 1]}),
        ('{"instances": [{"share": 1, "seed": 2}]}', TWO, {'seed': [2], 'share': [1.0]}),
        ('{"instances": [[1, 2.5], [3, NaN]]}', POINTS, {'latents': [[1, 2.5], [3, np.nan]]}),
        ('{"instances": [[[0, 255]]]}', PIXELS, {'image': [[[0, 255]]]}),
        ('{"inputs": [7, 8]}', ONE, {'seed': [7, 8]}),
        ('{"inputs": []}', ONE, {'seed': []}),
        ('{"inputs": {"seed": [7], "share": [-Infinity]}}', TWO, {'seed': [7], 'share': [-np.inf]}),
    ],
)
def test_both_forms_are_read(body, specs, expected):
    found, by_rows = arrays(body, specs)
    assert by_rows == ('instances' in body)
    assert list(found) == list(specs)
    for name, array in found.items():
        assert array.dtype == specs[name][0]
        np.testing.assert_array_equal(array, np.array(expected[name], array.dtype))


@pytest.mark.parametrize(
    ('body', 'specs', 'words'),
    [
        ('', ONE, 'JSON Parse error'),
        ('{"instances": [7', ONE, 'JSON Parse error'),
        ('\udc80', ONE, 'JSON Parse error'),
        ('[' * 100_000, ONE, 'JSON Parse error'),
        ('{"inputs": [' + '9' * 5000 + ']}', ONE, 'JSON Parse error'),
        ('[7]', ONE, 'Is not object'),
        ('{"signature_name": 7, "inputs": [7]}', ONE, "'signature_name' key must be a string"),
        ('{}', ONE, "Missing 'inputs' or 'instances' key"),
        ('{"inputs": [1], "instances": [1]}', ONE, 'only one of'),
        ('{"instances": 7}', ONE, 'to be an list'),
        ('{"instances": []}', ONE, "No values in 'instances'"),
        ('{"instances": [{"seed": 1}, 7]}', ONE, 'element: 1'),
        ('{"instances": [{"seed": 1}]}', TWO, 'keys must be equal to: seed,share'),
        ('{"instances": [7]}', TWO, 'expecting an object of seed,share'),
        ('{"inputs": {"seed": [1]}}', TWO, 'Missing but required: share'),
        ('{"inputs": {"seed": [1], "feed": [1]}}', ONE, 'Sent extra: feed'),
        ('{"instances": [1.5]}', ONE, 'not of expected type: int64'),
        ('{"instances": [NaN]}', ONE, 'not of expected type: int64'),
        ('{"instances": ["7"]}', ONE, 'not of expected type: int64'),
        ('{"instances": [null]}', ONE, 'not of expected type: int64'),
        ('{"instances": [true]}', ONE, 'not of expected type: int64'),
        ('{"instances": [1, true]}', ONE, 'not of expected type: int64'),
        ('{"instances": [7.0]}', ONE, 'not of expected type: int64'),
        ('{"inputs": {"seed": [1], "share": [0.5, false]}}', TWO, 'expected type: float32'),
        ('{"instances": [9223372036854775808]}', ONE, 'not of expected type: int64'),
        ('{"instances": [{"b64": "AAAA"}]}', POINTS, 'keys must be equal to: latents'),
        ('{"instances": [[1e39, 0]]}', POINTS, 'not of expected type: float32'),
        ('{"instances": [["x", 0]]}', POINTS, 'not of expected type: float32'),
        ('{"instances": [[1, 2], [3]]}', POINTS, 'unexpected size'),
        ('{"instances": [[1, 2, 3]]}', POINTS, r'expecting shape \[-1,2\] but got: \[1,3\]'),
        ('{"instances": [[7]]}', ONE, r'expecting shape \[-1\] but got: \[1,1\]'),
        ('{"inputs": 7}', ONE, r'expecting shape \[-1\] but got: \[\]'),
        ('{"instances": [[[0, 256]]]}', PIXELS, 'not of expected type: uint8'),
        ('{"instances": [[[-1, 0]]]}', PIXELS, 'not of expected type: uint8'),
    ],
)
def test_what_is_wrong_is_said(body, specs, words):
    with pytest.raises(RefusedError, match=words) as refused:
        rest_json.arrays(rest_json.parse(body.encode('utf-8', 'surrogateescape')), specs)
    assert refused.value.code == 'INVALID_ARGUMENT'
    assert len(str(refused.value)) < 300


def test_rows_must_agree():
    assert rest_json.row_count({'a': np.zeros(3), 'b': np.zeros([3, 2])}) == 3
    with pytest.raises(RefusedError, match='different numbers of rows'):
        rest_json.row_count({'a': np.zeros(3), 'b': np.zeros(2)})


IMAGE = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
SHARES = np.array([0.2, 1.0], np.float32)


@pytest.mark.parametrize(
    ('outputs', 'by_rows', 'expected'),
    [
        ({'image': IMAGE}, True, {'predictions': [[[0], [1]], [[2], [3]]]}),
        ({'image': IMAGE}, False, {'outputs': [[[0], [1]], [[2], [3]]]}),
        ({'probability': SHARES}, True, {'predictions': [0.2, 1.0]}),
        ({'png_bytes': np.array([b'\x00\xff'], object)}, True, {'predictions': [{'b64': 'AP8='}]}),
        ({'name': np.array(['Käse'.encode()], object)}, False, {'outputs': ['Käse']}),
        ({'a': SHARES, 'b': SHARES}, False, {'outputs': {'a': [0.2, 1.0], 'b': [0.2, 1.0]}}),
        ({'a': SHARES, 'b': SHARES[::-1]}, True,
         {'predictions': [{'a': 0.2, 'b': 1.0}, {'a': 1.0, 'b': 0.2}]}),
    ],
)  # fmt: skip
def test_answers_have_the_requests_form(outputs, by_rows, expected):
    assert json.loads(rest_json.answer(outputs, by_rows)) == expected


def test_an_error_is_an_object_of_one():
    assert json.loads(rest_json.error('no "such"\nmodel')) == {'error': 'no "such"\nmodel'}
