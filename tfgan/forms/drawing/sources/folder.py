"""A folder's image files, of any size and kind, as drawings of one shape on paper of one colour.

Each file is decoded once at the start: `look` notes what the shape and the paper are chosen from,
and a file that cannot be read is named and left out. `plan` then chooses one `Page` for all, and
`fit` lays a picture on it. A zip archive of pictures is read like a folder.
"""

import dataclasses
import itertools
import os
import sys
import threading
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tqdm
from PIL import UnidentifiedImageError

from tfgan.errors import SourceError, shown
from tfgan.forms.drawing.page import (
    FORMATS,
    LARGEST_SIDE,
    Look,
    Page,
    fit,
    look,
    pages_of,
    plan,
    read,
    reason,
    vanishes,
)
from tfgan.forms.drawing.sources import foreign
from tfgan.forms.sources.files import Files, files_of
from tfgan.forms.sources.names import (
    ALL_SPLITS,
    chosen_splits,
    natural,
    split_folders,
    split_told,
    wrapper,
)

MOST_NAMED = 10  # files left out that are named; the others are counted
THREADS = min(8, os.cpu_count() or 1)
# Pillow warns of damage at every reading; files whose damage matters are named once.
warnings.filterwarnings('ignore', module=r'PIL\.')


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
    told: tuple[str, ...]
    split: str


def open_folder(
    root: str,
    image_size: int | None = None,
    memory_bytes: int = 1 << 30,
    split: str | None = None,
) -> Folder:
    """The pictures below `root`, kept decoded if they fit in `memory_bytes`.

    Raises SourceError when no picture is left; names what cannot be read on stderr.
    """
    least = 4 * (image_size or LARGEST_SIDE)
    files = files_of(root)
    looks, left_out = _survey(files, least)
    inside = _see_through(list(looks), split, f'folder:{root}')
    names = list(inside.names)
    looks = {name: looks[name] for name in names}
    page = plan(looks.values(), image_size)
    labels, class_names = _classes(inside.names.values())
    fitted = _Fitted(files, names, labels, page, least)

    def read(indices):
        with ThreadPoolExecutor(THREADS) as pool:
            return np.fromiter(pool.map(fitted, indices), page.dtype, len(indices))

    if len(names) * page.dtype.itemsize <= memory_bytes:
        kept = _threaded(fitted, range(len(names)), 'fitting')
        read = np.fromiter(kept, page.dtype, len(names)).__getitem__
    told = (*inside.told, *_oddities(looks, page))
    return Folder(page, labels, class_names, left_out, read, told, inside.split)


class _Fitted:
    """Pictures on their page, by number: from files that may have gone since they were found."""

    def __init__(self, files: Files, names: list[str], labels: np.ndarray, page: Page, least: int):
        self._files, self._names, self._labels = files, names, labels
        self._page, self._least = page, least
        self._lost = {}  # number: why; a file that is back again is read again
        self._telling = threading.Lock()

    def __call__(self, index: int) -> np.ndarray:
        """A picture's pixels, or those of the next of its class that can be read."""
        for substitute in itertools.chain([index], self._next_alike(index)):
            try:
                with self._files.open(self._names[substitute]) as file:
                    return fit(read(file, self._least), self._page)
            except Exception as error:
                self._tell(substitute, reason(error))
        count = np.count_nonzero(self._labels == self._labels[index])
        name, why = shown(self._names[index]), self._lost[index]
        raise SourceError(
            f'folder:{self._files.root}: of {count} pictures of a class none can be read any more'
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
            said = f'folder:{self._files.root}: '
            if count <= MOST_NAMED:
                said += f'{shown(self._names[index])} can no longer be read ({why}); '
            elif f'{count}'.strip('0') != '1':
                return
            said += f'{count} lost so far, for which others of their class are taken'
            tqdm.tqdm.write(said, file=sys.stderr)


def _survey(files: Files, least: int) -> tuple[dict[str, Look], int]:
    """What each readable picture looks like, by its name, and how many files are left out."""
    names, problems = files.find()
    looks = {}
    found = _threaded(lambda name: _examine(files, name, least), names, 'looking')
    for name, look_or_reason in zip(names, found, strict=True):
        if isinstance(look_or_reason, str):
            problems.append(f'{name}: {look_or_reason}')
        else:
            looks[name] = look_or_reason
    _report(files.root, sorted(problems))
    if not looks:
        found = f'{len(problems)} files that are none' if problems else 'no files'
        raise SourceError(
            f'folder:{files.root}: needs images ({", ".join(FORMATS)}); found {found}'
        )
    return looks, len(problems)


class _Inside(typing.NamedTuple):
    """What is left of the names that are taken, once folders that are no classes are gone."""

    names: dict[str, str]
    told: tuple[str, ...]
    split: str


def _see_through(names: list[str], asked: str | None, where: str) -> _Inside:
    """Takes the split that is asked for, and goes into a folder that is around all others."""
    inside, told, split = dict(zip(names, names)), [], ''
    while True:
        left = list(inside.values())
        if folders := split_folders(left):
            chosen = chosen_splits(folders, ALL_SPLITS if split else asked, where)
            told += [split_told(chosen, folders)] * (len(folders) > 1 and not split)
            split = split or shown('+'.join(chosen))
        elif folder := wrapper(left):
            chosen = [folder]
            told.append(f'what is in {shown(folder)} is taken')
        else:
            return _Inside(inside, tuple(told), split)
        parts = {name: rest.partition('/') for name, rest in inside.items()}
        inside = {
            name: rest for name, (first, _, rest) in parts.items() if rest and first in chosen
        }


def _classes(names: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int32 [n] and class names: the first folder of each name, else 'drawing'."""
    folders = [name.split('/')[0] if '/' in name else 'drawing' for name in names]
    class_names = sorted(set(folders), key=natural)
    number = {name: label for label, name in enumerate(class_names)}
    return np.array([number[name] for name in folders], np.int32), tuple(map(shown, class_names))


def _oddities(looks: dict[str, Look], page: Page) -> Iterator[str]:
    """What is told of pictures: those without ink, with other ink, of several pages."""
    if blank := [name for name, look in looks.items() if look.blank]:
        yield f'{len(blank):,} of {len(looks):,} are blank: {_some(blank)}'
    odd = [name for name, look in looks.items() if look.ink and vanishes(look.ink, page.paper)]
    if odd:
        yield f'ink that the paper would hide is shown in {len(odd):,}: {_some(odd)}'
    if several := [name for name, look in looks.items() if look.pages > 1]:
        yield (
            f'only the first page is read of {len(several):,}: {_some(several)}; files of all pages'
            ' are made by magick FILE PAGE-%d.png'
        )


def _some(names: list[str]) -> str:
    return shown(', '.join(names[:3]) + ', ...' * (len(names) > 3))


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


def _examine(files: Files, name: str, least: int) -> Look | str:
    """What a file looks like, or the reason why it cannot be used."""
    try:
        with files.open(name) as file:
            try:
                return look(read(file, least))._replace(pages=pages_of(file))
            except UnidentifiedImageError as error:
                file.seek(0)
                form = foreign.of_head(file.read(foreign.HEAD_BYTES), os.path.basename(name))
                if form is None or form.kind == 'folder':
                    raise
                return f'{reason(error)} but {form.name}; {foreign.way(name, form)}'
    except Exception as error:  # Pillow's readers raise nearly anything at a damaged file
        return reason(error)
