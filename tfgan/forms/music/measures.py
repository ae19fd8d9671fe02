"""What the notes of pieces are like: chords, parallels, steps, scales, ranges, rhythm."""

import functools
import itertools
from typing import NamedTuple

import numpy as np

from tfgan.forms.base import Figure
from tfgan.forms.music.pieces import AGAIN, REST, STEPS_PER_BEAT

STEPS_PER_BAR = 4 * STEPS_PER_BEAT
SMALL_STEP = 2  # semitones, at most
QUALIFIED_STEPS = 3
NOTE_LENGTHS = (  # in steps, in Yang and Lerch's order
    *(16, 8, 4, 2, 1),  # a whole note to a sixteenth
    *(12, 6, 3, 1.5),  # dotted: a half to a sixteenth
    *(16 / 3, 8 / 3, 4 / 3),  # triplets: halves to eighths
)
POLYPHONIC = 2  # pitches, above which a step is
PERFECT = 0, 7  # intervals in semitones, octaves apart, that shall not move in parallel
CHORDS = (
    *((0, 4, 7), (0, 3, 7), (0, 3, 6)),  # major, minor and diminished triads
    # Seventh chords: dominant, major, minor, half-diminished, diminished.
    *((0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 10), (0, 3, 6, 9)),
)
SCALE = 0, 2, 4, 5, 7, 9, 11  # A natural minor scale has the pitches of a major one.

OF_PIECES = {
    'beats_in_chord': Figure('near', 'beats whose pitches are of one triad or seventh chord'),
    'parallels': Figure('near', 'parallel fifths and octaves in a piece'),
    'sixteenths': Figure('near', 'notes of one sixteenth'),
    'scale_consistency': Figure('near', 'time within the one scale that fits a piece best'),
    'small_steps': Figure('near', 'moves of a voice by two semitones or one'),
    'voice_crossings': Figure('near', 'time that a voice is above the one over it'),
    'voices_in_range': Figure('higher', 'time that voices are where they are in the data'),
    'pitch_classes': Figure('near', 'pitch classes used in a bar'),
    'qualified_notes': Figure('near', 'notes of three sixteenths or more'),
    'polyphonicity': Figure('near', 'time with more than two pitches'),
    'rests': Figure('near', 'time that voices are silent'),
}
OF_SETS = {  # overlapped areas of `descriptors`
    'overlap_pitch_count': Figure('higher', 'how alike sets vary in their number of pitches'),
    'overlap_pitch_classes': Figure('higher', 'the same of pitch classes, by the time they take'),
    'overlap_pitch_range': Figure('higher', 'of the range from the lowest pitch to the highest'),
    'overlap_pitch_shift': Figure('higher', 'of the mean interval from note to note'),
    'overlap_note_count': Figure('higher', 'of the number of notes'),
    'overlap_onset_interval': Figure('higher', 'of the mean time from note to note'),
    'overlap_note_lengths': Figure('higher', 'of the shares of halves, quarters and so on'),
}
FIGURES = OF_PIECES | OF_SETS
HARMONY = 'beats_in_chord', 'parallels', 'voice_crossings'  # not a number of one voice alone


class _Notes(NamedTuple):
    """Pieces as arrays [n, steps, voices]."""

    pitch: np.ndarray  # of MIDI, REST where a voice rests
    sounds: np.ndarray  # bool
    begins: np.ndarray  # bool, where a note does
    breaks: np.ndarray  # bool [n, steps + 2, voices], where none goes on; so after the end


