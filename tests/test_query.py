"""The client command, as a person would use it."""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tfgan.errors import shown

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def query(served, tmp_path):
    """Runs the command at the server; what it printed."""

    def run(*flags, code=0, server=served.rest):
        done = subprocess.run(
            [sys.executable, '-m', 'tfgan.query', f'--server={server}', '--model=toy', *flags],
            cwd=tmp_path, env=os.environ | {'PYTHONPATH': str(ROOT)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert 'Traceback' not in done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_sheet_and_single_pictures(query, toy, tmp_path):
    query('--num=6', '--seed=7', '--out=sheet.png')
    sheet = pixels(tmp_path / 'sheet.png')
    factor = sheet.shape[1] // 38  # three columns of 10 pixels, four gaps of 2
    assert sheet.shape == (30 * factor, 38 * factor)
    query('--seeds=3,-1', '--label=fish', '--out=fish')
    assert sorted(path.name for path in (tmp_path / 'fish').iterdir()) == ['-1.png', '3.png']
    [expected] = toy.draw(np.array([-1]), np.array([2], np.int32))
    assert np.abs(pixels(tmp_path / 'fish/-1.png').astype(int) - expected[..., 0]).max() <= 1


@pytest.mark.long
def test_both_protocols_write_the_same(query, served, tmp_path):
    for server, out in (served.rest, 'rest.png'), (served.grpc, 'grpc.png'):
        query('--num=9', '--label=1', '--truncation=0.5', f'--out={out}', server=server)
    assert (tmp_path / 'rest.png').read_bytes() == (tmp_path / 'grpc.png').read_bytes()


def test_latents_of_a_file(query, tmp_path):
    np.save(tmp_path / 'points.npy', np.zeros([2, 6], np.float32))
    query('--latents=points.npy', '--label=cat', '--out=two')
    assert np.array_equal(pixels(tmp_path / 'two/0.png'), pixels(tmp_path / 'two/1.png'))


def test_state_and_signatures(query):
    assert query('--status') == 'toy version 1: AVAILABLE\n'
    assert (
        'serving_default'
        in json.loads(query('--metadata'))['metadata']['signature_def']['signature_def']
    )


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        ([], '--out=sheet.png'),
        (['--out=a.png', '--label=horse'], 'cat, dog, fish'),
        (['--out=a.png', '--seeds=1,x'], '--seeds=1,x'),
        (['--out=a.png', '--latents=none.npy'], 'none.npy'),
        (['--out=a.png', '--latents=wrong.npy'], r'[-1,6]'),
        (['--out=a.png', '--latents=empty.npy'], 'empty.npy: No data left'),
        (['--out=a.png', '--latents=text.npy'], 'text.npy: expected one array'),
        (['--out=a.png', '--latents=several.npz'], 'several.npz: expected one array'),
        (['--out=a.png', '--latents=flat.npy'], 'shape [6]; expected [n, latent_size]'),
        (['--out=a.png', '--latents=rowless.npy'], 'of one at least'),
        (['--out=a.png', '--version=9223372036854775808'], '--version=9223372036854775808'),
        (['--out=a.png', '--latents=pickle.npy'], 'pickle.npy'),
        (['--out=a.png', '--version=9'], 'Specific(toy, 9)'),
    ],
)
def test_refusals_advise(query, tmp_path, flags, words):
    for name, shape in ('wrong', [2, 7]), ('flat', 6), ('rowless', [0, 6]):
        np.save(tmp_path / f'{name}.npy', np.zeros(shape, np.float32))
    np.save(tmp_path / 'text.npy', np.array([['a']]))
    np.savez(tmp_path / 'several.npz', a=np.zeros([2, 6]))
    (tmp_path / 'empty.npy').touch()
    np.save(tmp_path / 'pickle.npy', np.array([{}], object), allow_pickle=True)
    assert words in query(*flags, code=1)
    assert not (tmp_path / 'a.png').exists()


STRANGE = b'{"error": "\\u001b]0;title\\u0007\\nerror: all is well\\u202e"}', b'[1]', b'\x1b[2J'


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers each path by what it ends with, a number of STRANGE."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(STRANGE[int(self.path[-1])])

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize('number', range(len(STRANGE)))
def test_what_a_stranger_answers_is_one_line_of_a_terminal(query, number):
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        place = f'http://127.0.0.1:{server.server_port}'
        said = query('--status', f'--model={number}', code=1, server=place)
        server.shutdown()
    assert said.startswith(f'error: --server={place}: ') and said.count('\n') == 1
    assert shown(said[:-1]) == said[:-1]


def test_it_starts_without_tensorflow(served):
    program = (
        'import runpy, sys\n'
        f'sys.argv = ["query", "--server={served.rest}", "--model=toy", "--status"]\n'
        'try:\n'
        '    runpy.run_module("tfgan.query", run_name="__main__")\n'
        'except SystemExit as end:\n'
        '    assert not end.code\n'
        'print({"tensorflow", "keras", "grpc"} & set(sys.modules))\n'
    )
    environment = os.environ | {'PYTHONPATH': str(ROOT)}
    out = subprocess.check_output([sys.executable, '-c', program], env=environment, text=True)
    assert out == 'toy version 1: AVAILABLE\nset()\n'
