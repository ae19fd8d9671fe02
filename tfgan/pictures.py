"""A folder's image files, of any size and kind, as drawings of one shape on paper of one colour.

Each file is decoded once at the start: `look` notes what the shape and the paper are chosen from,
and a file that cannot be read is named and left out. `plan` then chooses one `Page` for all, and
`fit` lays a picture on it. Links are followed, to files and to folders.
"""

import contextlib
import dataclasses
import heapq
import itertools
import math
import os
import sys
import threading
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tqdm
from PIL import Image, UnidentifiedImageError
from PIL.ImageOps import exif_transpose

from tfgan.config import shown
from tfgan.images import commonest

LARGEST_SIDE = 64  # pixels, unless image_size asks for more
GREY_LEVELS = 8  # channels this close are grey: what a scanner or JPEG adds to pencil on paper
MOST_NAMED = 10  # files left out that are named; the others are counted
MANY_PIXELS = 1 << 24  # decoded one at a time: the largest allowed takes a gigabyte on its way
THREADS = min(8, os.cpu_count() or 1)

# Named, because Pillow's other readers do more than decode: that of EPS runs Ghostscript.
FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'TIFF', 'WEBP', 'AVIF', 'JPEG2000', 'PPM', 'TGA', 'PSD')

_many_pixels = threading.Lock()
# Pillow warns of damage at every reading; files whose damage matters are named once.
warnings.filterwarnings('ignore', module=r'PIL\.')


class SourceError(ValueError):
    """A data set that cannot be used; the message says why and what to type instead."""


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


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder's readable pictures; `read` gives uint8 [k, *page.shape] of indices [k].

    What `read` finds gone or damaged since the start is named on stderr, and another picture of its
    class takes its place; it raises SourceError when a class has none left.
    """

    page: Page
    labels: np.ndarray
    class_names: tuple[str, ...]
    left_out: int
    read: Callable[[np.ndarray], np.ndarray]


def open_folder(root: str, image_size: int | None = None, memory_bytes: int = 1 << 30) -> Folder:
    """The pictures below `root`, kept decoded if they fit in `memory_bytes`.

    Raises SourceError when no picture is left; names what cannot be read on stderr.
    """
    least = 4 * (image_size or LARGEST_SIDE)
    names, looks, left_out = _survey(root, least)
    page = plan(looks, image_size)
    labels, class_names = _classes(names)
    fitted = _Fitted(root, names, labels, page, least)

    def read(indices):
        with ThreadPoolExecutor(THREADS) as pool:
            return np.fromiter(pool.map(fitted, indices), page.dtype, len(indices))

    if len(names) * page.dtype.itemsize <= memory_bytes:
        kept = _threaded(fitted, range(len(names)), 'fitting')
        read = np.fromiter(kept, page.dtype, len(names)).__getitem__
    return Folder(page, labels, class_names, left_out, read)


class _Fitted:
    """Pictures on their page, by number: from files that may have gone since they were found."""

    def __init__(self, root: str, names: list[str], labels: np.ndarray, page: Page, least: int):
        self._root, self._names, self._labels = root, names, labels
        self._page, self._least = page, least
        self._lost = {}  # number: why; a file that is back again is read again
        self._telling = threading.Lock()

    def __call__(self, index: int) -> np.ndarray:
        """A picture's pixels, or those of the next of its class that can be read."""
        for substitute in itertools.chain([index], self._next_alike(index)):
            path = os.path.join(self._root, self._names[substitute])
            try:
                return fit(_read(path, self._least), self._page)
            except Exception as error:
                self._tell(substitute, _reason(error))
        count = np.count_nonzero(self._labels == self._labels[index])
        name, why = shown(self._names[index]), self._lost[index]
        raise SourceError(
            f'folder:{self._root}: of {count} pictures of a class none can be read any more'
            f' ({name}: {why}). Put them back and type the same command again'
        )

    def _next_alike(self, index: int) -> Iterator[int]:
        alike = np.flatnonzero(self._labels == self._labels[index])
        yield from np.concatenate([alike[alike > index], alike[alike < index]])

    def _tell(self, index: int, why: str) -> None:
        """Names a file that is lost, once; of many only their number."""
        with self._telling:
            if index in self._lost:
                return
            self._lost[index] = why
            count = len(self._lost)
            said = f'folder:{self._root}: '
            if count <= MOST_NAMED:
                said += f'{shown(self._names[index])} can no longer be read ({why}); '
            elif f'{count}'.strip('0') != '1':
                return
            said += f'{count} lost so far, for which others of their class are taken'
            tqdm.tqdm.write(said, file=sys.stderr)


