"""The sound of pieces: a small organ whose pipes speak softly, made of sines."""

import functools
import io
import wave

import numpy as np

from tfgan.errors import ModelError
from tfgan.forms.music import midi_file, pieces
from tfgan.forms.music.playing import USUAL, Playing

RATE = 44_100  # samples a second
CHANNELS = 2
OVERTONES = np.array([1, 0.5, 0.22, 0.18, 0.06, 0.07, 0.03, 0.03], np.float32)  # from the first
MOST_HERTZ = 15_000  # of an overtone
ATTACK_SECS, RELEASE_SECS = 0.025, 0.08  # of a note, and after it
# A note is a little stronger where it begins, so that one that is struck again is heard.
ACCENT, ACCENT_SECS = 0.8, 0.15
WIDTH = 0.35  # how far the outer voices are from the middle, of 1
LOUDNESS = 0.1  # root of the mean square of what sounds: -20 dB of full scale
PEAK = 0.89  # -1 dB, that no sample is above
MOST_SECS = 3600


def wav(piece, how: Playing = USUAL) -> bytes:
    """A WAV file of 16 bits in stereo; raises ModelError for what is too long or out of range."""
    data = io.BytesIO()
    with wave.open(data, 'wb') as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.int16(np.rint(stereo(piece, how) * 32767)).astype('<i2').tobytes())
    return data.getvalue()


def samples(raw, how: Playing = USUAL) -> np.ndarray:
    """Pieces [n, steps, voices] as one channel each: float32 [n, samples] in [-1, 1]."""
    return np.stack([stereo(piece, how).mean(axis=1) for piece in np.asarray(raw)])


def stereo(piece, how: Playing = USUAL) -> np.ndarray:
    """A piece as float32 [samples, 2] in [-1, 1], which ends when its last note has faded."""
    steps, voices = piece.shape
    if steps * how.step_secs > MOST_SECS:
        raise ModelError(
            f'{steps:,} sixteenths at {how.tempo_bpm:g} quarters a minute are more than'
            f' {MOST_SECS:,} seconds of sound; write .mid, or play it faster'
        )
    count = int((steps * how.step_secs + RELEASE_SECS) * RATE) + 1
    mixed, place = np.zeros([CHANNELS, count], np.float32), places(voices)[..., None]
    for note in midi_file.checked(pieces.notes_of(piece), how):
        start, end = (
            int(at * how.step_secs * RATE) for at in (note.start, note.start + note.length)
        )
        sound = tone(note.pitch, end - start)
        mixed[:, start : start + len(sound)] += place[note.voice] * sound
    mixed *= gain(mixed)
    return mixed.T


@functools.lru_cache(256)
def tone(pitch: int, held: int) -> np.ndarray:
    """A note that is held for so many samples, and fades after them: float32 [samples]."""
    at = np.arange(held + int(RELEASE_SECS * RATE))
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    turn = (hertz / RATE * at % 1).astype(np.float32) * np.float32(2 * np.pi)
    # The sum of strength_k sin(k turn) by Clenshaw's recurrence, which takes two sines for all k.
    twice, one, two = 2 * np.cos(turn), np.float32(0), np.float32(0)
    for strength in OVERTONES[: max(1, int(MOST_HERTZ / hertz))][::-1]:
        one, two = strength + twice * one - two, one
    found = one * np.sin(turn)
    secs = (at / RATE).astype(np.float32)
    risen = _smooth(secs / ATTACK_SECS)
    fallen = _smooth((len(at) - at) / (RELEASE_SECS * RATE))
    return found * risen * fallen * (1 + ACCENT * np.exp(-secs / ACCENT_SECS))


def _smooth(share):
    """From 0 to 1 without a corner, which would click."""
    return (0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))).astype(np.float32)


def places(voices: int) -> np.ndarray:
    """How loud each voice is left and right, of equal power: float32 [voices, 2].

    The highest stands left, as in most choirs.
    """
    angle = np.pi / 4 * (1 + WIDTH * np.linspace(-1, 1, voices) * (voices > 1))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def gain(mixed: np.ndarray) -> np.float32:
    """What makes pieces [2, samples] of few and many voices equally loud, below full scale."""
    power = np.square(mixed).sum(axis=0)
    heard = np.count_nonzero(power)
    if not heard:
        return np.float32(0)
    loudness = np.sqrt(power.sum(dtype=np.float64) / heard / CHANNELS)
    return np.float32(min(LOUDNESS / loudness, PEAK / np.abs(mixed).max()))
