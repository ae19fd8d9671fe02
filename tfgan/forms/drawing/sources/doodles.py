"""The embedded drawings as a source."""

from collections.abc import Callable

import numpy as np

from tfgan.data.doodles import render
from tfgan.data.source import Source, Wanted
from tfgan.forms.drawing.drawings import Drawings

DOODLES = 60_000


def open_doodles(wanted: Wanted) -> Source:
    side = wanted.image_size or 28
    shape = (side, side, 1)

    def read(indices):
        return render.draw(indices, size=side)[..., None]

    if DOODLES * side**2 <= wanted.memory_bytes:
        read = _remembered(read, DOODLES, shape)
    licence = "drawn by this program from its own rules; nobody else's data"
    labels = render.labels(DOODLES)
    return Drawings(wanted.dataset, shape, labels, tuple(render.KINDS), read, licence)


def _remembered(read: Callable, count: int, shape: tuple[int, int, int]) -> Callable:
    """`read` that keeps what it has read.

    It needs no lock: an image counts as done only once it is stored, and two threads that draw the
    same one store the same bytes.
    """
    memory = np.empty((count, *shape), np.uint8)
    done = np.zeros(count, bool)

    def reread(indices):
        missing = np.unique(indices[~done[indices]])
        for start in range(0, len(missing), 64):  # a drawing needs far more memory than its pixels
            chunk = missing[start : start + 64]
            memory[chunk] = read(chunk)
            done[chunk] = True
        return memory[indices]

    return reread
