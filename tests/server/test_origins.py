"""Pages of other sites have nothing from a server of this machine, unless it allows them."""

import http.client
import json
import socket

import pytest
from clients import ONE_ROW
from servers import Server

ALLOWED = 'https://a.example', 'http://b.example:8080'
PREDICT, METRICS = '/v1/models/toy:predict', '/monitoring/prometheus/metrics'


@pytest.fixture(scope='module')
def plain(exported):
    with Server(exported.parent) as server:
        yield server
        assert server.end() == (0, '')


@pytest.fixture(scope='module')
def allowing(exported):
    with Server(exported.parent, f'--allow_origin={",".join(ALLOWED)}') as server:
        yield server
        assert server.end() == (0, '')


def ask(server, method='POST', path=PREDICT, body=ONE_ROW, **headers):
    """(status, {header: value}, content) of an answer; headers are named with underscores."""
    names = {name.replace('_', '-'): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(*server.place, timeout=20)
    connection.request(method, path, body if method == 'POST' else None, names)
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    content = answer.read()
    connection.close()
    return answer.status, headers, content


def is_refused(answer):
    status, headers, content = answer
    return (
        status == 403
        and list(json.loads(content)) == ['error']
        and headers['content-type'].startswith('application/json')
        and not any(name.startswith('access-control') for name in headers)
    )


@pytest.mark.parametrize(
    'host',
    [
        *('localhost', 'localhost:8501', 'LocalHost:1', 'a.localhost', 'my.models.localhost:80'),
        *('127.0.0.1', '127.0.0.1:8501', '127.255.3.9:1', '[::1]', '[::1]:8501'),
        '[0:0:0:0:0:0:0:1]:80',
    ],
)
def test_names_of_this_machine_pass(plain, host):
    assert ask(plain, Host=host)[0] == 200
    assert ask(plain, 'GET', METRICS, Host=host)[0] == 200


STRANGE_HOSTS = [
    *('evil.example', 'evil.example:8501', 'localhost.evil.example', 'evillocalhost', 'x'),
    *('127.0.0.1.evil.example', '10.0.0.1', '0.0.0.0', '128.0.0.1', '[::2]', '[::]:80', '::1'),
    *('localhost@evil.example', 'evil.example#localhost', 'evil.example/localhost', '.localhost.x'),
    *('localhost:80:80', '127.0.0.1:x', '[::1', '[::1]x', '', 'localhost,evil.example', '[]'),
]


@pytest.mark.parametrize('host', STRANGE_HOSTS)
def test_other_names_are_refused(plain, host):
    for method, path in ('POST', PREDICT), ('GET', '/v1/models/toy'), ('GET', METRICS):
        assert is_refused(ask(plain, method, path, Host=host))


@pytest.mark.parametrize(
    'lines',
    [
        ['Host: localhost', 'Host: evil.example'],
        ['Host: evil.example', 'Host: localhost'],
        ['Host: localhost', 'Host : evil.example'],
        [],
    ],
)
def test_hosts_are_one(plain, lines):
    head = '\r\n'.join([f'GET {METRICS} HTTP/1.1', *lines, 'Connection: close', '', ''])
    with socket.create_connection(plain.place, timeout=20) as client:
        client.sendall(head.encode())
        said = b''.join(iter(lambda: client.recv(4096), b''))
    assert said.split()[1] in (b'400', b'403')


def test_the_address_asked_for_is_held_against_its_host_too(plain):
    """A request may name a host in its target, which then counts: RFC 9112, 3.2.2."""
    for target in 'http://evil.example', 'http://evil.example@localhost':
        assert ask(plain, 'GET', target + METRICS, Host='localhost')[0] in (400, 403)


STRANGE_ORIGINS = [
    *('https://evil.example', 'null', 'http://localhost', 'http://127.0.0.1', 'http://[::1]'),
    *('https://a.example.evil.example', 'https://a.exampl', 'http://a.example', 'b.example:8080'),
    *('https://a.example:8443', 'http://b.example', 'https://a.example/', '', '*', 'file://'),
    *('https://a.example,http://b.example:8080', 'https://a.example https://evil.example'),
]


@pytest.mark.parametrize('origin', [*STRANGE_ORIGINS, 'the port of another', 'the other scheme'])
def test_pages_of_other_sites_are_refused(plain, allowing, origin):
    for server in plain, allowing:
        host, port = server.place
        named = {
            'the port of another': f'http://{host}:{port + 1}',
            'the other scheme': f'https://{host}:{port}',
        }.get(origin, origin)
        for content_type in 'application/json', 'text/plain':
            assert is_refused(ask(server, Origin=named, Content_Type=content_type))
        assert is_refused(ask(server, 'GET', METRICS, Origin=named))
        asked = dict(Access_Control_Request_Method='POST')
        assert is_refused(ask(server, 'OPTIONS', Origin=named, **asked))


def test_refused_pages_have_nothing_drawn(plain):
    before = plain.counts()['tfgan_batch_rows_sum', 'toy']
    ask(plain, Origin='https://evil.example', Content_Type='text/plain')
    ask(plain, Host='evil.example')
    assert plain.counts()['tfgan_batch_rows_sum', 'toy'] == before


@pytest.mark.parametrize('origin', ALLOWED)
def test_pages_that_are_allowed_read_answers_and_errors(allowing, origin):
    for body, expected in (ONE_ROW, 200), (b'{"instances": [', 400):
        status, headers, _ = ask(allowing, body=body, Origin=origin)
        assert status == expected
        assert headers['access-control-allow-origin'] == origin
        assert 'origin' in headers['vary'].lower()
        assert 'access-control-allow-credentials' not in headers
    status, headers, _ = ask(allowing, 'GET', '/v1/models/dog', Origin=origin)
    assert (status, headers['access-control-allow-origin']) == (404, origin)


@pytest.mark.parametrize('origin', ALLOWED)
def test_a_browser_may_ask_first(allowing, origin):
    status, headers, content = ask(
        allowing,
        'OPTIONS',
        Origin=origin,
        Access_Control_Request_Method='POST',
        Access_Control_Request_Headers='content-type',
    )
    assert (status, content) == (204, b'')
    assert headers['access-control-allow-origin'] == origin
    methods = {each.strip() for each in headers['access-control-allow-methods'].split(',')}
    assert {'GET', 'POST'} <= methods
    assert 'content-type' in headers['access-control-allow-headers'].lower()
    assert int(headers['access-control-max-age']) > 0
    assert 'origin' in headers['vary'].lower()


@pytest.mark.parametrize('host', ['127.0.0.1', 'localhost', '[::1]'])
def test_pages_of_the_server_itself_pass(plain, host):
    own = f'{host}:{plain.place[1]}'
    assert ask(plain, Host=own, Origin=f'http://{own}')[0] == 200


@pytest.mark.parametrize('content_type', ['text/plain', 'application/x-www-form-urlencoded', ''])
def test_without_an_origin_any_type_of_content_is_read(plain, content_type):
    assert ask(plain, Content_Type=content_type)[0] == 200


def test_an_origin_that_is_none_is_no_flag(exported):
    for wrong in '*', 'a.example', 'https://a.example/path':
        with pytest.raises(AssertionError, match='allow_origin'):
            Server(exported.parent, f'--allow_origin={wrong}')
