import contextlib
import random
import re
import struct
import time
import tracemalloc

import mido
import numpy as np
import pytest
from midi_writing import midi, saved, signature, tempo, track_of

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.music.pieces import AGAIN, REST, Note, notes_of, piece_of
from tfgan.forms.music.sources import midi as reader
from tfgan.forms.music.sources import read_piece, readings

END = b'\0\xff\x2f\0'
ON, OFF = b'\0\x90\x40\x40', b'\x83\x60\x80\x40\x00'  # a quarter of 480 ticks


def chorale(bars=5, tonic=60, seed=0):
    """Four voices that never meet, with held notes and repeated ones: int32 [16 * bars, 4]."""
    rng = np.random.default_rng(seed)
    notes = []
    for voice, low in enumerate((12, 7, 0, -12)):
        for bar in range(bars):
            for start, length in ((0, 8), (8, 2), (10, 2), (12, 4)):
                pitch = tonic + low + int(rng.choice([0, 2, 4]))
                notes.append(Note(voice, 16 * bar + start, length, pitch))
    return piece_of(notes, 16 * bars, 4)


def read(data) -> readings.Reading:
    [found] = reader.readings(data)
    return found


def melody(*pitches, steps=4):
    return np.repeat(np.array(pitches, np.int32)[:, None], steps, axis=0)


@pytest.mark.parametrize(
    'how',
    [
        {},
        {'kind': 0, 'tracks': [0] * 4, 'channels': [0, 1, 2, 3]},
        {'kind': 0, 'tracks': [0] * 4, 'channels': [0, 1, 2, 3], 'velocity_off': True},
        {'tracks': [0, 0, 1, 1], 'channels': [0, 1, 0, 1]},
        {'tracks': [3, 1, 2, 0]},  # the bass comes first
        {'tracks': [0] * 4},  # all in one channel
        {'tracks': [0, 0, 1, 1]},  # a piano's two hands
        {'ticks': 96},
        {'ticks': 10_080},
        {'ticks': 4},
    ],
)
def test_four_voices_are_read_alike_however_they_are_written(how):
    piece = chorale()
    assert (piece >= AGAIN).sum() > 10
    found = read(midi(piece, **how))
    np.testing.assert_array_equal(found.piece, piece)
    assert (found.off, found.bar_steps, found.bars.tolist()) == (0, 16, [0, 16, 32, 48, 64])


@pytest.mark.parametrize('voices', [1, 2, 3])
@pytest.mark.parametrize('in_one', [False, True])
def test_fewer_voices(voices, in_one):
    piece = chorale()[:, :voices]
    how = {'tracks': [0] * voices} if in_one else {}
    np.testing.assert_array_equal(read(midi(piece, **how)).piece, piece)


def test_voices_in_unison_are_told_apart_where_each_has_its_track():
    piece = chorale()
    piece[24:32, 1] = piece[24:32, 0] = piece[24:32, 0] % AGAIN
    np.testing.assert_array_equal(read(midi(piece)).piece, piece)


def test_voices_of_chords_sing_in_unison_where_one_is_missing():
    piece = chorale()
    piece[32:40, 0] = piece[24:32, 1].max() % AGAIN
    piece[32:40, 1] = REST
    in_one = read(midi(piece, tracks=[0] * 4)).piece
    np.testing.assert_array_equal(in_one[32:40, 0] % AGAIN, in_one[32:40, 1] % AGAIN)
    np.testing.assert_array_equal(in_one[:, [0, 2, 3]], piece[:, [0, 2, 3]])


def test_one_of_two_voices_in_one_channel_rests():
    piece = chorale()[:, [0, 3]]
    piece[16:24, 0] = REST
    piece[48:52, 1] = REST
    piece = piece_of(notes_of(piece), len(piece), 2)
    np.testing.assert_array_equal(read(midi(piece, tracks=[0, 0])).piece, piece)


def test_percussion_and_parts_that_double_others_are_no_voices():
    piece = np.concatenate([chorale(), chorale()[:, :1], chorale(seed=9)[:, :2]], axis=1)
    how = {'tracks': [0, 1, 2, 3, 4, 5, 5], 'channels': [0, 1, 2, 3, 4, 9, 9]}
    np.testing.assert_array_equal(read(midi(piece, **how)).piece, chorale())


