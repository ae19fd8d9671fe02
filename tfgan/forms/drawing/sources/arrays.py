"""Images and labels from .npy and .npz files: arrays as people save them, pickles never."""

import contextlib
import glob
import math
import os
import typing
from collections.abc import Callable, Iterator

import numpy as np

from tfgan.data.source import spread
from tfgan.errors import SourceError, shown
from tfgan.forms import pictures
from tfgan.forms.drawing.page import GREY_LEVELS, fit, look, plan
from tfgan.forms.drawing.sources import foreign, layouts
from tfgan.forms.drawing.sources.layouts import ACCEPTED, LOOKED_AT, SAVE, Array
from tfgan.forms.sources.names import (
    PAIRS,
    Pairs,
    chosen_splits,
    is_split,
    named_pairs,
    natural,
    split_told,
)

OVERSHOOT = 0.02  # what a resampling filter may add to a range of floats
DEPTHS = (8, 10, 12, 14, 16)  # bits that a camera or a scanner fills, the highest one included
BLOCK_BYTES = 1 << 18  # read at once when all of a file is looked at
LOOKED_BYTES = 1 << 28  # of pictures, at most, that are looked at for blank ones
SKETCH_RNN = """its arrays hold Python objects (a pickle), which may run anything and are never \
loaded. If you trust it, these lines write it anew, to be read by --dataset=strokes:new.npz
  import numpy as np
  old = np.load({path!r}, allow_pickle=True, encoding='latin1')
  np.savez('new.npz', **{{f'{{k}}_points': np.concatenate(old[k]) for k in old}}, \
**{{f'{{k}}_lengths': [len(a) for a in old[k]] for k in old}})"""
SAVE_SCALED = SAVE.format('(a - a.min()) / (a.max() - a.min())')


class Part(typing.NamedTuple):
    """An array as images; `read` gives uint8 [k, *shape] of indices [k]."""

    count: int
    shape: tuple[int, int, int]
    read: Callable[[np.ndarray], np.ndarray]
    told: tuple[str, ...] = ()


class Member(typing.NamedTuple):
    """Images as stored, labels of any kind or None, and where both are from."""

    where: str
    images: Array
    labels: np.ndarray | None


class Opened(typing.NamedTuple):
    """Images, labels int32 [n] and class names; the splits that they are, '' without any."""

    part: Part
    labels: np.ndarray
    class_names: tuple[str, ...]
    split: str = ''


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


def open_npy(path: str, split: str | None = None) -> Opened:
    """An array's images, or those of a folder of one array for each class, or of images and labels.

    The images stay on disk, all but those in Fortran order. Raises SourceError.
    """
    if not os.path.isdir(path):
        return together([Member(path, on_disk(path), None)])
    names = sorted(glob.glob('*.npy', root_dir=path), key=natural)
    if not names:
        raise SourceError(f'npy:{path}: no .npy files there; one for each class is needed')
    paths = {name.removesuffix('.npy'): os.path.join(path, name) for name in names}

    def member(images: str, labels: str | None) -> Member:
        known = np.array(loaded(paths[labels], 'npy')) if labels else None
        return Member(paths[images], on_disk(paths[images]), known)

    if pairs := _pairs_of(paths):
        return of_splits(pairs, member, split, path)
    parts = [part(on_disk(path), path) for path in paths.values()]
    labels = np.repeat(np.arange(len(parts), dtype=np.int32), [part.count for part in parts])
    # Quick, Draw! offers its files for download under this name.
    stems = (stem.removeprefix('full_numpy_bitmap_') for stem in paths)
    return Opened(_joined(parts, [*paths.values()]), labels, tuple(map(shown, stems)))


def open_npz(path: str, split: str | None = None) -> Opened:
    """A file's images, labels and class names, all in memory. Raises SourceError."""
    with loaded(path, 'npz') as archive:
        pairs = named_pairs(archive.files)
        if not pairs:
            check_no_sketch_rnn(path, archive.files)
            known = ', '.join('/'.join(pair) for pair in PAIRS)
            raise SourceError(
                f'{path} holds {archive.files}; images and labels are looked for under {known}'
            )

        def member(*names: str | None) -> Member:
            _check_memory(archive, names, path)
            with damage_told(path, 'npz'):
                return Member(path, *(_member(archive, name) for name in names))

        return of_splits(pairs, member, split, path)


