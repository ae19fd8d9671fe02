"""A data set as the trainer sees it: an indexable of examples with labels and class names."""

import dataclasses
import functools
import hashlib
import json
import os
import re
import typing
import unicodedata
from collections.abc import Callable

import numpy as np

LEARNED = 'count', 'shape', 'class_names', 'class_counts'  # of a summary; the rest is of its files
UNKNOWN_LICENCE = 'unknown: ask whoever gave you the files'


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Examples [n, *shape] with labels int32 [n]; `read` gives those of indices [k].

    `layers` is the source whose images are the channels of these, and `labelled` the same one
    before its labels were taken off.
    """

    dataset: str
    shape: tuple[int, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    read: Callable[[np.ndarray], np.ndarray]
    licence: str = UNKNOWN_LICENCE
    notes: dict = dataclasses.field(default_factory=dict)
    layers: 'Source | None' = None
    labelled: 'Source | None' = None
    dtype: typing.ClassVar = np.uint8  # of the examples

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
        """The examples at indices [k]: [k, *shape]; from any thread. Raises IndexError."""
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
    def fingerprint(self) -> str:
        """Tells data apart, wherever it lies: 16 hexadecimal digits of some images, all labels."""
        said = {key: value for key, value in self.summary().items() if key in LEARNED}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        digest.update(self.labels.astype('<i4').tobytes())
        digest.update(self.images(spread(len(self), 512)).tobytes())
        return digest.hexdigest()[:16]


def spread(count: int, most: int) -> np.ndarray:
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
    split: str | None
    ink_width: float | None = None


class Kind(typing.NamedTuple):
    """A kind of source: what it takes after its colon, in words and as a test; how it opens."""

    takes: str
    accepts: Callable[[str], object]
    open: Callable[[Wanted], Source]
    example: str


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
        stem = stem.removesuffix(f'.{kind}').removesuffix('.json')
    ascii_only = unicodedata.normalize('NFKD', stem).encode('ascii', 'ignore').decode().lower()
    return re.sub('[^a-z0-9_.]+', '-', ascii_only)[:60].strip('-.') or 'data'
