"""MusicXML 4.0 of pieces: a staff for each voice, in bars, spelled as the key has it."""

from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from tfgan import provenance
from tfgan.errors import ModelError
from tfgan.forms.music import midi_file, pieces, playing
from tfgan.forms.music.playing import LETTERS, USUAL, Playing, voice_names
from tfgan.forms.music.theory import Key

BEAT = pieces.STEPS_PER_BEAT
# Steps of the values that a note is written in: their names, and whether they have a dot.
VALUES = {
    24: ('whole', True), 16: ('whole', False), 12: ('half', True), 8: ('half', False),
    6: ('quarter', True), 4: ('quarter', False), 3: ('eighth', True), 2: ('eighth', False),
    1: ('16th', False),
}  # fmt: skip
CHOIR = ('G', 2, 0), ('G', 2, 0), ('G', 2, -1), ('F', 4, 0)  # the clefs of four voices
# What another voice whose middle pitch is at least so high is written in: sign, line and octave.
CLEFS = {84: ('G', 2, 1), 62: ('G', 2, 0), 53: ('G', 2, -1), 36: ('F', 4, 0), -128: ('F', 4, -1)}
ACCIDENTALS = {-2: 'flat-flat', -1: 'flat', 0: 'natural', 1: 'sharp', 2: 'double-sharp'}
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class Value(NamedTuple):
    """A part of a note or rest (a pitch of None) that is written as one sign.

    It is tied to the part before or after it of the same note.
    """

    start: int
    length: int
    pitch: int | None
    tied_before: bool = False
    tied_after: bool = False


