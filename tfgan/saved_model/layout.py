"""The versions of a model on disk: a model's directory has one folder for each, named by number.

What a version is stands here alone: a folder named by digits of ASCII and nothing else, as 1, 01 or
20261128, whose number a signed integer of 64 bits holds, and that has a saved_model.pb. All else is
passed over, as 1.bak, -1 or a number of twenty digits. scripts/serve has the rule once more, in sh.
"""

import os
import pathlib
import re

from tfgan.errors import ModelError, quoted

MAIN_FILE = 'saved_model.pb'
NUMBER = re.compile(r'[0-9]+')
LARGEST = 2**63 - 1  # TensorFlow Serving holds versions as int64


def version_number(name: str) -> int | None:
    """The number that a folder's name stands for, however it is written; None for other names."""
    if NUMBER.fullmatch(name) and int(name) <= LARGEST:
        return int(name)
    return None


def next_number(directory) -> int:
    """The number after those of all version folders, whole or not; raises ModelError for none."""
    folders = (path for path in pathlib.Path(directory).glob('*') if path.is_dir())
    taken = {version_number(path.name) for path in folders} - {None}
    if LARGEST in taken:
        raise ModelError(
            f'{quoted(directory)} has version {LARGEST}, which is the last that there can be; '
            'remove it, or give a folder of its own'
        )
    return max(taken, default=0) + 1


def versions(directory) -> dict[int, pathlib.Path]:
    """The folders of a model's whole versions by number, in rising order.

    Of several folders of one number it is the one with the fewest zeros before it.
    """
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
