"""Chorales in JSON: {"train": [[[74, 70, 65, 58], ...], ...], ...}, a list of pitches a step."""

import json
import os

import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, quoted
from tfgan.forms.drawing.sources.names import chosen_splits, split_told
from tfgan.forms.music.pieces import REST, Pieces
from tfgan.forms.music.sources import windows
from tfgan.forms.music.theory import key, metre

LICENCE = 'none is stated by their collector; Bach is in the public domain'
FORM = 'needed is {"train": [[[74, 70, 65, 58], ...], ...], "test": ...}: pieces of four pitches a\
 sixteenth, -1 for a rest'


def open_jsb(wanted: Wanted) -> Pieces:
    """The chorales of a file; raises SourceError."""
    path = wanted.argument
    splits = _read(path)
    chosen = chosen_splits([*splits], wanted.split, path)
    found = [
        windows.Found(f'{split}/{i}', piece, key(piece), _bars(piece), split=split)
        for split, pieces in splits.items()
        for i, piece in enumerate(pieces)
    ]
    told = split_told(chosen, [*splits]), 'notes struck again are not told from held ones'
    return windows.opened(wanted, windows.Survey(found, {}, False, told, tuple(chosen), LICENCE))


def _read(path: str) -> dict[str, list[np.ndarray]]:
    """Pieces int32 [steps, voices] of each split; raises SourceError."""
    try:
        with open(path, encoding='utf-8') as file:
            found = json.load(file)
        return {str(split): [_piece(piece) for piece in pieces] for split, pieces in found.items()}
    except OSError as error:
        raise SourceError(f'{path}: {error.strerror}') from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            f'{os.path.basename(path)} is no file of chorales: {quoted(error)}; {FORM}'
        ) from error


def _bars(piece: np.ndarray) -> np.ndarray:
    return windows.bars_of(metre(piece), len(piece))


def _piece(steps) -> np.ndarray:
    piece = np.array(steps, np.int32)
    if piece.ndim != 2 or not 1 <= piece.shape[1] <= 4:
        raise ValueError(f'a piece of the shape {piece.shape}')
    if piece.min() < REST or piece.max() > 127:
        raise ValueError('pitches beyond -1..127')
    return piece
