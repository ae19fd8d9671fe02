"""Tunes in ABC notation, as collections of folk music have them, by way of music21."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, quoted, reason
from tfgan.forms.music.pieces import STEPS_PER_BEAT, Note, Pieces, piece_of
from tfgan.forms.music.sources import windows
from tfgan.forms.music.sources.readings import TEMPO, Reading, Unread, grid, survey
from tfgan.forms.music.theory import Key, key, metre

ENDINGS = ('.abc',)
INSTALL = "pip install 'tfgan[music]'"
MOST_TUNE = 20_000  # characters: longer ones are no tunes
MINOR = 'minor', 'dorian', 'phrygian', 'aeolian', 'locrian'
TUNE = re.compile(r'^X:', re.MULTILINE)
LONG_BAR = re.compile(r'M:[^\n\]]*\d{3}')  # music21 would divide it in all ways
TITLE = re.compile(r'^T:(.*)', re.MULTILINE)


def open_abc(wanted: Wanted) -> Pieces:
    """The tunes of ABC files; raises SourceError."""
    check_reader()
    return windows.opened(wanted, survey(wanted, ENDINGS, readings))


def check_reader() -> None:
    """Raises SourceError if music21 is not there."""
    try:
        import music21  # noqa: F401
    except ImportError as error:
        raise SourceError(f'ABC is read by music21, which is not installed: {INSTALL}') from error


def readings(data: bytes) -> Iterator[Reading | Unread]:
    """The tunes of a file's bytes; the reason instead of one that is left out."""
    text = data.decode('utf-8-sig', 'replace').replace('\r\n', '\n').replace('\r', '\n')
    tunes = [f'X:{rest}' for rest in TUNE.split(text)[1:]]
    if not tunes:
        raise SourceError('no tunes in it: none begins with X:')
    for number, tune in enumerate(tunes, start=1):
        title = TITLE.search(tune)
        name = f'tune {number}' + (f', {quoted(title[1].strip(), most=60)}' if title else '')
        try:
            yield _reading(tune)._replace(name=name if len(tunes) > 1 else '')
        except Exception as error:  # music21 raises nearly anything at what it does not know
            yield Unread(name, reason(error))


def _reading(tune: str) -> Reading:
    if len(tune) > MOST_TUNE or LONG_BAR.search(tune):
        raise SourceError(f'more than {MOST_TUNE:,} characters, or a bar of a hundred beats')
    told = _told(tune)
    times = [(start * STEPS_PER_BEAT, end * STEPS_PER_BEAT) for start, end, _ in told.notes]
    placed, off = grid(times)
    notes = [Note(0, *place, note[-1]) for place, note in zip(placed, told.notes)]
    piece = piece_of(notes, max(note.start + note.length for note in notes), 1)
    found = _key(told.key) if told.key else key(piece)
    return Reading(piece, found, *_bars(told.measures, piece), told.tempo, off)


class _Told(NamedTuple):
    """What a tune says; times are in quarters."""

    notes: list[tuple[float, float, int]]  # start, end, pitch
    measures: list[tuple[float, float, float]]  # start, length, and how long it should be
    key: object | None  # music21's
    tempo: float


def _told(tune: str) -> _Told:
    """A tune's notes, by music21's words: its measures take hours where bar lines are left out."""
    from music21 import abcFormat, pitch

    words = abcFormat.ABCHandler()
    words.process(tune)
    notes, lines, keys, tempos, voices = [], [(0.0, None)], [], [], set()
    now, bar, is_tied = 0.0, None, False
    for word in words.tokens:
        if isinstance(word, abcFormat.ABCBar):
            lines.append((now, bar))
        elif isinstance(word, abcFormat.ABCMetadata):
            if word.isMeter():
                signature = word.getTimeSignatureObject()
                bar = signature and signature.barDuration.quarterLength
            elif word.isKey():
                keys.append(word.getKeySignatureObject())
            elif word.isTempo():
                tempos.append(word.getMetronomeMarkObject().getQuarterBPM())
            elif word.isVoice():
                voices.add(word.data.split()[0])
        elif isinstance(word, abcFormat.ABCNote) and not word.inGrace:
            start, now = now, now + _quarters(word)
            of_chord = getattr(word, 'subTokens', [word])
            names = [each.pitchName for each in of_chord if getattr(each, 'pitchName', None)]
            if names and not word.isRest:
                highest = max(pitch.Pitch(name).midi for name in names)
                if is_tied and notes and notes[-1][-1] == highest:
                    start = notes.pop()[0]
                notes.append((start, now, highest))
            is_tied = word.tie in ('start', 'continue')
    if len(voices) > 1:
        raise SourceError(f'{len(voices)} voices; one melody is read')
    lines.append((now, bar))
    measures = [(start, end - start, bar) for (start, _), (end, bar) in itertools.pairwise(lines)]
    named = [each for each in keys if getattr(each, 'mode', None)]
    return _Told(notes, measures, next(iter(named), None), next(filter(None, tempos), TEMPO))


def _quarters(note) -> float:
    """How long a note of music21's lasts."""
    tuplet = note.activeTuplet
    return float(note.quarterLength * (tuplet.tupletMultiplier() if tuplet else 1))


def _key(told) -> Key:
    """The key that a tune says it is in; old modes count by their third."""
    return Key(told.tonic.pitchClass, 'minor' if told.mode in MINOR else 'major')


def _bars(measures: list, piece: np.ndarray) -> tuple[int, np.ndarray]:
    """The length of most bars, and where those begin: a part of a bar may stand at a repeat."""
    whole = [
        (int(start * STEPS_PER_BEAT + 0.5), int(bar * STEPS_PER_BEAT))
        for start, length, bar in measures
        if bar and length >= bar
    ]
    if not whole:
        found = metre(piece)
        return found.bar_steps, windows.bars_of(found, len(piece))
    lengths = [length for _, length in whole]
    usual = max(set(lengths), key=lengths.count)
    return usual, np.array([start for start, length in whole if length == usual])
