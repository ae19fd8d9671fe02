"""Files written whole or not at all, and one kind of error where a disk does not take them."""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
import tempfile

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None

from tfgan.errors import StorageError, shown

DRAFT = '.tmp-'  # what the name of all begins with that is not yet whole
PATTERN = set('*?[\\') - {os.sep}  # TensorFlow looks for a checkpoint's files as a shell would
ROOM = 'make room'
LEAVE = 'make it writable'
# What a file system says where another has the lock; some say it where there are none to be had.
HELD = errno.EAGAIN, errno.EACCES
ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ROOM),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), LEAVE),
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENODEV), 'see to the disk'),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT), 'see what is there'),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG), 'see to its limits'),
}


@contextlib.contextmanager
def writing(place):
    """Raises StorageError for what Python or TensorFlow raises where `place` cannot be written."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        number = _number(error)
        if number is None:
            raise
        advice = ADVICE.get(number, 'see to it')
        raise StorageError(place, os.strerror(number), advice) from error


def _number(error):
    """The errno of an error; TensorFlow's have only its text, within another."""
    if isinstance(error, OSError):
        return error.errno
    return next((number for number in ADVICE if os.strerror(number) in str(error)), None)


def write_bytes(path, data: bytes) -> None:
    """Writes a file by way of a draft, so that it is whole or not there; raises StorageError."""
    path = pathlib.Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = new_draft(path.parent)
        try:
            with open(draft, 'xb') as file:
                file.write(data)
                file.flush()
                os.fsync(file)  # else a power cut may leave the new name with nothing in it
            os.replace(draft, path)
        except BaseException:
            discard(draft)
            raise
        sync(path.parent)


def new_draft(folder) -> pathlib.Path:
    """A name for a draft in a folder, of a file or folder that is made as the umask has it.

    Those of `tempfile` are their owner's alone, and none can be told what the umask is.
    """
    return pathlib.Path(folder, f'{DRAFT}{secrets.token_hex(8)}')


@contextlib.contextmanager
def draft(path, size: int):
    """Yields a new file that takes its name when the block has filled it; raises StorageError.

    The room for `size` bytes is taken at once, so that a disk that lacks it says so before the
    work. The block calls `writing` itself where it writes: it may have other errors.
    """
    path = pathlib.Path(path)
    name = path.with_name(f'{DRAFT}{secrets.token_hex(8)}')
    try:
        with writing(path):
            file = open(name, 'xb')  # noqa: SIM115  closed below
        with file:
            with writing(path):
                _reserve(file.fileno(), size)
            yield file
            with writing(path):
                file.flush()
                os.fsync(file.fileno())
        with writing(path):
            os.replace(name, path)
            sync(path.parent)
    finally:
        discard(name)


def _reserve(handle, size):
    """Takes a file's room on the disk, where the system and the file system know how."""
    if not hasattr(os, 'posix_fallocate'):
        return
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextlib.contextmanager
def unglobbed(folder):
    """Yields a path to a folder that TensorFlow takes as it is: it reads others as patterns."""
    if not PATTERN & set(str(folder)):
        yield pathlib.Path(folder)
        return
    with writing(tempfile.gettempdir()):
        place = pathlib.Path(tempfile.mkdtemp())
        (place / 'link').symlink_to(pathlib.Path(folder).absolute())
    try:
        yield place / 'link'
    finally:
        shutil.rmtree(place, ignore_errors=True)


def sync(path) -> None:
    """Waits until a file's data, or a folder's names, would outlive a power cut."""
    if fcntl is None:  # Windows opens no folder, and syncs no file that is open to read
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems know no such thing of a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def sync_all(folder) -> None:
    """`sync` of a folder and all below it."""
    for path in (*pathlib.Path(folder).rglob('*'), folder):
        sync(path)


def sweep(folder) -> None:
    """Removes the drafts of those who were killed; nobody else may be writing there."""
    for leftover in pathlib.Path(folder).glob(f'{DRAFT}*'):
        discard(leftover)


def discard(path) -> None:
    """Removes a file, or a folder with all in it, as far as that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


def lock(handle, folder) -> bool:
    """Makes an open file of a folder, or the folder, this process's alone; False if another has it.

    Raises OSError where files cannot be locked.
    """
    try:
        _flock(handle)
    except OSError as error:
        if error.errno not in HELD or not _has_locks(folder):
            raise
        return False
    return True


def _flock(handle):
    if fcntl is None:
        raise OSError(errno.ENOTSUP, 'this system has no locks that tfgan knows')
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _has_locks(folder):
    """Whether a file that nobody else knows of can be locked, if there is room for one."""
    try:
        with tempfile.TemporaryFile(dir=folder) as unknown:
            with contextlib.suppress(OSError):
                _flock(unknown)
                return True
            return False
    except OSError:
        return True


@contextlib.contextmanager
def turn(folder):
    """Waits for all others who want a folder; yields whether there was a lock to be had."""
    if fcntl is None:
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)  # which the system closes for whom it kills
    try:
        yield _locked(handle, folder)
    finally:
        os.close(handle)


def _locked(handle, folder):
    try:
        if not lock(handle, folder):
            print(f'waiting for another process that writes to {shown(str(folder))}', flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:  # some network file systems lock no folders
        why = f'{shown(str(folder))} cannot be locked ({error.strerror})'
        print(f'{why}: another process may write there at the same time, which hurts neither, and '
              f'what killed ones left in {DRAFT}* is not removed', flush=True)  # fmt: skip
        return False
    return True
