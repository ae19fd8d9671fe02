"""Drawings of the embedded data set as pixels, each a function of (seed, index)."""

import numpy as np

from tfgan.data.doodles.kinds import TILTS
from tfgan.data.doodles.pen import HAND, Pen, uniform

MARGIN = 0.09  # from the page's edge to the middle of the nearest stroke, in pages
WIDTH = 1.25, 1.7  # of a stroke, in 28ths of a page
SPACING = 0.5 / 28  # between the samples along a stroke, in pages
KINDS = tuple(kind.__name__ for kind in TILTS)


def labels(count: int) -> np.ndarray:
    """The kinds of the first `count` drawings, int32 [count], as indices into KINDS."""
    return np.arange(count, dtype=np.int32) % len(KINDS)


def sketch(numbers, kinds):
    """All strokes of each drawing in one row of points, [n, points], parted and padded by NaN."""
    rows, pages = [], []
    for kind, drawer in enumerate(TILTS):
        rows.append(np.flatnonzero(kinds == kind))
        pen = Pen(numbers[rows[-1]])
        drawer(pen)
        pages.append(squeeze(np.concatenate(pen.strokes, 1)))
    points = np.full((len(kinds), max(page.shape[1] for page in pages)), np.nan, complex)
    for row, page in zip(rows, pages):
        points[row, : page.shape[1]] = page
    return points


def squeeze(points):
    """Close up each row where strokes are absent: of several NaN in succession one stays."""
    there = ~np.isnan(points)
    there[:, 1:] |= there[:, :-1]
    count = there.sum(1, keepdims=True)
    closed = np.full((len(points), count.max(initial=1)), np.nan, complex)
    closed[np.arange(closed.shape[1]) < count] = points[there]
    return closed


def by_hand(points, pen, tilt):
    """Tremble, mirror, stretch and tilt drawings, then place them on the unit page."""
    step = np.abs(np.diff(points, prepend=points[:, :1]))
    along = np.cumsum(np.where(np.isnan(step), 0.7, step), 1)
    for waves in 3, 8:  # the arm's slow drift and the fingers' tremor, radians per unit of stroke
        phase = pen.between(0, 2 * np.pi) + along * pen.between(0.7 * waves, 1.4 * waves)
        points = points + pen.between(0.04, 0.16) / waves * np.exp(1j * phase)
    points.real *= np.where(pen.chance(0.5), -1, 1) * pen.between(0.85, 1.15)
    return to_page(points * np.exp(1j * tilt * pen.between(-1, 1)), pen)


def to_page(points, pen):
    """Scale drawings to nearly fill the page within its margin, and place them in what is left."""
    low, high = [
        end.reduce(points.real, 1, keepdims=True) + 1j * end.reduce(points.imag, 1, keepdims=True)
        for end in (np.fmin, np.fmax)
    ]
    room, size = 1 - 2 * MARGIN, high - low
    scale = room * pen.between(0.85, 1) / np.maximum(size.real, size.imag)
    slack = room * (1 + 1j) - scale * size
    corner = pen.between(0.35, 0.65) * slack.real + 1j * pen.between(0.35, 0.65) * slack.imag
    return (points - low) * scale + corner + MARGIN * (1 + 1j)


def samples(points):
    """Evenly along all strokes: positions [s] and the drawing each belongs to, [s]."""
    step = np.diff(points)
    row, column = np.nonzero(~np.isnan(step))
    start, step = points[row, column], step[row, column]
    count = np.maximum(np.rint(np.abs(step) / SPACING), 1).astype(int)
    segment = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    return start[segment] + step[segment] * ((within + 0.5) / count[segment]), row[segment]


def ink(positions, drawing, half_width, size):
    """Cover [n, size, size]: 1/2 + half_width - distance to the nearest sample, in 0..1."""
    reach = WIDTH[1] / 2 * size / 28 + 0.5
    patch = np.arange(int(2 * reach) + 1)[:, None]  # what pixels a sample can reach, each way
    across, down = positions.real * size - 0.5, positions.imag * size - 0.5
    # The last pixel of a patch may be out of reach, and then of the page.
    left, top = (np.minimum(np.ceil(at - reach), size - len(patch)) for at in (across, down))
    corner = (drawing * size + top.astype(int)) * size + left.astype(int)
    pixel = (corner + size * patch)[:, None] + patch
    squared = ((top - down + patch) ** 2)[:, None] + (left - across + patch) ** 2
    nearest = np.full(len(half_width) * size * size, reach**2)
    np.minimum.at(nearest, pixel.ravel(), squared.ravel())
    return np.clip(0.5 + half_width - np.sqrt(nearest.reshape(-1, size, size)), 0, 1)


def draw(indices, seed: int = 0, size: int = 28) -> np.ndarray:
    """Render drawings, uint8 [n, size, size], black ink on white paper.

    Drawing i depends on (seed, indices[i]) alone; another size shows the same drawing, finer.
    Raises ValueError if size is below 8.
    """
    if size < 8:
        raise ValueError(f'size is {size}; a drawing needs 8 pixels or more')
    indices = np.asarray(indices, np.int64)
    kinds, numbers = indices % len(KINDS), uniform(seed, indices)
    pen, tilt = Pen(numbers), np.array([*TILTS.values()])[kinds, None]
    points = by_hand(sketch(numbers[:, HAND:], kinds), pen, tilt)
    half_width = pen.between(*WIDTH)[..., None] / 2 * size / 28
    cover = ink(*samples(points), half_width, size)
    return np.uint8(255) - np.rint(255 * cover).astype(np.uint8)
