"""Data sets by the text of --dataset=: an indexable of uint8 images with labels and class names.

    doodles | tfds:NAME[:SPLIT] | folder:PATH | npy:PATH | npz:PATH

A kind of source is a row of `SOURCES`: a test of its text, and a function that opens it.
"""

import dataclasses
import os
import re
import typing
import unicodedata
from collections.abc import Callable

import numpy as np

from tfgan import arrays, doodles, pictures, prepared
from tfgan.pictures import SourceError

DOODLES = 60_000
TFDS_FORM = re.compile(r'\w[\w/.-]*(:.+)?')
UNKNOWN_LICENCE = 'unknown: ask whoever gave you the files'


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Images uint8 [n, *shape] with labels int32 [n]; `read` gives those of indices [k]."""

    dataset: str
    shape: tuple[int, int, int]
    labels: np.ndarray
    class_names: tuple[str, ...]
    read: Callable[[np.ndarray], np.ndarray]
    licence: str = UNKNOWN_LICENCE
    notes: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return short_name(self.dataset)

    @property
    def shares(self) -> np.ndarray:
        """How frequent each class is: float64 [classes], summing to 1."""
        return np.bincount(self.labels, minlength=len(self.class_names)) / len(self)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices) -> np.ndarray:
        """The images at indices [k]: uint8 [k, *shape]; from any thread. Raises IndexError."""
        indices = np.asarray(indices, np.int64)
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f'indices 0..{len(self) - 1} exist, got {indices}')
        return self.read(indices)

    def summary(self) -> dict:
        """What there is to say of the data, as JSON can hold it."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return {
            'dataset': self.dataset,
            'name': self.name,
            'count': len(self),
            'shape': list(self.shape),
            'class_names': list(self.class_names),
            'class_counts': counts.tolist(),
            'licence': self.licence,
            **self.notes,
        }


class Wanted(typing.NamedTuple):
    """What `open_source` was asked for; the dataset's text is kind:argument."""

    dataset: str
    argument: str
    data_dir: str | None
    image_size: int | None
    memory_bytes: int


class Kind(typing.NamedTuple):
    """A kind of source: what it takes after its colon, in words and as a test; how it opens."""

    takes: str
    accepts: Callable[[str], object]
    open: Callable[[Wanted], Source]
    example: str


def open_source(
    dataset: str,
    data_dir: str | os.PathLike | None = None,
    image_size: int | None = None,
    memory_bytes: int = 1 << 30,
) -> Source:
    """The data set that `dataset` names, its images resized if `image_size` is given.

    Images are held in memory if they fit in `memory_bytes`, else read when asked for; only an npz
    file is always held. `data_dir` is where tensorflow-datasets keeps its prepared sets. Raises
    SourceError.
    """
    kind, argument = check_form(dataset)
    argument = os.path.expanduser(argument)
    data_dir = os.path.expanduser(data_dir) if data_dir else None
    return SOURCES[kind].open(Wanted(dataset, argument, data_dir, image_size, memory_bytes))


def check_form(dataset: str) -> tuple[str, str]:
    """Kind and argument of a data set's text; raises SourceError if it cannot be one, at once."""
    kind, _, argument = dataset.partition(':')
    if kind not in SOURCES:
        examples = ', '.join(f'--dataset={kind.example}' for kind in SOURCES.values())
        raise SourceError(f'no such data set: {dataset!r}. Known are {examples}')
    takes, accepts, _, example = SOURCES[kind]
    if not accepts(os.path.expanduser(argument)):
        raise SourceError(f'{kind}: takes {takes}, as in --dataset={example}; got {argument!r}')
    return kind, argument


def short_name(dataset: str) -> str:
    """A data set's name for a directory: lower-case ASCII letters, digits, '_', '.' and '-'."""
    kind, _, argument = dataset.partition(':')
    stem = kind
    if kind == 'tfds':
        stem = argument.partition(':')[0]
    elif argument:
        stem = os.path.basename(os.path.abspath(os.path.expanduser(argument)))
        stem = stem.removesuffix(f'.{kind}')
    ascii_only = unicodedata.normalize('NFKD', stem).encode('ascii', 'ignore').decode().lower()
    return re.sub('[^a-z0-9_.]+', '-', ascii_only)[:60].strip('-.') or 'data'


def _open_doodles(wanted: Wanted) -> Source:
    side = wanted.image_size or 28
    shape = (side, side, 1)

    def read(indices):
        return doodles.draw(indices, size=side)[..., None]

    if DOODLES * side**2 <= wanted.memory_bytes:
        read = _remembered(read, DOODLES, shape)
    licence = "drawn by this program from its own rules; nobody else's data"
    labels = doodles.labels(DOODLES)
    return Source(wanted.dataset, shape, labels, tuple(doodles.KINDS), read, licence)


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


def _open_folder(wanted: Wanted) -> Source:
    folder = pictures.open_folder(wanted.argument, wanted.image_size, wanted.memory_bytes)
    notes = {'paper': list(folder.page.paper), 'left_out': folder.left_out}
    shape, labels, class_names = folder.page.shape, folder.labels, folder.class_names
    return Source(wanted.dataset, shape, labels, class_names, folder.read, notes=notes)


def _open_npy(wanted: Wanted) -> Source:
    return _of_part(wanted, *arrays.open_npy(wanted.argument))


def _open_npz(wanted: Wanted) -> Source:
    return _of_part(wanted, *arrays.open_npz(wanted.argument))


def _open_tfds(wanted: Wanted) -> Source:
    name, _, split = wanted.argument.partition(':')
    found = prepared.open_set(
        name, split or 'train', wanted.data_dir, wanted.image_size, wanted.memory_bytes
    )
    part = arrays.part(found.images, wanted.dataset)
    return _of_part(wanted, part, found.labels, found.class_names, found.licence)


def _of_part(wanted: Wanted, part, labels, class_names, licence=UNKNOWN_LICENCE) -> Source:
    part = arrays.resized(part, wanted.image_size)
    return Source(wanted.dataset, part.shape, labels, class_names, part.read, licence)


SOURCES = {
    'doodles': Kind('nothing', lambda argument: not argument, _open_doodles, 'doodles'),
    'tfds': Kind('NAME or NAME:SPLIT', TFDS_FORM.fullmatch, _open_tfds, 'tfds:mnist:train'),
    'folder': Kind('an existing folder', os.path.isdir, _open_folder, 'folder:my/drawings'),
    'npy': Kind('an existing file or folder', os.path.exists, _open_npy, 'npy:my/quickdraw'),
    'npz': Kind('an existing file', os.path.isfile, _open_npz, 'npz:my/mnist.npz'),
}
