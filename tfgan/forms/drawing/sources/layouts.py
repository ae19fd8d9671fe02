"""How pictures lie in an array: as rows, with colours first or last, the pictures' axis last."""

import math
import typing

import numpy as np

from tfgan.errors import SourceError

ACCEPTED = (
    'Accepted: [n, h, w], [n, h, w, 3], [n, 3, h, w], or rows of their pixels such as [n, 784] and'
    ' [n, 1, 784]; of bool, of integers 0..255 or of 10, 12, 14 or 16 bits, or of floats in [0, 1],'
    ' [-1, 1] or [0, 255].'
)
SAVE = "np.save('new.npy', {})"
LEAST_SIDE = 2  # pixels: what is less is no picture
LEAST_TURNED = 8  # pixels, where the axis of the pictures is the last: less is no picture's side
MOST_ELONGATED = 32  # times as long as wide
LOOKED_AT = 64  # pictures, to tell one layout from another
CLEARLY = 0.7  # so much as rough as any other layout is the layout of real pictures


class Array(typing.Protocol):
    """Any array, in memory or with its rows on disk."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray: ...


class Layout(typing.NamedTuple):
    """How a picture lies in a row of an array; its three colours are first, last, or not there."""

    height: int
    width: int
    colours: str = ''

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, 3 if self.colours else 1

    def arrange(self, rows: np.ndarray) -> np.ndarray:
        """Rows [k, ...] as pictures [k, h, w, c]."""
        if self.colours == 'first':
            return np.moveaxis(rows.reshape(-1, 3, self.height, self.width), 1, -1)
        return rows.reshape(-1, *self.shape)

    def line(self) -> str:
        """What to type to save the array `a` so that nobody takes it for another."""
        if self.colours == 'first':
            return SAVE.format(f'np.moveaxis(a.reshape(-1, 3, {self.height}, {self.width}), 1, -1)')
        return SAVE.format(f'a.reshape(-1, {self.height}, {self.width}, {self.shape[-1]})')


def recognised(array: Array, where: str) -> tuple[Array, Layout, str]:
    """An array with its pictures along the first axis, their layout, and what is told of it.

    Where the shape allows several layouts, the pictures decide: in the right one, neighbours are
    most alike. Raises SourceError with the lines to type if none or several make pictures.
    """
    found = _candidates(array)
    if not found:
        raise SourceError(f'{where} holds an array of shape {array.shape}. {_way(array.shape)}')
    best = _smoothest(found)
    pictures, layout = best or found[0]
    if best is None and layout.colours and len(_sizes(pictures.shape[1:])) == 1:
        lines = ' or '.join(layout.line() for _, layout in found)
        raise SourceError(
            f'{where} holds an array of shape {array.shape}, rows whose colours may be in several'
            f' orders. Give flat colour its shape: {lines}'
        )
    return pictures, layout, _told(array, pictures, layout)


def _candidates(array: Array) -> list[tuple[Array, Layout]]:
    """What may be pictures, as they lie and if need be with the last axis first.

    The usual layout is before others.
    """
    shape = array.shape
    found = [(array, layout) for layout in layouts(shape[1:])]
    if len(shape) > 2 and min(shape[:2]) >= LEAST_TURNED and (not found or shape[0] == shape[1]):
        turned = layouts(shape[:-1])  # as MATLAB keeps pictures: [h, w, n]
        found += [(np.moveaxis(array[:], -1, 0), layout) for layout in turned]
    return [(pictures, layout) for pictures, layout in found if 0 not in pictures.shape]


def layouts(rest: tuple[int, ...]) -> list[Layout]:
    """How a picture may lie in axes of these sizes, of which those of one say nothing."""
    sizes = _sizes(rest)
    one_pixel_high = len(sizes) < len(rest) == 3 and 3 in sizes  # rather than three pixels wide
    places = [] if one_pixel_high else [('', sizes)]
    if len(sizes) == 1:
        flat = sizes[0] // 3 if sizes[0] % 3 == 0 else 0
        places += [('last', (flat,)), ('first', (flat,))]
    elif sizes[-1:] == (3,):
        places.append(('last', sizes[:-1]))
    if len(sizes) > 1 and sizes[0] == 3:
        places.append(('first', sizes[1:]))
    sides = [(_sides(sizes), colours) for colours, sizes in places]
    return [Layout(*pair, colours) for pair, colours in sides if pair]


def _sizes(rest: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in rest if size != 1)


def _sides(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width of what has these sizes, flat if it is one; nothing if it is no picture."""
    if len(sizes) == 1 and math.isqrt(sizes[0]) ** 2 == sizes[0]:
        sizes = 2 * (math.isqrt(sizes[0]),)
    if len(sizes) != 2 or min(sizes) < LEAST_SIDE or max(sizes) > MOST_ELONGATED * min(sizes):
        return ()
    return sizes


def _smoothest(found: list[tuple[Array, Layout]]) -> tuple[Array, Layout] | None:
    """The layout in which pictures are clearly smoother than in any other, if there is one."""
    if len(found) == 1:
        return found[0]
    rough = [_roughness(layout.arrange(pictures[:LOOKED_AT])) for pictures, layout in found]
    best = int(np.argmin(rough))
    others = rough[:best] + rough[best + 1 :]
    return found[best] if all(rough[best] < CLEARLY * other for other in others) else None


def _roughness(pictures: np.ndarray) -> float:
    """How much pixels [k, h, w, c] differ from those below or beside them, the greater average."""
    levels = pictures.astype(np.float32)
    with np.errstate(invalid='ignore'):  # infinite levels, which are refused later
        return max(np.abs(np.diff(levels, axis=axis)).mean() for axis in (1, 2))


def _told(array: Array, pictures: Array, layout: Layout) -> str:
    """How an array was read, unless it is as one would expect."""
    height, width, channels = layout.shape
    if array.shape[1:] in ((height, width), (height, width, channels)) and pictures is array:
        return ''
    colours = f', colours {layout.colours}' if layout.colours else ''
    return f'{list(array.shape)} read as {len(pictures):,} pictures of {height} x {width}{colours}'


def _way(shape: tuple[int, ...]) -> str:
    """What to do with an array that holds no pictures by itself."""
    if len(shape) == 4 and shape[-1] in (2, 4):
        on_white = '(a[..., :-1] * (a[..., -1:] / 255) + 255 - a[..., -1:]).astype(np.uint8)'
        return f'Lay transparency on paper, white for instance: {SAVE.format(on_white)}'
    if len(shape) == 2 and layouts(shape[:1]):
        return f'{ACCEPTED} If each column is a picture: {SAVE.format("a.T")}'
    return f'{ACCEPTED} Give it its shape: {SAVE.format("a.reshape(-1, HEIGHT, WIDTH)")}'
