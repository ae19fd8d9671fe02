"""What a piece does not say of itself: its key, and where its bars begin."""

from typing import NamedTuple

import numpy as np

from tfgan.forms.music.pieces import STEPS_PER_BEAT, notes_of

WHOLE = 4 * STEPS_PER_BEAT  # steps of a whole note
EIGHTH = STEPS_PER_BEAT // 2
# How often each step of the scale sounds in a key on C: David Temperley, Music and Probability
# (MIT Press, 2007), chapter 6, counted in the examples of Kostka and Payne's Tonal Harmony.
PROFILES = {
    'major': (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    'minor': (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
}
FINAL = 0.2  # what a last bass note on the tonic adds to a correlation
LONGEST = 16  # steps: no note counts for more where bars are looked for
USUAL = 0.1  # what favours 4/4, and no upbeat where a file has bars, in means of accents
SIGNATURES = (4, 4), (3, 4)  # that are looked for where none is told
HALVED = 2, 4, 6, 12  # beats of a bar whose halves begin alike, if it is longer than 2/4


class Key(NamedTuple):
    """A tonic 0..11 and its mode, 'major' or 'minor'."""

    tonic: int
    mode: str


class Metre(NamedTuple):
    """How many steps a bar has, and how many come before the first whole one."""

    bar_steps: int
    upbeat_steps: int


def key(piece) -> Key:
    """The key of a whole piece [steps, voices], C major if it has no notes.

    It is that of 24 whose profile correlates best with how long each pitch class sounds (Krumhansl,
    Cognitive Foundations of Musical Pitch, 1990, chapter 4), and most pieces end on their tonic.
    """
    notes = notes_of(piece)
    if not notes:
        return Key(0, 'major')
    sounding = np.zeros(12)
    for note in notes:
        sounding[note.pitch % 12] += note.length
    sounding -= sounding.mean()
    sounding /= np.linalg.norm(sounding) or 1.0
    last = max(notes, key=lambda note: (note.start + note.length, note.voice)).pitch % 12

    def fit(found: Key) -> float:
        profile = np.roll(PROFILES[found.mode], found.tonic)
        profile = profile - profile.mean()
        return sounding @ profile / np.linalg.norm(profile) + FINAL * (found.tonic == last)

    return max((Key(tonic, mode) for mode in PROFILES for tonic in range(12)), key=fit)


def metre(piece, signature: tuple[int, int] | None = None) -> Metre:
    """The metre of a piece [steps, voices] of a step at least, 4/4 or 3/4 unless one is told.

    Strong beats are where long notes begin (Lerdahl and Jackendoff, A Generative Theory of Tonal
    Music, 1983, metrical preference rule 5). Where the halves of a bar begin alike, it is the first
    strong beat that begins one (rule 2): an upbeat is shorter than half a bar of 4/4.
    """
    accents = np.zeros(len(piece))
    for note in notes_of(piece):
        accents[note.start] += min(note.length, LONGEST)
    fits = {}
    for beats, unit in [signature] if signature else SIGNATURES:
        beat = min(WHOLE // unit, STEPS_PER_BEAT)
        bar = WHOLE * beats // unit
        period = bar // 2 if beats in HALVED and bar > WHOLE // 2 else bar
        mean = accents[::beat].mean() or 1.0
        for upbeat in range(0, period, min(beat, EIGHTH)):
            strong = [accents[start::bar] for start in range(upbeat, bar, period)]
            strength = max((each.mean() / mean for each in strong if len(each)), default=0.0)
            is_usual = upbeat == 0 if signature else bar == WHOLE
            fits[Metre(bar, upbeat)] = strength + USUAL * is_usual
    return max(fits, key=fits.get)


def to_common_key(found: Key) -> int:
    """By how many semitones, -5..6, a piece in a key is moved to C major or A minor."""
    semitones = ((0 if found.mode == 'major' else 9) - found.tonic) % 12
    return semitones - 12 * (semitones > 6)
