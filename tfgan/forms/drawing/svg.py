"""SVG of strokes: files written by TensorFlow's graph, and a sheet of such files."""

import math
import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgan.networks.strokes import Strokes, through

UNITS = 1000  # of a drawing's longer side, in tenths of which places are told
HEAD = '<svg xmlns="http://www.w3.org/2000/svg"'
GAP = 40  # between the drawings of a sheet
ATTRIBUTE = re.compile('(d|stroke-width|stroke|fill)="([^"]*)"')
NUMBER = re.compile(r'-?[0-9.]+')
SIDES = 'width', 'height'  # the attributes that tell a file's size


def files(strokes: Strokes, paper, height: int, width: int, told=''):
    """An SVG file for each drawing, of the shape of images: strings [n].

    `paper` is its levels int32 [channels], as are those of the strokes' colours [n, k, channels].
    A stroke is one path with round ends; one that is not there is left out. What is `told` of each
    drawing, a string or strings [n], comes last in its file.
    """
    page = UNITS * np.array([width, height]) / max(height, width)
    points = UNITS * (strokes.points - 0.5) + page / 2
    beziers = tf.einsum('bp,nkpd->nkbd', through(points.shape[2]), points)
    places = tf.strings.reduce_join(_number(beziers), axis=-1, separator=' ')
    lines = tf.strings.reduce_join(places[:, :, 1:], axis=-1, separator=' ')
    colour, wide = _hexadecimal(strokes.colour), _number(UNITS * strokes.width)
    path = ['<path stroke="', colour, '" stroke-width="', wide, '" d="M']
    paths = tf.strings.join([*path, places[:, :, 0], 'C', lines, '"/>\n'])
    paths = tf.strings.reduce_join(tf.where(strokes.ink > 0, paths, ''), axis=1)
    size = ' '.join(f'{each:g}' for each in page)
    start = f'{HEAD} width="{page[0]:g}" height="{page[1]:g}" viewBox="0 0 {size}">\n'
    ground = tf.strings.join(['<rect width="100%" height="100%" fill="', _hexadecimal(paper)])
    group = '"/>\n<g fill="none" stroke-linecap="round" stroke-linejoin="round">\n'
    return tf.strings.join([start, ground, group, paths, '</g>\n', told, '</svg>\n'])


def _number(values):
    return tf.strings.as_string(values, precision=1)


def _hexadecimal(levels):
    """Colours like #00ff7f of levels int32 [..., 1 or 3]."""
    if levels.shape[-1] == 1:
        levels = tf.repeat(levels, 3, axis=-1)
    each = tf.gather([f'{level:02x}' for level in range(256)], levels)
    return tf.strings.join(['#', tf.strings.reduce_join(each, axis=-1)])


class Page(NamedTuple):
    """A page that a drawing is moved to: its sides, and what is drawn with on what, as #00ff7f.

    A place (x, y) of the drawing comes to (left + scale x, top + scale y), and lines become `pen`
    times as wide beside that. Without a colour they keep their own.
    """

    width: float
    height: float
    paper: str
    colour: str | None
    left: float
    top: float
    scale: float
    pen: float = 1.0


def moved(drawing: str, page: Page) -> str:
    """A file of `files`, or of outlines, on another page."""

    def path(data):
        places = NUMBER.findall(data)
        new = (
            f'{page.scale * float(each) + (page.left, page.top)[i % 2]:.2f}'
            for i, each in enumerate(places)
        )
        return NUMBER.sub(lambda _: next(new), data)

    def attribute(match):
        name, value = match.groups()
        if name == 'd':
            value = path(value)
        elif name == 'stroke-width':
            value = f'{page.pen * page.scale * float(value):.2f}'
        elif page.colour:
            value = page.colour
        return f'{name}="{value}"'

    lines = drawing.splitlines(keepends=True)
    sides = f'{page.width:g} {page.height:g}'
    lines[0] = f'{HEAD} width="{page.width:g}" height="{page.height:g}" viewBox="0 0 {sides}">\n'
    lines[1] = f'<rect width="100%" height="100%" fill="{page.paper}"/>\n'
    return ''.join(
        ATTRIBUTE.sub(attribute, line) if line.startswith('<path') else line for line in lines
    )


def sheet(drawings: list[str], columns: int | None = None) -> str:
    """One SVG file of several of one size, side by side in rows on mid-grey; one stays as it is."""
    if len(drawings) == 1:
        return drawings[0]
    columns = columns or math.ceil(math.sqrt(len(drawings)))
    rows = -(-len(drawings) // columns)
    width, height = (float(drawings[0].split(f'{name}="')[1].split('"')[0]) for name in SIDES)
    whole = columns * (width + GAP) + GAP, rows * (height + GAP) + GAP
    placed = [
        drawing.replace(
            HEAD,
            f'<svg x="{GAP + (width + GAP) * (i % columns):g}"'
            f' y="{GAP + (height + GAP) * (i // columns):g}"',
        )
        for i, drawing in enumerate(drawings)
    ]
    size = ' '.join(f'{each:g}' for each in whole)
    ground = '<rect width="100%" height="100%" fill="#808080"/>\n'
    return f'{HEAD} viewBox="0 0 {size}">\n{ground}{"".join(placed)}</svg>\n'
