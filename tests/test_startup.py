"""A process goes on where nobody reads it, and begins in poor surroundings."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tqdm

from tfgan import startup

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


STRANGE = """
import sys
from tfgan import startup
startup.tolerate_closed_output()
for stream in sys.stdout, sys.stderr:
    print('a\\x1b[2Jb\\x9b\\u202e\\tc', file=stream)
"""


def test_no_text_makes_a_terminal_do_anything():
    said = subprocess.run(
        [sys.executable, '-c', STRANGE],
        env=os.environ | {'PYTHONPATH': str(ROOT), 'PYTHONIOENCODING': 'utf-8'},
        capture_output=True,
    )
    assert said.stdout == said.stderr == b'a\\x1b[2Jb\\x9b\\u202e\tc\n'


def test_bars_below_each_other_still_move(tmp_path):
    with open(tmp_path / 'said', 'wb') as file:
        output = startup.Output(file, 'utf-8')
        with tqdm.tqdm(total=1, file=output) as outer, tqdm.tqdm(total=1, file=output) as inner:
            inner.update()
            outer.update()
        output.flush()
        said = (tmp_path / 'said').read_text()
    assert '\x1b[A' in said and '\\x1b' not in said


def has_loaded(process, name):
    """Waits until a process has a library, which tells how far its imports are."""
    ends = time.monotonic() + 60
    while name not in pathlib.Path(f'/proc/{process.pid}/maps').read_text():
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.005)


COMMANDS = {'sample': ['--model={}', '--out=a.png'], 'serve': ['--models={}/..', '--port=0']}


def heed_ctrl_c():
    """What a shell runs in the background ignores it, and so do those that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform != 'linux', reason='it looks into /proc')
@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize(
    ('library', 'secs'),
    [
        ('multiarray_umath', 0),  # of what the command itself imports
        ('libtensorflow_framework', 0),
        ('libtensorflow_framework', 0.5),
        *(
            pytest.param('libtensorflow_framework', 0.3 * i, marks=pytest.mark.long)
            for i in range(9)
        ),
    ],
)
def test_ctrl_c_is_one_line_wherever_it_comes(command, library, secs, exported, tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            '-m',
            f'tfgan.{command}',
            *(f.format(exported) for f in COMMANDS[command]),
        ],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    has_loaded(process, library)
    time.sleep(secs)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, 'stopped\n')


LATE = """
import os, signal, sys
from tfgan import cli, startup
sys.argv[1:] = []
def main():
    startup.import_tensorflow()
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print('cleaned up')
cli.run(main, '')
"""


def test_what_was_begun_is_cleaned_up_at_ctrl_c(tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', LATE],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, 'cleaned up\n', 'stopped\n')


ELSEWHERE = """
import os, signal
import tfgan
from tfgan import startup
startup.import_tensorflow()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


@pytest.mark.long
def test_a_notebook_keeps_its_ctrl_c(tmp_path):
    assert run(ELSEWHERE, tmp_path, HOME=str(tmp_path)) == ''


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
