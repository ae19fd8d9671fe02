"""Arrays that are made once and kept in a file of the cache."""

import hashlib
import io
import os
import pathlib
import sys
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from tfgan import errors, storage

DAMAGED = OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error


def cache_path(cache_dir, name: str) -> pathlib.Path:
    """Where a file of that name is kept: in `cache_dir`, else in the user's cache."""
    if cache_dir:
        return pathlib.Path(cache_dir).expanduser() / name
    home = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return pathlib.Path(home).expanduser() / 'tfgan' / name


def remembered(path: pathlib.Path, make: Callable[[], dict]) -> dict:
    """The arrays that a file has by name; if it is not there, or damaged, `make` makes them."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except DAMAGED as error:
        print(
            f'{errors.quoted(path)} is damaged and made anew: {first_line(error)}', file=sys.stderr
        )
    arrays = make()
    data = io.BytesIO()
    np.savez(data, **arrays)
    try:
        storage.write_bytes(path, data.getvalue())
    except errors.StorageError as error:
        print(f'going on without a cache: {first_line(error.__cause__)}', file=sys.stderr)
    return arrays


def first_line(error) -> str:
    return errors.quoted(f'{error}'.strip().partition('\n')[0]) or type(error).__name__


def digest(arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]
