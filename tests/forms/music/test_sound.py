"""What is heard is what the piece has: its pitches, its rests, and nothing that clicks or clips."""

import io
import time
import wave

import numpy as np
import pytest
from music_readers import random_piece

from tfgan.errors import ModelError
from tfgan.forms.music import pieces, sound
from tfgan.forms.music.playing import Playing

AGAIN, REST = pieces.AGAIN, pieces.REST
STEP = int(60 / 80 / 4 * sound.RATE)  # samples
CHORD = np.tile(np.array([[72, 67, 64, 48]], np.int32), [16, 1])


def read(data):
    """float64 [samples, 2] and the rate of a WAV file."""
    with wave.open(io.BytesIO(data)) as file:
        assert file.getsampwidth() == 2
        found = np.frombuffer(file.readframes(file.getnframes()), '<i2')
        return found.reshape(-1, file.getnchannels()) / 32768, file.getframerate()


def loudest(samples):
    """The hertz of the strongest peaks of a spectrum, and the share of power above 16 kHz."""
    heard = samples * np.hanning(len(samples))
    power = np.abs(np.fft.rfft(heard, 1 << 19)) ** 2
    hertz = np.fft.rfftfreq(1 << 19, 1 / sound.RATE)
    peaks = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] > power[2:])) + 1
    peaks = peaks[np.argsort(-power[peaks])]
    return hertz[peaks], power[hertz > 16_000].sum() / power.sum()


@pytest.mark.parametrize('pitch', [36, 57, 69, 83, 100])
def test_a_note_has_its_frequency_and_overtones(pitch):
    samples, rate = read(sound.wav(np.full([16, 1], pitch, np.int32)))
    assert rate == 44_100
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    peaks, _ = loudest(samples[STEP : 15 * STEP, 0])
    assert peaks[:3] == pytest.approx(hertz * np.array([1, 2, 3]), abs=0.3)


def test_a_chord_has_the_frequencies_of_its_notes_and_of_no_others():
    samples, _ = read(sound.wav(CHORD))
    peaks, _ = loudest(samples[STEP : 15 * STEP].sum(axis=1))
    notes = 440 * 2 ** ((CHORD[0] - 69) / 12)
    overtones = np.outer(notes, np.arange(1, 9)).ravel()
    assert all(np.abs(peaks[:12] - hertz).min() < 0.5 for hertz in notes)
    assert all(np.abs(overtones - peak).min() < 0.5 for peak in peaks[:12])


def test_rests_are_silent_and_notes_begin_at_once():
    piece = np.full([16, 2], REST, np.int32)
    piece[:4], piece[8:12, 1] = 60, 67
    samples, _ = read(sound.wav(piece))
    release = int(sound.RELEASE_SECS * sound.RATE) + 20
    assert len(samples) == pytest.approx(16 * STEP + release, abs=40)
    heard = np.abs(samples).max(axis=1) > 0
    assert not heard[4 * STEP + release : 8 * STEP].any() and not heard[12 * STEP + release :].any()
    for start in (0, 8 * STEP):
        assert np.abs(samples[start : start + STEP // 4]).max() > 0.05
    assert not sound.stereo(np.full([16, 4], REST, np.int32)).any()


def test_struck_again_is_heard():
    """A note that is struck again swells once more; a held one only fades."""
    held = np.full([16, 1], 60, np.int32)
    struck = held.copy()
    struck[8] += AGAIN

    def level(piece, at):
        samples, _ = read(sound.wav(piece))
        return np.sqrt(np.square(samples[at * STEP : (at + 1) * STEP]).mean())

    assert level(held, 8) / level(held, 7) < 1
    assert level(struck, 8) / level(struck, 7) > 1.2


def audible(piece):
    """A piece in the octaves from 36 to 83."""
    return np.where(piece == REST, REST, 36 + piece % AGAIN % 48 + AGAIN * (piece >= AGAIN))


@pytest.mark.parametrize('kind', ['random', 'chord', 'unison'])
def test_no_clipping_no_direct_current_no_clicks(kind):
    pieces_of = {
        'random': [audible(random_piece(np.random.default_rng(seed), 32)) for seed in range(6)],
        'chord': [CHORD],
        'unison': [np.full([16, 4], 60, np.int32), np.full([1, 4], 60, np.int32)],
    }
    for piece in pieces_of[kind]:
        samples, _ = read(sound.wav(piece))
        assert np.abs(samples).max() < 0.9
        if (piece != REST).any():
            assert np.abs(samples.mean(axis=0)).max() < 2e-4
        assert np.abs(samples[[0, -1]]).max() < 1e-3
        # A click has all frequencies.
        assert loudest(samples[: 1 << 19, 0])[1] < 1e-5


def test_few_and_many_voices_are_equally_loud():
    for piece in (CHORD, CHORD[:, :1], CHORD[:, 1:3]):
        samples, _ = read(sound.wav(piece))
        assert np.sqrt(np.square(samples).mean()) == pytest.approx(sound.LOUDNESS, rel=0.03)


def test_the_highest_voice_is_left_and_the_lowest_right():
    for voice, side in ((0, 0), (3, 1)):
        piece = np.full_like(CHORD, REST)
        piece[:, voice] = 60
        levels = np.square(sound.stereo(piece)).mean(axis=0)
        assert 1.5 < levels[side] / levels[1 - side] < 10
    assert np.square(sound.places(5)).sum(axis=1) == pytest.approx(1)


def test_tempo_transposition_and_repetition():
    quick = sound.stereo(CHORD, Playing(tempo_bpm=160))
    assert len(quick) == pytest.approx(8 * STEP + sound.RELEASE_SECS * sound.RATE, abs=30)
    higher = sound.stereo(CHORD[:, :1], Playing(semitones=12))
    assert np.array_equal(higher, sound.stereo(CHORD[:, :1] + 12))
    assert sound.wav(CHORD) == sound.wav(CHORD)


def test_many_pieces_have_a_channel_each():
    both = sound.samples(np.stack([CHORD, CHORD + 1]))
    assert both.dtype == np.float32 and both.shape == (2, len(sound.stereo(CHORD)))
    assert np.allclose(both[1], sound.stereo(CHORD + 1).mean(axis=1))


def test_what_lasts_for_hours_is_refused():
    with pytest.raises(ModelError, match=r'100,000 sixteenths at 80 quarters a minute'):
        sound.wav(np.full([100_000, 1], 60, np.int32))


def test_four_bars_take_well_under_a_second():
    """Of the processor's time, since others may use it too."""
    rng = np.random.default_rng(0)
    piece = rng.integers(40, 80, [64, 4])
    sound.tone.cache_clear()
    before = time.process_time()
    sound.wav(piece)
    assert time.process_time() - before < 0.7
