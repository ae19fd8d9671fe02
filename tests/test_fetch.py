"""`tfgan.fetch` brings an export from a stand-in for the Hub, and nothing that is not one."""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import threading
import urllib.parse

import numpy as np
import pytest
from commands import start
from huggingface_hub import constants
from loopback import free_ports
from toy_models import toy_pen

import tfgan
from tfgan import hub
from tfgan.errors import ModelError
from tfgan.saved_model import identity

COMMIT = 'c0ffee' * 6 + 'c0ff'


class Hub:
    """What answers at the addresses of the Hub's API for one repository, art/toy."""

    def __init__(self):
        self.files, self.sizes, self.moved, self.asked = {}, {}, {}, []
        self.hidden = {}  # files that are not listed
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self, urllib.parse.unquote(self.path.partition('?')[0]))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request, path):
        if 'art/' in path:  # its client also asks for other things
            self.asked.append(path)
        start = f'/art/toy/resolve/{COMMIT}/'
        name = path.removeprefix(start)
        if path in ('/api/models/art/toy', '/api/models/art/toy/revision/v1'):
            self.send(request, 200, self.listing())
        elif path in self.moved:
            self.send(request, 302, b'', Location=self.moved[path])
        elif path.startswith(start) and name in self.files | self.hidden:
            self.send(request, 200, (self.files | self.hidden)[name])
        elif path.startswith('/api/models/art/toy/'):
            self.send(request, 404, b'{}', **{'X-Error-Code': 'RevisionNotFound'})
        elif path.startswith('/api/'):
            self.send(request, 401, b'{}', **{'X-Error-Code': 'RepoNotFound'})
        else:
            self.send(request, 404, b'', **{'X-Error-Code': 'EntryNotFound'})

    def listing(self):
        names = [*self.files, *(name for name in self.sizes if name not in self.files)]
        siblings = [
            {'rfilename': name, 'size': self.sizes.get(name, len(self.files.get(name, b'')))}
            for name in names
        ]
        return json.dumps({'id': 'art/toy', 'sha': COMMIT, 'siblings': siblings}).encode()

    def send(self, request, status, body, **headers):
        request.send_response(status)
        for name, value in ({'Content-Length': str(len(body))} | headers).items():
            request.send_header(name, value)
        request.end_headers()
        with contextlib.suppress(ConnectionError):  # of a client that has seen enough
            request.wfile.write(body)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    # One of pixels, which is written and loaded in less time than a pen.
    return toy_pen(tmp_path_factory.mktemp('hub') / 'toy', (8, 8, 1), architecture='mlp')


@pytest.fixture
def stand_in(model, monkeypatch):
    """A Hub that has the model as art/toy."""
    found = Hub()
    paths = (path for path in model.version.rglob('*') if path.is_file())
    found.files = {path.relative_to(model.version).as_posix(): path.read_bytes() for path in paths}
    found.files['.gitattributes'] = b'*.pb filter=lfs'
    monkeypatch.setattr(constants, 'ENDPOINT', found.url)
    # The client made this of the endpoint when it was imported.
    template = f'{found.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}'
    monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', template)
    yield found
    found.server.shutdown()
    found.server.server_close()


def fetch(tmp_path, address='hf:art/toy'):
    return hub.fetch(hub.repository(address), tmp_path / 'models')


def refused(tmp_path, *words):
    """Refuses to fetch in a line that has these words, and leaves nothing of a version behind."""
    with pytest.raises(ModelError) as error:
        fetch(tmp_path)
    assert all(word in str(error.value) for word in words), error.value
    assert '\n' not in str(error.value) and str(tmp_path) not in str(error.value)
    assert list(tmp_path.glob('models/*')) == []


def summed(stand_in):
    """Makes SHA256SUMS anew, as one who changes files on purpose does."""
    lines = (
        f'{hashlib.sha256(content).hexdigest()}  {name}\n'
        for name, content in stand_in.files.items()
        if name not in (identity.SUMS, '.gitattributes')
    )
    stand_in.files[identity.SUMS] = ''.join(lines).encode()


@pytest.mark.parametrize('address', ['hf:art/toy', 'hf:art/toy@v1'])
def test_an_export_comes_whole_and_draws_the_same(stand_in, model, tmp_path, address):
    version = fetch(tmp_path, address)
    assert version == tmp_path / 'models/1'
    assert identity.sums(version) == identity.sums(model.version)
    seeds = np.arange(4)
    assert np.array_equal(tfgan.load(version).draw(seeds), model.draw(seeds))
    assert ('/revision/v1' in stand_in.asked[0]) == ('@' in address)
    assert fetch(tmp_path, address) == tmp_path / 'models/2'


def test_a_file_that_was_changed_is_told_by_its_hash(stand_in, tmp_path):
    name = 'variables/variables.data-00000-of-00001'
    whole = stand_in.files[name]
    stand_in.files[name] = whole[:-1] + bytes([whole[-1] ^ 1])
    refused(tmp_path, name, 'another SHA-256', 'SHA256SUMS')


def test_other_weights_are_told_by_the_card(stand_in, tmp_path):
    card = json.loads(stand_in.files['model.json'])
    stand_in.files['model.json'] = json.dumps(card | {'sha256': '0' * 64}).encode()
    summed(stand_in)
    refused(tmp_path, 'weights', 'card')


