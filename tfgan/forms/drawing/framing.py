"""A person's own picture as a drawing like a model's, and where on the picture that lies."""

import math
import os
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from tfgan import provenance
from tfgan.errors import shown
from tfgan.forms import pictures
from tfgan.forms.drawing import ink as inks
from tfgan.forms.drawing import outlines, svg, vectors
from tfgan.forms.drawing.page import read
from tfgan.forms.drawing.pixels import commonest

MOST_PIXELS = 1024  # of the longer side of a picture in which ink is looked for
FINER = 8  # times a drawing's pixels at least: at fewer, lines are stairs
FAINTEST = 26  # levels, a tenth of all: what differs less from its paper may be none
NOISE = 4  # times the median faint difference from paper is no ink yet
FULL = 0.8  # of the median ink counts as full
PAPER_PIXELS = 48  # of the longer side of the picture in which paper is looked for
SHADOW = 96  # levels, that light may make of a difference between places of a sheet
WINDOW = 17  # of those around a place, of which most are paper
SPECK = 1 / 10_000  # of a picture's area: ink that is smaller does not tell where a drawing lies
LARGEST = 1 << 20  # pixels of a picture's longer side: it is taken as it is
LEAST_INK = 1e-6  # of a drawing, that an empty one has a share too
OPAQUE = 128  # a pixel of less is transparent
FADE = 0.2  # of a walk, in which a picture gives way to drawings of the model
PLACED = 'placed'  # what a recipe calls pixels on the page of a person's picture
PAGE = 'size', 'paper', 'colour', 'place', 'pen'  # what it tells of that page
MOST_PAGE_PIXELS = 100_000_000
LIKE = 0.8, 1.4  # times the width of a model's pen: lines of others are drawn anew by that


class Hand(NamedTuple):
    """What is common to a model's drawings."""

    shape: tuple[int, int, int]
    paper: np.ndarray  # uint8 [c]
    colour: np.ndarray  # of the ink, uint8 [c]
    pen: float  # pixels
    box: np.ndarray  # median left, top, right and bottom of what is drawn, pixels


class Place(NamedTuple):
    """Where a drawing's page lies on a picture: a page's pixel is `scale` of the picture's."""

    left: float
    top: float
    scale: float


class Framed(NamedTuple):
    """A person's picture, and the drawing that a model is given of it."""

    image: np.ndarray  # uint8 [h, w, c] of the model's shape
    known: np.ndarray  # float32 [h, w]: 1 where the drawing is given, 0 where it is to be drawn
    picture: np.ndarray  # uint8 [height, width, 3], upright
    hidden: np.ndarray  # bool [height, width]: what is to be drawn
    paper: np.ndarray  # uint8 [3]
    colour: np.ndarray  # of the ink, uint8 [3]
    place: Place
    pen: float = 1.0  # how many times as wide as the model's lines, at that place, the person's are


def hand(drawings: np.ndarray) -> Hand:
    """What is common to drawings uint8 [n, h, w, c] of a model."""
    paper = np.array(inks.paper_of(drawings), np.uint8)
    ink = inks.levels(drawings, paper)
    full = drawings[ink > inks.FULL]
    colour = np.array(commonest(full) if len(full) else 255 - paper, np.uint8)
    boxes = [box for each in ink if (box := _box(each > inks.STROKE))]
    whole = 0, 0, *drawings.shape[2:0:-1]
    widths = inks.measures(drawings, paper)['stroke_width']
    pen = float(np.median(widths[np.isfinite(widths)])) if len(boxes) else 1.0
    return Hand(drawings.shape[1:], paper, colour, pen, np.median(boxes or [whole], axis=0))


def opened(picture) -> Image.Image:
    """A picture of mode RGB or RGBA of a path, a Pillow image or an array uint8 [h, w, 1, 3 or 4].

    Raises OSError and ValueError, as for what is none.
    """
    if isinstance(picture, str | os.PathLike):
        with open(picture, 'rb') as file:
            return read(file, LARGEST)
    if not isinstance(picture, Image.Image):
        array = np.asarray(picture)
        if array.dtype != np.uint8 or array.ndim != 3:
            raise ValueError(f'an array {array.dtype} {array.shape}; expected uint8 [h, w, c]')
        picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    return picture.convert('RGBA' if picture.has_transparency_data else 'RGB')


