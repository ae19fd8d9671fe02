"""Images and labels from .npy and .npz files: arrays as people save them, pickles never."""

import contextlib
import glob
import math
import os
import typing
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from tfgan import images, pictures
from tfgan.pictures import SourceError

ACCEPTED = (
    'Accepted: [n, h, w], [n, h, w, 1 or 3], or [n, d] with d a square; of bool, of integers'
    ' 0..255, or of floats in [0, 1], [-1, 1] or [0, 255].'
)
HINT = (
    'Give flat colour its shape with reshape, put channels last with np.moveaxis(a, 1, -1), lay'
    ' transparency on paper.'
)
OVERSHOOT = 0.02  # what a resampling filter may add to a range of floats
NPZ_NAMES = (
    ('x_train', 'y_train'),
    ('train_images', 'train_labels'),
    ('images', 'labels'),
    ('x', 'y'),
    ('data', 'target'),
    ('arr_0', 'arr_1'),
)
# what NumPy raises at a file that is cut short, no array, or a pickle
DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


class Part(typing.NamedTuple):
    """An array as images; `read` gives uint8 [k, *shape] of indices [k]."""

    count: int
    shape: tuple[int, int, int]
    read: Callable[[np.ndarray], np.ndarray]


def open_npy(path: str) -> tuple[Part, np.ndarray, tuple[str, ...]]:
    """Images, labels int32 [n] and class names of an array, or of a folder of one for each class.

    The arrays stay on disk. Raises SourceError.
    """
    if not os.path.isdir(path):
        images = part(_loaded(path, 'npy'), path)
        return images, *_classes(None, images.count, path)
    names = sorted(glob.glob('*.npy', root_dir=path))
    if not names:
        raise SourceError(f'npy:{path}: no .npy files there; one for each class is needed')
    paths = [os.path.join(path, name) for name in names]
    parts = [part(_loaded(path, 'npy'), path) for path in paths]
    labels = np.repeat(np.arange(len(parts), dtype=np.int32), [part.count for part in parts])
    # Quick, Draw! offers its files for download under this name.
    stems = (name.removesuffix('.npy').removeprefix('full_numpy_bitmap_') for name in names)
    return _joined(parts, paths), labels, tuple(stems)


def open_npz(path: str) -> tuple[Part, np.ndarray, tuple[str, ...]]:
    """Images, labels int32 [n] and class names of a file, all in memory. Raises SourceError."""
    with _loaded(path, 'npz') as archive:
        names = next((pair for pair in NPZ_NAMES if pair[0] in archive), None)
        if names is None:
            known = ', '.join('/'.join(pair) for pair in NPZ_NAMES)
            raise SourceError(
                f'{path} holds {archive.files}; images and labels are looked for under {known}'
            )
        with _damage_told(path, 'npz'):
            array, labels = (archive.get(name) for name in names)
    images = part(array, path)
    return images, *_classes(labels, images.count, path)


@contextlib.contextmanager
def _damage_told(path: str, kind: str) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise SourceError(f'{path} is not a whole .{kind} file of numbers: {error}') from error


def _loaded(path: str, kind: str):
    """What an .npy or .npz file holds; raises SourceError if it is damaged or of the other kind."""
    with _damage_told(path, kind):
        found = np.load(path, mmap_mode='r', allow_pickle=False)
    is_kind = 'npy' if isinstance(found, np.ndarray) else 'npz'
    if is_kind != kind:
        raise SourceError(f'{path} is an .{is_kind} file inside: --dataset={is_kind}:{path}')
    return found


def part(array: np.ndarray, where: str) -> Part:
    """An array of any accepted kind as images; raises SourceError naming `where` it is from."""
    shape = _image_shape(array, where)
    black, white = _ends(array, where)

    def read(indices):
        return to_uint8(np.asarray(array[indices]).reshape(-1, *shape), black, white)

    return Part(len(array), shape, read)


