"""The kinds of data set that drawings come from."""

import os
import re

from tfgan.data.source import UNKNOWN_LICENCE, Kind, Source, Wanted
from tfgan.errors import SourceError, quoted
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.sources import (
    arrays,
    folder,
    foreign,
    idx,
    sketches,
    stacked,
    tables,
    tfds,
)
from tfgan.forms.drawing.sources.doodles import open_doodles
from tfgan.forms.drawing.sources.stacked import can_be_stacked, open_stacked

TFDS_FORM = re.compile(r'\w[\w/.-]*(:.+)?')


def _is_folder(path: str) -> bool:
    """Whether it is a folder or a zip of pictures; raises SourceError with the way of others."""
    if os.path.isdir(path):
        return True
    form = foreign.recognised(path)
    if form and form.name != foreign.ZIP:
        raise foreign.refusal(path, form)
    return bool(form)


def _open_folder(wanted: Wanted) -> Source:
    found = folder.open_folder(
        wanted.argument, wanted.image_size, wanted.memory_bytes, wanted.split
    )
    notes = {'paper': list(found.page.paper), 'left_out': found.left_out}
    notes |= _remarks(found.told, found.split)
    shape, labels, class_names = found.page.shape, found.labels, found.class_names
    return Drawings(wanted.dataset, shape, labels, class_names, found.read, notes=notes)


def _open_npy(wanted: Wanted) -> Source:
    return _of_arrays(wanted, arrays.open_npy(wanted.argument, wanted.split))


def _open_npz(wanted: Wanted) -> Source:
    return _of_arrays(wanted, arrays.open_npz(wanted.argument, wanted.split))


def _open_idx(wanted: Wanted) -> Source:
    return _of_arrays(wanted, idx.open_idx(wanted.argument, wanted.split))


def _open_csv(wanted: Wanted) -> Source:
    return _of_arrays(wanted, tables.open_csv(wanted.argument))


def _open_tfds(wanted: Wanted) -> Source:
    name, _, split = wanted.argument.partition(':')
    if split and wanted.split not in (None, split):
        raise SourceError(
            f'--split={quoted(wanted.split)}: {quoted(wanted.dataset)} names another; give one'
        )
    split = split or wanted.split or 'train'
    found = tfds.open_set(name, split, wanted.data_dir, wanted.image_size, wanted.memory_bytes)
    part = arrays.part(found.images, wanted.dataset)
    opened = arrays.Opened(part, found.labels, found.class_names, split)
    return _of_arrays(wanted, opened, found.licence)


def _of_arrays(wanted: Wanted, opened: arrays.Opened, licence: str = UNKNOWN_LICENCE) -> Source:
    part, labels, class_names, split = opened
    notes = _remarks((*part.told, arrays.blank_told(part)), split)
    part = arrays.resized(part, wanted.image_size)
    return Drawings(wanted.dataset, part.shape, labels, class_names, part.read, licence, notes)


def _remarks(told: tuple[str, ...], split: str) -> dict:
    """The notes of a source of which so much is told, and which are those splits."""
    notes = {'remarks': '; '.join(filter(None, told)), 'split': split}
    return {name: said for name, said in notes.items() if said}


SOURCES = {
    'doodles': Kind('nothing', lambda argument: not argument, open_doodles, 'doodles'),
    'tfds': Kind('NAME or NAME:SPLIT', TFDS_FORM.fullmatch, _open_tfds, 'tfds:mnist:train'),
    'folder': Kind('an existing folder', _is_folder, _open_folder, 'folder:my/drawings'),
    'npy': Kind('an existing file or folder', os.path.exists, _open_npy, 'npy:my/quickdraw'),
    'npz': Kind('an existing file', os.path.isfile, _open_npz, 'npz:my/mnist.npz'),
    'idx': Kind('an existing file or folder', os.path.exists, _open_idx, 'idx:my/mnist'),
    'csv': Kind('an existing file', os.path.isfile, _open_csv, 'csv:my/digits.csv'),
    'ndjson': Kind(
        'an existing file or folder', os.path.exists, sketches.open_ndjson, 'ndjson:my/quickdraw'
    ),
    'strokes': Kind(
        'an existing file or folder', os.path.exists, sketches.open_strokes, 'strokes:my/kanji.npz'
    ),
    'stacked': Kind('another data set', can_be_stacked, open_stacked, stacked.EXAMPLE),
}