def check_no_sketch_rnn(path: str, names: list[str]) -> None:
    """Raises SourceError with the way on if arrays are named like sketch-rnn's, all pickles."""
    if set(names) == {'train', 'valid', 'test'}:
        raise SourceError(f'{path} looks like a file of sketch-rnn: {SKETCH_RNN.format(path=path)}')


def _pairs_of(paths: dict[str, str]) -> Pairs:
    """As `named_pairs` of a folder's arrays; none if these are of classes: all of one shape."""
    pairs = named_pairs([*paths])
    for images, labels in pairs.values():
        if labels and len({loaded(paths[name], 'npy').shape[1:] for name in (images, labels)}) > 1:
            return pairs
    return {name: (name, None) for name in paths} if all(map(is_split, paths)) else {}


def of_splits(pairs: Pairs, member: Callable, asked: str | None, where: str) -> Opened:
    """The splits that are asked for, whose members `member` makes of the names of a pair."""
    found = [*pairs]
    if found == ['']:
        return together([member(*pairs[''])])
    chosen = chosen_splits(found, asked, where)
    opened = together([member(*pairs[name]) for name in chosen])
    told = (split_told(chosen, found),) if len(found) > 1 else ()
    return opened._replace(
        part=opened.part._replace(told=told + opened.part.told), split=shown('+'.join(chosen))
    )


def together(members: list[Member]) -> Opened:
    """Images and labels of members, one after the other; raises SourceError naming a wrong one."""
    parts = [part(images, where) for where, images, _ in members]
    joined = _joined(parts, [where for where, _, _ in members])
    labels = [
        _checked(labels, part.count, where)
        for part, (where, _, labels) in zip(parts, members, strict=True)
    ]
    if all(known is not None for known in labels):
        return Opened(joined, *_classes(np.concatenate(labels), members[0].where))
    return Opened(joined, np.zeros(joined.count, np.int32), ('drawing',))


def _check_memory(archive, names: tuple[str | None, ...], path: str) -> None:
    """Raises SourceError if a file would unpack to more than there is: a few MB can be a TB."""
    members = {f'{name}.npy' for name in names}
    needed = sum(info.file_size for info in archive.zip.infolist() if info.filename in members)
    check_memory(needed, path)


def check_memory(needed: int, path: str) -> None:
    """Raises SourceError if a file unpacks to so many bytes that this machine has not."""
    there = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    if needed > there:
        raise SourceError(
            f'{path} unpacks to {needed:,} bytes, and this machine has {there:,}. An .npy file'
            ' stays on disk: save the images as one for each class, and type --dataset=npy:FOLDER'
        )


def _member(archive, name: str | None) -> np.ndarray | None:
    """The array of that name; raises TypeError if it is none."""
    found = archive.get(name)
    if isinstance(found, bytes):  # as NumPy gives what it does not know
        raise TypeError(f'{name!r} is no array')
    return found


@contextlib.contextmanager
def damage_told(path: str, kind: str) -> Iterator[None]:
    """Raises SourceError for whatever a reader of such files raises in the block."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # readers raise nearly anything at a damaged file
        why = _plainly(str(error)) or type(error).__name__
        raise SourceError(f'{path} is not a whole .{kind} file of numbers: {why}') from error


def _plainly(why: str) -> str:
    """NumPy's reason, but where that is of pickles, which are never loaded, and of its options."""
    if 'objects' in why or 'Object arrays' in why:
        return (
            'it holds Python objects (a pickle), which may run anything and are never loaded. Save'
            f' numbers or texts, for instance {SAVE.format("a.tolist()")}'
        )
    return 'it does not begin as one does' if 'pickle' in why else shown(why)


def on_disk(path: str, field: str | None = None) -> Array:
    """What an .npy file holds, or a field of its records; raises SourceError."""
    mapped = loaded(path, 'npy')
    with damage_told(path, 'npy'):
        if mapped.flags.c_contiguous:
            return Rows(path, mapped, field)
        return np.load(path, allow_pickle=False)  # whose rows are all over the file


