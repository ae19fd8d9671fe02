"""A refusal has a code of each protocol."""

import subprocess

import grpc
import pytest

from tfgan import errors
from tfgan.errors import RefusedError, listed, printable, reason, shown, typed
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


STRANGE = 'a\x1b[2J\nerror: b\u202e\x9b\ud800\u2028'


def test_what_garbles_a_terminal_is_escaped():
    assert shown(STRANGE) == r'a\x1b[2J\nerror: b\u202e\x9b\ud800\u2028'
    assert shown('größe שלום 猫 \u200d') == 'größe שלום 猫 \u200d'
    assert printable(STRANGE) == shown(STRANGE).replace(r'\n', '\n')
    assert printable('a\tb\r\n') == 'a\tb\r\n'


@pytest.mark.parametrize('kind', [errors.SourceError, errors.ModelError, errors.FeatureError])
def test_an_error_of_what_is_outside_is_escaped_and_bounded(kind):
    has_lines = kind is errors.SourceError  # some of which say what to type
    assert str(kind(STRANGE)) == (printable if has_lines else shown)(STRANGE)
    assert len(str(kind('x' * 10**6))) < 5000
    assert len(reason(ValueError('x' * 10**6))) < 1100


def test_names_are_listed_as_far_as_there_is_room():
    assert listed(['cat', 'a\nb']) == r'cat, a\nb'
    assert listed([]) == ''
    assert listed([f'name {i:03}' for i in range(345)]).endswith(', name 099 and 245 more')
    assert len(listed(['\x1b' * 10**6] * 10**5)) < 5 * errors.MOST_TOLD
