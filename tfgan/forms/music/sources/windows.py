"""Pieces of any kind of source as windows of four bars, all in C major or A minor."""

import collections
import sys
from typing import NamedTuple

import numpy as np

from tfgan.data.source import UNKNOWN_LICENCE, Wanted, spread
from tfgan.errors import SourceError, cut, quoted, shown
from tfgan.forms.music.pieces import AGAIN, MIDDLE, OCTAVES, REST, Pieces, transposed
from tfgan.forms.music.theory import Key, Metre, to_common_key
from tfgan.forms.sources.names import natural

STEPS = 64  # of a window: four bars of 4/4
MOST_WINDOWS = 200_000
MOST_RESTS = 0.5  # of a window
MOST_VOICES = 4
SIZES = 1, 2, 3  # of a roll, in two octaves
FITTING = 0.95  # of the pieces have to fit into a roll as a whole
OCTAVES_MOVED = 0, -1, 1, -2, 2, -3, 3  # from the common key, to fit
MOST_NAMED = 10  # pieces left out that are named, and reasons that are noted


class Found(NamedTuple):
    """A piece as it was read, [steps, voices]; its folder if that is its class, its split."""

    name: str
    piece: np.ndarray
    key: Key
    bars: np.ndarray  # the steps at which bars begin
    folder: str = ''
    split: str = ''


def bars_of(metre: Metre, steps: int) -> np.ndarray:
    """The steps at which bars begin in a piece of so many."""
    return np.arange(metre.upbeat_steps, steps, metre.bar_steps)


class Survey(NamedTuple):
    """The pieces of all splits, why others are left out by their names, and what is told of all."""

    pieces: list[Found]
    left_out: dict[str, str]
    tells_again: bool  # whether notes struck again are told from held ones
    told: tuple[str, ...] = ()
    splits: tuple[str, ...] = ('',)  # those that are wanted
    licence: str = UNKNOWN_LICENCE


def opened(wanted: Wanted, survey: Survey) -> Pieces:
    """A source of all windows of pieces; names what is left out on stderr. Raises SourceError."""
    if wanted.image_size is not None:
        raise SourceError(
            f'--image_size={wanted.image_size}: {quoted(wanted.dataset)} is music, which has no'
            ' pixels; leave it out'
        )
    left_out = dict(survey.left_out)
    pieces = _alike(survey.pieces, left_out)
    size = _size(pieces)
    windows, labels, origins = [], [], []
    for number, found in enumerate(pieces):
        if found.split not in survey.splits:
            continue
        own = _windows(found, size)
        if isinstance(own, str):
            left_out[found.name] = own
            continue
        windows += own
        labels += [found.folder or found.key.mode] * len(own)
        origins += [number] * len(own)
    _report(wanted.dataset, left_out)
    if not windows:
        raise SourceError(
            f'{quoted(wanted.dataset)}: no piece of four bars there; {len(left_out):,} are left out'
        )
    told = list(survey.told)
    if len(windows) > MOST_WINDOWS:
        told.append(f'{len(windows) - MOST_WINDOWS:,} of {len(windows):,} windows are left out')
    taken = spread(len(windows), MOST_WINDOWS)
    windows, labels = np.stack([windows[i] for i in taken]), [labels[i] for i in taken]
    named = sorted(set(labels), key=natural)  # 'major' comes before 'minor'
    number = {name: label for label, name in enumerate(named)}
    labels = np.array([number[name] for name in labels], np.int32)
    notes = {
        'rows': OCTAVES * size + 1 + survey.tells_again,
        'left_out': dict(collections.Counter(left_out.values()).most_common(MOST_NAMED)),
        'remarks': '; '.join(told),
        'split': '+'.join(survey.splits),
    }
    notes = {name: said for name, said in notes.items() if said or name == 'left_out'}
    class_names = tuple(map(shown, named))

    def read(indices):
        return windows[indices].astype(Pieces.dtype)

    return Pieces(
        wanted.dataset,
        windows.shape[1:],
        labels,
        class_names,
        read,
        survey.licence,
        notes,
        origins=np.array(origins)[taken],
    )


def _alike(pieces: list[Found], left_out: dict[str, str]) -> list[Found]:
    """The pieces that have as many voices as most have; notes the others."""
    counts = collections.Counter(found.piece.shape[1] for found in pieces)
    usual = max(counts, key=lambda voices: (counts[voices], voices), default=0)
    for found in pieces:
        if found.piece.shape[1] != usual:
            left_out[found.name] = f'{found.piece.shape[1]} voices where most have {usual}'
    return [found for found in pieces if found.piece.shape[1] == usual]


def _size(pieces: list[Found]) -> int:
    """The smallest size of a roll that nearly all pieces fit into, none moved by an octave."""
    for size in SIZES[:-1]:
        moved = [semitones(found.piece, found.key, size) for found in pieces]
        fitting = sum(
            abs(each) < 12 and not is_outside(found.piece, each, size).any()
            for found, each in zip(pieces, moved)
        )
        if fitting >= FITTING * len(pieces):
            return size
    return SIZES[-1]


def semitones(piece: np.ndarray, key: Key, size: int) -> int:
    """How far a piece is moved to be in C major or A minor and, as far as can be, within a roll."""
    near = to_common_key(key)
    possible = [near + 12 * octaves for octaves in OCTAVES_MOVED]
    return min(possible, key=lambda moved: (is_outside(piece, moved, size).sum(), abs(moved)))


def is_outside(piece: np.ndarray, moved: int, size: int) -> np.ndarray:
    """Where a piece would be above or below a roll if it were moved by so many semitones."""
    pitches = piece % AGAIN + moved
    low, high = MIDDLE - OCTAVES // 2 * size, MIDDLE + OCTAVES // 2 * size
    return (piece != REST) & ((pitches < low) | (pitches >= high))


def _windows(found: Found, size: int) -> list[np.ndarray] | str:
    """Those at each bar of a piece that fit and are not mostly rests, or why there are none."""
    piece = found.piece
    starts = [start for start in found.bars if start + STEPS <= len(piece)]
    if not starts:
        return 'shorter than four bars'
    starts = [at for at in starts if np.mean(piece[at : at + STEPS] == REST) <= MOST_RESTS]
    if not starts:
        return 'mostly rests'
    moved = semitones(piece, found.key, size)
    outside = is_outside(piece, moved, size).any(axis=1)
    piece = transposed(piece, moved).astype(np.int16)
    windows = [piece[at : at + STEPS].copy() for at in starts if not outside[at : at + STEPS].any()]
    for window in windows:
        window[0] = np.where(window[0] == REST, REST, window[0] % AGAIN)  # where notes begin anyway
    return windows or f'its voices span more than {OCTAVES * size} semitones'


def _report(dataset: str, left_out: dict[str, str]) -> None:
    """Says on stderr what is left out, and why."""
    if left_out:
        print(f'{shown(dataset)}: {len(left_out):,} left out:', file=sys.stderr)
    for name, why in list(left_out.items())[:MOST_NAMED]:
        print(f'  {shown(cut(name, 200))}: {shown(why)}', file=sys.stderr)
    if len(left_out) > MOST_NAMED:
        print(f'  ... and {len(left_out) - MOST_NAMED:,} more', file=sys.stderr)