def test_a_file_of_type_2_has_several_pieces(tmp_path):
    piece = chorale(6)
    data = midi(piece, kind=2)
    found = list(reader.readings(data))
    assert [each.name for each in found] == ['track 1', 'track 2', 'track 3', 'track 4']
    for voice, each in enumerate(found):
        np.testing.assert_array_equal(each.piece, piece[:, voice : voice + 1])
    (tmp_path / 'a.mid').write_bytes(data)
    with pytest.raises(SourceError, match='has 4 pieces; give a file of one: track 1, track 2'):
        read_piece(str(tmp_path / 'a.mid'))
    assert len(open_source(f'midi:{tmp_path}/a.mid')) == 4 * 3


def of_notes(*events):
    """A file of (tick, 'on' or 'off', pitch)."""
    messages = [(at, mido.Message(f'note_{kind}', note=pitch)) for at, kind, pitch in events]
    return saved(mido.MidiFile(tracks=[track_of(messages)]))


@pytest.mark.parametrize(
    ('events', 'expected'),
    [
        # A note is struck again before it has ended, and its end comes after.
        ([(0, 'on', 60), (480, 'on', 60), (480, 'off', 60), (960, 'off', 60)], [60, 60 + AGAIN]),
        ([(0, 'on', 60), (480, 'on', 60), (960, 'off', 60)], [60, 60 + AGAIN]),
        # Notes overlap a little, as people play.
        ([(0, 'on', 60), (480, 'on', 62), (500, 'off', 60), (960, 'off', 62)], [60, 62]),
        # Notes are a little early and late.
        ([(10, 'on', 60), (470, 'off', 60), (490, 'on', 62), (950, 'off', 62)], [60, 62]),
        # An end without a beginning; a note without an end lasts as long as its track.
        ([(0, 'off', 61), (0, 'on', 60), (480, 'off', 60), (960, 'off', 60)], [60]),
        ([(0, 'on', 60), (480, 'off', 60), (480, 'on', 62), (960, 'off', 99)], [60, 62]),
        # A note of no length is none.
        ([(0, 'on', 60), (480, 'off', 60), (480, 'on', 62), (480, 'off', 62)], [60]),
        ([(480, 'on', 60), (960, 'off', 60)], [REST, 60]),
    ],
)
def test_notes_of_one_channel(events, expected):
    found = read(of_notes(*events)).piece[:, 0]
    assert len(found) == 4 * len(expected)
    np.testing.assert_array_equal(found[::4], expected)
    np.testing.assert_array_equal(found[1::4] % AGAIN, np.array(expected) % AGAIN)


def test_a_short_note_lasts_a_sixteenth():
    data = of_notes((0, 'on', 60), (10, 'off', 60), (480, 'on', 62), (500, 'off', 62))
    assert read(data).piece[:, 0].tolist() == [60, REST, REST, REST, 62]


def test_how_far_notes_were_off_the_beat_is_told_and_too_far_is_refused(tmp_path):
    assert read(midi(chorale(), swing=24)).off == pytest.approx(0.1)
    (tmp_path / 'a.mid').write_bytes(midi(chorale(), swing=24))
    assert '0.10 sixteenths off the beat' in open_source(f'midi:{tmp_path}').notes['remarks']
    (tmp_path / 'b.mid').write_bytes(midi(chorale(), swing=59))
    with pytest.raises(SourceError, match='sixteenths off the beat, on average: quantise it'):
        read_piece(f'{tmp_path}/b.mid')


def test_metre_and_tempo_are_those_of_the_file(tmp_path):
    tune = melody(*[60, 62, 64] * 8)
    assert read(midi(tune)).bar_steps == 16
    for beats, unit, bar in ((3, 4, 12), (2, 4, 8), (6, 8, 12), (4, 4, 16), (5, 4, 20)):
        found = read(midi(tune, (0, signature(beats, unit)), (0, tempo(90)), (960, tempo(50))))
        assert (found.bar_steps, found.bars[:2].tolist()) == (bar, [0, bar])
        assert found.tempo == pytest.approx(90, abs=1e-3)


