"""Sliders of an exported model, named by what they measurably change: found, kept and applied.

A version's `sliders.json` has those that were found at its export, five at most:

    {"format": 1, "sliders": [
      {"name": "size", "measure": "size", "kind": "edit", "low": -0.35, "high": 0.12, "default": 0,
       "change": {"width": 0.04, "size": 1, "tilt": 0}},
      {"name": "ink", "measure": "ink_share", "kind": "direction", "low": -1.5, "high": 1.5,
       "default": 0, "directions": [[0.12, -0.03], [0.08, 0.01]]}]}

A slider's value is a number from `low` to `high`. At `default` it changes nothing, and a drawing
whose sliders all stand there is drawn as if there were none. `measure` is what `Form.traits` calls
what the slider moves. There are two kinds, of which a model has one.

An **edit** changes the strokes of a pen. `change` says how far a value of 1 moves each of three
numbers, and these are summed over all sliders: width = sum of value * change.width, and so on. Then

1. each stroke's width becomes width_of_stroke * exp(width);
2. the middle is the mean of all points of the strokes that are there (whose ink is 1), and of each
   point's offset (x, y) from it, y downwards, x becomes x - tilt * y, and both grow by exp(size);
3. what left the page comes back, as `_on_page` says;
4. the pixels are drawn from twice as many samples of each stroke as without sliders (64).

A slider moves more than the number that it is named for where that keeps the other sliders'
measures still: what grows with the same pen, say, has more room between its strokes.

A **direction** moves the latents z of a model of pixels, of class c, before they are drawn:
z + sum of value * directions[c], made as long as z was. With one direction alone, it is that of all
classes.
"""

import json
import math
import pathlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import optimize, stats

from tfgan import latents
from tfgan.networks import strokes
from tfgan.networks.pen import SAMPLES
from tfgan.networks.strokes import Strokes

FILE = 'sliders.json'
FORMAT = 1
MOST_BYTES = 1 << 20
# What a slider is called, and what it moves; if there are too many, the last ones go first.
MEASURES = {
    'width': 'stroke_width',
    'size': 'size',
    'tilt': 'tilt',
    'ink': 'ink_share',
    'parts': 'parts',
}
EDITS = {'width': (-0.5, 0.5), 'size': (-0.12, 0.1), 'tilt': (-0.25, 0.25)}  # and their ranges
# What a slider has to reach to be offered.
LEAST_SPEARMAN, MOST_CROSS_TALK, LEAST_KEPT = 0.9, 0.3, 0.95
DRAWINGS, VALUES = 256, 5  # by which sliders are judged; a value is one of so many of its range
EDITED_SAMPLES = 2 * SAMPLES  # as large drawings have them: an edit may draw strokes apart
DIGITS = 4  # after the point, of what is kept
BLOCK = 256  # drawings at a time
MEDIUM, LEAST_DRAWINGS = 64, 64  # pixels of a side: of more, there are fewer drawings
SEED = 1 << 41  # far from the seeds that people try


class Score(NamedTuple):
    """How well a slider does what it is called."""

    spearman: float  # of its value with its measure, within a drawing: the mean of all drawings
    pooled: float  # the same over all drawings at once
    # With the other sliders' measures: the larger one of both, as absolute values.
    cross_talk: dict[str, float]

    @property
    def is_good(self) -> bool:
        """Whether it may be offered."""
        most = max(self.cross_talk.values(), default=0.0)
        return self.spearman >= LEAST_SPEARMAN and most <= MOST_CROSS_TALK


class Sweep(NamedTuple):
    """Drawings with a slider at each value of its range, one drawing after the other."""

    way: np.ndarray  # [v], the values
    images: np.ndarray  # [n * v, *shape]
    traits: dict[str, np.ndarray]  # [n, v] each


# Sliders at work


def values_of(sliders: list[dict], given: dict[str, float]) -> list[float]:
    """A value for each slider, the default where none is given; others are brought into range."""
    found = (given.get(each['name'], each['default']) for each in sliders)
    return [min(max(v, each['low']), each['high']) for v, each in zip(found, sliders, strict=True)]


def draw(generator, normal, labels, sliders: list[dict], values):
    """Images float32 [n, h, w, c] of latents and labels with sliders at values [n, sliders]."""
    if np.all(np.asarray(values) == [each['default'] for each in sliders]):
        return generator(normal, labels)
    return draw_moved(generator, normal, labels, moves(sliders, labels, values))


def moves(sliders: list[dict], labels, values) -> np.ndarray:
    """What values [n, sliders] are in all: changes [n, 3] of strokes, or of latents [n, size]."""
    labels, values = np.asarray(labels), np.asarray(values, np.float32)
    if sliders[0]['kind'] == 'edit':
        matrix = [[each['change'][name] for name in EDITS] for each in sliders]
        return values @ np.array(matrix, np.float32)
    tables = [np.array(each['directions'], np.float32) for each in sliders]
    rows = [table[labels if len(table) > 1 else 0] for table in tables]
    return sum(value[:, None] * row for value, row in zip(values.T, rows, strict=True))


