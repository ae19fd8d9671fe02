"""A source of drawings: images on paper of one colour."""

import dataclasses
import functools
import math
import typing
from collections.abc import Callable

import numpy as np
from PIL import Image

from tfgan.data.source import Source, spread

LOOKED_AT = 1000  # images whose border tells the paper
# Making drawings takes far more memory than their pixels, so a block has few of large ones.
BLOCK_PIXELS, MOST_AT_ONCE = 1 << 19, 256


@dataclasses.dataclass(frozen=True, eq=False)
class Drawings(Source):
    """Images uint8 [n, height, width, 1 or 3]; `paper` is noted, or else found."""

    form: typing.ClassVar[str] = 'drawing'

    @functools.cached_property
    def paper(self) -> tuple[int, ...]:
        """The colour between the strokes: a level 0..255 for each channel."""
        if 'paper' not in self.notes:
            from tfgan.forms.drawing import ink  # and SciPy, which takes its time

            return ink.paper_of(self.images(spread(len(self), LOOKED_AT)))
        colour = tuple(self.notes['paper'])
        return colour if self.shape[-1] == 3 else (_grey(colour),)


def _grey(colour: tuple[int, int, int]) -> int:
    """The level of a colour in pictures of one channel."""
    return Image.new('RGB', (1, 1), colour).convert('L').getpixel((0, 0))


def remembered(read: Callable, count: int, shape: tuple[int, int, int]) -> Callable:
    """`read` that keeps what it has read.

    It needs no lock: an image counts as done only once it is stored, and two threads that draw the
    same one store the same bytes.
    """
    memory = np.empty((count, *shape), np.uint8)
    done = np.zeros(count, bool)
    block = max(1, min(BLOCK_PIXELS // math.prod(shape[:2]), MOST_AT_ONCE))

    def reread(indices):
        missing = np.unique(indices[~done[indices]])
        for start in range(0, len(missing), block):
            chunk = missing[start : start + block]
            memory[chunk] = read(chunk)
            done[chunk] = True
        return memory[indices]

    return reread
