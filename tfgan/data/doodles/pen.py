"""The pen that draws embedded drawings: lines, curves and ovals with a tremor."""

import functools
import math

import numpy as np

NUMBERS = 256  # random numbers for a drawing,
HAND = 16  # of which the first are for the hand and the others for what it draws
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(words):
    """Scramble 64-bit words: the finaliser of splitmix64 (Steele et al., 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def uniform(seed, indices):
    """Numbers in [0, 1), [n, NUMBERS]; row i is a function of (seed, indices[i]) alone."""
    key = mix(np.array([int(seed) % 2**64], np.uint64) + GOLDEN)
    key = mix(key + GOLDEN * indices.astype(np.uint64))
    words = mix(key[:, None] + GOLDEN * np.arange(1, NUMBERS + 1, dtype=np.uint64))
    return (words >> np.uint64(11)) * 2.0**-53


@functools.cache
def weights(vertices, pieces, smooth):
    """[vertices, points]: vertices times this are the line, or smooth curve, through them.

    The last point is NaN.
    """
    at, t = np.divmod(np.arange((vertices - 1) * pieces + 1), pieces)
    t = t / pieces
    linear = 0 * t, 1 - t, t, 0 * t
    # Catmull-Rom: on each piece the cubic whose slope at a vertex is half the chord around it.
    cubic = (2 * t**2 - t - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    table = np.zeros((vertices, len(t)))
    for shift, weight in zip((-1, 0, 1, 2), np.array(cubic) / 2 if smooth else linear):
        np.add.at(table, (np.clip(at + shift, 0, vertices - 1), np.arange(len(t))), weight)
    return np.pad(table, ((0, 0), (0, 1)), constant_values=np.nan)


@functools.cache
def ramp(points):
    """[points + 1]: evenly from 0 to 1, and then NaN."""
    return np.append(np.linspace(0, 1, points), np.nan)


class Pen:
    """Draws n drawings of a kind at once, each with its own row of random numbers."""

    def __init__(self, numbers):
        self.numbers, self.used, self.strokes = numbers, 0, []

    def between(self, low, high, count=1):
        """Uniform in [low, high), [n, count]."""
        self.used += count
        return low + (high - low) * self.numbers[:, self.used - count : self.used]

    def chance(self, odds, count=1):
        """True this often, [n, count]."""
        return self.between(0, 1, count) < odds

    def pick(self, *odds):
        """A condition [n, 1] for each of the odds; one holds, or none where they sum to less."""
        at, ends = self.between(0, 1), np.cumsum(odds)
        return [(at >= end - width) & (at < end) for end, width in zip(ends, odds)]

    def near(self, points, slip):
        """The points, [n, v] or a list of v, each missed by up to `slip` both ways."""
        if isinstance(points, list):
            row = np.empty((len(self.numbers), len(points)), complex)
            for i, point in enumerate(points):
                row[:, i : i + 1] = point
            points = row
        miss = self.between(-slip, slip, 2 * math.prod(points.shape[1:])).view(complex)
        return points + miss.reshape(points.shape)

    def stroke(self, points, when=None):
        """Put down strokes [n, points] or [n, k, points] where `when` [n, 1] or [n, k] is true.

        Their last point is NaN, which lifts the pen.
        """
        if when is not None:
            points = np.where(when if points.ndim == 2 else when[..., None], points, np.nan)
        self.strokes.append(points.reshape(len(points), math.prod(points.shape[1:])))

    def line(self, vertices, when=None, slip=0.045, pieces=4):
        """Straight from vertex to vertex; a closed shape names its first vertex again at the end.

        Each vertex is missed by a little, so closed shapes come out with gaps and overshoots.
        """
        vertices = self.near(vertices, slip)
        self.stroke(vertices @ weights(vertices.shape[-1], pieces, False), when)

    def curve(self, vertices, when=None, slip=0.045, pieces=5):
        """Like `line`, but round at the vertices."""
        vertices = self.near(vertices, slip)
        self.stroke(vertices @ weights(vertices.shape[-1], pieces, True), when)

    def oval(self, centre, across, down, when=None, points=24):
        """A round begun anywhere, and ended a little before or after where it began."""
        start, sweep = self.between(-2.6, -0.6), self.between(6.0, 6.8)
        turn = start + sweep * ramp(points)
        drift = 1 + self.between(-0.12, 0.12) * ramp(points)
        self.stroke(centre + drift * (across * np.cos(turn) + 1j * down * np.sin(turn)), when)

    def dot(self, centre, when=None):
        """A point made by turning the pen on the spot."""
        size = self.between(0.03, 0.06)
        self.oval(centre, size, size, when, points=6)
