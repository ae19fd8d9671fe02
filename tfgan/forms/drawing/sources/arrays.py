"""Images and labels from .npy and .npz files: arrays as people save them, pickles never."""

import contextlib
import glob
import math
import os
import typing
from collections.abc import Callable, Iterator

import numpy as np

from tfgan.errors import SourceError, shown
from tfgan.forms import pictures
from tfgan.forms.drawing.page import fit, look, plan

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
BLOCK_BYTES = 1 << 18  # read at once when all of a file is looked at


class Array(typing.Protocol):
    """What `part` takes: an array in memory, or its rows on disk."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray: ...


class Part(typing.NamedTuple):
    """An array as images; `read` gives uint8 [k, *shape] of indices [k]."""

    count: int
    shape: tuple[int, int, int]
    read: Callable[[np.ndarray], np.ndarray]


class Rows:
    """An .npy file's rows, or a field of its records, read when they are asked for.

    The file is held open, so one that is deleted or replaced stays as it was; one that is cut short
    raises SourceError, where touching it as a memory map would kill the process.
    """

    def __init__(self, path: str, mapped: np.memmap, field: str | None = None):
        whole = mapped[field] if field else mapped  # for its kind alone: not a byte is touched
        self.shape, self.dtype = whole.shape, whole.dtype
        self._row = np.dtype((mapped.dtype, mapped.shape[1:]))
        self._path, self._field, self._offset = path, field, mapped.offset
        self._file = open(path, 'rb')  # noqa: SIM115  closed when nobody reads any more

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self._read(start, stop - start)
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place, row in enumerate(rows):
            found[place] = self._read(int(row), 1)[0]
        return found

    def blocks(self, count: int) -> Iterator[np.ndarray]:
        """The first `count` rows, or as many as there are, some at a time."""
        step = max(1, BLOCK_BYTES // self._row.itemsize)
        stop = min(count, len(self))
        for start in range(0, stop, step):
            yield self[start : min(start + step, stop)]

    def _read(self, start: int, count: int) -> np.ndarray:
        size = count * self._row.itemsize
        try:
            data = os.pread(self._file.fileno(), size, self._offset + start * self._row.itemsize)
        except OSError as error:  # a disk or a network that has gone
            raise SourceError(f'{self._path} can no longer be read: {error.strerror}') from error
        if len(data) < size:
            raise SourceError(
                f'{self._path} was cut short since it was opened. Put it back and type the same'
                ' command again'
            )
        found = np.frombuffer(data, self._row, count)
        return found[self._field] if self._field else found


def open_npy(path: str) -> tuple[Part, np.ndarray, tuple[str, ...]]:
    """Images, labels int32 [n] and class names of an array, or of a folder of one for each class.

    The arrays stay on disk, all but those in Fortran order. Raises SourceError.
    """
    if not os.path.isdir(path):
        images = part(on_disk(path), path)
        return images, *_classes(None, images.count, path)
    names = sorted(glob.glob('*.npy', root_dir=path))
    if not names:
        raise SourceError(f'npy:{path}: no .npy files there; one for each class is needed')
    paths = [os.path.join(path, name) for name in names]
    parts = [part(on_disk(path), path) for path in paths]
    labels = np.repeat(np.arange(len(parts), dtype=np.int32), [part.count for part in parts])
    # Quick, Draw! offers its files for download under this name.
    stems = (name.removesuffix('.npy').removeprefix('full_numpy_bitmap_') for name in names)
    return _joined(parts, paths), labels, tuple(map(shown, stems))


def open_npz(path: str) -> tuple[Part, np.ndarray, tuple[str, ...]]:
    """Images, labels int32 [n] and class names of a file, all in memory. Raises SourceError."""
    with _loaded(path, 'npz') as archive:
        names = next((pair for pair in NPZ_NAMES if pair[0] in archive), None)
        if names is None:
            known = ', '.join('/'.join(pair) for pair in NPZ_NAMES)
            raise SourceError(
                f'{path} holds {archive.files}; images and labels are looked for under {known}'
            )
        _check_memory(archive, names, path)
        with _damage_told(path, 'npz'):
            array, labels = (_member(archive, name) for name in names)
    images = part(array, path)
    return images, *_classes(labels, images.count, path)


def _check_memory(archive, names: tuple[str, ...], path: str) -> None:
    """Raises SourceError if a file would unpack to more than there is: a few MB can be a TB."""
    members = {f'{name}.npy' for name in names}
    needed = sum(info.file_size for info in archive.zip.infolist() if info.filename in members)
    there = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    if needed > there:
        raise SourceError(
            f'{path} unpacks to {needed:,} bytes, and this machine has {there:,}. An .npy file'
            ' stays on disk: save the images as one for each class, and type --dataset=npy:FOLDER'
        )


def _member(archive, name: str) -> np.ndarray | None:
    """The array of that name; raises TypeError if it is none."""
    found = archive.get(name)
    if isinstance(found, bytes):  # as NumPy gives what it does not know
        raise TypeError(f'{name!r} is no array')
    return found


@contextlib.contextmanager
def _damage_told(path: str, kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # NumPy's readers raise nearly anything at a damaged file
        why = shown(str(error)) or type(error).__name__
        raise SourceError(f'{path} is not a whole .{kind} file of numbers: {why}') from error


def on_disk(path: str, field: str | None = None) -> Array:
    """What an .npy file holds, or a field of its records; raises SourceError."""
    mapped = _loaded(path, 'npy')
    with _damage_told(path, 'npy'):
        if mapped.flags.c_contiguous:
            return Rows(path, mapped, field)
        return np.load(path, allow_pickle=False)  # whose rows are all over the file


def _loaded(path: str, kind: str):
    """What an .npy or .npz file holds; raises SourceError if it is damaged or of the other kind."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise SourceError(f'{path} is no file; needed is an .{kind} file')
    with _damage_told(path, kind):
        found = np.load(path, mmap_mode='r', allow_pickle=False)
    is_kind = 'npy' if isinstance(found, np.ndarray) else 'npz'
    if is_kind != kind:
        raise SourceError(f'{path} is an .{is_kind} file inside: --dataset={is_kind}:{path}')
    return found