def framed(picture, model: Hand, mask=None) -> Framed:
    """A picture, as `opened` takes it, as a drawing like a model's.

    It is cropped to its ink, as large as the model draws, in its paper, ink and width of pen. To be
    drawn is what of a sheet of paper is transparent, and where `mask` is true: bool [height, width]
    or a picture that is painted there, or transparent, as most of its border is not. Raises OSError
    and ValueError, as for a picture without ink.
    """
    pixels, hidden = _opaque(opened(picture))
    if mask is not None:
        hidden = hidden | _painted(mask, hidden.shape)
    shrunk = max(1, math.ceil(max(pixels.shape) / MOST_PIXELS))
    found = _found(_reduced(pixels, shrunk), _reduced(hidden, shrunk))
    paper, colour = found.sheet, found.colour
    if pixels.shape[:2] == model.shape[:2] and not _differ(paper, model.paper):
        image = _image(pixels, model)  # It is one of the model's own already.
        known = 1 - hidden.astype(np.float32)
        return Framed(image, known, pixels, hidden, paper, colour, Place(0.0, 0.0, 1.0))
    place = _place(found.ink, model)
    canvas, pen = _widened(found.ink, place, model)
    page = _page(canvas, model)[..., None]
    image = model.paper + page * (model.colour.astype(np.float32) - model.paper)
    image = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    gone = _page(_on_canvas(_reduced(hidden, shrunk).astype(np.float32), place, model), model)
    known = (gone < 0.5).astype(np.float32)
    place = Place(*(shrunk * each for each in place))
    return Framed(image, known, pixels, hidden, paper, colour, place, pen)


def _painted(mask, sides):
    """Where a mask is true or painted, in whatever its border is not: bool [height, width]."""
    if not (isinstance(mask, np.ndarray) and mask.dtype == bool):
        levels = np.asarray(opened(mask).convert('LA')).astype(int)
        seen = levels[..., 0] * (levels[..., 1] >= OPAQUE) - 255 * (levels[..., 1] < OPAQUE)
        border = np.concatenate([seen[0], seen[-1], seen[1:-1, 0], seen[1:-1, -1]])
        mask = np.abs(seen - np.median(border)) >= OPAQUE
    if mask.shape != sides:
        height, width = mask.shape
        raise ValueError(
            f'a mask of {width} x {height} pixels for a picture of {sides[1]} x {sides[0]}; they'
            ' must be of one size'
        )
    return mask


class _Found(NamedTuple):
    """The ink of a picture, float32 [h, w] in 0..1, its colour and its paper's, uint8 [3]."""

    ink: np.ndarray
    colour: np.ndarray
    sheet: np.ndarray


def _opaque(picture):
    """(uint8 [h, w, 3], bool [h, w]): a picture without transparency, and holes in its paper.

    Where what is not transparent is of one colour, it is ink and paper is all the rest.
    """
    pixels = np.asarray(picture.convert('RGB'))
    if picture.mode != 'RGBA':
        return pixels, np.zeros(pixels.shape[:2], bool)
    alpha = np.asarray(picture.getchannel('A'))
    there = alpha >= OPAQUE
    of_ink = not there.any() or np.ptp(pixels[there].astype(int), axis=0).max() < 2 * FAINTEST
    if of_ink and not there.all():
        light = there.any() and pixels[there].mean() > OPAQUE
        paper, hidden = np.full(3, 0.0 if light else 255.0), np.zeros(there.shape, bool)
    else:
        paper, hidden = np.array(commonest(pixels[there]), float), ~there
    share = alpha[..., None] / np.float32(255)
    laid = np.rint(paper + share * (pixels - paper)).astype(np.uint8)
    return np.where(hidden[..., None], paper.astype(np.uint8), laid), hidden