def _survey(root: str, least: int) -> tuple[list[str], list[Look], int]:
    """The readable pictures' names, what each looks like, and how many files are left out."""
    names, problems = _find(root)
    readable, looks = [], []
    found = _threaded(lambda name: _examine(os.path.join(root, name), least), names, 'looking')
    for name, look_or_reason in zip(names, found, strict=True):
        if isinstance(look_or_reason, str):
            problems.append(f'{name}: {look_or_reason}')
        else:
            readable.append(name)
            looks.append(look_or_reason)
    _report(root, sorted(problems))
    if not readable:
        found = f'{len(problems)} files that are none' if problems else 'no files'
        raise SourceError(f'folder:{root}: needs images ({", ".join(FORMATS)}); found {found}')
    return readable, looks, len(problems)


def _find(root: str) -> tuple[list[str], list[str]]:
    """Names of the files below `root`, sorted, and which others cannot be read and why.

    Linked files and folders are read like others, but no folder twice, so links that go round end:
    it goes by its name without links, or else by the first in the alphabet.
    """
    names, problems, seen = [], [], set()
    waiting = [(False, '')]  # a heap: real folders come before links
    while waiting:
        _, inside = heapq.heappop(waiting)
        folder = os.path.join(root, inside)
        try:
            status = os.stat(folder)
            entries = [name for name in os.listdir(folder) if not name.startswith('.')]
        except OSError as error:
            problems.append(f'{inside or "."}: {_reason(error)}')
            continue
        if (status.st_dev, status.st_ino) in seen:
            problems.append(f'{inside}: a link to a folder that is read already')
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            name, path = f'{inside}/{entry}' if inside else entry, os.path.join(folder, entry)
            if os.path.isdir(path):
                heapq.heappush(waiting, (os.path.islink(path), name))
            elif os.path.isfile(path):  # opening a pipe would wait for ever
                names.append(name)
            else:
                kind = 'a link to nothing' if os.path.islink(path) else 'neither file nor folder'
                problems.append(f'{name}: {kind}')
    return sorted(names), problems


def _classes(names: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int32 [n] and class names: the first folder of each name, else 'drawing'."""
    folders = [name.split('/')[0] if '/' in name else 'drawing' for name in names]
    class_names = sorted(set(folders))
    number = {name: label for label, name in enumerate(class_names)}
    return np.array([number[name] for name in folders], np.int32), tuple(map(shown, class_names))


def _report(root: str, problems: list[str]) -> None:
    """Says on stderr what of a folder is left out, and why."""
    if problems:
        print(f'folder:{root}: {len(problems)} files left out:', file=sys.stderr)
    for problem in problems[:MOST_NAMED]:
        print(f'  {shown(problem)}', file=sys.stderr)
    if len(problems) > MOST_NAMED:
        print(f'  ... and {len(problems) - MOST_NAMED} more', file=sys.stderr)


def _threaded(function: Callable, items: list, doing: str) -> Iterator:
    """`map` on threads, in order, with a progress bar when it takes more than a moment."""
    bar = tqdm.tqdm(total=len(items), desc=doing, unit='picture', delay=1, disable=None)
    with bar, ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(items), 64):  # a pool given a million items would queue them all
            chunk = items[start : start + 64]
            yield from pool.map(function, chunk)
            bar.update(len(chunk))


def _examine(path: str, least: int) -> Look | str:
    """What a file looks like, or the reason why it cannot be used."""
    try:
        return look(_read(path, least))
    except Exception as error:  # Pillow's readers raise nearly anything at a damaged file
        return _reason(error)


def _reason(error: Exception) -> str:
    """Why a file cannot be read, on one line and without its path."""
    if isinstance(error, UnidentifiedImageError):
        return 'not an image'
    said = getattr(error, 'strerror', None) or str(error) or type(error).__name__
    return shown(said)


def _read(path: str, least: int) -> Image.Image:
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