def part(array: Array, where: str) -> Part:
    """An array of any accepted kind as images; raises SourceError naming `where` it is from."""
    shape = _image_shape(array, where)
    black, white = _ends(array, where)

    def read(indices):
        return to_uint8(array[np.asarray(indices)].reshape(-1, *shape), black, white)

    return Part(len(array), shape, read)


def _image_shape(array: Array, where: str) -> tuple[int, int, int]:
    shape = array.shape
    if len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        shape = (len(array), math.isqrt(shape[1]), math.isqrt(shape[1]))
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or shape[-1] not in (1, 3) or 0 in shape:
        raise SourceError(f'{where} holds an array of shape {array.shape}. {ACCEPTED} {HINT}')
    return shape[1:]


def _ends(array: Array, where: str) -> tuple[float, float]:
    """The values that stand for black and for white."""
    if array.dtype == bool:
        return 0, 1
    if array.dtype.kind not in 'iuf':
        raise SourceError(f'{where} holds an array of {array.dtype}. {ACCEPTED}')
    # Bytes are right whatever they are, unless they are bits: a look at some is enough.
    low, high = _least_and_most(array, 256 if array.dtype == np.uint8 else len(array))
    if array.dtype.kind in 'iu' and (low, high) == (0, 1):
        raise SourceError(f'{where}: integers 0 and 1 are both black; save array.astype(bool)')
    ranges = ((0, 1), (-1, 1), (0, 255)) if array.dtype.kind == 'f' else ((0, 255),)
    for black, white in ranges:
        if black - OVERSHOOT <= low and high <= white + OVERSHOOT:
            return black, white
    raise SourceError(f'{where} holds {array.dtype} from {low} to {high}. {ACCEPTED}')


def _least_and_most(array: Array, count: int) -> tuple[float, float]:
    """The least and the greatest value of the first `count` rows, both NaN if one is."""
    blocks = array.blocks(count) if isinstance(array, Rows) else [array[:count]]
    ends = np.array([(block.min(), block.max()) for block in blocks])
    return ends[:, 0].min().item(), ends[:, 1].max().item()


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
    page = plan([look(pictures.picture(image)) for image in sample], image_size)
    page = page._replace(channels=part.shape[-1])

    def read(indices):
        fitted = (fit(pictures.picture(image), page) for image in part.read(indices))
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
    with _damage_told(where, 'npz'):  # texts may hold numbers that are no characters
        names = values.astype(str).tolist()
    return numbers.astype(np.int32), tuple(map(shown, names))


def _flat(labels: np.ndarray) -> np.ndarray:
    """Labels [n, 1] as [n], and one-hot rows [n, classes] as the place of their one."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and labels.size and labels.dtype.kind in 'iufb':
        places = labels.argmax(axis=1)
        if np.array_equal(labels, np.arange(labels.shape[1]) == places[:, None]):
            return places
    return labels
