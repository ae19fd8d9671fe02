"""One page for all pictures of a set: its shape and paper, and a picture laid on it."""

import contextlib
import threading
import typing
from collections.abc import Iterable

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageOps import exif_transpose

from tfgan.errors import shown
from tfgan.forms.drawing.pixels import commonest

LARGEST_SIDE = 64  # pixels, unless image_size asks for more
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
LUMA = 0.299, 0.587, 0.114  # how light red, green and blue are
LEAST_SIDE = 2  # pixels
HIDDEN = 51  # levels, a fifth of all: ink that differs less from its paper cannot be seen
GREY_LEVELS = 8  # channels this close are grey: what a scanner or JPEG adds to pencil on paper
MANY_PIXELS = 1 << 24  # decoded one at a time: the largest allowed takes a gigabyte on its way

# Named, because Pillow's other readers do more than decode: that of EPS runs Ghostscript.
FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'TIFF', 'WEBP', 'AVIF', 'JPEG2000', 'PPM', 'TGA', 'PSD')

PAGED = ('TIFF', 'GIF', 'PNG', 'WEBP', 'AVIF')  # a photograph's second picture is its thumbnail

_many_pixels = threading.Lock()


class Ink(typing.NamedTuple):
    """The ink of a transparent picture: its mean colour, and how much it differs from that."""

    colour: tuple[float, float, float]
    spread: float


class Look(typing.NamedTuple):
    """What a picture tells about the page that would suit it."""

    width: int
    height: int
    grey: bool
    paper: tuple[int, int, int] | None  # an opaque picture's border
    ink: Ink | None  # a transparent picture's, if it has any
    blank: bool
    pages: int = 1


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


def read(file: typing.BinaryIO, least: int) -> Image.Image:
    """A file's first frame or page, upright, as 8-bit RGB or RGBA.

    A large one is made smaller by a whole factor that leaves its longer side at least `least`
    pixels.
    """
    if not file.read(1):
        raise ValueError('an empty file')
    file.seek(0)
    with Image.open(file, formats=FORMATS) as picture:
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


def pages_of(file: typing.BinaryIO) -> int:
    """How many pages or frames a readable file has."""
    file.seek(0)
    with contextlib.suppress(Exception), Image.open(file, formats=FORMATS) as picture:
        if picture.format in PAGED:
            return picture.n_frames
    return 1  # those after the first may be damaged


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
        paper = commonest(np.concatenate(border)[:, :3])
        blank = bool(abs(pixels[..., :3] - np.array(paper)).max() <= GREY_LEVELS)
        return Look(*picture.size, grey, paper, None, blank)
    ink = _ink(pixels)
    return Look(*picture.size, grey, None, ink, blank=ink is None)


def _ink(pixels: np.ndarray) -> Ink | None:
    """The ink of pixels uint8 [h, w, 4], None if all are transparent."""
    colours, alpha = pixels[..., :3].reshape(-1, 3), pixels[..., 3].ravel()
    if alpha.max() <= GREY_LEVELS:
        return None
    mean = np.average(colours, axis=0, weights=alpha)
    spread = np.average(abs(colours - mean), axis=0, weights=alpha).max()
    return Ink(tuple(mean.tolist()), float(spread))


def vanishes(ink: Ink, paper: tuple[int, int, int]) -> bool:
    """Whether ink is all but the colour of the paper."""
    return max(ink.spread, abs(np.subtract(ink.colour, paper)).max()) < HIDDEN


def plan(looks: Iterable[Look], image_size: int | None = None) -> Page:
    """The page for pictures that look so: their own shape if it is one and small, else a square."""
    looks = list(looks)
    sizes = {(look.height, look.width) for look in looks}
    channels = 1 if all(look.grey for look in looks) else 3
    small = all(LEAST_SIDE <= side <= LARGEST_SIDE for size in sizes for side in size)
    if image_size is None and len(sizes) == 1 and small:
        return Page(*sizes.pop(), channels, _paper_colour(looks))
    median = int(np.median([max(look.height, look.width) for look in looks]))
    side = image_size or max(LEAST_SIDE, min(LARGEST_SIDE, median))
    return Page(side, side, channels, _paper_colour(looks))


def _paper_colour(looks: list[Look]) -> tuple[int, int, int]:
    """The commonest border of the opaque pictures; without any, white unless the ink is light."""
    borders = [look.paper for look in looks if look.paper]
    if borders:
        return commonest(np.array(borders, np.uint8))
    inks = [_lightness(look.ink.colour) for look in looks if look.ink]
    return BLACK if inks and np.median(inks) > 127 else WHITE


def _lightness(colour: tuple[float, float, float]) -> float:
    return float(np.dot(colour, LUMA))


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
    """A picture without transparency: its ink on the paper of the set.

    Ink that would vanish there, as black does on black, was meant for other paper. It is drawn in
    black or white, whichever shows on this one: as the other pictures have their ink.
    """
    if picture.mode != 'RGBA':
        return picture
    ink, flat = _ink(np.asarray(picture)), picture
    if ink and vanishes(ink, paper):
        flat = Image.new('RGB', picture.size, WHITE if _lightness(paper) < 128 else BLACK)
    sheet = Image.new('RGB', picture.size, paper)
    sheet.paste(flat, mask=picture.getchannel('A'))
    return sheet
