"""Chorales in JSON: {"train": [[[74, 70, 65, 58], ...], ...], ...}, a list of pitches a step."""

import json
import os

import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, quoted, typed
from tfgan.forms.music.pieces import REST, Pieces, notes_of
from tfgan.forms.music.sources import windows
from tfgan.forms.music.theory import key, metre
from tfgan.forms.sources.names import chosen_splits, split_told

HIGHEST = 127  # pitch of MIDI
LICENCE = 'none is stated by their collector; Bach is in the public domain'
FORM = (
    'needed is {"train": [[[74, 70, 65, 58], ...], ...], "test": ...}: pieces of a pitch for each'
    ' voice in each sixteenth, -1 for a rest'
)
# How many sixteenths a step has, by what is in a file's name.
STEPS = {'quarter': 4, '8th': 2, '16': 1}
MOST_SHORT = 0.2  # of the notes are of one step where that is a sixteenth: of chorales .03 are


def open_jsb(wanted: Wanted) -> Pieces:
    """The chorales of a file; raises SourceError."""
    path = wanted.argument
    splits = _read(path)
    chosen = chosen_splits([*splits], wanted.split, path)
    scale = _sixteenths(path, [piece for pieces in splits.values() for piece in pieces])
    found = []
    for split, pieces in splits.items():
        for number, piece in enumerate(pieces):
            piece = np.repeat(piece, scale, axis=0)
            bars = windows.bars_of(metre(piece), len(piece))
            found.append(windows.Found(f'{split}/{number}', piece, key(piece), bars, split=split))
    told = split_told(chosen, [*splits]), 'notes struck again are not told from held ones'
    return windows.opened(wanted, windows.Survey(found, {}, False, told, tuple(chosen), LICENCE))


def _read(path: str) -> dict[str, list[np.ndarray]]:
    """Pieces int32 [steps, voices] of each split; raises SourceError."""
    try:
        with open(path, encoding='utf-8') as file:
            found = json.load(file)
        if not isinstance(found, dict):
            raise ValueError('it has no splits')
        return {str(split): [_piece(piece) for piece in pieces] for split, pieces in found.items()}
    except OSError as error:
        raise SourceError(f'{path}: {error.strerror}') from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SourceError(f'{path} is no file of chorales: {quoted(error)}; {FORM}') from error


def _piece(steps) -> np.ndarray:
    """A piece int32 [steps, voices]; raises ValueError, or what NumPy does."""
    piece = np.array(steps, np.float64)
    if piece.ndim != 2 or not piece.size or piece.shape[1] > windows.MOST_VOICES:
        raise ValueError(f'a piece of the shape {list(piece.shape)}')
    piece[np.isnan(piece)] = REST  # as one of the published files has it
    if piece.min() < REST or piece.max() > HIGHEST or (piece % 1).any():
        raise ValueError(f'pitches of {piece.min():g} to {piece.max():g}')
    return piece.astype(np.int32)


def _sixteenths(path: str, pieces: list[np.ndarray]) -> int:
    """How many of them a step is; raises SourceError if it is not told and more than one."""
    name = os.path.basename(path).lower()
    for word, steps in STEPS.items():
        if word in name:
            return steps
    lengths = [note.length for piece in pieces for note in notes_of(piece)]
    if np.mean(np.equal(lengths, 1)) > MOST_SHORT:
        raise SourceError(
            f'{path}: its steps are longer than a sixteenth, and its name does not say how long.'
            f' Give it a name that does, for instance cp {typed(path)} jsb-quarter.json; known are'
            f' {", ".join(STEPS)}'
        )
    return 1
