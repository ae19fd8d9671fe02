"""Centre lines for a pen plotter: each once, in an order that travels little, in millimetres."""

import itertools

import numpy as np
from matplotlib.path import Path
from scipy.spatial import cKDTree

from tfgan.forms.drawing.page import LUMA
from tfgan.forms.drawing.vectors import Layout, Line, Vector, polyline

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg"'
    ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
)
FINE = 64  # places along a Bézier: closer together than any pen is wide
PEN_MM = 0.3  # of the lines as a screen shows them
MOST_ROUNDS = 50  # of making a way shorter
TOO_LIGHT = 230  # a level that paper does not show: a black pen is taken


def file(drawings: list[Vector], layout: Layout) -> str:
    """An SVG file with a layer for each colour of pen, on paper laid out in millimetres."""
    lines = [
        line._replace(
            path=Path(line.path.vertices * layout.scale + corner, line.path.codes),
            colour=_pen(line.colour),
        )
        for drawing, corner in zip(drawings, layout.corners, strict=True)
        for line in once(drawing.lines)
    ]
    layers = []
    for number, colour in enumerate(sorted({line.colour for line in lines}), start=1):
        paths = ordered([line for line in lines if line.colour == colour])
        drawn = ''.join(f'<path d="{_data(line.path.vertices)}"/>\n' for line in paths)
        layers.append(
            f'<g inkscape:groupmode="layer" id="layer{number}" inkscape:label="{colour}"'
            f' stroke="{colour}">\n{drawn}</g>\n'
        )
    size = f'{layout.width:g} {layout.height:g}'
    return (
        f'{HEAD} width="{layout.width:g}mm" height="{layout.height:g}mm" viewBox="0 0 {size}"'
        f' fill="none" stroke-width="{PEN_MM}" stroke-linecap="round">\n{"".join(layers)}</svg>\n'
    )


def _pen(colour: str) -> str:
    levels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return '#000000' if np.dot(LUMA, levels) > TOO_LIGHT else colour


def _data(vertices: np.ndarray) -> str:
    first, *others = (f'{x:.2f} {y:.2f}' for x, y in vertices)
    return f'M{first}C{" ".join(others)}'


def once(lines: list[Line]) -> list[Line]:
    """Strokes without those that longer ones of their colour cover: all within half a width."""
    places = [polyline(line, FINE) for line in lines]
    length = [np.linalg.norm(np.diff(each, axis=0), axis=1).sum() for each in places]
    kept = []
    for i in sorted(range(len(lines)), key=lambda i: -length[i]):
        alike = [places[k] for k in kept if lines[k].colour == lines[i].colour]
        if not alike or _distance(places[i], np.concatenate(alike)) > lines[i].width / 2:
            kept.append(i)
    return [lines[i] for i in sorted(kept)]


def _distance(places, others):
    """That of the place that is furthest from the nearest other."""
    return cKDTree(others).query(places)[0].max()


def ordered(lines: list[Line]) -> list[Line]:
    """Strokes in an order, and each the way round, in which a pen travels little in the air.

    The pen comes from the first corner and goes to the nearest end of a stroke each time. Then
    parts of its way are turned round while that makes it shorter (2-opt).
    """
    if not lines:
        return []
    ends = np.array([line.path.vertices[[0, -1]] for line in lines])
    way = _shorter(ends, _nearest(ends))
    return [
        lines[number]._replace(path=Path(lines[number].path.vertices[::step], line.path.codes))
        for line, (number, step) in zip(lines, way, strict=True)
    ]


def _nearest(ends):
    """Numbers and directions, 1 or -1, of strokes whose ends are [n, 2, 2]."""
    left, at, way = np.ones(len(ends), bool), np.zeros(2), []
    for _ in ends:
        apart = np.where(left[:, None], np.linalg.norm(ends - at, axis=-1), np.inf)
        number, end = np.unravel_index(apart.argmin(), apart.shape)
        way.append((number, 1 - 2 * end))
        left[number], at = False, ends[number, 1 - end]
    return np.array(way)


def _shorter(ends, way):
    """A way, with its parts turned round as long as that makes it shorter."""
    for _ in range(MOST_ROUNDS):
        found = False
        for first in range(len(way)):
            starts, stops = (
                ends[way[:, 0], np.where(way[:, 1] > 0, side, 1 - side)] for side in (0, 1)
            )
            before = stops[first - 1] if first else np.zeros(2)
            straight = np.linalg.norm(stops[first:-1] - starts[first + 1 :], axis=1)
            turned = np.linalg.norm(starts[first] - starts[first + 1 :], axis=1)
            gain = np.linalg.norm(before - starts[first]) - np.linalg.norm(
                before - stops[first:], axis=1
            )
            gain[:-1] += straight - turned
            last = first + int(gain.argmax())
            if gain.max() > 1e-6:
                way[first : last + 1] = way[first : last + 1][::-1] * [1, -1]
                found = True
        if not found:
            break
    return way


def in_pen_order(drawing: Vector) -> Vector:
    """A drawing whose strokes come in such an order."""
    return drawing._replace(lines=ordered(drawing.lines))


def travel(lines: list[Line]) -> float:
    """How far a pen goes in the air from stroke to stroke."""
    return sum(
        float(np.linalg.norm(after.path.vertices[0] - before.path.vertices[-1]))
        for before, after in itertools.pairwise(lines)
    )
