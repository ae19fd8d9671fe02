"""The versions of a model on disk: a model's directory has one folder for each, named by number."""

import os
import pathlib
import re

from tfgan import startup, storage
from tfgan.errors import ModelError, quoted, reason

MAIN_FILE = 'saved_model.pb'
NUMBER = re.compile(r'[0-9]+')
DRAWING = 'serving_default', 'labelled', 'truncated', 'latents', 'interpolate', 'classes'
LARGEST = 2**63 - 1  # TensorFlow Serving holds versions as int64


def version_number(name: str) -> int | None:
    """The number that a folder's name stands for, however it is written; None for other names."""
    if NUMBER.fullmatch(name) and int(name) <= LARGEST:
        return int(name)
    return None


def taken(directory) -> set[int]:
    """The numbers of all version folders of a model, whole or not."""
    directory = pathlib.Path(directory)
    folders = (path for path in directory.glob('*') if path.is_dir())
    return {version_number(path.name) for path in folders} - {None}


def versions(directory) -> dict[int, pathlib.Path]:
    """The folders of a model's whole versions by number, in rising order."""
    found = {
        version_number(path.parent.name): path.parent
        for path in sorted(pathlib.Path(directory).glob(f'*/{MAIN_FILE}'))
    }
    return {number: found[number] for number in sorted(found.keys() - {None})}


def newest(directory) -> pathlib.Path:
    """A model's newest version, or the directory itself if it is a version; raises ModelError."""
    directory = pathlib.Path(directory)
    if os.path.exists(directory / MAIN_FILE):
        return directory
    found = versions(directory) if os.path.isdir(directory) else {}
    if not found:
        raise ModelError(
            f'--model={quoted(directory)}: no exported model there; python -m tfgan.train writes '
            'one'
        )
    return found[max(found)]


def load(version):
    """A version's object with its `signatures`, as TensorFlow loads it; raises ModelError.

    It is refused where it cannot be read, and where it is no model that draws.
    """
    tf = startup.import_tensorflow()
    try:
        with storage.unglobbed(version) as folder:
            loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # whatever its readers of damaged files raise
        raise ModelError(f'--model={quoted(version)} cannot be loaded: {reason(error)}') from error
    if missing := [name for name in DRAWING if name not in loaded.signatures]:
        raise ModelError(
            f'--model={quoted(version)} is no model of tfgan: it lacks the signatures '
            f'{", ".join(missing)}; python -m tfgan.train writes one'
        )
    return loaded
