"""One page for all pictures of a set: its shape and paper, and a picture laid on it."""

import contextlib
import math
import os
import threading
import typing
from collections.abc import Iterable

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageOps import exif_transpose

from tfgan.errors import shown
from tfgan.forms.drawing.pixels import commonest

LARGEST_SIDE = 64  # pixels, unless image_size asks for more
GREY_LEVELS = 8  # channels this close are grey: what a scanner or JPEG adds to pencil on paper
MANY_PIXELS = 1 << 24  # decoded one at a time: the largest allowed takes a gigabyte on its way

# Named, because Pillow's other readers do more than decode: that of EPS runs Ghostscript.
FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'TIFF', 'WEBP', 'AVIF', 'JPEG2000', 'PPM', 'TGA', 'PSD')

_many_pixels = threading.Lock()


class Look(typing.NamedTuple):
    """What a picture tells about the page that would suit it."""

    width: int
    height: int
    grey: bool
    paper: tuple[int, int, int] | None  # an opaque picture's border
    ink: float  # mean lightness 0..255 of a transparent picture's ink, NaN without ink


class Page(typing.NamedTuple):
    """What all pictures of a set are laid on."""

    height: int
    width: int
    channels: int
    paper: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def dtype(self) -> np.dtype:
        return np.dtype((np.uint8, self.shape))


def reason(error: Exception) -> str:
    """Why a file cannot be read, on one line and without its path."""
    if isinstance(error, UnidentifiedImageError):
        return 'not an image'
    said = getattr(error, 'strerror', None) or str(error) or type(error).__name__
    return shown(said)


def read(path: str, least: int) -> Image.Image:
    """A file's first frame, upright, as 8-bit RGB or RGBA.

    A large one is made smaller by a whole factor that leaves its longer side at least `least`
    pixels.
    """
    if not os.path.getsize(path):
        raise ValueError('an empty file')
    with Image.open(path, formats=FORMATS) as picture:
        if not 0 < picture.width * picture.height <= Image.MAX_IMAGE_PIXELS:
            raise ValueError(f'{picture.size} pixels; 1 to {Image.MAX_IMAGE_PIXELS:,} in all')
        picture.draft(None, (least, least))  # JPEG alone can: decodes a photograph 8 times faster
        many = picture.width * picture.height > MANY_PIXELS
        with _many_pixels if many else contextlib.nullcontext():
            picture.load()
            with contextlib.suppress(Exception):  # damaged EXIF is no reason to lose the drawing
                exif_transpose(picture, in_place=True)
            picture = _eight_bit(picture)
            return picture.reduce(max(1, max(picture.size) // least))


def _eight_bit(picture: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, or as RGBA if any of it may be transparent."""
    if picture.mode[0] in 'IF':  # 16-bit, 32-bit and float greys, which Pillow would clip at 255
        levels = np.asarray(picture).astype(np.float32)
        if not np.isfinite(levels).all():
            raise ValueError('its levels are not all finite')
        deep = picture.mode != 'F' and (';16' in picture.mode or levels.max() > 255)
        scale = 1 / 257 if deep else 255 if levels.max() <= 1 else 1
        picture = Image.fromarray(np.clip(np.rint(levels * scale), 0, 255).astype(np.uint8))
    if picture.mode == 'La':  # from TIFF: a transparent grey that Pillow converts to nothing else
        picture = picture.convert('LA')
    return picture.convert('RGBA' if picture.has_transparency_data else 'RGB')


def look(picture: Image.Image) -> Look:
    """What a picture of mode L, RGB or RGBA looks like."""
    pixels = np.asarray(picture.convert('RGBA'))
    red, green, blue, alpha = np.moveaxis(pixels, -1, 0)
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    grey = bool((spread * (alpha / 255)).max() <= GREY_LEVELS)
    if alpha.min() == 255:
        border = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
        return Look(*picture.size, grey, commonest(np.concatenate(border)[:, :3]), math.nan)
    ink = np.average(picture.convert('L'), weights=alpha) if alpha.any() else math.nan
    return Look(*picture.size, grey, None, float(ink))


def plan(looks: Iterable[Look], image_size: int | None = None) -> Page:
    """The page for pictures that look so: their own shape if it is one and small, else a square."""
    looks = list(looks)
    sizes = {(look.height, look.width) for look in looks}
    channels = 1 if all(look.grey for look in looks) else 3
    if image_size is None and len(sizes) == 1 and max(max(sizes)) <= LARGEST_SIDE:
        return Page(*sizes.pop(), channels, _paper_colour(looks))
    median = int(np.median([max(look.height, look.width) for look in looks]))
    side = image_size or min(LARGEST_SIDE, median)
    return Page(side, side, channels, _paper_colour(looks))


def _paper_colour(looks: list[Look]) -> tuple[int, int, int]:
    """The commonest border of the opaque pictures; without any, white unless the ink is light."""
    borders = [look.paper for look in looks if look.paper]
    if borders:
        return commonest(np.array(borders, np.uint8))
    inks = [look.ink for look in looks if not math.isnan(look.ink)]
    return (0, 0, 0) if inks and np.median(inks) > 127 else (255, 255, 255)


def fit(picture: Image.Image, page: Page) -> np.ndarray:
    """A picture of mode L, RGB or RGBA in the middle of a page: uint8 [*page.shape].

    Its proportions are kept: the longer side fills the page, paper the rest.
    """
    mode = 'L' if page.channels == 1 else 'RGB'
    flat = _on_paper(picture, page.paper).convert(mode)
    scale = min(page.width / flat.width, page.height / flat.height)
    size = max(1, round(flat.width * scale)), max(1, round(flat.height * scale))
    if size != flat.size:
        flat = flat.resize(size, Image.Resampling.LANCZOS)
    sheet = Image.new('RGB', (page.width, page.height), page.paper).convert(mode)
    sheet.paste(flat, ((page.width - size[0]) // 2, (page.height - size[1]) // 2))
    return np.asarray(sheet).reshape(page.shape)


def _on_paper(picture: Image.Image, paper: tuple[int, int, int]) -> Image.Image:
    if picture.mode != 'RGBA':
        return picture
    sheet = Image.new('RGB', picture.size, paper)
    sheet.paste(picture, mask=picture.getchannel('A'))
    return sheet