def _reduced(values, times):
    """An image uint8 [h, w, 3] or bool [h, w] with its sides divided by a whole number."""
    if times == 1:
        return values
    if values.dtype == bool:
        return np.asarray(Image.fromarray(values.astype(np.uint8) * 255).reduce(times)) >= OPAQUE
    return np.asarray(Image.fromarray(values).reduce(times))


def _found(pixels, hidden) -> _Found:
    """The ink of pixels uint8 [h, w, 3]; raises ValueError if there is none."""
    paper = _paper(pixels, hidden)
    apart = np.abs(pixels - paper).max(axis=-1)
    apart[hidden] = 0
    known = apart[~hidden]
    if known.max() < FAINTEST:
        raise ValueError('it has no ink')
    faint = known[known < known.max() / 2]  # most of which is paper, however much ink there is
    least = max(FAINTEST / 4, NOISE * float(np.median(faint if faint.size else 0)))
    full = FULL * float(np.median(known[known > known.max() / 2]))
    if full <= least:
        raise ValueError('its ink cannot be told from its paper')
    ink = np.clip((apart - least) / (full - least), 0, 1).astype(np.float32)
    sheet = commonest(np.rint(paper[~hidden]).astype(np.uint8))
    colour = commonest(pixels[ink > inks.FULL])
    return _Found(ink, np.array(colour, np.uint8), np.array(sheet, np.uint8))


def _paper(pixels, hidden):
    """A picture as it would be without ink, float32 [h, w, 3]: photographs are lit unevenly."""
    height, width = pixels.shape[:2]
    if hidden.all():
        raise ValueError('all of it is hidden')
    shrunk = max(1, math.ceil(max(height, width) / PAPER_PIXELS))
    nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)
    small = _reduced(np.ascontiguousarray(pixels[tuple(nearest)]), shrunk)
    even = ndimage.median_filter(small, size=(WINDOW, WINDOW, 1), mode='nearest')
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    sheet = np.array(commonest(border), np.uint8)
    area = np.abs(even.astype(int) - sheet).max(axis=-1) > SHADOW  # of ink, where most is
    even[area] = sheet
    bilinear = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(even).resize((width, height), bilinear), np.float32)


def _place(ink, model: Hand) -> Place:
    """Where the page lies if what is drawn is as large, and where, as the model's drawings are.

    Lines are compared by their middles, for they may be wider or not as wide.
    """
    strokes = ink > inks.STROKE
    parts, count = ndimage.label(strokes, np.ones((3, 3)))
    large = np.bincount(parts.ravel(), minlength=count + 1) > SPECK * ink.size
    large[0] = False
    box = np.array(_box(large[parts]) or _box(ink > 0), float)
    width = float(inks.widths(strokes[None])[0]) if strokes.any() else 1.0
    (x, y, *sides), (model_x, model_y, *model_sides) = (
        _middle_and_sides(*each) for each in ((box, width), (model.box, model.pen))
    )
    scale = max(side / other for side, other in zip(sides, model_sides, strict=True))
    return Place(float(x - scale * model_x), float(y - scale * model_y), float(scale))


def _middle_and_sides(box, width):
    """Of the middles of lines of a width in a box: x, y and both sides."""
    left, top, right, bottom = box
    sides = (max(side - width, side / 2) for side in (right - left, bottom - top))
    return (left + right) / 2, (top + bottom) / 2, *sides


