"""A source of drawings: images on paper of one colour."""

import dataclasses
import functools
import typing

from PIL import Image

from tfgan.data.source import Source, spread

LOOKED_AT = 1000  # images whose border tells the paper


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