def draw_moved(generator, normal, labels, changes):
    """Images of latents and labels with changes as `moves` has them."""
    if not hasattr(generator, 'strokes'):
        return generator(moved(normal, changes), labels)
    found = edited(generator.strokes(normal, labels), generator.shape, changes)
    return strokes.draw(found, generator.ground, *generator.shape[:2], EDITED_SAMPLES)


def moved(normal, changes):
    """Latents [n, latent_size] with changes added, as long as they were."""
    after = normal + changes
    return after * (tf.norm(normal, axis=1, keepdims=True) / tf.norm(after, axis=1, keepdims=True))


def edited(found: Strokes, shape, changes) -> Strokes:
    """Strokes with changes [n, 3] of width, size and tilt; `shape` is the drawing's."""
    width, size, tilt = tf.unstack(changes, axis=1)
    width = found.width * tf.exp(width)[:, None]
    there = found.ink[:, :, None, None]
    count = tf.reduce_sum(found.ink, axis=1)[:, None] * found.points.shape[2]
    middle = (tf.reduce_sum(found.points * there, axis=[1, 2]) / count)[:, None, None]
    x, y = tf.unstack(found.points - middle, axis=3)
    offsets = tf.stack([x - tilt[:, None, None] * y, y], axis=3)
    points = middle + tf.exp(size)[:, None, None, None] * offsets
    half = 0.5 * tf.reduce_max(width * found.ink, axis=1)[:, None]
    return found._replace(points=_on_page(points, found, half, shape), width=width)


def _on_page(points, before: Strokes, half, shape):
    """Points that are brought back to the page, or to where the drawing was before if it left it.

    Where the box of its points is larger than that, the drawing shrinks about the box's middle, and
    then it is shifted by as little as will do. Half a pen's width [n, 1] stays free at the sides.
    """
    extent = np.array([shape[1], shape[0]], np.float32) / (2 * max(shape[:2]))
    own_low, own_high = _box(before.points, before.ink)
    least, most = (
        tf.minimum(0.5 - extent + half, own_low),
        tf.maximum(0.5 + extent - half, own_high),
    )
    low, high = _box(points, before.ink)
    fit = tf.reduce_min((most - least) / tf.maximum(high - low, 1e-6), axis=1, keepdims=True)
    fit = tf.minimum(fit, 1.0)
    middle, reach = (low + high) / 2, fit * (high - low) / 2
    shift = tf.maximum(least - (middle - reach), 0.0) + tf.minimum(most - (middle + reach), 0.0)
    middle, fit, shift = (each[:, None, None] for each in (middle, fit, shift))
    return middle + fit * (points - middle) + shift


def _box(points, ink):
    """The lowest and highest x and y [n, 2] of the points of strokes that are there."""
    there = ink[:, :, None, None] > 0
    low = tf.reduce_min(tf.where(there, points, math.inf), axis=[1, 2])
    return low, tf.reduce_max(tf.where(there, points, -math.inf), axis=[1, 2])


# Sliders on disk


def as_json(sliders: list[dict]) -> str:
    """The content of a version's FILE."""
    return json.dumps({'format': FORMAT, 'sliders': sliders}, separators=(',', ':'))


def read(version) -> list[dict]:
    """The sliders of a version; none where it has no such file, or one of no use."""
    try:
        with open(pathlib.Path(version, FILE), 'rb') as file:
            found = json.loads(file.read(MOST_BYTES))
        return found['sliders'] if found['format'] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


# Sliders found


def found(generator, form, encoder=None) -> list[dict]:
    """The sliders of a generator that are good enough to be offered, five at most.

    They are found on drawings of all classes alike and judged on others, in some seconds. An
    `encoder` tells which class a drawing of pixels has: without one such a model gets none.
    """
    model = Model(generator, form)
    if hasattr(generator, 'strokes'):
        return chosen(model, still(model, [edit(name) for name in EDITS]))
    return []


