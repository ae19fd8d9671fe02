"""Drawings as paths, read from SVG files and drawn by Matplotlib at any size or on paper."""

import math
import re
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

SVG = '{http://www.w3.org/2000/svg}'
VERTICES = {'M': Path.MOVETO, 'L': Path.LINETO, 'C': Path.CURVE4, 'Z': Path.CLOSEPOLY}
POINT_MM = 25.4 / 72  # Matplotlib's unit of length
MARGIN_MM = 15  # of paper
GAP = 0.04  # between the drawings of a sheet, in their longer sides
GREY = '#808080'  # between the drawings of a picture
SAMPLES = 16  # of a cubic Bézier that becomes a row of straight lines


class Line(NamedTuple):
    """A stroke, or an outline that is filled: then its width is 0."""

    path: Path
    colour: str  # as in #00ff7f
    width: float


class Vector(NamedTuple):
    """A drawing: lines on a page in the SVG's own units."""

    width: float
    height: float
    paper: str
    lines: list[Line]


class Layout(NamedTuple):
    """Where drawings of one size lie on a larger page, in its unit; y is downwards."""

    width: float
    height: float
    scale: float
    corners: list[tuple[float, float]]  # the upper left ones


def read(svg: str) -> Vector:
    """What an SVG file of `svg.files` or `outlines.files` shows."""
    root = ElementTree.fromstring(svg)
    lines = [
        Line(_path(each.get('d')), each.get('stroke', each.get('fill')), width)
        for each in root.iter(f'{SVG}path')
        for width in [float(each.get('stroke-width', 0))]
    ]
    sides = float(root.get('width')), float(root.get('height'))
    return Vector(*sides, root.find(f'{SVG}rect').get('fill'), lines)


def _path(text: str) -> Path:
    vertices, codes = [], []
    for letter, numbers in re.findall('([MLCZ])([^MLCZ]*)', text):
        places = np.array(numbers.split() or [0, 0], float).reshape(-1, 2)
        following = 'L' if letter == 'M' else letter
        codes += [VERTICES[letter], *[VERTICES[following]] * (len(places) - 1)]
        vertices.append(places)
    return Path(np.concatenate(vertices), codes)


def sheet(drawings: list[Vector], size: float, columns: int | None = None) -> Layout:
    """Drawings side by side in rows, their longer side `size`; one alone has no edge around it."""
    gap = 0 if len(drawings) == 1 else max(2, round(GAP * size))
    columns = columns or math.ceil(math.sqrt(len(drawings)))
    scale = size / max(drawings[0].width, drawings[0].height)
    width, height = round(drawings[0].width * scale), round(drawings[0].height * scale)
    return _rows(len(drawings), columns, width, height, gap, scale, (gap, gap))


def on_paper(drawings: list[Vector], paper_mm: tuple[float, float]) -> Layout:
    """Drawings as large as they fit on paper, upright or across, in millimetres."""
    width, height = drawings[0].width, drawings[0].height
    gap, count = GAP * max(width, height), len(drawings)
    grids = []
    for page in (paper_mm, paper_mm[::-1]):
        for columns in range(1, count + 1):
            needed = _sides(count, columns, width, height, gap)
            scale = min((page[i] - 2 * MARGIN_MM) / needed[i] for i in (0, 1))
            grids.append((scale, page, columns, needed))
    scale, page, columns, needed = max(grids, key=lambda grid: grid[0])
    corner = [(page[i] - scale * needed[i]) / 2 for i in (0, 1)]
    rows = _rows(count, columns, width * scale, height * scale, gap * scale, scale, corner)
    return rows._replace(width=page[0], height=page[1])


