"""The kinds of data set that music comes from."""

import os

from tfgan.data.source import Kind, Wanted
from tfgan.forms.music.pieces import Pieces
from tfgan.forms.music.sources import jsb


def _open_midi(wanted: Wanted) -> Pieces:
    from tfgan.forms.music.sources import midi  # and mido

    return midi.open_midi(wanted)


SOURCES = {
    'jsb': Kind('an existing file', os.path.isfile, jsb.open_jsb, 'jsb:my/jsb16.json'),
    'midi': Kind('an existing file or folder', os.path.exists, _open_midi, 'midi:my/songs'),
}