def test_bars_of_another_length_do_not_begin_a_window():
    tune = melody(*[60, 62, 64] * 12)
    changes = (0, signature(1, 4)), (480, signature(3, 4)), (480 * 7, signature(2, 4))
    found = read(midi(tune, *changes, (480 * 9, signature(3, 4))))
    assert (found.bar_steps, found.bars.tolist()) == (12, [4, 16, *range(36, 144, 12)])


def test_an_upbeat_is_found_where_a_file_has_bars_but_begins_with_it():
    tune = np.concatenate([melody(67), *[melody(60, 60, 62, 64)] * 6])
    assert read(midi(tune, (0, signature(4, 4)))).bars[0] == 4
    rest = np.full([16, 1], REST)
    assert read(midi(np.concatenate([rest, tune]), (0, signature(4, 4)))).bars[0] == 0


def test_a_time_signature_that_cannot_be_is_passed_over():
    for damaged in (b'\0\xff\x58\4\0\2\x18\x08', b'\0\xff\x58\4\4\xff\x18\x08'):
        assert read(header() + track(damaged + ON + OFF + END)).bar_steps == 16


def test_one_persons_piece_is_as_it_is_and_says_how_to_move_it(tmp_path):
    piece = chorale(tonic=62)
    path = tmp_path / 'mine.mid'
    path.write_bytes(midi(piece, (0, tempo(72))))
    found = read_piece(str(path), rows=50)
    np.testing.assert_array_equal(found.piece, piece)
    assert found.piece.dtype == np.int32
    assert (*found.key, found.bar_steps, found.upbeat_steps) == (2, 'major', 16, 0)
    assert (round(found.tempo), found.semitones) == (72, -2)
    path.write_bytes(midi(piece + 24))
    assert read_piece(str(path), rows=50).semitones == -26
    assert read_piece(str(path)).semitones == -14


@pytest.mark.parametrize(
    ('name', 'data', 'why'),
    [
        ('a.mid', None, 'there is no such file'),
        ('a.mp3', b'ID3', r'read are .mid, .midi and .abc; notation programs .* export MIDI'),
        ('a.mid', b'', 'no whole MIDI file: it ends too early'),
        ('a.mid', b'RIFF    WAVE', 'no whole MIDI file'),
        ('a.MIDI', b'MThd\0\0\0\6\0\0\0\0\0\1', 'no notes in it'),
    ],
)
def test_what_is_no_piece_is_refused_with_the_reason(tmp_path, name, data, why):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=why):
        read_piece(str(tmp_path / name))


def test_five_notes_at_once_are_refused():
    five = np.concatenate([chorale(), chorale()[:, :1] + 12], axis=1)
    for tracks in (None, [0] * 5):
        with pytest.raises(SourceError, match='5 to 5 notes at once; read are one melody, or two'):
            read(midi(five, tracks=tracks))


# Folders of files


def written(folder, **files):
    """Files of pieces by their paths with __ between folders."""
    for name, piece in files.items():
        path = folder.joinpath(*f'{name}.mid'.split('__'))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(piece if isinstance(piece, bytes) else midi(piece))


def test_windows_tell_notes_struck_again(tmp_path):
    piece = chorale(4)
    piece[0] += 0
    written(tmp_path, a=piece)
    found = open_source(f'midi:{tmp_path}')
    assert (found.notes['rows'], found.shape) == (50, (64, 4))
    np.testing.assert_array_equal(found.images([0])[0], piece)
    later = np.concatenate([np.repeat(piece[:1], 16, axis=0), piece])
    later[16:24] = later[:1]
    later[16] += AGAIN
    (tmp_path / 'a.mid').write_bytes(midi(later, (0, signature(4, 4))))
    second = open_source(f'midi:{tmp_path}').images([1])[0]
    np.testing.assert_array_equal(second[0], later[16] - AGAIN)  # a window begins all its notes
    np.testing.assert_array_equal(second[1:], later[17:80])


