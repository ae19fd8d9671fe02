"""Three images of a grey source as the channels of each."""

import itertools

import numpy as np

from tfgan.data.source import Source, Wanted
from tfgan.errors import SourceError
from tfgan.forms.base import DRAWING, check_source, form_named, open_source
from tfgan.forms.drawing.drawings import Drawings

STACKED = 128_000  # as many as Lin et al. 2018 (PacGAN) train on
EXAMPLE = 'stacked:tfds:mnist'
MOST_STACKED_CLASSES = 10  # of the inner source; their cubes are 1,000 classes


def open_stacked(wanted: Wanted) -> Source:
    """Three images of another source as the channels of each: Srivastava et al. 2017 (VEEGAN)."""
    inner = open_source(wanted.argument, *wanted[2:])
    _check_stackable(inner)
    height, width, _ = inner.shape
    # RandomState, because NumPy promises that its numbers stay the same in every version.
    triples = np.random.RandomState(0).randint(len(inner), size=(STACKED, 3), dtype=np.int64)

    def read(indices):
        images = inner.images(triples[indices].reshape(-1))
        return np.moveaxis(images.reshape(len(indices), 3, height, width), 1, -1)

    classes = len(inner.class_names)
    labels = inner.labels[triples] @ np.array([classes**2, classes, 1], np.int32)
    names = tuple(map('-'.join, itertools.product(inner.class_names, repeat=3)))
    notes = inner.notes | ({'paper': 3 * [*inner.paper]} if 'paper' in inner.notes else {})
    shape = height, width, 3
    return Drawings(wanted.dataset, shape, labels, names, read, inner.licence, notes, layers=inner)


def _check_stackable(inner: Source) -> None:
    classes = len(inner.class_names)
    if inner.shape[-1] != 1 or classes > MOST_STACKED_CLASSES:
        raise SourceError(
            f'stacked: takes images of one channel in at most {MOST_STACKED_CLASSES} classes, as in'
            f' --dataset={EXAMPLE}; got {inner.dataset!r} with images of shape'
            f' {inner.shape} in {classes} classes'
        )


def can_be_stacked(argument: str) -> bool:
    """Whether a source that is not stacked itself is named; raises SourceError if it is wrong."""
    kind = argument.partition(':')[0]
    kinds = form_named(DRAWING).sources  # Only images have channels.
    return kind in kinds and kind != 'stacked' and bool(check_source(argument))
