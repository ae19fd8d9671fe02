"""Files of music, below a folder, in a zip archive or alone, as the pieces that are in them."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tqdm

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, listed, quoted, reason, shown
from tfgan.forms.music.pieces import STEPS_PER_BEAT
from tfgan.forms.music.sources.windows import Found, Survey
from tfgan.forms.music.theory import Key
from tfgan.forms.sources.files import Files, Folder, files_of
from tfgan.forms.sources.names import (
    chosen_splits,
    natural,
    split_folders,
    split_told,
    wrapper,
)

MOST_BYTES = 1 << 20  # of a file: four voices' hour of sixteenths takes nine tenths of it
MOST_STEPS = 60 * 120 * STEPS_PER_BEAT  # of a piece: an hour at 120 beats a minute
TEMPO = 120.0  # quarters a minute where a file has none
MOST_OFF = 0.2  # sixteenths off the grid, on average: notes of no metre at all are 0.25 off


class Reading(NamedTuple):
    """A piece int32 [steps, voices] in its own key, and what its file says of it or was found."""

    piece: np.ndarray
    key: Key
    bar_steps: int
    bars: np.ndarray  # the steps at which bars of that length begin
    tempo: float  # quarters a minute
    off: float  # sixteenths that its notes begin off the grid, on average
    name: str = ''  # of a piece among several of a file


class Unread(NamedTuple):
    """A piece among several of a file that is left out."""

    name: str
    why: str


# Gives the pieces of a file's bytes; raises anything where there are none.
Reader = Callable[[bytes], Iterator[Reading | Unread]]


def grid(times: list[tuple[float, float]]) -> tuple[list[tuple[int, int]], float]:
    """Starts and lengths in whole steps of notes that begin and end then; how far off they were.

    Raises SourceError for notes that keep to no grid, or for a piece that takes hours.
    """
    if not times:
        raise SourceError('no notes in it')
    check_length(max(end for _, end in times))
    starts = [int(start + 0.5) for start, _ in times]
    off = float(np.mean([abs(start - step) for (start, _), step in zip(times, starts)]))
    if off > MOST_OFF:
        raise SourceError(
            f'its notes begin more than {MOST_OFF} sixteenths off the beat, on average: quantise it'
            ' to sixteenths in the program that it is from'
        )
    lengths = [max(1, int(end + 0.5) - step) for (_, end), step in zip(times, starts)]
    return list(zip(starts, lengths)), off


def check_length(steps: float) -> None:
    """Raises SourceError for a piece of more than MOST_STEPS."""
    if steps > MOST_STEPS:
        raise SourceError(f'longer than {MOST_STEPS:,} sixteenths')


def bytes_of(files: Files, name: str) -> bytes:
    """What is in a file; raises SourceError if that is too much, and OSError."""
    with files.open(name) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SourceError(f'more than {MOST_BYTES >> 20} MiB')
    return data


def survey(wanted: Wanted, endings: tuple[str, ...], reader: Reader) -> Survey:
    """The pieces of all files with those endings below a path; raises SourceError."""
    path = wanted.argument
    if os.path.isfile(path) and path.lower().endswith(endings):
        files, names, left_out = Folder(os.path.dirname(path)), [os.path.basename(path)], {}
    else:
        files = files_of(path)
        names, problems = files.find()
        left_out = dict(problem.split(': ', 1) for problem in problems)
    music = [name for name in names if name.lower().endswith(endings)]
    if not music:
        others = f'; there are {listed(names)}' if names else ''
        raise SourceError(f'{quoted(wanted.dataset)}: needs {" ".join(endings)} files{others}')
    placed = _places(sorted(music, key=natural), wanted.split, path)
    pieces, off = [], []
    for name in tqdm.tqdm(music, desc='reading', unit='file', delay=1, disable=None):
        for part, read in _read(files, name, reader):
            if isinstance(read, Unread):
                left_out[part] = read.why
                continue
            split, folder = placed.of[name]
            bars = read.bars.astype(np.int32)
            pieces.append(Found(part, read.piece.astype(np.int16), read.key, bars, folder, split))
            off.append(read.off)
    told = list(placed.told)
    if off and np.mean(off) > 0.005:
        told.append(f'notes were {np.mean(off):.2f} sixteenths off the beat, on average')
    return Survey(pieces, left_out, True, tuple(told), placed.splits)


def _read(files: Files, name: str, reader: Reader) -> Iterator[tuple[str, Reading | Unread]]:
    """A file's pieces by their names, or why there are none."""
    try:
        for read in reader(bytes_of(files, name)):
            yield f'{name}, {read.name}' if read.name else name, read
    except Exception as error:  # readers raise nearly anything at a damaged file
        yield name, Unread('', reason(error))


class _Places(NamedTuple):
    """The split and the class folder of each name, '' for none; the splits that are wanted."""

    of: dict[str, tuple[str, str]]
    told: tuple[str, ...]
    splits: tuple[str, ...]


def _places(names: list[str], asked: str | None, where: str) -> _Places:
    """Where names have their files, once folders that are around all others are seen through."""
    inside, split_of = dict(zip(names, names)), dict.fromkeys(names, '')
    told, splits = (), ()
    while True:
        left = list(inside.values())
        if not splits and (found := split_folders(left)):
            splits = tuple(chosen_splits(found, asked, where))
            told = (split_told([*splits], found),)
            split_of = {name: rest.partition('/')[0] for name, rest in inside.items()}
        elif not wrapper(left):
            break
        # A file that is beside the splits stays where it is, and is in none of them.
        inside = {name: rest.partition('/')[2] or rest for name, rest in inside.items()}
    folders = {name: rest.rpartition('/')[0].partition('/')[0] for name, rest in inside.items()}
    if not all(folders.values()):  # they are no classes if some files are in none
        folders = dict.fromkeys(names, '')
    of = {name: (split_of[name], shown(folders[name])) for name in names}
    return _Places(of, told, splits or ('',))
