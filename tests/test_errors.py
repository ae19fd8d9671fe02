"""A refusal has a code of each protocol."""

import subprocess

import grpc
import pytest

from tfgan.errors import RefusedError, reason, typed
from tfgan.server.rest import HTTP_STATUS


@pytest.mark.parametrize('code', HTTP_STATUS)
def test_codes_are_grpcs(code):
    assert code in grpc.StatusCode.__members__


def test_a_refusal_says_why_in_both():
    refused = RefusedError('NOT_FOUND', 'no such model')
    assert (refused.code, str(refused)) == ('NOT_FOUND', 'no such model')
    assert HTTP_STATUS['NOT_FOUND'] == 404


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        (ValueError('no\nsuch'), 'no'),
        (StopIteration(), 'StopIteration'),
        (
            ValueError('Graph execution error:\n\nDetected at\nit is 3\n\t [[{{node A}}]]'),
            'it is 3',
        ),
    ],
)
def test_the_reason_is_one_line(error, expected):
    assert reason(error) == expected


@pytest.mark.parametrize(
    'word', ['runs/a', 'v[2]', "it's", 'a b', '*?', '$HOME', '~', 'ü', 'a\nb', "'\\\t\x1b"]
)
def test_what_is_typed_is_one_word_of_a_shell(word):
    said = subprocess.run(['bash', '-c', f'printf %s {typed(word)}'], capture_output=True)
    assert said.stdout.decode() == word
    assert len(typed(word).splitlines()) == 1
    assert typed('runs/a-2.b') == 'runs/a-2.b'
