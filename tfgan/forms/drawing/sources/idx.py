"""Images and labels from idx files, the format of MNIST's own, plain or compressed by gzip."""

import gzip
import math
import os
import re

import numpy as np

from tfgan.errors import SourceError
from tfgan.forms.drawing.sources import arrays, foreign
from tfgan.forms.sources.names import natural

TURNED = "EMNIST's files keep pictures on their side; they were turned upright"
IMAGES = re.compile(r'(.*?)[-_.]?images[-_.]idx[1-4].*', re.IGNORECASE)


def open_idx(path: str, split: str | None = None) -> arrays.Opened:
    """A file's images, or those of a folder's split, with the labels of the file beside it.

    All are held in memory. Raises SourceError.
    """
    if not os.path.isdir(path):
        opened = arrays.together([_member(path)])
        lone = () if _labels_beside(path) else ('no file of labels is beside it',)
        return _told(opened, *lone, *([TURNED] if _is_on_its_side(path) else []))
    names = sorted(os.listdir(path), key=natural)
    splits = {found[1] or found[0]: found[0] for found in map(IMAGES.fullmatch, names) if found}
    if not splits:
        raise SourceError(f'idx:{path}: no file there is named like train-images-idx3-ubyte(.gz)')
    pairs = {name: (os.path.join(path, file), None) for name, file in splits.items()}
    opened = arrays.of_splits(pairs, lambda file, _: _member(file), split, path)
    return _told(opened, *([TURNED] if any(map(_is_on_its_side, names)) else []))


def _told(opened: arrays.Opened, *remarks: str) -> arrays.Opened:
    return opened._replace(part=opened.part._replace(told=(*opened.part.told, *remarks)))


def _member(path: str) -> arrays.Member:
    images, labels = _read(path), _labels_beside(path)
    if _is_on_its_side(path) and images.ndim == 3:
        images = images.swapaxes(1, 2)
    return arrays.Member(path, images, None if labels is None else _read(labels))


def _is_on_its_side(path: str) -> bool:
    return os.path.basename(path).lower().startswith('emnist')


def _labels_beside(path: str) -> str | None:
    """The file of labels for one of images: train-labels-idx1-ubyte, say, compressed or not."""
    folder, name = os.path.split(path)
    if 'images' not in name:
        return None
    plain = name.removesuffix('.gz').replace('images', 'labels').replace('idx3', 'idx1')
    paths = [os.path.join(folder, plain + ending) for ending in ('', '.gz')]
    return next(filter(os.path.isfile, paths), None)


def _read(path: str) -> np.ndarray:
    """The array of a file; raises SourceError if it is no idx file or not a whole one."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise SourceError(f'{path} is no file; needed is an idx file')
    foreign.refuse(path, 'idx')
    with arrays.damage_told(path, 'idx'):
        with open(path, 'rb') as file:
            packed = file.read(2) == b'\x1f\x8b'
        with gzip.open(path) if packed else open(path, 'rb') as file:
            zeros, code, axes = file.read(2), *file.read(2)
            if zeros != bytes(2) or not axes:
                raise ValueError('it does not begin as one does')
            shape = np.frombuffer(file.read(4 * axes), '>u4', axes).tolist()
            dtype, count = np.dtype(foreign.IDX_TYPES[code]), math.prod(shape)
            arrays.check_memory(count * dtype.itemsize, path)
            return np.frombuffer(file.read(count * dtype.itemsize), dtype).reshape(shape)