def as_bytes(
    piece, how: Playing = USUAL, title: str = '', marks=(), shows_tempo: bool = True
) -> bytes:
    """A score-partwise file of a piece [steps, voices], with rehearsal marks (step, text).

    The last bar is filled with rests. Raises ModelError where a pitch leaves the format's range.
    """
    _, voices = piece.shape
    root = Element('score-partwise', version='4.0')
    if title:
        _add(_add(root, 'work'), 'work-title', title)
    names = voice_names(voices)
    _part_list(root, names, how)
    notes = midi_file.checked(pieces.notes_of(piece), how)
    bars = -(-len(piece) // how.bar_steps)
    for voice in range(voices):
        own = [note for note in notes if note.voice == voice]
        part = _add(root, 'part', id=f'P{voice + 1}')
        clef = CHOIR[voice] if voices == len(CHOIR) else clef_of(own)
        _part(part, own, bars, clef, how, *((marks, shows_tempo) if voice == 0 else ((), False)))
    ElementTree.indent(root, ' ')
    return HEAD + ElementTree.tostring(root, 'utf-8') + b'\n'


def _add(parent, name, text=None, **attributes) -> Element:
    child = SubElement(parent, name, attributes)
    if text is not None:
        child.text = provenance.FORBIDDEN.sub('\ufffd', str(text))
    return child


def _part_list(root, names, how):
    """The voices, which a bracket holds together if they are more than one."""
    found = _add(root, 'part-list')
    if len(names) > 1:
        group = _add(found, 'part-group', type='start', number='1')
        _add(group, 'group-symbol', 'bracket')
        _add(group, 'group-barline', 'yes')
    for number, name in enumerate(names, 1):
        part = _add(found, 'score-part', id=f'P{number}')
        _add(part, 'part-name', name)
        _add(_add(part, 'score-instrument', id=f'P{number}-I1'), 'instrument-name', name)
        sound = _add(part, 'midi-instrument', id=f'P{number}-I1')
        _add(sound, 'midi-channel', midi_file.CHANNELS[(number - 1) % 15] + 1)
        _add(sound, 'midi-program', how.program + 1)
    if len(names) > 1:
        _add(found, 'part-group', type='stop', number='1')


def _part(part, notes, bars, clef, how, marks, shows_tempo):
    """Bars of one voice; the highest one has the tempo and marks above it."""
    values = values_of(notes, bars * how.bar_steps, how.bar_steps)
    key = how.written_key
    for bar in range(bars):
        first = bar * how.bar_steps
        measure = _add(part, 'measure', number=str(bar + 1))
        if bar == 0:
            _attributes(measure, clef, how)
            if shows_tempo:
                _tempo(measure, how)
        for step, text in marks:
            if step // how.bar_steps == bar:
                direction = _add(measure, 'direction', placement='above')
                _add(_add(direction, 'direction-type'), 'rehearsal', text)
        own = [value for value in values if first <= value.start < first + how.bar_steps]
        shown = accidentals(own, key)
        joined = beams(own, first)
        for value, accidental, levels in zip(own, shown, joined, strict=True):
            _note(measure, value, accidental, levels, how)
        if bar == bars - 1:
            _add(_add(measure, 'barline', location='right'), 'bar-style', 'light-heavy')


def _attributes(measure, clef, how):
    found = _add(measure, 'attributes')
    _add(found, 'divisions', BEAT)
    key = _add(found, 'key')
    _add(key, 'fifths', playing.fifths(how.written_key))
    _add(key, 'mode', how.written_key.mode)
    time = _add(found, 'time')
    for name, number in zip(('beats', 'beat-type'), how.metre):
        _add(time, name, number)
    sign, line, octave = clef
    clef = _add(found, 'clef')
    _add(clef, 'sign', sign)
    _add(clef, 'line', line)
    if octave:
        _add(clef, 'clef-octave-change', octave)


def clef_of(notes: list[pieces.Note]) -> tuple[str, int, int]:
    """The clef that suits a voice: sign, line, and how many octaves higher it sounds."""
    middle = np.median([note.pitch for note in notes]) if notes else pieces.MIDDLE + 12
    return next(clef for lowest, clef in CLEFS.items() if middle >= lowest)


def _tempo(measure, how):
    """The tempo as it is read and as it is played."""
    direction = _add(measure, 'direction', placement='above')
    metronome = _add(_add(direction, 'direction-type'), 'metronome')
    _add(metronome, 'beat-unit', 'quarter')
    _add(metronome, 'per-minute', f'{how.tempo_bpm:g}')
    _add(direction, 'sound', tempo=f'{how.tempo_bpm:g}')


def values_of(notes: list[pieces.Note], steps: int, bar_steps: int) -> list[Value]:
    """A voice's notes and the rests between them as written: none crosses a bar line."""
    found, at = [], 0
    for note in notes:
        found += _written(at, note.start, None, bar_steps)
        at = note.start + note.length
        found += _written(note.start, at, note.pitch, bar_steps)
    return found + _written(at, steps, None, bar_steps)


def _written(start, end, pitch, bar_steps):
    parts, at = [], start
    while at < end:
        parts.append(length(at % bar_steps, min(end - at, bar_steps - at % bar_steps), bar_steps))
        at += parts[-1]
    starts = np.cumsum([start, *parts]).tolist()
    last = len(parts) - 1
    return [
        Value(starts[i], each, pitch, pitch is not None and i > 0, pitch is not None and i < last)
        for i, each in enumerate(parts)
    ]


def length(place: int, left: int, bar_steps: int) -> int:
    """How many of the steps that are left of a note its first sign has, at a place of a bar.

    What begins between beats ends with the beat, and beats are seen: five sixteenths are a quarter
    and a sixteenth. A rest that fills a bar is one sign, whatever its length.
    """
    to_beat = BEAT - place % BEAT
    if to_beat < BEAT:
        return min(left, to_beat)
    if left in VALUES:
        return left
    return next(value for value in VALUES if value <= left and value % BEAT == 0)


def accidentals(values: list[Value], key: Key) -> list[int | None]:
    """What of a bar's values a sign must say: how much a note is raised, or None.

    A sign holds for its line until the bar ends; a note that is tied to one before needs none.
    """
    signature = dict.fromkeys(LETTERS, 0)
    count = playing.fifths(key)
    for letter in LETTERS[:count] if count > 0 else LETTERS[count:] if count else '':
        signature[letter] = int(np.sign(count))
    found, held = [], {}
    for value in values:
        if value.pitch is None or value.tied_before:
            found.append(None)
            continue
        letter, raised, octave = playing.spelled(value.pitch, key)
        before = held.get((letter, octave), signature[letter])
        held[letter, octave] = raised
        found.append(None if raised == before else raised)
    return found


def beams(values: list[Value], first: int) -> list[list[str]]:
    """The beams of a bar's values, the outer one first: notes below a beat, in one beat, share it.

    `first` is the step at which the bar begins.
    """
    found, group = [[] for _ in values], []

    def close():
        if len(group) > 1:
            for place, number in enumerate(group):
                found[number].append(_way(place, len(group)))
            short = [values[number].length == 1 for number in group]
            for place, number in enumerate(group):
                if short[place]:
                    found[number].append(_inner(short, place))
        group.clear()

    for number, value in enumerate(values):
        if (value.start - first) % BEAT == 0 or value.pitch is None:
            close()
        if value.pitch is not None and value.length < BEAT:
            group.append(number)
    close()
    return found


def _way(place, count):
    return 'begin' if place == 0 else 'end' if place == count - 1 else 'continue'


def _inner(short, place):
    """The second beam of a sixteenth beside others; alone it has half of one."""
    before = place > 0 and short[place - 1]
    after = place + 1 < len(short) and short[place + 1]
    if before or after:
        return 'continue' if before and after else 'end' if before else 'begin'
    return 'backward hook' if place else 'forward hook'


def _note(measure, value, accidental, levels, how):
    note = _add(measure, 'note')
    fills = value.pitch is None and value.length == how.bar_steps
    if value.pitch is None:
        _add(note, 'rest', **({'measure': 'yes'} if fills else {}))
    else:
        _pitch(note, value.pitch, how.written_key)
    _add(note, 'duration', value.length)
    ties = ['stop'] * value.tied_before + ['start'] * value.tied_after
    for kind in ties:
        _add(note, 'tie', type=kind)
    _add(note, 'voice', 1)
    if not fills:
        kind, dotted = VALUES[value.length]
        _add(note, 'type', kind)
        if dotted:
            _add(note, 'dot')
    if accidental is not None:
        _add(note, 'accidental', ACCIDENTALS[accidental])
    for level, kind in enumerate(levels, 1):
        _add(note, 'beam', kind, number=str(level))
    if ties:
        notations = _add(note, 'notations')
        for kind in ties:
            _add(notations, 'tied', type=kind)


def _pitch(note, pitch, key):
    letter, raised, octave = playing.spelled(pitch, key)
    if octave < 0:
        raise ModelError(
            f'pitch {pitch}: MusicXML has none below 12, the C of octave 0; write .mid, or'
            ' transpose it'
        )
    found = _add(note, 'pitch')
    _add(found, 'step', letter)
    if raised:
        _add(found, 'alter', raised)
    _add(found, 'octave', octave)
