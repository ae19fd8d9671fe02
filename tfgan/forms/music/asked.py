"""What a person asks for: a key, and what of a piece of theirs is given and what open."""

import os
import re

import numpy as np

from tfgan.errors import ModelError, SourceError, quoted, typed
from tfgan.forms.base import Given
from tfgan.forms.music.pieces import AGAIN, MIDDLE, OCTAVES, REST, transposed
from tfgan.forms.music.playing import voice_names
from tfgan.forms.music.theory import Key, to_common_key

KEY = re.compile(r'([A-Ga-g])[ -]*(#|b|♯|♭|sharp|flat)?[ -]*(major|minor|maj|min|m)?')
NAMES = 'C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'
NATURAL = dict(zip('CDEFGAB', (0, 2, 4, 5, 7, 9, 11), strict=True))
RAISED = {None: 0, '#': 1, '♯': 1, 'sharp': 1, 'b': -1, '♭': -1, 'flat': -1}
TONICS = {'major': 0, 'minor': 9}  # of pieces as they are stored
BARS = re.compile(r'(\d+)(?:-(\d+))?')


def key(text: str) -> Key:
    """A key as musicians write it: G, Bb, e, "f# minor", Em; raises ModelError."""
    found = KEY.fullmatch(text.strip())
    if not found:
        raise ModelError(f'--key={quoted(text)}: expected a key, as --key=G, or --key="e minor"')
    letter, raised, mode = found.groups()
    is_minor = (mode or '').startswith(('min', 'm')) and mode not in ('major', 'maj')
    is_minor |= mode is None and letter.islower()
    tonic = (NATURAL[letter.upper()] + RAISED[raised]) % 12
    return Key(tonic, 'minor' if is_minor else 'major')


def how_of_key(wanted: Key) -> tuple[str, dict]:
    """(the mode of a key; what files take that are in it instead of C major or A minor)."""
    stored = Key(TONICS[wanted.mode], wanted.mode)
    return wanted.mode, {'key': stored, 'semitones': -to_common_key(wanted)}


def opened(text: str, steps: int, voices: int, bar_steps: int, first: int = 0) -> np.ndarray:
    """What is open of a piece, bool [steps, voices]: voices and bars, by commas, as alto,3-4.

    With both, those voices are open in those bars. Bar 1 begins at the step `first`, after an
    upbeat. Raises ModelError.
    """
    names = [name.lower().replace(' ', '') for name in voice_names(voices)]
    bars = 1 + (np.arange(steps) - first) // bar_steps
    last = int(bars.max(initial=0))
    is_voice, is_bar = np.zeros(voices, bool), np.zeros(steps, bool)
    for word in text.lower().replace(' ', '').split(','):
        found = BARS.fullmatch(word)
        start, end = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if word in names:
            is_voice[names.index(word)] = True
        elif 0 < start <= end <= last:
            is_bar |= (bars >= start) & (bars <= end)
        else:
            raise ModelError(
                f'--open={quoted(text)}: expected voices ({", ".join(names)}), bars (1 to {last}),'
                f' as --open={names[-1]} or --open=1-{min(2, last)}; got {quoted(word, repr)}'
            )
    is_bar |= not is_bar.any()
    is_voice |= not is_voice.any()
    return is_bar[:, None] & is_voice


def outside(piece, lowest: int, highest: int) -> list[int]:
    """The pitches of a piece that are not from `lowest` to `highest`."""
    found = np.unique(piece[piece != REST] % AGAIN)
    return [int(pitch) for pitch in found if not lowest <= pitch <= highest]


def given(what: str, path, data: dict, bars: int = 0, openings: str = '') -> Given:
    """What a person's file gives a model that learned from such `data`; raises ModelError."""
    from tfgan.forms.music.sources import read_piece

    (_, voices), rows = data['shape'], data['rows']
    try:
        own = read_piece(os.fspath(path), rows)
    except SourceError as error:
        raise ModelError(str(error)) from error
    _check_voices(what, path, own.piece.shape[1], voices)
    piece = transposed(own.piece, own.semitones).astype(np.int32)
    _check_pitches(path, piece, own.semitones, rows)
    steps, told = len(piece), f'{_told(own.key)}, {_bars(len(piece), own)} bars'
    if what == 'begin':
        more = bars * own.bar_steps + (own.upbeat_steps - steps) % own.bar_steps
        piece = np.pad(piece, [(0, more), (0, 0)], constant_values=REST)
        known = np.arange(steps + more)[:, None] < np.full(voices, steps)
        told += f', and {bars} more'
    elif what == 'melody':
        piece = np.pad(piece, [(0, 0), (0, voices - 1)], constant_values=REST)
        known = np.zeros(piece.shape, bool)
        known[:, 0] = True
    else:
        known = ~opened(openings, steps, voices, own.bar_steps, own.upbeat_steps)
    key = Key(TONICS[own.key.mode], own.key.mode)
    how = {'bpm': own.tempo, 'bar_steps': own.bar_steps, 'key': key, 'semitones': -own.semitones}
    lead = -own.upbeat_steps % own.bar_steps
    return Given(piece, known, own.bar_steps, lead, own.key.mode, how, told)


def _check_voices(what, path, found, voices):
    """A melody has one voice, and all else as many as the model writes."""
    wanted = 1 if what == 'melody' else voices
    if what == 'melody' and voices == 1:
        raise ModelError('--melody: the model writes one voice alone, which harmonises nothing')
    if found == wanted:
        return
    names = ', '.join(voice_names(voices)).lower()
    ways = {
        'melody': f'--piece={typed(str(path))} --open={names.partition(", ")[2].replace(" ", "")}'
        ' keeps the highest of four voices',
        'begin': f'--melody={typed(str(path))} harmonises one voice, which can be gone on with',
        'piece': f'--melody={typed(str(path))} harmonises one voice',
    }
    raise ModelError(
        f'--{what}={quoted(path)}: it has {found} voice{"s" * (found != 1)}; expected {wanted}'
        f' ({"the melody" if wanted == 1 else names}). {ways[what]}'
    )


def _check_pitches(path, piece, moved, rows):
    lowest = MIDDLE - rows // OCTAVES * OCTAVES // 2
    if wrong := outside(piece, lowest, lowest + rows // OCTAVES * OCTAVES - 1):
        span = (_named(lowest - moved), _named(lowest + rows // OCTAVES * OCTAVES - 1 - moved))
        told = ', '.join(_named(pitch - moved) for pitch in wrong)
        raise ModelError(
            f'{quoted(path)}: in its key the model knows the notes from {span[0]} to {span[1]};'
            f' it has {told} too: move those by an octave'
        )


def _named(pitch):
    """A pitch as C4 is middle C."""
    return f'{NAMES[pitch % 12]}{pitch // 12 - 1}'


def _told(found):
    return f'{NAMES[found.tonic]} {found.mode}'


def _bars(steps, own):
    return -(-(steps - own.upbeat_steps) // own.bar_steps)
