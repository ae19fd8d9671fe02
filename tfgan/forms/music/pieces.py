"""Pieces of music as they are stored: which pitch each voice has in each sixteenth."""

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np

from tfgan.data.source import Source
from tfgan.forms.base import MUSIC

REST = -1
AGAIN = 128  # It is added to a pitch that is the same as before and struck again.
STEPS_PER_BEAT = 4  # A step is a sixteenth, a beat a quarter.
MIDDLE = 60  # MIDI's middle C, about which the rows of a roll lie
OCTAVES = 24  # rows of a roll are a multiple of it, and one more for rests


class Note(NamedTuple):
    """A note of a voice: `start` and `length` in steps, `pitch` of MIDI."""

    voice: int
    start: int
    length: int
    pitch: int


@dataclasses.dataclass(frozen=True, eq=False)
class Pieces(Source):
    """Windows of pieces, int32 [n, steps, voices]: MIDI pitches, `REST`, or `AGAIN` + a pitch.

    A pitch that is the same as in the step before is held. Voices come from the highest to the
    lowest. All are in C major or A minor. `origins` int [n] numbers the pieces that they are of.
    """

    form = MUSIC
    dtype = np.int32
    origins: np.ndarray | None = None


def notes_of(piece) -> list[Note]:
    """The notes of a piece [steps, voices], by their start and then by voice."""
    found = []
    for voice, column in enumerate(np.asarray(piece).T):
        is_new = np.diff(column % AGAIN, prepend=-2) != 0
        is_new |= column >= AGAIN
        is_new |= np.diff(column == REST, prepend=True) != 0
        starts = np.append(np.flatnonzero(is_new), len(column))
        found += [
            Note(voice, int(start), int(end - start), int(column[start] % AGAIN))
            for start, end in itertools.pairwise(starts)
            if column[start] != REST
        ]
    return sorted(found, key=lambda note: (note.start, note.voice))


def piece_of(notes: list[Note], steps: int, voices: int) -> np.ndarray:
    """The piece int32 [steps, voices] of notes; where two of a voice overlap, the later one is."""
    piece = np.full([steps, voices], REST, np.int32)
    for voice, start, length, pitch in sorted(notes, key=lambda note: note.start):
        is_held = start and piece[start - 1, voice] % AGAIN == pitch
        is_held &= start > 0 and piece[start - 1, voice] != REST
        piece[start:, voice] = REST
        piece[start : start + length, voice] = pitch
        piece[start, voice] += AGAIN * bool(is_held)
    return piece


def transposed(piece, semitones: int):
    """A piece so many semitones higher; rests stay."""
    return np.where(piece == REST, REST, piece + semitones)