def test_files_of_another_number_of_voices_or_that_cannot_be_read_are_left_out(tmp_path, capsys):
    written(tmp_path, a=chorale(), b=chorale(seed=1), c=chorale()[:, :2], d=b'MThd', e=chorale(2))
    (tmp_path / 'README.txt').write_text('')
    found = open_source(f'midi:{tmp_path}')
    assert len(found) == 4
    assert found.notes['left_out'] == {
        '2 voices where most have 4': 1,
        'no whole MIDI file: it ends too early': 1,
        'shorter than four bars': 1,
    }
    told = capsys.readouterr().err
    assert '3 left out' in told and 'd.mid: no whole MIDI file' in told
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'README.txt').write_text('')
    with pytest.raises(SourceError, match=r'needs \.mid \.midi files; there are README\.txt'):
        open_source(f'midi:{tmp_path}/other')


def test_class_folders_are_labels_and_split_folders_are_splits(tmp_path):
    written(tmp_path / 'own', jazz__a=chorale(), folk__b=chorale(4))
    found = open_source(f'midi:{tmp_path}/own')
    assert (found.class_names, found.labels.tolist()) == (('folk', 'jazz'), [0, 1, 1])
    files = dict(set__train__jazz__a=chorale(), set__train__folk__b=chorale(4))
    written(tmp_path / 'both', set__test__jazz__c=chorale(6), **files)
    text = f'midi:{tmp_path}/both'
    found = open_source(text)
    assert (found.class_names, len(found), found.notes['split']) == (('folk', 'jazz'), 3, 'train')
    assert (len(open_source(text, split='test')), len(open_source(text, split='all'))) == (3, 6)
    with pytest.raises(SourceError, match='has the splits test, train'):
        open_source(text, split='valid')
    with pytest.raises(SourceError, match='has no splits; leave it out'):
        open_source(f'midi:{tmp_path}/own', split='train')


def test_files_beside_folders_are_labelled_by_their_modes(tmp_path):
    written(tmp_path, jazz__a=chorale(), b=chorale())
    assert open_source(f'midi:{tmp_path}').class_names == ('major',)


# Other programs' files


def test_what_music21_writes_is_what_it_and_pretty_midi_read(tmp_path):
    music21 = pytest.importorskip('music21')
    pretty_midi = pytest.importorskip('pretty_midi')
    for name in ('bwv66.6', 'bwv269'):
        path = str(tmp_path / f'{name}.mid')
        score = music21.corpus.parse(f'bach/{name}')
        score.write('midi', path)
        found = read_piece(path)
        parts = music21.converter.parse(path).parts
        theirs = pretty_midi.PrettyMIDI(path)
        for voice, (part, instrument) in enumerate(zip(parts, theirs.instruments, strict=True)):
            ours = [(n.start, n.pitch) for n in notes_of(found.piece[:, voice : voice + 1])]
            notes = part.flatten().stripTies().notes
            assert ours == [(round(4 * float(n.offset)), n.pitch.midi) for n in notes]
            ticks = [theirs.time_to_tick(note.start) for note in instrument.notes]
            steps = [round(4 * tick / theirs.resolution) for tick in ticks]
            assert ours == list(zip(steps, [note.pitch for note in instrument.notes]))
        beats = score.recurse().getElementsByClass('TimeSignature')[0]
        first = score.parts[0].getElementsByClass('Measure')[0].duration.quarterLength
        expected = 4 * beats.barDuration.quarterLength
        assert (found.bar_steps, found.upbeat_steps) == (expected, 4 * first % expected)


# Damaged and hostile files


def header(kind=1, tracks=1, ticks=480):
    return b'MThd' + struct.pack('>LHHH', 6, kind, tracks, ticks)


