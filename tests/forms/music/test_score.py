"""Scores are engraved from what the piece is, and are as large as their staves."""

import re
import sys

import numpy as np
import pytest

from tfgan.errors import ModelError
from tfgan.forms.music import pieces, score
from tfgan.forms.music.playing import Playing

verovio = pytest.importorskip('verovio')
CHORD = np.tile(np.array([[72, 67, 64, 48]], np.int32), [64, 1])


def drawn(svg):
    """Pixels uint8 [h, w] of a file, as a program without Verovio's fonts draws it."""
    import io

    import resvg_py
    from PIL import Image

    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=800))
    return np.asarray(Image.open(io.BytesIO(data)).convert('L'))


def test_notes_staves_and_bars_are_there_and_nothing_is_cut_off():
    piece = CHORD.copy()
    piece[16:20] = pieces.REST
    found = score.svg(piece, marks=[(0, '12')])
    assert len(re.findall('class="note"', found)) == 16
    assert len(re.findall('class="rest"', found)) == 4
    assert len(re.findall('class="staff"', found)) == 16
    assert 'Soprano' in found and '>12<' in found
    pixels = drawn(found)
    ink = pixels < 128
    assert 0.01 < ink.mean() < 0.2
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    height, width = pixels.shape
    for first, last, size in ((rows[0], rows[-1], height), (columns[0], columns[-1], width)):
        assert 0 < first < 40 and size - 60 < last < size - 1


def test_a_piece_gives_the_same_file():
    assert score.svg(CHORD) == score.svg(CHORD)


def test_longer_pieces_have_lines():
    one, many = (score.svg(np.tile(CHORD, [count, 1])) for count in (1, 8))
    assert many.count('class="system"') > 2 > one.count('class="system"')
    assert many.count('class="note"') == 8 * one.count('class="note"')
    with pytest.raises(ModelError, match=r'a piece of 2,112 sixteenths is too long'):
        score.svg(np.tile(CHORD, [33, 1]))


def test_it_is_as_wide_as_its_bars():
    short, long = (drawn(score.svg(CHORD[:steps])) for steps in (16, 64))
    assert short.shape[0] > 1.5 * long.shape[0]  # at one width


def test_the_key_is_written():
    assert score.svg(CHORD, Playing(semitones=2)).count('class="keyAccid"') == 2 * 4


def test_without_verovio_it_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, 'verovio', None)
    with pytest.raises(ModelError, match=r"pip install 'tfgan\[music\]'"):
        score.svg(CHORD)