def loaded(path: str, kind: str):
    """What an .npy or .npz file holds; raises SourceError if it is damaged or of the other kind."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise SourceError(f'{path} is no file; needed is an .{kind} file')
    foreign.refuse(path, kind)
    with damage_told(path, kind):
        return np.load(path, mmap_mode='r', allow_pickle=False)


def part(array: Array, where: str) -> Part:
    """An array of any accepted kind as images; raises SourceError naming `where` it is from."""
    if array.dtype.kind not in 'biuf':
        raise SourceError(f'{where} holds an array of {array.dtype}. {ACCEPTED}')
    array, layout, layout_told = layouts.recognised(array, where)
    black, white = _ends(array, where)
    depth = f'{white:,} is white' if white > 255 else ''

    def read(indices):
        return to_uint8(layout.arrange(array[np.asarray(indices)]), black, white)

    told = tuple(filter(None, (layout_told, depth)))
    return Part(len(array), layout.shape, read, told)


def _ends(array: Array, where: str) -> tuple[float, float]:
    """The values that stand for black and for white."""
    if array.dtype == bool:
        return 0, 1
    # Bytes are right whatever they are, unless they are bits: a look at some is enough.
    low, high = _least_and_most(array, 256 if array.dtype == np.uint8 else len(array))
    if array.dtype.kind == 'f':
        ranges = (0, 1), (-1, 1), (0, 255)
    elif (low, high) == (0, 1):
        raise SourceError(f'{where}: integers 0 and 1 are both black; save array.astype(bool)')
    else:
        bits = max(8, high.bit_length())
        ranges = [(0, 2**bits - 1)] if bits in DEPTHS else []
    for black, white in ranges:
        if black - OVERSHOOT <= low and high <= white + OVERSHOOT:
            return black, white
    raise SourceError(
        f'{where} holds {array.dtype} from {low} to {high}. {ACCEPTED} If the least is black and'
        f' the greatest white: {SAVE_SCALED}'
    )


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
    if len(parts) == 1:
        return parts[0]
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

    told = dict.fromkeys(said for part in parts for said in part.told)
    return Part(int(starts[-1]), shape, read, tuple(told))


def blank_told(part: Part) -> str:
    """How many images have no ink, which is a level that differs from the others; '' if none."""
    looked = min(part.count, LOOKED_BYTES // math.prod(part.shape))
    blank = 0
    for start in range(0, looked, LOOKED_AT):
        block = part.read(spread(part.count, looked)[start : start + LOOKED_AT])
        blank += np.count_nonzero(np.ptp(block, axis=(1, 2)).max(axis=-1) <= GREY_LEVELS)
    of = f'{looked:,}' + (' looked at' if looked < part.count else '')
    return f'{blank:,} of {of} are blank' if blank else ''


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

    return Part(part.count, page.shape, read, part.told)


def _checked(labels, count: int, where: str) -> np.ndarray | None:
    """Labels [n] of so many images; raises SourceError if they are none."""
    if labels is None:
        return None
    labels = _flat(labels)
    if labels.shape != (count,) or labels.dtype.kind not in 'iubU':
        raise SourceError(
            f'{where} holds labels of {labels.dtype} {labels.shape} for {count} images;'
            f' accepted are {count} integers or texts, or one-hot rows'
        )
    return labels


def _classes(labels: np.ndarray, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int32 [n] and class names, of integers or texts [n]: numbers are in their order."""
    values, numbers = np.unique(labels, return_inverse=True)
    with damage_told(where, 'npz'):  # texts may hold numbers that are no characters
        names = values.astype(str).tolist()
    order = range(len(names))
    if labels.dtype.kind == 'U':
        order = sorted(order, key=lambda place: natural(names[place]))
    return np.argsort(order)[numbers].astype(np.int32), tuple(shown(names[i]) for i in order)


def _flat(labels: np.ndarray) -> np.ndarray:
    """Labels [n, 1] as [n], and one-hot rows [n, classes] as the place of their one."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and labels.size and labels.dtype.kind in 'iufb':
        places = labels.argmax(axis=1)
        if np.array_equal(labels, np.arange(labels.shape[1]) == places[:, None]):
            return places
    return labels
