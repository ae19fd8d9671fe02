"""A process goes on where nobody reads it, and begins in poor surroundings."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]

TALK = """
import sys
from tfgan import startup
startup.tolerate_closed_output()
for number in range(100_000):
    print('a line')
    print('a line', file=sys.stderr)
sys.stdout.flush()
assert not startup.is_read()
open('done', 'w').close()
print('not flushed')
"""


def test_a_process_that_nobody_reads_comes_to_its_end(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', TALK],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stderr.close()
    assert process.wait(30) == 0
    assert (tmp_path / 'done').exists()


def test_what_is_read_is_whole(tmp_path):
    script = 'from tfgan import startup; startup.tolerate_closed_output(); print("größe")'
    said = subprocess.run(
        [sys.executable, '-c', script],
        env=os.environ | {'PYTHONPATH': str(ROOT), 'PYTHONIOENCODING': 'utf-8'},
        capture_output=True,
    )
    assert (said.stdout.decode(), said.stderr, said.returncode) == ('größe\n', b'', 0)


def run(script, cwd, *before, **environment):
    """What a script says, whose environment has no more than this."""
    done = subprocess.run(
        [*before, sys.executable, '-c', script],
        cwd=cwd,
        env={'PYTHONPATH': str(ROOT), 'PATH': os.environ['PATH'], **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


WINDOWS = """
import importlib, pkgutil, signal, sys
for name in ('fcntl', 'grp', 'pwd', 'resource', 'termios'):
    sys.modules[name] = None  # importing it fails
del signal.SIGHUP, signal.SIGPIPE
import tfgan
for module in pkgutil.walk_packages(tfgan.__path__, 'tfgan.'):
    importlib.import_module(module.name)
from tfgan import config, storage
from tfgan.training import loop, run_dir
with run_dir.RunDir('run', config.make(), {}), storage.turn('run') as alone, loop.Stop():
    storage.write_bytes('run/a', b'x')
print(alone)
"""


@pytest.mark.long
def test_nothing_needs_what_windows_has_not(tmp_path):
    said = run(WINDOWS, tmp_path, HOME=str(tmp_path)).splitlines()
    assert 'run cannot be locked' in said[0] and said[1:] == ['False']


CACHE = """
import os, tfgan
from tfgan import storage
from tfgan.evaluation import cache
path = cache.cache_path(None, 'a')
storage.write_bytes(path, b'x')
print(path)
"""


NOBODY = ['unshare', '--user', '--map-user=54321']  # who has no name here


def test_a_user_without_a_name_and_a_home_has_a_cache(tmp_path):
    if subprocess.run([*NOBODY, 'true'], capture_output=True).returncode:
        pytest.skip('being somebody else is not permitted here')
    said = run(CACHE, tmp_path, *NOBODY, TMPDIR=str(tmp_path))
    assert said == f'{tmp_path}/home-of-54321/.cache/tfgan/a\n'


def test_a_home_is_left_as_it_is(tmp_path):
    assert run('import os, tfgan; print(os.environ["HOME"])', tmp_path, HOME='/x') == '/x\n'


READ_ONLY = """
import os, tempfile
tempfile._candidate_tempdir_list = lambda: ['/proc']  # where nobody can write
os.path.expanduser = lambda path: path  # and nobody lives
import tfgan
from tfgan import errors, startup
print(os.environ['HOME'])
try:
    startup.import_tensorflow()
except errors.StorageError as error:
    print(error)
"""


def test_a_machine_to_read_only_is_told_in_a_line(tmp_path):
    home, said = run(READ_ONLY, tmp_path).splitlines()
    assert home == '/dev/null' and 'No usable temporary directory' in said and 'TMPDIR' in said


NOWHERE = """
set -e
for place in /tmp /var/tmp /usr/tmp; do
  [ ! -d $place ] || { mount --bind $place $place; mount -o remount,bind,ro $place; }
done
mount -t tmpfs none "$1"
cd /proc
shift
exec "$@"
"""


def test_a_command_without_a_temporary_folder_says_which_it_tried(exported, tmp_path):
    aside = ['unshare', '--mount']
    if subprocess.run(
        [*aside, 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True
    ).returncode:
        pytest.skip('mounting is not permitted here: it takes root')
    flags = [f'--model={exported}', f'--out={tmp_path}/sheet.png']
    done = subprocess.run(
        [*aside, 'sh', '-c', NOWHERE, 'sh', tmp_path, sys.executable, '-m', 'tfgan.sample', *flags],
        env=os.environ | {'PYTHONPATH': str(ROOT), 'TMPDIR': '/nowhere'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('error: a temporary file cannot be written: No usable')
    tried = "'/nowhere', '/tmp'", "'/proc'", 'set TMPDIR to a folder that can be written to'
    assert all(each in done.stderr for each in tried) and done.stderr.count('\n') == 1


LEGACY = """
import tfgan, keras, tensorflow as tf
print(tf.keras.__name__, keras.backend.backend())
"""


@pytest.mark.long
def test_another_keras_in_the_environment_is_not_heeded(tmp_path):
    said = run(LEGACY, tmp_path, HOME=str(tmp_path), TF_USE_LEGACY_KERAS='1', KERAS_BACKEND='jax')
    assert said == 'keras._tf_keras.keras tensorflow\n'


SETTINGS = """
import tfgan.networks.mlp, keras
print(keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format())
"""


@pytest.mark.long
def test_another_users_taste_in_keras_is_not_heeded(tmp_path):
    asked = '{"floatx": "float64", "epsilon": 0.1, "image_data_format": "channels_first"}'
    (tmp_path / '.keras').mkdir()
    (tmp_path / '.keras/keras.json').write_text(asked)
    assert run(SETTINGS, tmp_path, HOME=str(tmp_path)) == 'float32 1e-07 channels_last\n'
