"""Outlines of drawings made of pixels, as SVG files: one filled path for each of a few colours."""

import itertools

import contourpy
import numpy as np
from PIL import Image

from tfgan.forms.drawing.svg import HEAD, UNITS

TWO_TONES = 0.6  # of the pixels near paper or ink: such a drawing has one ink
NEAR = 0.25  # of the distance from paper to ink
GREYS, COLOURS = 6, 8  # of other drawings, their paper included
LEAST_SHARE = 0.005  # of the pixels that have a colour
SHARPENINGS = 3  # a renderer blurs lines of a pixel's width, and so they are first sharpened


def files(images: np.ndarray, paper) -> list[str]:
    """An SVG file for each of images uint8 [n, h, w, 1 or 3]; `paper` is their levels [c]."""
    return [_file(image.astype(np.float32), np.array(paper, np.float32)) for image in images]


def _file(image, paper):
    height, width, _ = image.shape
    unit = UNITS / max(height, width)
    # Paper all around, so outlines that touch the edge are closed.
    framed = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode='edge')
    framed[[0, -1]], framed[:, [0, -1]] = paper, paper
    sharp = _sharpened(framed)
    across, down = ((np.arange(side + 2) - 0.5) * unit for side in (width, height))
    colours, paths = _palette(image, paper), []
    apart = [np.linalg.norm(sharp - colour, axis=-1) for colour in colours]
    for i in range(1, len(colours)):
        # It is positive where this colour or a later one, painted over it, is nearest.
        field = np.minimum.reduce(apart[:i]) - np.minimum.reduce(apart[i:])
        if data := _outline(across, down, field):
            paths.append(f'<path fill="{hexadecimal(colours[i])}" d="{data}"/>\n')
    size = f'{width * unit:g} {height * unit:g}'
    start = f'{HEAD} width="{width * unit:g}" height="{height * unit:g}" viewBox="0 0 {size}">\n'
    ground = f'<rect width="100%" height="100%" fill="{hexadecimal(paper)}"/>\n'
    return f'{start}{ground}{"".join(paths)}</svg>\n'


def _outline(across, down, field):
    """A path's data of where a field is positive; holes go round the other way."""
    lines = contourpy.contour_generator(
        across, down, field, fill_type=contourpy.FillType.OuterOffset
    )
    parts = []
    for points, offsets in zip(*lines.filled(0, np.inf)):
        for start, stop in itertools.pairwise(offsets):
            places = ' '.join(f'{place:.0f}' for place in points[start : stop - 1].ravel())
            parts.append(f'M{places}Z')
    return ''.join(parts)


def _sharpened(image):
    """An image that becomes what it is, nearly, by the blur of a renderer."""
    found = image
    for _ in range(SHARPENINGS):
        padded = np.pad(found, ((1, 1), (1, 1), (0, 0)), mode='edge')
        rows = (padded[:-2] + 6 * padded[1:-1] + padded[2:]) / 8
        found = found + image - (rows[:, :-2] + 6 * rows[:, 1:-1] + rows[:, 2:]) / 8
    return found


def _palette(image, paper):
    """Colours [k, c] from the paper on, by how much they differ from it."""
    apart = np.abs(image - paper).max(axis=-1)
    ink = apart.max()
    if image.shape[-1] == 1:
        found = np.linspace(image.min(), image.max(), GREYS, dtype=np.float32)[:, None]
        if np.mean((apart < NEAR * ink) | (apart > (1 - NEAR) * ink)) > TWO_TONES:
            found = image[np.unravel_index(apart.argmax(), apart.shape)][None]
    else:
        picture = Image.fromarray(image.astype(np.uint8))
        few = picture.quantize(COLOURS - 1, Image.Quantize.MAXCOVERAGE, kmeans=1)
        counts = np.bincount(np.asarray(few).ravel(), minlength=COLOURS)
        found = np.array(few.getpalette()[: 3 * (COLOURS - 1)], np.float32).reshape(-1, 3)
        found = found[counts[: len(found)] > LEAST_SHARE * image[..., 0].size]
    differ = np.abs(found - paper).max(axis=-1)
    found = found[np.argsort(differ)][np.sort(differ) > NEAR * ink]
    return np.concatenate([paper[None], found])


def hexadecimal(colour):
    levels = np.rint(np.broadcast_to(colour, 3)).astype(int)
    return '#' + ''.join(f'{level:02x}' for level in levels)
