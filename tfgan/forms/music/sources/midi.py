"""Standard MIDI files of two to four voices or one melody, whoever wrote them."""

import io
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import mido
import numpy as np

from tfgan.data.source import Wanted
from tfgan.errors import SourceError, reason
from tfgan.forms.music.pieces import AGAIN, REST, STEPS_PER_BEAT, Note, Pieces, piece_of
from tfgan.forms.music.sources import windows
from tfgan.forms.music.sources.readings import TEMPO, Reading, check_length, grid, survey
from tfgan.forms.music.theory import WHOLE, key, metre

ENDINGS = '.mid', '.midi'
DRUMS = 9  # the channel of percussion, counted from 0
# Shares of the steps at which anything sounds: with as many notes as voices (a fifth of a chorale
# has two voices in unison), and with more.
THROUGHOUT, MOST_EXTRA = 0.7, 0.05
READ = 'read are one melody, or two to four voices throughout'
# mido adds up a number of any length, which takes the square of its bytes' number of time.
ENDLESS = re.compile(rb'[\x80-\xff]{1000}')


class _Struck(NamedTuple):
    """A note of a part, from tick to tick."""

    start: int
    end: int
    pitch: int


def open_midi(wanted: Wanted) -> Pieces:
    """The pieces of MIDI files; raises SourceError."""
    return windows.opened(wanted, survey(wanted, ENDINGS, readings))


def readings(data: bytes) -> Iterator[Reading]:
    """The piece of a file's bytes, or those of a file of type 2; raises anything."""
    if ENDLESS.search(data):
        raise SourceError('no MIDI file: it has a number of a thousand bytes')
    try:
        file = mido.MidiFile(file=io.BytesIO(data))
    except Exception as error:  # mido raises nearly anything at a damaged file
        why = 'it ends too early' if isinstance(error, EOFError) else reason(error)
        raise SourceError(f'no whole MIDI file: {why}') from error
    if file.ticks_per_beat <= 0:
        raise SourceError('its time is counted in frames of a film, not in beats')
    if file.type != 2:
        yield _reading(file.tracks, file.ticks_per_beat)
        return
    for number, track in enumerate(file.tracks, start=1):
        if any(message.type == 'note_on' for message in track):
            yield _reading([track], file.ticks_per_beat)._replace(name=f'track {number}')