def _image_shape(array: np.ndarray, where: str) -> tuple[int, int, int]:
    shape = array.shape
    if len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        shape = (len(array), math.isqrt(shape[1]), math.isqrt(shape[1]))
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or shape[-1] not in (1, 3) or not array.size:
        raise SourceError(f'{where} holds an array of shape {array.shape}. {ACCEPTED} {HINT}')
    return shape[1:]


def _ends(array: np.ndarray, where: str) -> tuple[float, float]:
    """The values that stand for black and for white."""
    if array.dtype == bool:
        return 0, 1
    if array.dtype.kind not in 'iuf':
        raise SourceError(f'{where} holds an array of {array.dtype}. {ACCEPTED}')
    # Bytes are right whatever they are, unless they are bits: a look at some is enough.
    seen = array[:256] if array.dtype == np.uint8 else array
    low, high = seen.min().item(), seen.max().item()  # NaN if there is one
    if array.dtype.kind in 'iu' and (low, high) == (0, 1):
        raise SourceError(f'{where}: integers 0 and 1 are both black; save array.astype(bool)')
    ranges = ((0, 1), (-1, 1), (0, 255)) if array.dtype.kind == 'f' else ((0, 255),)
    for black, white in ranges:
        if black - OVERSHOOT <= low and high <= white + OVERSHOOT:
            return black, white
    raise SourceError(f'{where} holds {array.dtype} from {low} to {high}. {ACCEPTED}')


def to_uint8(block: np.ndarray, black: float, white: float) -> np.ndarray:
    """Values from black to white as bytes, rounded; what lies outside saturates."""
    if block.dtype == np.uint8:
        return block
    levels = (block.astype(np.float32) - black) * (255 / (white - black))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _joined(parts: list[Part], paths: list[str]) -> Part:
    """Parts one after the other; raises SourceError naming two that differ in shape."""
    shape = parts[0].shape
    for part, path in zip(parts, paths, strict=True):
        if part.shape != shape:
            found = f'{path} holds images of {part.shape}, {paths[0]} of {shape}'
            raise SourceError(f'{found}; all files of a folder need the same')
    starts = np.cumsum([0, *(part.count for part in parts)])

    def read(indices):
        result = np.empty((len(indices), *shape), np.uint8)
        owner = np.searchsorted(starts, indices, side='right') - 1
        for i in np.unique(owner):
            result[owner == i] = parts[i].read(indices[owner == i] - starts[i])
        return result

    return Part(int(starts[-1]), shape, read)


def resized(part: Part, image_size: int | None) -> Part:
    """A part whose images are squares of `image_size`, fitted when they are read."""
    if image_size is None or part.shape[:2] == (image_size, image_size):
        return part
    sample = part.read(np.linspace(0, part.count - 1, min(256, part.count)).astype(int))
    page = pictures.plan([pictures.look(images.picture(image)) for image in sample], image_size)
    page = page._replace(channels=part.shape[-1])

    def read(indices):
        fitted = (pictures.fit(images.picture(image), page) for image in part.read(indices))
        return np.fromiter(fitted, page.dtype, len(indices))

    return Part(part.count, page.shape, read)


def _classes(labels, count: int, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int32 [n] and class names, of integers, texts, one-hot rows or None."""
    if labels is None:
        return np.zeros(count, np.int32), ('drawing',)
    labels = _flat(labels)
    if labels.shape != (count,) or labels.dtype.kind not in 'iubU':
        raise SourceError(
            f'{where} holds labels of {labels.dtype} {labels.shape} for {count} images;'
            f' accepted are {count} integers or texts, or one-hot rows'
        )
    values, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int32), tuple(values.astype(str).tolist())


def _flat(labels: np.ndarray) -> np.ndarray:
    """Labels [n, 1] as [n], and one-hot rows [n, classes] as the place of their one."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in 'iufb':
        places = labels.argmax(axis=1)
        if np.array_equal(labels, np.arange(labels.shape[1]) == places[:, None]):
            return places
    return labels
