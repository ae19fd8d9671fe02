"""Pieces of four voices, of triads a beat each, that a judge may learn from."""

import numpy as np

from tfgan.forms.music.pieces import Pieces

CHORDS = {'major': ((0, 4, 7), (5, 9, 0), (7, 11, 2)), 'minor': ((9, 0, 4), (2, 5, 9), (4, 7, 11))}
VOICES = (67, 79), (60, 71), (52, 63), (40, 51)  # each has every pitch class
BEATS = 16


def chorale(rng, mode: str, beats: int = BEATS) -> np.ndarray:
    """A piece int32 [4 * beats, 4] of chords of a mode, each voice near where it was."""
    before, found = [72, 64, 57, 48], []
    for chord in rng.integers(3, size=beats):
        tones = CHORDS[mode][chord]
        classes = [*rng.permutation(tones), tones[0]]  # the root is the lowest
        for voice, (low, high) in enumerate(VOICES):
            possible = np.arange(low, high + 1)
            possible = possible[possible % 12 == classes[voice]]
            before[voice] = possible[np.abs(possible - before[voice]).argmin()]
        found.append(list(before))
    return np.repeat(np.array(found, np.int32), 4, axis=0)


def toy_pieces(count: int, seed: int = 0, windows: int = 1, dataset: str = 'toy') -> Pieces:
    """Windows of 16 beats, so many of each piece, a bar apart; half of them are in minor."""
    rng = np.random.default_rng(seed)
    pieces, labels = [], np.arange(count * windows, dtype=np.int32) // windows % 2
    for number in range(count):
        piece = chorale(rng, list(CHORDS)[number % 2], BEATS + 4 * (windows - 1))
        pieces += [piece[16 * bar : 16 * bar + 4 * BEATS] for bar in range(windows)]
    pieces = np.array(pieces)
    return Pieces(
        dataset,
        pieces.shape[1:],
        labels,
        tuple(CHORDS),
        pieces.__getitem__,
        notes={'rows': 49},
        origins=np.arange(count).repeat(windows),
    )
