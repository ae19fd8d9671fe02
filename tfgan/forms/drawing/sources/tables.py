"""Images and labels from .csv files: a row for each image, a column for each pixel or the label."""

import gzip
import warnings

import numpy as np

from tfgan.errors import SourceError
from tfgan.forms.drawing.sources import arrays, foreign
from tfgan.forms.drawing.sources.layouts import layouts

LABEL_NAMES = {'label', 'labels', 'class', 'target', 'y'}
LAYOUT = 'A row is an image: its label, if there are labels, and its pixels, as in label,pixel0,...'


def open_csv(path: str) -> arrays.Opened:
    """A file's images, all in memory, and their labels; Kaggle's digits are one.

    A label is the column that is named so or, if the others alone make a picture, the first one.
    Raises SourceError.
    """
    foreign.refuse(path, 'csv')
    with arrays.damage_told(path, 'csv'):
        first, comma = _first_row(path)
    named = first[0].lower() in LABEL_NAMES or not all(map(_is_number, first[1:]))
    place = _label_place(first, named, path)
    pixels = [column for column in range(len(first)) if column != place]
    if not layouts((len(pixels),)):
        raise SourceError(f'{path}: a row of {len(pixels)} pixels makes no picture. {LAYOUT}')
    options = dict(delimiter=comma, skiprows=int(named), comments=None, quotechar='"')

    def columns(dtype, chosen):
        return np.loadtxt(path, dtype, usecols=chosen, ndmin=1, encoding='utf-8-sig', **options)

    with arrays.damage_told(path, 'csv'), warnings.catch_warnings(action='ignore'):  # of no rows
        images = columns(np.float32, pixels).reshape(-1, len(pixels))
        labels = None if place is None else columns(str, place)
    return arrays.together([arrays.Member(path, images, labels)])


def _first_row(path: str) -> tuple[list[str], str]:
    """The texts of the first row, and what is between them."""
    with (gzip.open if path.endswith('.gz') else open)(path, 'rt', encoding='utf-8-sig') as file:
        line = file.readline().strip()
    comma = max(',;\t', key=line.count)
    return [text.strip().strip('"') for text in line.split(comma)], comma


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_place(first: list[str], named: bool, path: str) -> int | None:
    """The column of labels, None if all are pixels; raises SourceError if it may be both."""
    places = [place for place, name in enumerate(first) if name.lower() in LABEL_NAMES]
    if named and places:
        return places[0]
    whole, rest = (bool(layouts((len(first) - less,))) for less in (0, 1))
    if whole and rest and not named:
        raise SourceError(
            f'{path}: {len(first)} columns may be pixels, or a label and pixels. Name them in the'
            ' first row: label,pixel0,... or pixel0,...'
        )
    return None if whole or not rest else 0