def _reading(tracks: list, ticks_per_beat: int) -> Reading:
    ticks = max((sum(message.time for message in track) for track in tracks), default=0)
    check_length(ticks * STEPS_PER_BEAT // ticks_per_beat)
    parts = _parts(tracks)
    scale = STEPS_PER_BEAT / ticks_per_beat
    struck = [note for part in parts for note in part]
    placed, off = grid([(note.start * scale, note.end * scale) for note in struck])
    placed = iter(placed)
    notes = [
        [Note(voice, *next(placed), note.pitch) for note in part]
        for voice, part in enumerate(parts)
    ]
    piece = _voices(notes)
    bar_steps, bars = _bars(piece, tracks, scale)
    tempos = [each.tempo for _, each in _timed(tracks, 'set_tempo') if each.tempo]
    tempo = mido.tempo2bpm(tempos[0]) if tempos else TEMPO
    return Reading(piece, key(piece), bar_steps, bars, tempo, off)


def _parts(tracks: list) -> list[tuple[_Struck, ...]]:
    """The notes of each track's channels, but for percussion and for parts that double others."""
    parts = {}
    for number, track in enumerate(tracks):
        now, sounding, ended = 0, {}, {}
        for message in track:
            now += message.time
            if message.type not in ('note_on', 'note_off') or message.channel == DRUMS:
                continue
            part = parts.setdefault((number, message.channel), [])
            at = message.channel, message.note
            is_on = message.type == 'note_on' and message.velocity > 0
            if not is_on and ended.get(at) == now:
                del ended[at]  # It ends the note before, which the new one has ended already.
            elif at in sounding:
                part.append(_Struck(sounding.pop(at), now, message.note))
                ended[at] = now
            if is_on:
                sounding[at] = now
        for (channel, pitch), start in sounding.items():
            parts[number, channel].append(_Struck(start, now, pitch))
    found = (
        tuple(sorted(note for note in part if note.end > note.start)) for part in parts.values()
    )
    return [*dict.fromkeys(part for part in found if part)]


def _voices(parts: list[list[Note]]) -> np.ndarray:
    """The parts as voices from the highest to the lowest, or the voices of their chords."""
    steps = max(note.start + note.length for part in parts for note in part)
    total = sum(note.length for part in parts for note in part)
    if total > 2 * windows.MOST_VOICES * steps:
        raise SourceError(f'{total / steps:.0f} notes at once; {READ}')
    counts = [_sounding(part, steps) for part in parts]
    one = [np.mean(count[count > 0] > 1) <= MOST_EXTRA for count in counts]
    if len(parts) <= windows.MOST_VOICES and all(one):
        parts = sorted(parts, key=_height, reverse=True)
        notes = [note._replace(voice=v) for v, part in enumerate(parts) for note in part]
        return piece_of(notes, steps, len(parts))
    return _chords([note for part in parts for note in part], sum(counts))


def _sounding(part: list[Note], steps: int) -> np.ndarray:
    """How many notes of a part sound at each step."""
    change = np.zeros(steps + 1, np.int64)
    for note in part:
        change[note.start] += 1
        change[note.start + note.length] -= 1
    return np.cumsum(change[:-1])


def _height(part: list[Note]) -> float:
    return float(np.average([n.pitch for n in part], weights=[n.length for n in part]))


def _chords(notes: list[Note], counts: np.ndarray) -> np.ndarray:
    """Voices by the order of the pitches that sound at once, of which there are `counts`."""
    found = counts[counts > 0]
    voices = int(np.bincount(found).argmax())
    is_even = np.mean(found == voices) >= THROUGHOUT and np.mean(found > voices) <= MOST_EXTRA
    if voices > windows.MOST_VOICES or not is_even:
        raise SourceError(f'{found.min()} to {found.max()} notes at once; {READ}')
    chords = [{} for _ in counts]
    for note in sorted(notes, key=lambda note: note.start):
        for step in range(note.start, note.start + note.length):
            chords[step][note.pitch] = step == note.start
    piece = np.full([len(counts), voices], REST, np.int32)
    last = {}  # what each voice sang
    for step, chord in enumerate(chords):
        if not chord:
            continue
        for voice, pitch in enumerate(_led(sorted(chord, reverse=True), voices, last)):
            if pitch != REST:
                before = piece[step - 1, voice] if step else REST
                again = chord[pitch] and before != REST and before % AGAIN == pitch
                piece[step, voice] = pitch + AGAIN * again
                last[voice] = pitch
    return piece


def _led(chord: list[int], voices: int, last: dict[int, int]) -> list[int]:
    """A pitch for each voice, from the highest to the lowest, as near to the last ones as can be.

    Of more than two voices, some sing in unison where there are fewer pitches; one of two rests.
    """
    if len(chord) >= voices:
        return chord[: voices - 1] + chord[-1:] if voices > 1 else chord[:1]
    if voices == 2:
        possible = [[*chord, REST], [REST, *chord]]
    else:
        possible = [
            [chord[sum(voice >= cut for cut in cuts)] for voice in range(voices)]
            for cuts in itertools.combinations(range(1, voices), len(chord) - 1)
        ]

    def moved(pitches: list[int]) -> int:
        sung = ((pitch, voice) for voice, pitch in enumerate(pitches) if pitch != REST)
        return sum(abs(pitch - last.get(voice, pitch)) for pitch, voice in sung)

    return min(possible, key=moved)


def _bars(piece: np.ndarray, tracks: list, scale: float) -> tuple[int, np.ndarray]:
    """The length of most bars, and the steps at which bars of that length begin."""
    steps = len(piece)
    told = {}
    for tick, message in _timed(tracks, 'time_signature'):
        signature = message.numerator, message.denominator
        if tick * scale < steps and _is_metre(*signature):
            told[int(tick * scale + 0.5)] = signature
    if not told:
        found = metre(piece)
        return found.bar_steps, windows.bars_of(found, steps)
    told = {0: (4, 4)} | told  # as MIDI has it before the first
    starts = [*told, steps]
    lengths = [WHOLE * beats // unit for beats, unit in told.values()]
    if len(set(lengths)) == 1 and (piece[0] != REST).any():
        # Files of notation programs do not say that a piece begins with an upbeat.
        return lengths[0], windows.bars_of(metre(piece, told[0]), steps)
    sums = dict.fromkeys(lengths, 0)
    for start, end, length in zip(starts, starts[1:], lengths):
        sums[length] += end - start
    usual = max(sums, key=sums.get)
    bars = [
        np.arange(start, end, length)
        for start, end, length in zip(starts, starts[1:], lengths)
        if length == usual
    ]
    return usual, np.concatenate(bars)


def _is_metre(beats: int, unit: int) -> bool:
    """Whether a time signature has bars of whole steps, from a beat to four whole notes."""
    bar = WHOLE * beats
    return bar % unit == 0 and STEPS_PER_BEAT <= bar // unit <= 4 * WHOLE


def _timed(tracks: list, kind: str) -> list[tuple[int, mido.MetaMessage]]:
    """Messages of a kind and their ticks, in order of time."""
    found = []
    for track in tracks:
        ticks = itertools.accumulate(message.time for message in track)
        found += [(tick, each) for tick, each in zip(ticks, track) if each.type == kind]
    return sorted(found, key=lambda pair: pair[0])
