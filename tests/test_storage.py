"""Files are whole or not there, and where a disk does not take them it is said in one line."""

import errno
import fcntl
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading

import forks
import pytest
import tensorflow as tf
from commands import TOY, small_data
from toy_models import export_toy

from tfgan import storage
from tfgan.errors import StorageError


def test_bytes_replace_a_file(tmp_path):
    path = tmp_path / 'a'
    for data in (b'old', b'newer', b''):
        storage.write_bytes(path, data)
        assert path.read_bytes() == data
        assert os.listdir(tmp_path) == ['a']


@pytest.mark.parametrize(('mask', 'mode'), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_is_heeded(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        storage.write_bytes(tmp_path / 'in/a', b'new')
    finally:
        os.umask(before)
    assert (tmp_path / 'in/a').stat().st_mode & 0o777 == mode
    assert (tmp_path / 'in').stat().st_mode & 0o777 == 0o777 & ~mask


def open_to_others(folder):
    return [path for path in folder.rglob('*') if path.stat().st_mode & 0o077]


def test_an_export_is_as_the_umask_has_it(toy, tmp_path):
    before = os.umask(0o077)
    try:
        export_toy(toy, tmp_path / 'm')
    finally:
        os.umask(before)
    assert open_to_others(tmp_path) == [] and len([*tmp_path.rglob('*')]) > 8


@pytest.mark.long
def test_all_that_a_run_writes_is_as_the_umask_has_it(tmp_path):
    flags = ['--steps=3', '--architecture=mlp', '--xla=off', *TOY, small_data(tmp_path)]
    done = subprocess.run(
        [sys.executable, '-m', 'tfgan.train', '--run_dir=r', '--export_dir=m', *flags],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        umask=0o077,
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / '8.npy').unlink()  # which this process wrote
    assert open_to_others(tmp_path) == [] and len([*tmp_path.rglob('*')]) > 25


@pytest.fixture
def small_disk():
    """Writing more than 1,000 bytes to a file fails half way, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_the_old_file(tmp_path, small_disk):
    path = tmp_path / 'a'
    storage.write_bytes(path, b'old')
    with pytest.raises(StorageError, match='File too large'):
        storage.write_bytes(path, bytes(100_000))
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a']


def test_a_name_that_is_taken_by_a_folder(tmp_path):
    (tmp_path / 'a').mkdir()
    with pytest.raises(StorageError, match='directory'):
        storage.write_bytes(tmp_path / 'a', b'new')
    assert os.listdir(tmp_path) == ['a']


def refusal(call, *arguments):
    with pytest.raises(StorageError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_real_full_disk(tmp_path, full_disk):
    place = tmp_path / 'small'
    filler = full_disk(place, 8192)
    storage.write_bytes(place / 'a', b'old')
    said = refusal(storage.write_bytes, place / 'a', bytes(10_000))
    assert said.startswith(f'{place}/a cannot be written: No space left on device.')
    assert 'make room, and the same command goes on' in said
    assert (place / 'a').read_bytes() == b'old'
    assert sorted(os.listdir(place)) == ['a', 'filler']
    filler.unlink()
    storage.write_bytes(place / 'a', bytes(10_000))


def test_a_disk_to_read_only(tmp_path, mount):
    mount(tmp_path / 'still', 'ro')
    said = refusal(storage.write_bytes, tmp_path / 'still/sub/a', b'new')
    assert 'Read-only file system' in said and 'make it writable' in said


def test_data_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    done = []
    for name in ('fsync', 'replace'):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, real=real: (done.append(name), real(*args))[1]
        )
    storage.write_bytes(tmp_path / 'a', b'new')
    assert done == ['fsync', 'replace', 'fsync']


def said_by_tensorflow(place):
    return tf.errors.ResourceExhaustedError(None, None, f'{place}; No space left on device')


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (OSError(errno.EIO, 'x'), ('Input/output error', 'see to the disk')),
        (said_by_tensorflow('a/b'), ('No space left on device', 'make room')),
        (tf.errors.UnknownError(None, None, 'a; Disk quota exceeded'), ('quota', 'make room')),
        (OSError(errno.ELOOP, 'x'), ('Too many levels', 'see to it')),
    ],
)
def test_whoever_fails_to_write_it_is_said_alike(error, words):
    def write():
        with storage.writing('here'):
            raise error

    said = refusal(write)
    assert said.startswith('here cannot be written: ') and all(word in said for word in words)


FULL = StorageError('there', os.strerror(errno.ENOSPC), 'make room')


@pytest.mark.parametrize('error', [ValueError('x'), KeyboardInterrupt(), FULL])
def test_what_is_no_disks_fault_passes(error):
    with pytest.raises(type(error)) as caught, storage.writing('here'):
        raise error
    assert caught.value is error


def test_two_take_turns(tmp_path, capsys):
    order = []

    def other():
        with storage.turn(tmp_path) as alone:
            order.append(('other', alone))

    with storage.turn(tmp_path) as alone:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        order.append(('first', alone))
    thread.join(10)
    assert order == [('first', True), ('other', True)]
    assert f'waiting for another process that writes to {tmp_path}' in capsys.readouterr().out
    assert os.listdir(tmp_path) == []


def test_drafts_are_swept_and_nothing_else(tmp_path):
    (tmp_path / '.tmp-a/b').mkdir(parents=True)
    (tmp_path / '.tmp-c').touch()
    (tmp_path / 'kept').touch()
    storage.sweep(tmp_path)
    storage.sweep(tmp_path / 'nowhere')
    assert os.listdir(tmp_path) == ['kept']


def test_a_draft_takes_its_name_when_it_is_full(tmp_path):
    path = tmp_path / 'a'
    path.write_bytes(b'old')
    with storage.draft(path, 3) as file:
        [draft] = tmp_path.glob('.tmp-*')
        assert draft.stat().st_size == 3 and path.read_bytes() == b'old'
        file.write(b'new')
    assert path.read_bytes() == b'new' and os.listdir(tmp_path) == ['a']
    with pytest.raises(KeyboardInterrupt), storage.draft(path, 3):
        raise KeyboardInterrupt
    assert path.read_bytes() == b'new' and os.listdir(tmp_path) == ['a']


def test_a_draft_without_room_is_refused_at_once(tmp_path, full_disk):
    full_disk(tmp_path / 'small', 8192)
    said = refusal(storage.draft(tmp_path / 'small/a', 100_000).__enter__)
    assert said.startswith(f'{tmp_path}/small/a cannot be written: No space left on device')
    assert os.listdir(tmp_path / 'small') == ['filler']


def test_no_room_is_reserved_where_a_disk_knows_no_such_thing(tmp_path, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOTSUP, 'x')

    monkeypatch.setattr(os, 'posix_fallocate', unknown)
    with storage.draft(tmp_path / 'a', 10**15) as file:
        file.write(b'new')
    assert (tmp_path / 'a').read_bytes() == b'new'


@pytest.fixture(params=['ENOTSUP', 'ENOLCK', 'ENOSYS', 'EAGAIN', 'EACCES'])
def no_locks(request, monkeypatch):
    """Whatever is to be locked, the system answers as some network file systems do."""

    def flock(*_):
        raise OSError(getattr(errno, request.param), 'no locks here')

    monkeypatch.setattr(fcntl, 'flock', flock)


def test_without_locks_it_goes_on_and_says_so(tmp_path, no_locks, capsys):
    (tmp_path / '.tmp-of-another').touch()
    with storage.turn(tmp_path) as alone, storage.turn(tmp_path):
        assert not alone
    said, _ = capsys.readouterr().out.splitlines()
    assert said.startswith(f'{tmp_path} cannot be locked (no locks here): another process may')
    assert os.listdir(tmp_path) == ['.tmp-of-another']


def test_a_lock_that_another_has_is_no_lack_of_locks(tmp_path, full_disk):
    full_disk(tmp_path / 'small')  # where no other file can be tried
    for place in (tmp_path, tmp_path / 'small'):
        with open(place / 'filler', 'a') as first, open(place / 'filler', 'a') as second:
            assert storage.lock(first, place) and not storage.lock(second, place)


def test_a_full_temporary_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / 'v[2]').mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'gone'))
    said = refusal(storage.unglobbed(tmp_path / 'v[2]').__enter__)
    assert said.startswith(f'{tmp_path}/gone cannot be written: ')


@pytest.mark.parametrize('place', ['r', 'r/checkpoints', 'r/tensorboard', 'm'])
def test_training_refuses_a_place_to_read_only_at_once(tmp_path, mount, place):
    mount(tmp_path / place, 'ro')
    flags = ['--steps=3', '--run_dir=r', '--export_dir=m']
    result = subprocess.run(
        [*forks.python(), '-m', 'tfgan.train', *flags],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith('error: --') and 'not for you to write to' in result.stderr
    assert f'={place}: ' in result.stderr and result.stderr.count('\n') == 1
    assert not [path for path in tmp_path.rglob('*') if path.is_file()]