def _box(strokes):
    """Left, top, right and bottom of what is true, None if nothing is."""
    rows, columns = (np.flatnonzero(strokes.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def _on_canvas(levels, place: Place, model: Hand):
    """Levels [h, w] of a picture on a page of that many times the model's pixels, as finely."""
    finer = max(FINER, math.ceil(place.scale))
    height, width = (finer * side for side in model.shape[:2])
    step = place.scale / finer
    where = step, 0, place.left, 0, step, place.top
    flat = Image.fromarray(levels).transform(
        (width, height), Image.Transform.AFFINE, where, Image.Resampling.BILINEAR
    )
    return np.asarray(flat)


def _widened(ink, place: Place, model: Hand):
    """(Ink on a canvas, of lines as wide as the model's pen; how many times as wide they were)."""
    canvas = _on_canvas(ink, place, model)
    finer = canvas.shape[0] // model.shape[0]
    strokes, wanted = canvas > inks.STROKE, finer * model.pen
    width = float(inks.widths(strokes[None])[0])
    if not strokes.any() or LIKE[0] * wanted <= width <= LIKE[1] * wanted:
        return canvas, 1.0
    if width < wanted:
        outside = ndimage.distance_transform_edt(~strokes)
        return (outside <= (wanted - width) / 2).astype(np.float32), width / wanted
    inside = ndimage.distance_transform_edt(strokes)
    ridge = strokes & (inside >= ndimage.maximum_filter(inside, 3))
    near = ndimage.distance_transform_edt(~ridge) <= wanted / 2
    return near.astype(np.float32), width / wanted


def _page(canvas, model: Hand):
    """A canvas [h, w] averaged to the model's pixels."""
    height, width = model.shape[:2]
    finer = canvas.shape[0] // height
    return canvas.reshape(height, finer, width, finer).mean(axis=(1, 3))


def _image(pixels, model: Hand):
    mode = 'L' if model.shape[-1] == 1 else 'RGB'
    return np.asarray(Image.fromarray(pixels).convert(mode)).reshape(model.shape)


def _differ(paper, other):
    return bool(abs(float(np.mean(paper)) - float(np.mean(other))) > FAINTEST)


def as_svg(own: Framed, drawing: str) -> str:
    """A model's SVG file of a drawing on the picture's page, in its paper and ink."""
    height, width = own.picture.shape[:2]
    unit = own.place.scale * max(own.image.shape[:2]) / svg.UNITS
    colours = (outlines.hexadecimal(each) for each in (own.paper, own.colour))
    page = svg.Page(width, height, *colours, own.place.left, own.place.top, unit, own.pen)
    return svg.moved(provenance.bare(drawing), page)


def page_of(own: Framed) -> dict:
    """What of a person's picture a drawing on its page depends on, as a recipe tells it."""
    colours = (outlines.hexadecimal(each) for each in (own.paper, own.colour))
    size = list(own.picture.shape[1::-1])
    return dict(zip(PAGE, (size, *colours, list(own.place), own.pen), strict=True))


def on_page(page: dict, shape) -> Framed:
    """An empty picture with the page that a recipe tells, for a model's drawings of a shape.

    Raises ValueError for none.
    """
    try:
        (width, height), *colours, place, pen = (page[name] for name in PAGE)
        paper, colour = (np.frombuffer(bytes.fromhex(each[1:]), np.uint8) for each in colours)
        place = Place(*map(float, place))
        if not (0 < width * height <= MOST_PAGE_PIXELS and len(paper) == len(colour) == 3):
            raise ValueError(f'{width} x {height} pixels')
        if not (place.scale > 0 and all(map(math.isfinite, (*place, float(pen))))):
            raise ValueError(f'{place}')
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'no page: {error}') from error
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = paper
    image, known = np.zeros(shape, np.uint8), np.ones(shape[:2], np.float32)
    nothing = np.zeros(picture.shape[:2], bool)
    return Framed(image, known, picture, nothing, paper, colour, place, float(pen))


def placed(own: Framed, drawing: str | np.ndarray) -> np.ndarray:
    """The same as pixels uint8 [height, width, 3]: of an SVG file, or an image uint8 [h, w, c]."""
    height, width = own.picture.shape[:2]
    if isinstance(drawing, str):
        vector = vectors.read(as_svg(own, drawing))
        pixels = vectors.pixels([vector], vectors.sheet([vector], max(height, width)))
        return np.broadcast_to(pixels, own.picture.shape)
    ink = inks.levels(drawing[None], inks.paper_of(drawing[None]))[0]
    step = 1 / own.place.scale
    where = step, 0, -own.place.left * step, 0, step, -own.place.top * step
    bilinear = Image.Resampling.BILINEAR
    ink = Image.fromarray(ink).transform((width, height), Image.Transform.AFFINE, where, bilinear)
    paper, share = own.paper.astype(np.float32), np.asarray(ink)[..., None]
    return np.rint(paper + share * (own.colour - paper)).astype(np.uint8)


def mended(own: Framed, drawing: str | np.ndarray) -> np.ndarray:
    """The picture with a drawing where it was hidden, and as it was everywhere else."""
    return np.where(own.hidden[..., None], placed(own, drawing), own.picture)


def write(out: str, own: list[Framed], drawings: list, names, recipe: dict | None = None) -> None:
    """Writes drawings as `placed`: a sheet if `out` is named like a picture, else a folder."""
    pixels = [placed(*pair) for pair in zip(own, drawings, strict=True)]
    if pictures.ending(out) in pictures.SHEETS:
        pictures.write_picture(out, sheet(pixels), recipe and recipe | {'as': PLACED})
    else:
        for i, (name, each) in enumerate(zip(names, pixels, strict=True)):
            told = provenance.of_one(recipe, i, PLACED)
            pictures.write_png(os.path.join(out, f'{name}.png'), each, told)
    print(f'{len(pixels)} drawings: {shown(out)}')


def sheet(pixels: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size in rows; one alone as it is."""
    return pixels[0] if len(pixels) == 1 else pictures.sheet(np.stack(pixels))


def walk(first: Framed, last: Framed, drawings: list) -> list[np.ndarray]:
    """Frames uint8 [height, width, 1 or 3] from a picture to another, of drawings on that way.

    The first picture gives way to the model's drawings, and they to the last one, so the ends are
    the pictures. A smaller one lies in the middle of the other's page, its pixels repeated.
    """
    sides = np.maximum(first.picture.shape[:2], last.picture.shape[:2])
    ends = [_on_page(own, sides) for own in (first, last)]
    frames = []
    for share, drawing in zip(np.linspace(0, 1, len(drawings)), drawings, strict=True):
        pixels = placed(_on_the_way(*ends, share), drawing).astype(np.float32)
        for own, far in zip(ends, (share, 1 - share), strict=True):
            there = max(0.0, 1 - far / FADE)
            pixels = (1 - there) * pixels + there * own.picture
        frames.append(np.rint(pixels).astype(np.uint8))
    if all((frame == frame[..., :1]).all() for frame in frames):
        return [frame[..., :1] for frame in frames]  # of which a GIF has every level
    return frames


def _on_page(own: Framed, sides) -> Framed:
    """A picture in the middle of a page of its paper, of sides [height, width]."""
    times = int(min(sides // own.picture.shape[:2]))
    picture = own.picture.repeat(times, axis=0).repeat(times, axis=1)
    height, width = picture.shape[:2]
    top, left = (int(each) // 2 for each in sides - (height, width))
    page = np.empty((*sides, 3), np.uint8)
    page[:] = own.paper
    page[top : top + height, left : left + width] = picture
    place = Place(
        times * own.place.left + left, times * own.place.top + top, times * own.place.scale
    )
    return own._replace(picture=page, place=place)


def _on_the_way(first: Framed, last: Framed, share) -> Framed:
    def between(one, other):
        return (1 - share) * np.asarray(one, np.float64) + share * np.asarray(other, np.float64)

    return first._replace(
        paper=np.rint(between(first.paper, last.paper)).astype(np.uint8),
        colour=np.rint(between(first.colour, last.colour)).astype(np.uint8),
        place=Place(*between(first.place, last.place).tolist()),
        pen=float(between(first.pen, last.pen)),
    )


def likeness(own: list[Framed], images: np.ndarray) -> np.ndarray:
    """Intersections over unions of ink [n] of what was given, where it is known, and images."""
    given, known = (np.stack(each) for each in zip(*[(each.image, each.known) for each in own]))
    paper = inks.paper_of(given)
    first, second = (known * inks.levels(each, paper) for each in (given, images))
    both, either = (each(first, second).sum(axis=(1, 2)) for each in (np.minimum, np.maximum))
    return both / np.maximum(either, LEAST_INK)
