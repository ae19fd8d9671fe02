"""The kinds of data set that music comes from."""

import os
from typing import NamedTuple

import numpy as np

from tfgan.data.source import Kind, Wanted
from tfgan.errors import SourceError, listed, quoted, reason
from tfgan.forms.music.pieces import OCTAVES, Pieces
from tfgan.forms.music.sources import jsb, windows
from tfgan.forms.music.sources.readings import Reader, Unread, bytes_of
from tfgan.forms.music.theory import Key
from tfgan.forms.sources.files import Folder


def _open_midi(wanted: Wanted) -> Pieces:
    from tfgan.forms.music.sources import midi  # and mido

    return midi.open_midi(wanted)


def _open_abc(wanted: Wanted) -> Pieces:
    from tfgan.forms.music.sources import abc_tunes

    return abc_tunes.open_abc(wanted)


SOURCES = {
    'jsb': Kind('an existing file', os.path.isfile, jsb.open_jsb, 'jsb:my/jsb16.json'),
    'midi': Kind('an existing file or folder', os.path.exists, _open_midi, 'midi:my/songs'),
    'abc': Kind('an existing file or folder', os.path.exists, _open_abc, 'abc:my/tunes'),
}


class OwnPiece(NamedTuple):
    """A person's piece int32 [steps, voices] in its own key, and what it is in.

    It is in C major or A minor when it is moved by `semitones`. `tempo` is in quarters a minute.
    """

    piece: np.ndarray
    key: Key
    bar_steps: int
    upbeat_steps: int
    tempo: float
    semitones: int


def read_piece(path: str, rows: int | None = None) -> OwnPiece:
    """The piece of a MIDI or an ABC file, moved into a model's rows as far as that can be.

    Raises SourceError.
    """
    reader = _reader(path)
    try:
        if not os.path.isfile(path):  # opening a pipe would wait for ever
            raise SourceError('there is no such file')
        found = list(reader(bytes_of(Folder(os.path.dirname(path)), os.path.basename(path))))
    except Exception as error:  # readers raise nearly anything at a damaged file
        raise SourceError(f'{quoted(path)} cannot be read: {reason(error)}') from error
    if len(found) != 1:
        names = listed(each.name for each in found)
        raise SourceError(f'{quoted(path)} has {len(found)} pieces; give a file of one: {names}')
    [read] = found
    if isinstance(read, Unread):
        raise SourceError(f'{quoted(path)} cannot be read: {read.why}')
    size = rows // OCTAVES if rows else windows.SIZES[-1]
    moved = windows.semitones(read.piece, read.key, size)
    upbeat = int(read.bars[0]) if len(read.bars) else 0
    return OwnPiece(read.piece, read.key, read.bar_steps, upbeat, read.tempo, moved)


def _reader(path: str) -> Reader:
    """What reads a file of this name; raises SourceError."""
    from tfgan.forms.music.sources import abc_tunes, midi

    if path.lower().endswith(midi.ENDINGS):
        return midi.readings
    if path.lower().endswith(abc_tunes.ENDINGS):
        abc_tunes.check_reader()
        return abc_tunes.readings
    raise SourceError(
        f'{quoted(path)}: read are .mid, .midi and .abc; notation programs such as MuseScore export'
        ' MIDI'
    )