def measures(raw: np.ndarray, source) -> dict[str, np.ndarray]:
    """Figures of each piece, int32 [n, steps, voices]: float64 [n] each, NaN where it has none.

    `source` tells the range of each voice. A note that goes on from before a window, or beyond it,
    is as long as what is within. The figures and where they come from:

    `beats_in_chord`: of the beats at which two voices sound or more, those whose pitch classes are
    all of one of `CHORDS` on some root; some of a chord's may be missing. An augmented triad is
    none of them.
    `parallels`: how often two voices that are a perfect fifth, an octave or a prime apart, or that
    and octaves, step in the same direction to the same one. The interval is counted from the part
    that is written lower up to the other one, though they cross.
    `sixteenths`: the share of notes that are one step long, of each voice, averaged over voices.
    `scale_consistency`: the largest share of one of 24 scales, 12 major and 12 natural minor, in
    the pitch classes; muspy's (Dong et al. 2020), but that counts notes, this the time they take.
    `small_steps`: of the moves of a voice straight from one pitch to another, those of at most two
    semitones.
    `voice_crossings`: of the pairs of neighbouring voices that sound, those with the wrong above.
    `voices_in_range`: of what sounds, what is no higher and no lower than that voice in the source.
    `pitch_classes`: used pitch classes of a bar (MuseGAN's, Dong et al. 2018), of all voices.
    `qualified_notes`: notes of three steps or more (MuseGAN's; but its beat has 24 steps and this
    one's four, so here a note of an eighth falls short).
    `polyphonicity`: of the steps, those with more than two pitches (BinaryMuseGAN's, Dong and Yang
    2018), not a number of two voices.
    `rests`: of all voices and steps, the silent ones.
    """
    if raw.ndim != 3 or not np.issubdtype(raw.dtype, np.integer):
        raise ValueError(f'pieces must be int32 [n, steps, voices], not {raw.dtype} {raw.shape}')
    notes = _notes(raw)
    low, high = ranges(source)
    with np.errstate(invalid='ignore', divide='ignore'):  # of pieces that have none of it
        return {
            'beats_in_chord': _beats_in_chord(notes),
            'parallels': _parallels(notes),
            'sixteenths': _sixteenths(notes),
            'scale_consistency': _scale_consistency(notes),
            'small_steps': _small_steps(notes),
            'voice_crossings': _voice_crossings(notes),
            'voices_in_range': _share((low <= notes.pitch) & (notes.pitch <= high), notes.sounds),
            'pitch_classes': _pitch_classes(notes),
            'qualified_notes': _qualified_notes(notes),
            'polyphonicity': _polyphonicity(notes),
            'rests': 1 - notes.sounds.mean(axis=(1, 2)),
        }


def descriptors(raw: np.ndarray) -> dict[str, np.ndarray]:
    """What overlapped areas are of, of each piece, int32 [n, steps, voices]: float64 [n, d] each.

    Those of Yang and Lerch 2020 (mgeval), NaN where a piece has none: `pitch_count`, pitches used;
    `pitch_classes`, the share of time of each; `pitch_range`, the highest pitch less the lowest;
    `pitch_shift` and `onset_interval`, the mean interval in semitones and in steps from a note to
    the next of its voice; `note_count`; `note_lengths`, the share of each of `NOTE_LENGTHS`, to the
    nearest of which a note counts.
    """
    notes, n = _notes(raw), len(raw)
    time, lengths = _time_of_classes(notes), _lengths(notes)
    shift, interval = _from_note_to_note(notes)
    high = notes.pitch.reshape(n, -1).max(axis=1)
    low = np.where(notes.sounds, notes.pitch, AGAIN).reshape(n, -1).min(axis=1)
    ordered = np.sort(notes.pitch.reshape(n, -1), axis=1)
    with np.errstate(invalid='ignore', divide='ignore'):
        found = {
            'pitch_count': (np.diff(ordered, axis=1, prepend=REST) > 0).sum(axis=1),
            'pitch_classes': time / time.sum(axis=1, keepdims=True),
            'pitch_range': np.where(high == REST, np.nan, high - low),
            'pitch_shift': shift,
            'note_count': notes.begins.sum(axis=(1, 2)),
            'onset_interval': interval,
            'note_lengths': lengths / lengths.sum(axis=1, keepdims=True),
        }
    return {f'overlap_{name}': value.reshape(n, -1) * 1.0 for name, value in found.items()}


