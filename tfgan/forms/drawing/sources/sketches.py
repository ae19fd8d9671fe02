"""Sketches stored as pen strokes, drawn as images when they are read."""

import gzip
import json
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, quoted, shown
from tfgan.forms.drawing.drawings import Drawings, remembered
from tfgan.forms.drawing.sources import arrays, foreign
from tfgan.forms.sources.names import chosen_splits, natural, split_told

SIDE = 28  # pixels, without an image_size
INK_WIDTH = 0.05  # of the pen in sides of the page, unless an ink_width is given
MARGIN = 0.04  # from the edge of the page to the nearest ink, in sides
WHITE, BLACK = '#ffffff', '#000000'
DOT = 0.01  # the length of a stroke of one point, in its own unit: a round pen makes it a dot
MOST_PIXELS_HIGH = 1 << 14  # of a block that is drawn at once
SPLITS = 'recognized', 'unrecognized'  # of Quick, Draw!'s: whether its game guessed the word
FORMS = (
    'Lines of ndjson are {"word": "cat", "drawing": [[[x, ...], [y, ...]], ...]}, a list of x and'
    ' of y for each stroke, as Quick, Draw! publishes them'
)


class Sketches(NamedTuple):
    """Sketches end to end, and the class that each has."""

    places: np.ndarray  # float32 [points, 2]: x to the right, y downwards, in any unit
    lifted: np.ndarray  # bool [points]: whether the pen leaves the page after a point
    ends: np.ndarray  # int64 [n]: where each sketch ends
    words: list[str]
    told: tuple[str, ...] = ()
    split: str = ''


def open_ndjson(wanted: Wanted) -> Drawings:
    """Quick, Draw!'s sketches, simplified or raw, of a file or a folder; raises SourceError."""
    return _opened(wanted, _ndjson(wanted.argument, wanted.split))


def open_strokes(wanted: Wanted) -> Drawings:
    """Sketches of an npz of points (dx, dy, lifted) and their lengths; raises SourceError."""
    return _opened(wanted, _npz(wanted.argument, wanted.split))


def _opened(wanted: Wanted, sketches: Sketches) -> Drawings:
    side, pen = wanted.image_size or SIDE, wanted.ink_width or INK_WIDTH

    def read(indices):
        high = MOST_PIXELS_HIGH // side
        blocks = [indices[i : i + high] for i in range(0, len(indices), high)]
        drawn = [_draw(sketches, block, side, pen) for block in blocks]
        return np.concatenate(drawn) if drawn else np.zeros([0, side, side, 1], np.uint8)

    shape, count = (side, side, 1), len(sketches.ends)
    if count * side**2 <= wanted.memory_bytes:
        read = remembered(read, count, shape)
    words = sorted(set(sketches.words), key=natural)
    number = {word: label for label, word in enumerate(words)}
    labels = np.array([number[word] for word in sketches.words], np.int32)
    notes = {'paper': [255] * 3, 'remarks': '; '.join(sketches.told), 'split': sketches.split}
    notes = {name: said for name, said in notes.items() if said}
    return Drawings(wanted.dataset, shape, labels, tuple(map(shown, words)), read, notes=notes)


def _draw(sketches, indices, side, pen):
    """Images uint8 [k, side, side, 1] of sketches, each in the middle of its page."""
    from tfgan.forms.drawing import vectors  # and Matplotlib, which takes its time

    starts = np.concatenate([[0], sketches.ends])
    pages = []
    for i in indices:
        part = slice(starts[i], starts[i + 1])
        path = vectors.Path(*_path(sketches.places[part], sketches.lifted[part], pen))
        pages.append(vectors.Vector(1, 1, WHITE, [vectors.Line(path, BLACK, pen)]))
    corners = [(0, side * k) for k in range(len(pages))]
    layout = vectors.Layout(side, side * len(pages), side, corners)
    return vectors.pixels(pages, layout).reshape(-1, side, side, 1)


def _path(places, lifted, pen):
    """Vertices on the unit page of a sketch that nearly fills it, and Matplotlib's codes."""
    low, high = places.min(axis=0), places.max(axis=0)
    extent = max(high - low)
    # A dot alone stays one: it is not made as long as the page.
    scale = (1 - 2 * MARGIN - pen) / extent if extent > 2 * DOT else 1.0
    begins = np.concatenate([[True], lifted[:-1]])
    return 0.5 + scale * (places - (low + high) / 2), np.where(begins, 1, 2)  # moves and lines


def _ndjson(path: str, asked: str | None) -> Sketches:
    files = _files(path, ('.ndjson', '.ndjson.gz'))
    records = [record for file in files for record in _records(file)]
    if not any(record.strokes for record in records):
        raise SourceError(f'ndjson:{path}: no sketches there. {FORMS}')
    found = [name for name in SPLITS if any(record.split == name for record in records)]
    told, split = [], ''
    if asked and not found:
        raise SourceError(
            f'--split={quoted(asked)}: no line of {path} says whether it was recognized; leave'
            ' it out'
        )
    if found:
        chosen = chosen_splits(found, asked, path)
        told, split = [split_told(chosen, found)], '+'.join(chosen)
        records = [record for record in records if record.split in (*chosen, '')]
    empty = sum(not record.strokes for record in records)
    records = [record for record in records if record.strokes]
    told += [f'{empty:,} without a stroke are left out'] * bool(empty)
    strokes = [stroke for record in records for stroke in record.strokes]
    lengths = [sum(map(len, record.strokes)) for record in records]
    lifted = np.zeros(sum(lengths), bool)
    lifted[np.cumsum([len(stroke) for stroke in strokes]) - 1] = True
    words = [record.word for record in records]
    return Sketches(np.concatenate(strokes), lifted, np.cumsum(lengths), words, tuple(told), split)