def track(data, length=None):
    return b'MTrk' + struct.pack('>L', len(data) if length is None else length) + data


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A file with some bytes changed, taken away or put in; half keep what is no status byte."""
    data = bytearray(data)
    if rng.random() < 0.5:
        numbers = [place for place, byte in enumerate(data) if byte < 128]
        for place in rng.sample(numbers, rng.randint(1, 6)):
            data[place] = rng.choice([0, 1, 127, rng.randrange(128)])
        return bytes(data)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data)) if data else 0
        match rng.randrange(4):
            case 0:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[place : place + rng.randint(1, 40)]
            case 2:
                data[place:place] = rng.randbytes(rng.randint(1, 20))
            case 3:
                del data[place:]
    return bytes(data)


def test_damaged_files_are_read_left_out_or_refused(tmp_path, full):
    piece, rng = chorale(), random.Random(22)
    ways = [{}, {'kind': 0, 'tracks': [0] * 4}, {'kind': 2}, {'velocity_off': True, 'ticks': 96}]
    good = [midi(piece, (0, signature(4, 4)), (0, tempo(80)), **how) for how in ways]
    path = tmp_path / 'a.mid'
    refused, count = [], 2000 if full else 100
    for _ in range(count):
        path.write_bytes(damaged(rng, rng.choice(good)))
        begun = time.process_time()
        try:
            found = read_piece(str(path)).piece
        except SourceError as error:
            refused.append(str(error))
        else:
            assert found.dtype == np.int32 and found.shape[1] <= 4
            assert found.min() >= REST and found.max() < 2 * AGAIN
        assert time.process_time() - begun < 2
    assert 0.5 * count < len(refused) < 0.95 * count
    plain = re.compile(r'.*a\.mid (cannot be read: .+|has \d pieces; give a file of one: .+)')
    assert all(map(plain.fullmatch, refused))


@pytest.mark.long
def test_a_folder_of_damaged_files_is_opened(tmp_path, capsys):
    rng, good = random.Random(23), midi(chorale())
    for number in range(2000):
        data = damaged(rng, good) if number else good
        (tmp_path / f'{number}.mid').write_bytes(data)
    found = open_source(f'midi:{tmp_path}')
    assert found.images(np.arange(len(found))).shape[1:] == (64, 4)
    assert sum(found.notes['left_out'].values()) > 500


SIZE = readings.MOST_BYTES // 8  # all that a file may have takes eight times as long


def filled(unit):
    """As many of some bytes as a file has room for."""
    return unit * ((SIZE - 100) // len(unit))


HOSTILE = {
    'a number without end': header() + track(b'\x80' * (readings.MOST_BYTES - 50)),
    'numbers that are long': header() + track(filled(b'\x81' * 999 + ON) + END),
    'a delay of years': header() + track(ON + b'\xff\xff\xff\x7f\x80\x40\0' + END),
    'a delay of ages': header() + track(ON + b'\xff' * 300 + b'\x7f\x80\x40\0' + END),
    '65,535 tracks': header(tracks=65_535) + track(END) * 65_535,
    '32,767 tracks': header(tracks=32_767) + track(END) * 32_767,
    'a length that is none': header() + track(ON + OFF + END, 0xFFFFFFFF),
    'an exclusive message without end': header() + track(b'\0\xf0\xff\xff\xff\x7f' + b'\1' * 999),
    'notes that never end': header(ticks=4) + track(filled(ON + b'\0\x90\x41\x40') + END),
    'all notes at once': header(ticks=1)
    + track(b''.join(b'\0\x90%c@' % note for note in range(128)) + b'\xb8\x0f\x80\0\0' + END),
    'metres': header(ticks=4) + track(ON + filled(b'\0\xff\x58\4\4\2\x18\x08') + OFF + END),
    'no beats': header(ticks=0) + track(ON + OFF + END),
    'frames of a film': header(ticks=0xE728) + track(ON + OFF + END),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files_take_little_time_and_memory(name, tmp_path):
    (tmp_path / 'a.mid').write_bytes(HOSTILE[name])
    begun = time.process_time()
    with contextlib.suppress(SourceError):
        assert len(read_piece(str(tmp_path / 'a.mid')).piece) <= readings.MOST_STEPS
    assert time.process_time() - begun < 5


@pytest.mark.parametrize('name', ['a delay of years', 'a delay of ages'])
def test_a_delay_of_years_is_too_long(name):
    with pytest.raises(SourceError, match='longer than 28,800 sixteenths'):
        read(HOSTILE[name])


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / 'a.mid', 'wb') as file:
        file.write(midi(chorale()))
        file.truncate(1 << 32)
    tracemalloc.start()
    with pytest.raises(SourceError, match='more than 1 MiB'):
        read_piece(str(tmp_path / 'a.mid'))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_piece_of_hours_is_left_out():
    hours = midi(melody(*[60, 62] * 3700))
    with pytest.raises(SourceError, match='longer than 28,800 sixteenths'):
        read(hours)
    assert len(read(midi(melody(*[60, 62] * 3600))).piece) == 28_800
    assert len(hours) < readings.MOST_BYTES
