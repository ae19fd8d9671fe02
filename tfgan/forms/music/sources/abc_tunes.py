"""Tunes in ABC notation, as collections of folk music have them, by way of music21."""

import re
from collections.abc import Iterator

import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, quoted, reason
from tfgan.forms.music.pieces import STEPS_PER_BEAT, Note, Pieces, piece_of
from tfgan.forms.music.sources import windows
from tfgan.forms.music.sources.readings import Reading, Unread, grid, survey
from tfgan.forms.music.theory import Key, key, metre

ENDINGS = ('.abc',)
INSTALL = "pip install 'tfgan[music]'"
MOST_TUNE = 20_000  # characters: longer ones are no tunes, and take minutes
MINOR = 'minor', 'dorian', 'phrygian', 'aeolian', 'locrian'
TUNE = re.compile(r'^X:', re.MULTILINE)
# music21 would build the measures of a note of any length.
ENDLESS = re.compile(r'^(?:[ML]:|(?![A-Za-z]:|%)).*\d{4}', re.MULTILINE)
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
    from music21 import converter, harmony

    if len(tune) > MOST_TUNE or ENDLESS.search(tune):
        raise SourceError(f'more than {MOST_TUNE:,} characters, or a length of four digits')
    score = converter.parseData(tune, format='abc')
    parts = list(score.parts)
    if len(parts) != 1:
        raise SourceError(f'{len(parts)} voices; one melody is read')
    flat = parts[0].flatten()
    sounding = []  # [start, end, pitch] in quarters
    for note in flat.notes:
        if isinstance(note, harmony.Harmony) or not note.quarterLength:  # words; ornaments
            continue
        start, pitch = float(note.offset), max(pitch.midi for pitch in note.pitches)
        end = start + float(note.quarterLength)
        if note.tie and note.tie.type != 'start' and sounding and sounding[-1][2] == pitch:
            sounding[-1][1] = end
        else:
            sounding.append([start, end, pitch])
    placed, off = grid(
        [(start * STEPS_PER_BEAT, end * STEPS_PER_BEAT) for start, end, _ in sounding]
    )
    notes = [Note(0, *place, pitch) for place, (_, _, pitch) in zip(placed, sounding)]
    steps = max(note.start + note.length for note in notes)
    piece = piece_of(notes, steps, 1)
    keys = [each for each in flat.getElementsByClass('Key') if each.mode]
    found = _key(keys[0]) if keys else key(piece)
    bar_steps, bars = _bars(parts[0], piece)
    tempos = [each.getQuarterBPM() for each in flat.getElementsByClass('MetronomeMark')]
    tempo = next(filter(None, tempos), 120.0)
    return Reading(piece, found, bar_steps, bars, tempo, off)


def _key(told) -> Key:
    """The key that a tune says it is in; old modes count by their third."""
    return Key(told.tonic.pitchClass, 'minor' if told.mode in MINOR else 'major')


def _bars(part, piece: np.ndarray) -> tuple[int, np.ndarray]:
    """The length of most bars, and where those begin: a part of a bar may stand at a repeat."""
    measures = list(part.getElementsByClass('Measure'))
    whole = [
        (int(float(each.offset) * STEPS_PER_BEAT + 0.5), int(each.barDuration.quarterLength * 4))
        for each in measures
        if each.duration.quarterLength >= each.barDuration.quarterLength
    ]
    if not whole:
        found = metre(piece)
        return found.bar_steps, windows.bars_of(found, len(piece))
    lengths = [length for _, length in whole]
    usual = max(set(lengths), key=lengths.count)
    return usual, np.array([start for start, length in whole if length == usual])