@pytest.mark.parametrize(
    'name',
    [
        *('model.pkl', 'pytorch_model.bin', 'keras_metadata.pb', 'handler.py', '.env'),
        *('../../evil.pb', '/etc/evil.pb', 'variables/../../evil', 'variables\\..\\evil'),
        *('variables/variables.data-00000-of-00001.pkl', 'saved_model.pb\n', 'assets/words.txt'),
    ],
)
def test_what_is_no_file_of_an_export_is_refused_before_any_comes(stand_in, tmp_path, name):
    stand_in.files[name] = b'harm'
    summed(stand_in)
    refused(tmp_path, 'none of an export', repr(name)[1:-1].replace('\\\\', '\\'))
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize(
    'missing', ['SHA256SUMS', 'saved_model.pb', 'model.json', 'variables/variables.index']
)
def test_what_is_not_whole_is_no_export(stand_in, tmp_path, missing):
    del stand_in.files[missing]
    refused(tmp_path, 'no export', missing)


def test_a_file_of_which_the_sums_say_nothing_is_refused(stand_in, tmp_path):
    stand_in.files['variables/variables.data-00001-of-00002'] = b'more'
    refused(tmp_path, 'data-00001-of-00002', 'differ')


def test_a_file_that_says_it_is_huge_is_not_brought(stand_in, tmp_path):
    stand_in.sizes['model.json'] = 1 << 40
    refused(tmp_path, 'model.json', 'more than')
    assert len(stand_in.asked) == 1


def test_a_file_that_does_not_say_so_is_cut_off(stand_in, tmp_path, monkeypatch):
    monkeypatch.setitem(hub.FILES, 'README.md', 1000)
    stand_in.files['README.md'], stand_in.sizes['README.md'] = b'long' * (1 << 20), 10
    refused(tmp_path, 'README.md', 'more than 1,000 bytes')


def test_all_files_together_are_bounded(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, 'MOST_BYTES', 10_000)
    refused(tmp_path, 'bytes in all')
    stand_in.sizes = dict.fromkeys(stand_in.files, 1)
    refused(tmp_path, 'bytes in all')


def test_a_redirect_is_followed_and_what_it_leads_to_is_checked(stand_in, tmp_path):
    name = 'variables/variables.data-00000-of-00001'
    path = f'/art/toy/resolve/{COMMIT}/{name}'
    stand_in.moved[path] = f'{stand_in.url}/art/toy/resolve/{COMMIT}/README.md'
    refused(tmp_path, name, 'another SHA-256')
    stand_in.moved[path] = f'{stand_in.url}{path}'
    refused(tmp_path, 'hf:art/toy', 'edirect')
    stand_in.moved[path] = 'file:///etc/passwd'
    refused(tmp_path, 'hf:art/toy')
    # As the Hub does with large files.
    stand_in.moved[path] = f'{stand_in.url}/art/toy/resolve/{COMMIT}/blob'
    stand_in.hidden['blob'] = stand_in.files[name]
    assert fetch(tmp_path).is_dir()


def test_a_program_is_refused_though_its_hashes_are_right(stand_in, tmp_path):
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None], tf.int64, name='seed')
    read = tf.function(lambda seed: {'image': tf.io.read_file('/etc/hostname')}, [spec])
    tf.saved_model.save(module, str(tmp_path / 'harm'), signatures={'serving_default': read})
    stand_in.files |= {
        path.relative_to(tmp_path / 'harm').as_posix(): path.read_bytes()
        for path in (tmp_path / 'harm').rglob('*')
        if path.is_file()
    }
    summed(stand_in)
    refused(tmp_path, 'more than compute', 'ReadFile')


@pytest.mark.parametrize(
    ('address', 'words'),
    [
        ('hf:art/none', 'no such repository'),
        ('hf:art/toy@v2', 'no such revision'),
        *((address, 'expected hf:OWNER/NAME') for address in (
            'art/toy', 'hf:toy', 'hf:../toy', 'hf:art/..', 'hf:art/toy@../v1', 'hf:art/toy/x',
            'hf:art/toy@', 'hf:art/a b',
        )),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_a_line(stand_in, tmp_path, address, words):
    with pytest.raises(ModelError, match=words) as error:
        fetch(tmp_path, address)
    assert '\n' not in str(error.value) and not (tmp_path / 'models').exists()


def test_a_file_that_the_hub_does_not_give_is_told(stand_in, tmp_path):
    stand_in.sizes['README.md'] = stand_in.files.pop('README.md') and 10
    refused(tmp_path, 'hf:art/toy', '404')


def command(cwd, monkeypatch, endpoint, *flags):
    monkeypatch.setenv('HF_ENDPOINT', endpoint)
    process = start(cwd, 'fetch', *flags)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_the_command_writes_where_it_is_told(stand_in, tmp_path, monkeypatch):
    code, out, err = command(tmp_path, monkeypatch, stand_in.url, 'hf:art/toy')
    assert code == 0, err
    assert 'hf:art/toy is saved_models/toy/1' in out
    assert (tmp_path / 'saved_models/toy/1/saved_model.pb').exists()


def test_offline_it_says_what_would_work(tmp_path, monkeypatch):
    [port] = free_ports(1)
    code, out, err = command(tmp_path, monkeypatch, f'http://127.0.0.1:{port}', 'hf:art/toy')
    assert code == 1 and not out
    assert err.count('\n') == 1 and 'cannot be reached' in err and '--model=' in err
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    code, out, err = command(tmp_path, monkeypatch, f'http://127.0.0.1:{port}', 'hf:art/toy')
    assert code == 1 and err.count('\n') == 1 and 'cannot be reached' in err
    assert os.listdir(tmp_path) == []


def test_without_its_client_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__('sys').modules, 'huggingface_hub', None)
    with pytest.raises(ModelError, match=r"pip install '\.\[hub\]'"):
        fetch(tmp_path)


def test_no_registry_is_named_in_the_code():
    text = pathlib.Path(hub.__file__).read_text()
    assert 'huggingface.co' not in text