def _files(path: str, endings: tuple[str, ...]) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    names = sorted((name for name in os.listdir(path) if name.endswith(endings)), key=natural)
    if not names:
        raise SourceError(f'{path}: no {endings[0]} files there; one for each class is needed')
    return [os.path.join(path, name) for name in names]


class _Record(NamedTuple):
    word: str
    split: str
    strokes: list[np.ndarray]


def _records(path: str) -> Iterator[_Record]:
    foreign.refuse(path, 'ndjson')
    stem = os.path.basename(path).removesuffix('.gz').removesuffix('.ndjson')
    with arrays.damage_told(path, 'ndjson'), _text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                word = str(found.get('word', stem))
                split = SPLITS[not found['recognized']] if 'recognized' in found else ''
                yield _Record(word, split, [_stroke(each) for each in found['drawing'] if each[0]])
            except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
                raise SourceError(
                    f'{path}, line {number}, is no sketch: {quoted(line.strip())}. {FORMS}'
                ) from error


def _text(path: str):
    return (gzip.open if path.endswith('.gz') else open)(path, 'rt', encoding='utf-8')


def _stroke(lists) -> np.ndarray:
    """Places float32 [m, 2] of lists of x, of y and perhaps of times."""
    places = np.array(lists[:2], np.float32).T
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise ValueError('no places')
    return places if len(places) > 1 else np.stack([places[0], places[0] + np.float32([DOT, 0])])


def _npz(path: str, asked: str | None) -> Sketches:
    files = _files(path, ('.npz',))
    parts = [_of_npz(file, asked) for file in files]
    stems = [os.path.basename(file).removesuffix('.npz') for file in files]
    words = ['drawing'] if len(files) == 1 else stems
    starts = np.cumsum([0, *(len(part.places) for part in parts)])
    return Sketches(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.lifted for part in parts]),
        np.concatenate([part.ends + start for part, start in zip(parts, starts)]),
        [word for word, part in zip(words, parts) for _ in part.ends],
        parts[0].told,
        parts[0].split,
    )


def _of_npz(path: str, asked: str | None) -> Sketches:
    archive = arrays.loaded(path, 'npz')
    with archive, arrays.damage_told(path, 'npz'):
        ends = [name for name in archive.files if name.endswith('points')]
        if not ends:
            arrays.check_no_sketch_rnn(path, archive.files)
            raise SourceError(
                f'{path} holds {archive.files}; looked for are points [n, 3] (dx, dy, 1 where the'
                ' pen leaves the page) and lengths [sketches], or train_points and train_lengths'
            )
        found = [name.removesuffix('points').removesuffix('_') for name in ends]
        chosen = chosen_splits(found, asked, path) if found != [''] else found
        parts = [_checked(path, archive, f'{name}_' if name else '') for name in chosen]
    told = (split_told(chosen, found),) if len(found) > 1 else ()
    points, lengths = (np.concatenate(each) for each in zip(*parts))
    stops = np.cumsum(lengths)
    places = np.cumsum(points[:, :2].astype(np.float64), axis=0)
    places -= np.repeat(places[stops - lengths], lengths, axis=0)  # each sketch begins at its 0
    lifted = points[:, 2] > 0.5
    lifted[stops - 1] = True
    alone = lifted & np.concatenate([[True], lifted[:-1]])
    places, lifted = _with_dots(places.astype(np.float32), lifted, alone)
    stops = stops + np.cumsum(alone)[stops - 1]
    return Sketches(places, lifted, stops, [], told, '+'.join(chosen))


def _with_dots(places, lifted, alone):
    """Points with another after each that is a stroke of its own."""
    times = 1 + alone
    places, seconds = np.repeat(places, times, axis=0), np.cumsum(times)[alone] - 1
    places[seconds, 0] += DOT
    lifted = np.repeat(lifted, times)
    lifted[seconds - 1] = False
    return places, lifted


def _checked(path, archive, prefix):
    """A split's points [n, 3] and lengths [sketches]; raises SourceError if they do not fit."""
    points = archive[f'{prefix}points']
    lengths = archive[f'{prefix}lengths'] if f'{prefix}lengths' in archive.files else None
    fits = (
        lengths is not None
        and points.ndim == 2
        and points.shape[1] == 3
        and points.dtype.kind in 'iuf'
        and lengths.dtype.kind in 'iu'
        and lengths.ndim == 1
        and lengths.size
        and lengths.min() > 0
        and lengths.sum() == len(points)
        and np.isfinite(points).all()
    )
    if not fits:
        counts = 'none' if lengths is None else f'{lengths.dtype} {lengths.shape}'
        raise SourceError(
            f'{path}: {prefix}points is {points.dtype} {points.shape} and {prefix}lengths {counts};'
            ' needed are finite points [n, 3] and whole lengths, 1 at least, whose sum is n'
        )
    return points, lengths.astype(np.int64)
