"""What a piece does not say of itself: its key, and where its bars begin."""

from typing import NamedTuple

import numpy as np

from tfgan.forms.music.pieces import STEPS_PER_BEAT, notes_of

MODES = 'major', 'minor'
# How well each pitch class fits into a key on C: David Temperley, "What's Key for Key? The
# Krumhansl-Schmuckler Key-Finding Algorithm Reconsidered", Music Perception 17 (1999), page 74.
PROFILES = {
    'major': (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    'minor': (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
}
FINAL = 0.2  # what a last bass note on the tonic adds to a correlation
BARS = 16, 12  # steps: 4/4 and 3/4


class Key(NamedTuple):
    """A tonic 0..11 and its mode, 'major' or 'minor'."""

    tonic: int
    mode: str


def key(piece) -> Key:
    """The key of a whole piece [steps, voices].

    It is that of 24 whose profile correlates best with how long each pitch class sounds (Krumhansl
    and Schmuckler; Krumhansl, Cognitive Foundations of Musical Pitch, 1990, chapter 4).
    """
    notes = notes_of(piece)
    if not notes:
        return Key(0, 'major')
    sounding = np.zeros(12)
    for note in notes:
        sounding[note.pitch % 12] += note.length
    last = max(notes, key=lambda note: (note.start + note.length, note.voice)).pitch % 12
    fits = {
        Key(tonic, mode): np.corrcoef(np.roll(PROFILES[mode], tonic), sounding)[0, 1]
        + FINAL * (tonic == last)
        for mode in MODES
        for tonic in range(12)
    }
    return max(fits, key=fits.get)


class Metre(NamedTuple):
    """How many steps a bar has, and how many come before the first whole one."""

    bar_steps: int
    upbeat_steps: int


def metre(piece) -> Metre:
    """The metre of a piece [steps, voices]: where harmony changes and long notes begin, bars do."""
    accents = np.zeros(len(piece))
    for note in notes_of(piece):
        accents[note.start] += np.log2(note.length)
    beats = accents[: len(accents) // STEPS_PER_BEAT * STEPS_PER_BEAT : STEPS_PER_BEAT]

    def strength(found):
        bar, upbeat = found
        first = beats[upbeat // STEPS_PER_BEAT :: bar // STEPS_PER_BEAT]
        return (first.mean() - beats.mean()) * np.sqrt(len(first)) if len(first) else 0

    possible = [Metre(bar, upbeat) for bar in BARS for upbeat in range(0, bar, STEPS_PER_BEAT)]
    return max(possible, key=strength)


def to_common_key(found: Key) -> int:
    """By how many semitones, -5..6, a piece in a key is moved to C major or A minor."""
    semitones = ((0 if found.mode == 'major' else 9) - found.tonic) % 12
    return semitones - 12 * (semitones > 6)