@functools.lru_cache(maxsize=8)
def ranges(source) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest pitch of each voice in a source, int [voices] each.

    A voice that never sounds has a range without any pitch.
    """
    pieces = source.images(np.arange(len(source)))
    voices = pieces.shape[-1]
    pitch = _pitch(pieces).reshape(-1, voices)
    low = np.where(pitch == REST, AGAIN, pitch).min(axis=0, initial=AGAIN)
    return low, pitch.max(axis=0, initial=REST)


def _notes(raw):
    pitch = _pitch(raw)
    sounds = pitch != REST
    before = np.concatenate([np.full_like(pitch[:, :1], REST), pitch[:, :-1]], axis=1)
    begins = sounds & ((pitch != before) | (raw >= AGAIN))
    ends = np.ones_like(begins[:, :2])
    return _Notes(pitch, sounds, begins, np.concatenate([begins | ~sounds, ends], axis=1))


def _pitch(raw):
    return np.where(raw == REST, REST, raw % AGAIN)


def _share(of, among):
    """The share [n] of one bool [n, ...] in another, NaN where that has none."""
    axes = tuple(range(1, among.ndim))
    return (of & among).sum(axis=axes) / among.sum(axis=axes)


@functools.cache
def _in_chord():
    """Whether a set of pitch classes, as bits, is part of a chord: bool [4096]."""
    found = np.zeros(1 << 12, bool)
    for chord, root in itertools.product(CHORDS, range(12)):
        classes = [1 << (root + tone) % 12 for tone in chord]
        for kept in itertools.product([0, 1], repeat=len(chord)):
            found[np.dot(kept, classes)] = True
    return found


def _sets(notes, steps=slice(None)):
    """The pitch classes that sound, as bits: int [n, steps]."""
    bits = np.where(notes.sounds, 1 << notes.pitch % 12, 0)[:, steps]
    return np.bitwise_or.reduce(bits, axis=2)


def _beats_in_chord(notes):
    beats = slice(None, None, STEPS_PER_BEAT)
    several = notes.sounds[:, beats].sum(axis=2) > 1
    return _share(_in_chord()[_sets(notes, beats)], several)


def _parallels(notes):
    voices = notes.pitch.shape[2]
    if voices == 1:
        return np.full(len(notes.pitch), np.nan)
    both = notes.sounds[:, 1:] & notes.sounds[:, :-1]
    way = np.sign(np.diff(notes.pitch, axis=1)) * both
    found = np.zeros(len(notes.pitch))
    for high, low in itertools.combinations(range(voices), 2):
        interval = (notes.pitch[:, :, high] - notes.pitch[:, :, low]) % 12
        same = (interval[:, 1:] == interval[:, :-1]) & np.isin(interval[:, 1:], PERFECT)
        found += (same & (way[:, :, high] * way[:, :, low] == 1)).sum(axis=1)
    return found


def _sixteenths(notes):
    ends = notes.begins & notes.breaks[:, 1:-1]
    count = notes.begins.sum(axis=1)
    shares = np.where(count > 0, ends.sum(axis=1) / count, 0)
    return shares.sum(axis=1) / (count > 0).sum(axis=1)


def _scale_consistency(notes):
    sounding = _time_of_classes(notes)
    scales = np.array([[(key + tone) % 12 for tone in SCALE] for key in range(12)])
    return sounding[:, scales].sum(axis=2).max(axis=1) / sounding.sum(axis=1)


def _time_of_classes(notes):
    """How many steps each pitch class sounds, in all voices: int [n, 12]."""
    classes = np.where(notes.sounds, notes.pitch % 12, -1)
    return np.stack([(classes == each).sum(axis=(1, 2)) for each in range(12)], axis=1)


def _small_steps(notes):
    moves = np.abs(np.diff(notes.pitch, axis=1))
    both = notes.sounds[:, 1:] & notes.sounds[:, :-1]
    return _share(moves <= SMALL_STEP, both & (moves > 0))


def _voice_crossings(notes):
    both = notes.sounds[:, :, 1:] & notes.sounds[:, :, :-1]
    return _share(np.diff(notes.pitch, axis=2) > 0, both)


def _pitch_classes(notes):
    bars = range(0, notes.pitch.shape[1], STEPS_PER_BAR)
    used = np.bitwise_or.reduceat(_sets(notes), bars, axis=1)
    return (used[:, :, None] >> np.arange(12) & 1).sum(axis=2).mean(axis=1)


def _qualified_notes(notes):
    steps = notes.pitch.shape[1]
    cut = [notes.breaks[:, i : i + steps] for i in range(1, QUALIFIED_STEPS)]
    return _share(~np.logical_or.reduce(cut), notes.begins)


def _polyphonicity(notes):
    voices = notes.pitch.shape[2]
    if voices <= POLYPHONIC:
        return np.full(len(notes.pitch), np.nan)
    ordered = np.sort(notes.pitch, axis=2)
    new = np.diff(ordered, axis=2, prepend=REST) > 0
    return (new.sum(axis=2) > POLYPHONIC).mean(axis=1)


def _from_note_to_note(notes):
    """The mean interval in semitones, and in steps, from a note to the next of its voice: [n]."""
    steps = np.arange(notes.pitch.shape[1])[:, None]
    last = np.maximum.accumulate(np.where(notes.begins, steps, -1), axis=1)
    before = np.concatenate([np.full_like(last[:, :1], -1), last[:, :-1]], axis=1)
    follows = notes.begins & (before >= 0)
    semitones = np.abs(notes.pitch - np.take_along_axis(notes.pitch, before, axis=1))
    with np.errstate(invalid='ignore', divide='ignore'):
        return [
            (what * follows).sum(axis=(1, 2)) / follows.sum(axis=(1, 2))
            for what in (semitones, steps - before)
        ]


def _lengths(notes):
    """How many notes are nearest to each of NOTE_LENGTHS: int [n, lengths]."""
    steps = np.arange(notes.breaks.shape[1])[:, None]
    ends = np.where(notes.breaks, steps, len(steps))[:, ::-1]
    ends = np.minimum.accumulate(ends, axis=1)[:, ::-1][:, 1:-1]  # of a note that is there
    lengths = (ends - steps[:-2])[..., None]
    kinds = np.abs(lengths - NOTE_LENGTHS).argmin(axis=-1)
    return np.stack(
        [((kinds == kind) & notes.begins).sum(axis=(1, 2)) for kind in range(len(NOTE_LENGTHS))],
        axis=1,
    )
