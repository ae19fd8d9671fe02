"""A folder's image files, of any size and kind, as drawings of one shape on paper of one colour.

Each file is decoded once at the start: `look` notes what the shape and the paper are chosen from,
and a file that cannot be read is named and left out. `plan` then chooses one `Page` for all, and
`fit` lays a picture on it. Links are followed, to files and to folders.
"""

import dataclasses
import heapq
import itertools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tqdm

from tfgan.errors import SourceError, shown
from tfgan.forms.drawing.page import (
    FORMATS,
    LARGEST_SIDE,
    Look,
    Page,
    fit,
    look,
    plan,
    read,
    reason,
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
                return fit(read(path, self._least), self._page)
            except Exception as error:
                self._tell(substitute, reason(error))
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
            problems.append(f'{inside or "."}: {reason(error)}')
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
        return look(read(path, least))
    except Exception as error:  # Pillow's readers raise nearly anything at a damaged file
        return reason(error)
