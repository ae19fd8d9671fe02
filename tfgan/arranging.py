"""What a model of music makes of a person's: harmonised, gone on with, filled where it is open."""

import numpy as np

from tfgan.errors import ModelError, quoted
from tfgan.forms.base import MOST_BARS, Given

ANOTHER = 0x9E3779B97F4A7C15  # what the seeds of the parts of a long piece are apart
NONE_KNOWN = -1  # It stands where nothing is given, whatever is known of a piece.


class Arranging:
    """What a `Model` of music makes of pieces that it is given.

    Pieces are int32 [n, steps, voices] of MIDI pitches, -1 for a rest and 128 more where a note is
    struck again, in C major or A minor. What is known stays as it is.
    """

    def fill(self, pitch, known, seeds=0, label=None, bar_steps: int = 16) -> np.ndarray:
        """Pieces int32 [n, steps, voices] of any length, made where they are not `known`.

        `pitch` [n, steps, voices] and `known`, bool and shaped as it, are given; seeds are one for
        all, or n. Longer pieces than the model's are made in windows that begin with bars, of which
        each is given half of the one before it. Raises ModelError.
        """
        self.check_arranges()
        pitch, known = np.asarray(pitch, np.int32), np.asarray(known, bool)
        window, voices = self.shape
        if pitch.ndim != 3 or pitch.shape != known.shape or pitch.shape[2] != voices:
            raise ModelError(
                f'pieces of shape {list(pitch.shape)} of which {list(known.shape)} are known;'
                f' expected [n, steps, {voices}] twice'
            )
        count, steps, _ = pitch.shape
        seeds = np.broadcast_to(np.asarray(seeds, np.int64), [count])
        labels = self.labels(-1 if label is None else label, count)
        starts = windows(steps, window, bar_steps)
        over = [(0, 0), (0, starts[-1] + window - steps), (0, 0)]
        pitch, known = np.pad(pitch, over, constant_values=NONE_KNOWN), np.pad(known, over)
        for number, start in enumerate(starts):
            part = slice(start, start + window)
            given = {'pitch': pitch[:, part], 'known': known[:, part].astype(np.float32)}
            asked = {'seed': another(seeds, number), 'label': labels} | given
            pitch[:, part] = self._in_blocks('fill', asked)
            known[:, part] = True
        return pitch[:, :steps]

    def long(self, seeds, label=None, bars: int = 16) -> np.ndarray:
        """Pieces int32 [n, steps, voices] of int seeds [n], so many bars of 4/4 long."""
        seeds = np.asarray(seeds, np.int64)
        shape = len(seeds), 16 * bars, self.shape[1]
        return self.fill(np.full(shape, NONE_KNOWN), np.zeros(shape, bool), seeds, label)

    def compose(self, given: Given, seeds, label=None) -> np.ndarray:
        """Pieces int32 [n, steps, voices] of what is given, one for each of int seeds [n].

        The mode is that of what is given where the model has it as a class, unless `label` is told.
        """
        if label is None and given.label in self.class_names():
            label = given.label
        lead = [(given.lead, 0), (0, 0)]
        pitch = np.pad(given.pitch, lead, constant_values=-1)
        known = np.pad(given.known, lead, constant_values=True)
        shape = len(seeds), *pitch.shape
        pitch, known = (np.broadcast_to(each, shape).copy() for each in (pitch, known))
        return self.fill(pitch, known, seeds, label, given.bar_steps)[:, given.lead :]

    def harmonise(self, melody, seeds=(0,), label=None) -> np.ndarray:
        """Pieces int32 [n, steps, voices] below the melody of a file, in C major or A minor."""
        return self.compose(self.read('melody', melody), seeds, label)

    def read(self, what: str, path, bars: int = 0, opened: str = '') -> Given:
        """What a file gives: the 'melody' to harmonise, a 'begin' to go on with for so many bars,
        or a 'piece' that is `opened`. Raises ModelError.
        """
        self.check_arranges()
        return self.form.given_by(what, path, self.card.data, bars, opened)

    def check_arranges(self) -> None:
        """Raises ModelError for a model of another form."""
        if not self.form.arranges:
            raise ModelError(f'the model writes no music: {self.form.instead}')


def windows(steps: int, window: int, bar_steps: int) -> list[int]:
    """Where windows of a piece begin, each with a bar, so that each new one is half known."""
    hop = max(1, window // 2 // bar_steps) * bar_steps
    return list(range(0, max(1, steps - window + hop), hop))


def another(seeds: np.ndarray, number: int) -> np.ndarray:
    """The seeds int64 [n] of a later part of long pieces; those of the first part are their own."""
    return (seeds.astype(np.uint64) + np.uint64(number * ANOTHER % 2**64)).astype(np.int64)


def check_bars(bars: int) -> None:
    """Raises ModelError for a number of bars that cannot be."""
    if not 1 <= bars <= MOST_BARS:
        raise ModelError(f'--bars={quoted(bars)}: expected one from 1 to {MOST_BARS}')
