"""The kinds of data set that drawings come from."""

import os
import re

from tfgan.data.source import UNKNOWN_LICENCE, Kind, Source, Wanted
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.sources import arrays, folder, stacked, tfds
from tfgan.forms.drawing.sources.doodles import open_doodles
from tfgan.forms.drawing.sources.stacked import can_be_stacked, open_stacked

TFDS_FORM = re.compile(r'\w[\w/.-]*(:.+)?')


def _open_folder(wanted: Wanted) -> Source:
    found = folder.open_folder(wanted.argument, wanted.image_size, wanted.memory_bytes)
    notes = {'paper': list(found.page.paper), 'left_out': found.left_out}
    shape, labels, class_names = found.page.shape, found.labels, found.class_names
    return Drawings(wanted.dataset, shape, labels, class_names, found.read, notes=notes)


def _open_npy(wanted: Wanted) -> Source:
    return _of_part(wanted, *arrays.open_npy(wanted.argument))


def _open_npz(wanted: Wanted) -> Source:
    return _of_part(wanted, *arrays.open_npz(wanted.argument))


def _open_tfds(wanted: Wanted) -> Source:
    name, _, split = wanted.argument.partition(':')
    found = tfds.open_set(
        name, split or 'train', wanted.data_dir, wanted.image_size, wanted.memory_bytes
    )
    part = arrays.part(found.images, wanted.dataset)
    return _of_part(wanted, part, found.labels, found.class_names, found.licence)


def _of_part(wanted: Wanted, part, labels, class_names, licence=UNKNOWN_LICENCE) -> Source:
    part = arrays.resized(part, wanted.image_size)
    return Drawings(wanted.dataset, part.shape, labels, class_names, part.read, licence)


SOURCES = {
    'doodles': Kind('nothing', lambda argument: not argument, open_doodles, 'doodles'),
    'tfds': Kind('NAME or NAME:SPLIT', TFDS_FORM.fullmatch, _open_tfds, 'tfds:mnist:train'),
    'folder': Kind('an existing folder', os.path.isdir, _open_folder, 'folder:my/drawings'),
    'npy': Kind('an existing file or folder', os.path.exists, _open_npy, 'npy:my/quickdraw'),
    'npz': Kind('an existing file', os.path.isfile, _open_npz, 'npz:my/mnist.npz'),
    'stacked': Kind('another data set', can_be_stacked, open_stacked, stacked.EXAMPLE),
}
