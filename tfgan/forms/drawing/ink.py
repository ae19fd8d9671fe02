"""What the strokes of drawings look like: how much ink, how clean, how wide, in how many parts.

And how large a drawing is and how far it leans, by the moments of its ink.

A pixel's ink is how far it is from the paper, 0, towards the colour furthest from it, 1.
"""

import numpy as np
from scipy import ndimage

from tfgan.forms.drawing.pixels import commonest

BLOCK = 512  # drawings at a time, which bounds memory
FULL = 0.7  # where ink counts as full
FAINT = 0.2  # and where it begins to be more than paper
STROKE = 0.5  # more is part of a stroke
SPECK = 2  # pixels, at most


def measures(images: np.ndarray, paper) -> dict[str, np.ndarray]:
    """Figures of each drawing, uint8 [n, h, w, c], on paper of colour [c]: float64 [n] each.

    `ink_share`: mean ink. `haze_share`: of pixels that are grey for no stroke's sake.
    `stroke_width`: in pixels, NaN without strokes. `parts`: strokes that do not touch, at edge or
    corner. `specks`: those of one or two pixels.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(f'images must be uint8 [n, h, w, c], not {images.dtype} {images.shape}')
    if np.shape(paper) != images.shape[3:]:
        raise ValueError(f'paper {paper} is no colour of images {images.shape}')
    # An empty set is one empty block.
    starts = range(0, max(len(images), 1), BLOCK)
    found = [_measures(levels(images[start : start + BLOCK], paper)) for start in starts]
    return {name: np.concatenate([block[name] for block in found]) for name in found[0]}


def traits(images: np.ndarray, paper) -> dict[str, np.ndarray]:
    """What a slider may change of drawings, uint8 [n, h, w, c]: float64 [n] each, NaN without ink.

    `ink_share`, `stroke_width` and `parts` are those of `measures`. `size` is the geometric mean of
    the spreads along the two axes of the ink, in longer sides of the page; and `tilt` how far the
    ink leans to the right for each step upwards. A slant leaves that size as it is, and growth that
    tilt.
    """
    found = measures(images, paper)
    starts = range(0, max(len(images), 1), BLOCK)
    blocks = [_moments(levels(images[start : start + BLOCK], paper)) for start in starts]
    size, tilt = (np.concatenate(each) for each in zip(*blocks, strict=True))
    kept = {name: found[name] for name in ('ink_share', 'stroke_width', 'parts')}
    return kept | {'size': size, 'tilt': tilt}


def _moments(ink):
    """(size, tilt) of ink [n, h, w]: the fourth root of its covariance's determinant, and slope."""
    height, width = ink.shape[1:]
    side = max(height, width)
    x, y = np.arange(width) / side, np.arange(height)[:, None] / side
    with np.errstate(invalid='ignore', divide='ignore'):  # of drawings without ink
        share = ink / ink.sum(axis=(1, 2), dtype=np.float64)[:, None, None]

        def mean(of):
            return (share * of).sum(axis=(1, 2))

        across, down = mean(x), mean(y)
        xx, yy, xy = mean(x * x) - across**2, mean(y * y) - down**2, mean(x * y) - across * down
        return np.maximum(xx * yy - xy**2, 0) ** 0.25, -xy / yy


def paper_of(images: np.ndarray) -> tuple[int, ...]:
    """The commonest border colour of images uint8 [n, h, w, c], of the first thousand: length c."""
    if not images.size:
        raise ValueError(f'images {images.shape} have no border to tell the paper by')
    images = images[:1000]
    sides = images[:, [0, -1]], images[:, 1:-1, [0, -1]]
    return commonest(np.concatenate([side.reshape(-1, images.shape[-1]) for side in sides]))


def levels(images, paper):
    """float32 [n, h, w] in 0..1: the channels' largest difference, over the largest possible."""
    paper = np.asarray(paper, np.int16)
    furthest = np.maximum(paper, 255 - paper).max()
    return np.abs(images.astype(np.int16) - paper).max(axis=-1) / np.float32(furthest)


def _measures(ink):
    strokes = ink > STROKE
    parts, specks = _parts(strokes)
    return {
        'ink_share': ink.mean(axis=(1, 2), dtype=np.float64),
        'haze_share': _haze(ink).mean(axis=(1, 2)),
        'stroke_width': widths(strokes),
        'parts': parts.astype(np.float64),
        'specks': specks.astype(np.float64),
    }


def _haze(ink):
    """Mid-grey pixels that touch no full ink, bool [n, h, w].

    A clean stroke has grey pixels too, where its edge cuts them, but those touch its core; grey
    without a core is a smear. Full is less than black because a thin stroke astride two pixels
    fills neither: of the embedded drawings' pixels 0.4% would be haze at 0.8, 0.04% are at 0.7. And
    it is absolute: relative to its own darkest, a drawing that is all haze would be all ink.
    """
    core = ndimage.maximum_filter((ink > FULL).view(np.uint8), size=(1, 3, 3), mode='constant')
    return (ink >= FAINT) & (core == 0)


def widths(strokes):
    """The width of the bar that has a drawing's area and perimeter, [n].

    Area l w and perimeter 2 (l + w) make w^2 - P w / 2 + A = 0, of which w is the smaller root. So
    a drawing is taken for one long bar; a blob, rounder than any, has no root and counts as the
    square of its perimeter.
    """
    area = strokes.sum(axis=(1, 2))
    quarter = _perimeter(strokes) / 4
    width = quarter - np.sqrt(np.maximum(quarter**2 - area, 0))
    return np.where(area > 0, width, np.nan)


def _perimeter(strokes):
    """The length of the outlines, [n], which cut every corner (marching squares).

    Of each square of four pixels' centres: one or three inked, half a diagonal; two side by side,
    one; two across, both corners cut. Counting pixel sides would make slants 1.4 times too long.
    Beyond the page is paper.
    """
    padded = np.pad(strokes, ((0, 0), (1, 1), (1, 1))).view(np.uint8)
    above, below = padded[:, :-1], padded[:, 1:]
    inked = (above + below)[:, :, :-1] + (above + below)[:, :, 1:]
    across = (inked == 2) & (above[:, :, :-1] == below[:, :, 1:])
    corners = (inked & 1).sum(axis=(1, 2)) + 2 * across.sum(axis=(1, 2))
    return corners * 0.5**0.5 + ((inked == 2) & ~across).sum(axis=(1, 2))


def _parts(strokes):
    """How many strokes do not touch each other, and how many of them are specks: int [n] each."""
    # All drawings at once: neighbours within a drawing are joined, drawings are not.
    touching = np.zeros((3, 3, 3), bool)
    touching[1] = True
    labels, count = ndimage.label(strokes, touching)
    pixels = labels[strokes]
    drawing = np.zeros(count + 1, np.int64)
    drawing[pixels] = np.nonzero(strokes)[0]
    small = np.bincount(pixels, minlength=count + 1) <= SPECK
    parts = np.bincount(drawing[1:], minlength=len(strokes))
    return parts, np.bincount(drawing[1:][small[1:]], minlength=len(strokes))