class Model:
    """A generator whose drawings are measured."""

    def __init__(self, generator, form):
        embedding = generator.trunk.embedding
        self._generator, self._form = generator, form
        self.latent_size, self.classes = embedding.output_dim, embedding.input_dim

        @tf.function(autograph=False, reduce_retracing=True)
        def drawn(normal, labels, changes):
            return form.decode(draw_moved(generator, normal, labels, changes))

        self._drawn = drawn

    @property
    def count(self) -> int:
        """How many drawings sliders are judged by: fewer of large ones, which take longer."""
        share = min(1.0, MEDIUM / max(self._generator.shape[:2])) ** 2
        return max(LEAST_DRAWINGS, round(DRAWINGS * share))

    def asked(self, count: int, first: int = SEED):
        """(latents [count, latent_size], labels int32 [count]) of seeds, all classes alike."""
        seeds = tf.range(first, first + count, dtype=tf.int64)
        return latents.normal(seeds, self.latent_size), tf.range(count) % self.classes

    def images(self, normal, labels, sliders, values) -> np.ndarray:
        """Drawings as stored, [n, *shape], with sliders at values [n, sliders]."""
        given = normal, labels, moves(sliders, labels, values)
        starts = range(0, len(values), BLOCK)
        return np.concatenate([
            self._drawn(*(tf.constant(each[i : i + BLOCK]) for each in given)).numpy()
            for i in starts
        ])  # fmt: skip

    def swept(self, sliders, count: int | None = None, first: int = SEED) -> list[Sweep]:
        """So many drawings with each slider moved over its range, the others at their defaults."""
        given = self.asked(count or self.count, first)
        normal, labels = (np.repeat(each, VALUES, axis=0) for each in given)
        return [self._sweep(normal, labels, sliders, number) for number in range(len(sliders))]

    def _sweep(self, normal, labels, sliders, number):
        slider = sliders[number]
        way = np.linspace(slider['low'], slider['high'], VALUES)
        values = np.tile([float(each['default']) for each in sliders], [len(labels), 1])
        values[:, number] = np.tile(way, len(labels) // VALUES)
        images = self.images(normal, labels, sliders, values)
        traits = self._form.traits(images)
        return Sweep(way, images, {name: traits[name].reshape(-1, VALUES) for name in traits})


def edit(name: str, **change: float) -> dict:
    """A slider that is an edit; `change` has what it moves, itself if nothing is said."""
    low, high = EDITS[name]
    return {
        'name': name,
        'measure': MEASURES[name],
        'kind': 'edit',
        'low': low,
        'high': high,
        'default': 0,
        'change': {each: float(each == name) for each in EDITS} | change,
    }


def still(model: Model, sliders: list[dict]) -> list[dict]:
    """Edits that undo, in the mean of many drawings, what each does to the others' measures."""
    sweeps = model.swept(sliders, first=SEED - DRAWINGS)
    names = [slider['name'] for slider in sliders]
    changes = [
        {
            other: round(_undoing(sweep, MEASURES[other], own), DIGITS)
            for other, own in zip(names, sweeps, strict=True)
            if other != name
        }
        for name, sweep in zip(names, sweeps, strict=True)
    ]
    return [edit(name, **change) for name, change in zip(names, changes, strict=True)]


def _undoing(sweep, measure, own):
    """How far another slider, whose sweep is `own`, goes along so that its measure stays.

    Then as many drawings have a little more of it as have less: the mean rank correlation is 0.
    """
    way = own.way - own.way.mean()
    slopes = own.traits[measure] @ way / (way @ way)

    def left(share):
        return _spearman(sweep.way, sweep.traits[measure] + share * np.outer(slopes, sweep.way))[0]

    return optimize.brentq(left, -1, 1, xtol=1e-4) if left(-1) * left(1) < 0 else 0.0


def chosen(model: Model, sliders: list[dict]) -> list[dict]:
    """Those of some sliders that are good together, after those that are not are left out."""
    while sliders:
        scores = judged(sliders, model.swept(sliders))
        good = [each for each, score in zip(sliders, scores, strict=True) if score.is_good]
        if len(good) == len(sliders):
            break
        sliders = good
    return sliders


def judged(sliders: list[dict], sweeps: list[Sweep]) -> list[Score]:
    """A score of each slider by what its sweep shows."""
    return [_score(sliders, number, sweep) for number, sweep in enumerate(sweeps)]


def _score(sliders, number, sweep):
    found = {each['name']: _spearman(sweep.way, sweep.traits[each['measure']]) for each in sliders}
    own = found.pop(sliders[number]['name'])
    return Score(*own, {name: max(map(abs, both)) for name, both in found.items()})


def _spearman(way, seen):
    """Spearman of values [v] with a measure [n, v]: (mean within a drawing, over all at once)."""
    rows = seen[np.isfinite(seen).all(axis=1)]
    if not len(rows):
        return 0.0, 0.0
    middle = (len(way) + 1) / 2
    ranks, ideal = stats.rankdata(rows, axis=1) - middle, stats.rankdata(way) - middle
    spread = np.sqrt((ranks**2).sum(axis=1) * (ideal**2).sum())
    within = np.where(spread > 0, ranks @ ideal / np.maximum(spread, 1e-9), 0.0)
    with np.errstate(invalid='ignore'):
        pooled = np.corrcoef(np.tile(ideal, len(rows)), stats.rankdata(rows.ravel()))[0, 1]
    return float(within.mean()), float(np.nan_to_num(pooled))
