"""Writes SVG drawings as files: SVG, PDF, pictures of any size, GIFs and a plotter's paths."""

import io
import pathlib
from typing import NamedTuple

import numpy as np
import tqdm

from tfgan import provenance, storage
from tfgan.errors import ModelError, quoted, shown
from tfgan.forms import pictures
from tfgan.forms.drawing import plotter, svg, vectors
from tfgan.forms.drawing.vectors import POINT_MM, Vector
from tfgan.forms.pictures import PAPERS_MM, SHEETS, VECTORS

SHEET_SIZE = 112  # pixels of a drawing on a sheet that names no size
PAGE_SIZE = 480  # of an animation that names none
MOST_PIXELS = 100_000_000  # of a picture
MOST_SIZE = 10_000  # of a drawing's longer side in pixels, and of an animation in frames
MOST_MOVING_PIXELS = 400_000_000  # of all frames of an animation
STILL_FRAMES = 25  # the whole drawing at the end of an animation
NO_STROKES = (
    'the model makes pixels, whose outlines are no strokes; python -m tfgan.train'
    ' --architecture=pen makes a model that has them, and .svg, .pdf and .png need none'
)


class How(NamedTuple):
    """What else than its name a file's making takes."""

    size: int | None = None  # pixels of a drawing's longer side
    paper: str = 'a4'
    for_plotter: bool = False
    frames: int = 90
    columns: int | None = None  # of a sheet that is not on paper

    def as_json(self, ending: str) -> dict:
        """What of it a file of that ending depends on, as a recipe tells it."""
        has_paper = ending == '.pdf' or self.for_plotter
        return {
            'as': 'strokes',
            'size': self.size if ending in (*SHEETS, '.gif') else None,
            'paper': self.paper if has_paper else None,
            'plotter': self.for_plotter or None,
            'frames': self.frames if ending == '.gif' else None,
            'columns': None if has_paper else self.columns,
        }


def how_of(recipe: dict) -> How:
    """What a recipe tells of it; raises ValueError if it tells what no file is made by."""
    size, frames = recipe.get('size'), recipe.get('frames', How().frames)
    paper = recipe.get('paper', How().paper)
    columns = recipe.get('columns')
    sizes = [frames, *(each for each in (size, columns) if each is not None)]
    if any(type(each) is not int or not 0 < each <= MOST_SIZE for each in sizes):
        raise ValueError(f'size {size}, frames {frames}, columns {columns}')
    if paper not in PAPERS_MM:
        raise ValueError(f'paper {paper}')
    return How(size, paper, bool(recipe.get('plotter')), frames, columns)


def write(
    out: str, ending: str, svgs: list[str], numbers, how: How, recipe: dict | None = None
) -> None:
    """A sheet if `out` is named like a file, else a folder of files named by `numbers`.

    `ending` is the files' kind, as .svg. Raises ModelError where drawings have no strokes that one
    needs, or pixels would be too many; StorageError.
    """
    if ending not in (*SHEETS, *VECTORS) or how.paper not in PAPERS_MM:
        raise ModelError(
            f'{quoted(out)} on paper {quoted(how.paper)}: it can be written as'
            f' {", ".join((*SHEETS, *VECTORS))}, on {", ".join(PAPERS_MM)}'
        )
    more = how.as_json(ending)
    recipe = recipe and {k: v for k, v in (recipe | more).items() if v is not None}
    if pictures.ending(out) == ending:
        data = file(svgs, ending, how)
        storage.write_bytes(out, provenance.stamped(data, ending, recipe))
    else:
        for i, (number, drawing) in enumerate(zip(numbers, svgs, strict=True)):
            told = provenance.of_one(recipe, i, more['as'])
            data = provenance.stamped(file([drawing], ending, how), ending, told)
            storage.write_bytes(pathlib.Path(out) / f'{number}{ending}', data)
    print(f'{len(svgs)} drawings, {numbers[0]} to {numbers[-1]}: {shown(out)}')


def file(svgs: list[str], ending: str, how: How) -> bytes:
    """A file of all drawings, which does not say what made it."""
    svgs = [provenance.bare(each) for each in svgs]
    if ending == '.svg' and not how.for_plotter:
        return svg.sheet(svgs, how.columns).encode()
    drawings = [vectors.read(each) for each in svgs]
    if ending == '.svg':
        _check_strokes('--plotter', drawings)
        paper = vectors.on_paper(drawings, PAPERS_MM[how.paper])
        return plotter.file(drawings, paper).encode()
    if ending == '.pdf':
        return _pdf(drawings, PAPERS_MM[how.paper])
    if ending == '.gif':
        return _animation(drawings, how)
    layout = vectors.sheet(drawings, how.size or SHEET_SIZE, how.columns)
    _check_pixels(layout, 1, MOST_PIXELS, how.size)
    kind, options = SHEETS[ending]
    return pictures.encoded([vectors.pixels(drawings, layout)], kind, options)


def _pdf(drawings, paper_mm):
    page = vectors.figure(drawings, vectors.on_paper(drawings, paper_mm), 1 / POINT_MM, 'white')
    data = io.BytesIO()
    page.savefig(
        data, format='pdf', metadata={'Creator': provenance.SOFTWARE, 'CreationDate': None}
    )
    return data.getvalue()


def _animation(drawings, how):
    """A GIF in which all drawings are drawn stroke by stroke, in the order of a plotter."""
    _check_strokes('.gif', drawings)
    layout = _moving_sheet(drawings, how.size, how.frames)
    drawings = [plotter.in_pen_order(drawing) for drawing in drawings]
    shares = (np.arange(how.frames) + 1) / how.frames
    frames = [
        vectors.pixels([vectors.begun(each, share) for each in drawings], layout)
        for share in tqdm.tqdm(shares, 'drawing', unit='frame', delay=1, disable=None)
    ]
    return pictures.moving([*frames, *[frames[-1]] * STILL_FRAMES], '.gif')


def frame(svgs: list[str], size: int | None, frames: int) -> np.ndarray:
    """One of `frames` pictures of drawings in rows, each of `size` pixels: uint8 [h, w, c].

    Without a size the rows are about PAGE_SIZE wide. Raises ModelError if pixels are too many.
    """
    drawings = [vectors.read(each) for each in svgs]
    return vectors.pixels(drawings, _moving_sheet(drawings, size, frames))


def _moving_sheet(drawings, size, frames):
    """Where drawings are in an animation of so many frames."""
    columns = int(np.ceil(np.sqrt(len(drawings))))
    layout = vectors.sheet(drawings, size or max(8, PAGE_SIZE // columns), columns)
    _check_pixels(layout, frames, MOST_MOVING_PIXELS, size)
    return layout


def _check_strokes(what: str, drawings: list[Vector]) -> None:
    if not all(line.width for drawing in drawings for line in drawing.lines):
        raise ModelError(f'{what}: {NO_STROKES}')


def _check_pixels(layout, frames, most, size):
    count = round(layout.width * layout.height * frames)
    if count > most:
        given = '' if size is None else f'--size={size}: '
        raise ModelError(
            f'{given}that is {count / 1e6:,.0f} million pixels; up to {most / 1e6:,.0f} million are'
            ' made. Give a smaller --size or --num, or --out=FOLDER/ for a file each'
        )
