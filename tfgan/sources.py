"""Data sets by the text of --dataset=: an indexable of uint8 images with labels and class names.

    doodles | tfds:NAME[:SPLIT] | folder:PATH | npy:PATH | npz:PATH | stacked:one of these

A kind of source is a row of `SOURCES`: a test of its text, and a function that opens it.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import re
import typing
import unicodedata
from collections.abc import Callable

import numpy as np
from PIL import Image

from tfgan import arrays, doodles, pictures, prepared
from tfgan.config import quoted
from tfgan.pictures import SourceError

DOODLES = 60_000
STACKED = 128_000  # as many as Lin et al. 2018 (PacGAN) train on
MOST_STACKED_CLASSES = 10  # of the inner source; their cubes are 1,000 classes
TFDS_FORM = re.compile(r'\w[\w/.-]*(:.+)?')
NOT_THE_DATA = ('dataset', 'name', 'licence', 'left_out')  # what a summary says of its files
UNKNOWN_LICENCE = 'unknown: ask whoever gave you the files'


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Images uint8 [n, *shape] with labels int32 [n]; `read` gives those of indices [k].

    `layers` is the source whose images are the channels of these, and `labelled` the same one
    before its labels were taken off.
    """

    dataset: str
    shape: tuple[int, int, int]
    labels: np.ndarray
    class_names: tuple[str, ...]
    read: Callable[[np.ndarray], np.ndarray]
    licence: str = UNKNOWN_LICENCE
    notes: dict = dataclasses.field(default_factory=dict)
    layers: 'Source | None' = None
    labelled: 'Source | None' = None

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

    def unlabelled(self) -> 'Source':
        """The same images as one class."""
        labels = np.zeros_like(self.labels)
        return dataclasses.replace(
            self, labels=labels, class_names=('drawing',), labelled=self.labelled or self
        )

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

    @functools.cached_property
    def paper(self) -> tuple[int, ...]:
        """The colour between the strokes: a level 0..255 for each channel."""
        if 'paper' not in self.notes:
            from tfgan import ink  # and SciPy, which takes its time

            return ink.paper_of(self.images(_spread(len(self), 1000)))
        colour = tuple(self.notes['paper'])
        return colour if self.shape[-1] == 3 else (_grey(colour),)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells data apart, wherever it lies: 16 hexadecimal digits of some images, all labels."""
        said = {key: value for key, value in self.summary().items() if key not in NOT_THE_DATA}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        digest.update(self.labels.astype('<i4').tobytes())
        digest.update(self.images(_spread(len(self), 512)).tobytes())
        return digest.hexdigest()[:16]


def _grey(colour: tuple[int, int, int]) -> int:
    """The level of a colour in pictures of one channel."""
    return Image.new('RGB', (1, 1), colour).convert('L').getpixel((0, 0))


def _spread(count: int, most: int) -> np.ndarray:
    """At most so many of the indices 0..count - 1, evenly spaced."""
    chosen = min(count, most)
    return np.arange(chosen) * count // chosen


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
        raise SourceError(f'no such data set: {quoted(dataset, repr)}. Known are {examples}')
    takes, accepts, _, example = SOURCES[kind]
    if not accepts(os.path.expanduser(argument)):
        got = quoted(argument, repr)
        raise SourceError(f'{kind}: takes {takes}, as in --dataset={example}; got {got}')
    if dataset != dataset.encode(errors='replace').decode():  # logs and models hold Unicode alone
        raise SourceError(
            f'{dataset!r} is no text in UTF-8. Make a link that is, ln -s PATH a-link, and type'
            f' --dataset={kind}:a-link'
        )
    return kind, argument


def short_name(dataset: str) -> str:
    """A data set's name for a directory: lower-case ASCII letters, digits, '_', '.' and '-'."""
    kind, _, argument = dataset.partition(':')
    stem = kind
    if kind == 'tfds':
        stem = argument.partition(':')[0]
    elif kind == 'stacked':
        stem = f'stacked-{short_name(argument)}'
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


def _open_stacked(wanted: Wanted) -> Source:
    """Three images of another source as the channels of each: Srivastava et al. 2017 (VEEGAN)."""
    _, _, data_dir, image_size, memory_bytes = wanted
    inner = open_source(wanted.argument, data_dir, image_size, memory_bytes)
    _check_stackable(inner)
    height, width, _ = inner.shape
    # RandomState, because NumPy promises that its numbers stay the same in every version.
    triples = np.random.RandomState(0).randint(len(inner), size=(STACKED, 3), dtype=np.int64)

    def read(indices):
        images = inner.images(triples[indices].reshape(-1))
        return np.moveaxis(images.reshape(len(indices), 3, height, width), 1, -1)

    classes = len(inner.class_names)
    labels = inner.labels[triples] @ np.array([classes**2, classes, 1], np.int32)
    names = tuple(map('-'.join, itertools.product(inner.class_names, repeat=3)))
    notes = inner.notes | ({'paper': 3 * [*inner.paper]} if 'paper' in inner.notes else {})
    shape = height, width, 3
    return Source(wanted.dataset, shape, labels, names, read, inner.licence, notes, layers=inner)


def _check_stackable(inner: Source) -> None:
    classes = len(inner.class_names)
    if inner.shape[-1] != 1 or classes > MOST_STACKED_CLASSES:
        raise SourceError(
            f'stacked: takes images of one channel in at most {MOST_STACKED_CLASSES} classes, as in'
            f' --dataset={SOURCES["stacked"].example}; got {inner.dataset!r} with images of shape'
            f' {inner.shape} in {classes} classes'
        )


def _can_be_stacked(argument: str) -> bool:
    """Whether a source that is not stacked itself is named; raises SourceError if it is wrong."""
    kind = argument.partition(':')[0]
    return kind in SOURCES and kind != 'stacked' and bool(check_form(argument))


SOURCES = {
    'doodles': Kind('nothing', lambda argument: not argument, _open_doodles, 'doodles'),
    'tfds': Kind('NAME or NAME:SPLIT', TFDS_FORM.fullmatch, _open_tfds, 'tfds:mnist:train'),
    'folder': Kind('an existing folder', os.path.isdir, _open_folder, 'folder:my/drawings'),
    'npy': Kind('an existing file or folder', os.path.exists, _open_npy, 'npy:my/quickdraw'),
    'npz': Kind('an existing file', os.path.isfile, _open_npz, 'npz:my/mnist.npz'),
    'stacked': Kind('another data set', _can_be_stacked, _open_stacked, 'stacked:tfds:mnist'),
}
