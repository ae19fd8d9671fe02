"""Scores: pieces engraved by Verovio, which comes with its fonts."""

import re
import zlib

import numpy as np

from tfgan.errors import ModelError
from tfgan.forms.music import musicxml
from tfgan.forms.music.playing import USUAL, Playing

LINE_BARS = 4  # that a piece may have to stand in one line, whatever its width
WIDTH, HEIGHT = 2400, 60_000  # of a longer piece's lines, and what Verovio's page has at most
MOST_BARS = 128
MARGIN = 40
SCALE = 40  # percent: a staff is 29 units of SVG high
INSTALL = "pip install 'tfgan[music]'"
# Symbols that Verovio writes as text need its font, which not all viewers of SVG can be given.
OPTIONS = {
    **{'header': 'none', 'footer': 'none', 'svgViewBox': True, 'adjustPageHeight': True},
    **{f'pageMargin{side}': MARGIN for side in ('Left', 'Right', 'Top', 'Bottom')},
    **{'scale': SCALE, 'pageHeight': HEIGHT, 'pageWidth': WIDTH},
}
SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def svg(piece, how: Playing = USUAL, marks=()) -> str:
    """An SVG file of a piece's score, as large as its staves.

    Raises ModelError where Verovio is not installed or the piece is too long for a page.
    """
    try:
        import verovio
    except ImportError:
        raise ModelError(f'a score is engraved by Verovio, which is not here: {INSTALL}') from None
    if len(piece) > MOST_BARS * how.bar_steps:
        raise ModelError(
            f'a piece of {len(piece):,} sixteenths is too long for a score of one page, which has'
            f' up to {MOST_BARS} bars; write .musicxml, which notation programs engrave on many'
        )
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    is_short = len(piece) <= LINE_BARS * how.bar_steps
    shape = {'breaks': 'none'} if is_short else {'breaks': 'auto'}
    # Identities that one piece always has, and no other, so that several may be in one file.
    shape['xmlIdSeed'] = zlib.crc32(np.ascontiguousarray(piece, np.int32)) >> 1
    toolkit.setOptions(OPTIONS | shape)
    toolkit.loadData(musicxml.as_bytes(piece, how, marks=marks, shows_tempo=False).decode())
    found = toolkit.renderToSVG(1)
    width, height = SIZE.search(found).groups()
    paper = '<rect width="100%" height="100%" style="fill:#ffffff;stroke:none"/>'
    start, end, rest = found.partition('>')
    return f'{start} width="{width}" height="{height}"{end}\n{paper}{rest}'