def _rows(count, columns, width, height, gap, scale, corner) -> Layout:
    corners = [
        (corner[0] + i % columns * (width + gap), corner[1] + i // columns * (height + gap))
        for i in range(count)
    ]
    sides = _sides(count, columns, width, height, gap)
    return Layout(*[side + 2 * edge for side, edge in zip(sides, corner)], scale, corners)


def _sides(count, columns, width, height, gap) -> tuple[float, float]:
    """Those of all rows together."""
    return columns * (width + gap) - gap, -(-count // columns) * (height + gap) - gap


def figure(drawings: list[Vector], layout: Layout, unit: float, ground: str) -> Figure:
    """Drawings where a layout has them; its unit is so many points, 72 of which are an inch."""
    inches = [side * unit / 72 for side in (layout.width, layout.height)]
    page = Figure(figsize=inches, dpi=72, facecolor=ground)
    axes = page.add_axes((0, 0, 1, 1), xlim=(0, layout.width), ylim=(layout.height, 0))
    axes.set_axis_off()
    for drawing, corner in zip(drawings, layout.corners, strict=True):
        sides = drawing.width * layout.scale, drawing.height * layout.scale
        edge = Rectangle(corner, *sides, facecolor=drawing.paper, snap=False)
        axes.add_patch(edge)
        lines = PathCollection(
            [line.path for line in drawing.lines],
            transform=Affine2D().scale(layout.scale).translate(*corner) + axes.transData,
            linewidths=[line.width * layout.scale * unit for line in drawing.lines],
            edgecolors=[line.colour for line in drawing.lines],
            facecolors=['none' if line.width else line.colour for line in drawing.lines],
            capstyle='round',
            joinstyle='round',
            snap=False,  # to whole pixels, which would move what is straight
            antialiaseds=(True, True),  # two: one path alone would be put there as a marker
        )
        axes.add_collection(lines, autolim=False)
        lines.set_clip_box(TransformedBbox(Bbox.from_bounds(*corner, *sides), axes.transData))
    return page


def pixels(drawings: list[Vector], layout: Layout) -> np.ndarray:
    """A picture of drawings, a pixel for each unit of the layout: uint8 [h, w, 1 or 3].

    It is that of `figure`, without Matplotlib's machinery, which takes up to 16 times as long.
    """
    width, height = round(layout.width), round(layout.height)
    renderer = RendererAgg(width, height, 72)
    upwards = Affine2D().scale(1, -1).translate(0, height)
    pen = GraphicsContextBase()
    pen.set_snap(False)  # Snapping to whole pixels would move what is straight.
    pen.set_capstyle('round')
    pen.set_joinstyle('round')

    def draw(path, place, line_width, colour, fill):
        pen.set_linewidth(line_width)
        pen.set_foreground(colour)
        renderer.draw_path(pen, path, place + upwards, to_rgba(fill) if fill else None)

    page = Path.unit_rectangle()
    draw(page, Affine2D().scale(width, height), 0, GREY, GREY)
    for drawing, corner in zip(drawings, layout.corners, strict=True):
        sides = drawing.width * layout.scale, drawing.height * layout.scale
        edge = Affine2D().scale(*sides).translate(*corner)
        pen.set_clip_rectangle(None)
        draw(page, edge, 0, drawing.paper, drawing.paper)
        pen.set_clip_rectangle(TransformedBbox(Bbox.unit(), edge + upwards))
        place = Affine2D().scale(layout.scale).translate(*corner)
        for line in drawing.lines:
            fill = None if line.width else line.colour
            draw(line.path, place, line.width * layout.scale, line.colour, fill)
    colours = np.asarray(renderer.buffer_rgba())[..., :3]
    grey = (colours == colours[..., :1]).all()
    return colours[..., :1].copy() if grey else colours.copy()


def polyline(line: Line, samples: int = SAMPLES) -> np.ndarray:
    """Places [n, 2] along a stroke, whose path is cubic Béziers end to end."""
    t = np.linspace(0, 1, samples, endpoint=False)[:, None]
    bernstein = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], 1)
    ends = line.path.vertices
    pieces = np.stack([ends[i : len(ends) - 3 + i : 3] for i in range(4)])
    along = np.einsum('sc,cpd->psd', bernstein, pieces).reshape(-1, 2)
    return np.concatenate([along, ends[-1:]])


def begun(drawing: Vector, share: float) -> Vector:
    """What is there of a drawing when a share of the length of its strokes is drawn."""
    lines, places = [], [polyline(line) for line in drawing.lines]
    lengths = [np.linalg.norm(np.diff(each, axis=0), axis=1) for each in places]
    left = share * sum(map(np.sum, lengths))
    for line, place, length in zip(drawing.lines, places, lengths, strict=True):
        if left <= 0:
            break
        along = np.concatenate([[0], np.cumsum(length)])
        if left < along[-1]:
            end = [np.interp(left, along, place[:, i]) for i in (0, 1)]
            line = line._replace(path=Path(np.concatenate([place[along < left], [end]])))
        lines.append(line)
        left -= along[-1]
    return drawing._replace(lines=lines)
