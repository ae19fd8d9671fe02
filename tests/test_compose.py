"""Music of a model in files, made again by their recipes, and composed with a person's melody."""

import contextlib
import io
import runpy
import sys

import mido
import numpy as np
import pytest
from absl import app, flags
from music_stub import MusicStub

from tfgan import client, provenance
from tfgan.errors import ModelError
from tfgan.forms import pictures
from tfgan.forms.base import MUSIC, form_named

SEEDS = np.array([7, 8, 2**62, -3], np.int64)
TUNE = [67, 71, 74, 72, 71, 69, 67, 66, 67, 67, 67, 71, 74, 76, 74, 72, 71, 69, 67, 67]


app.define_help_flags()  # which `app.run` would do at its first call, among a command's own


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a melody in G major, of 20 quarters at 96 a minute."""
    track = mido.MidiTrack([mido.MetaMessage('set_tempo', tempo=mido.bpm2tempo(96))])
    for pitch in TUNE:
        track += [
            mido.Message('note_on', note=pitch),
            mido.Message('note_off', note=pitch, time=96),
        ]
    mido.MidiFile(tracks=[track], ticks_per_beat=96).save(tmp_path / 'mine.mid')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def model():
    return MusicStub()


@pytest.fixture
def command(place, model, monkeypatch):
    """Runs a command in this process with that model; its exit code or message, its output."""
    monkeypatch.setattr(client, 'load', lambda *_: model)
    monkeypatch.setattr(client, 'form_of', lambda _: model.form)

    def called(name, *words):
        known, out = set(flags.FLAGS), io.StringIO()
        monkeypatch.setattr(sys, 'argv', [name, *words])
        try:
            with contextlib.redirect_stdout(out):
                runpy.run_module(f'tfgan.{name}', run_name='__main__')
        except SystemExit as end:
            return end.code or 0, out.getvalue()
        finally:
            for flag in set(flags.FLAGS) - known:
                delattr(flags.FLAGS, flag)
            flags.FLAGS.unparse_flags()

    return called


def notes(path):
    """(channel or track's name, start in quarters, pitch) of all notes of a file."""
    found, file = [], mido.MidiFile(path)
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == 'note_on' and message.velocity:
                found.append((track.name, now / file.ticks_per_beat, message.note))
    return found


FILES = {
    'pieces.mid': {},
    'long.mid': {'bars': 9, 'key': 'e minor', 'bpm': 100},
    'pieces.musicxml': {},
    'piece.wav': {'bpm': 300},
    'rolls.png': {},
    'rolls.svg': {},
}


@pytest.mark.parametrize('name', FILES)
def test_files_are_made_again_byte_for_byte(model, tmp_path, name):
    seeds = SEEDS[:1] if name == 'piece.wav' else SEEDS
    model.write(tmp_path / name, seeds, **FILES[name])
    data, ending = (tmp_path / name).read_bytes(), pictures.ending(name)
    recipe = provenance.read(data)
    assert recipe['sha256'] == model.sha256
    assert [each['seed'] for each in recipe['drawings']] == seeds.tolist()
    found = model.again(recipe, ending)
    assert model.form.differ(ending, recipe, data, found) == ''
    other = model.again(recipe | {'drawings': [*recipe['drawings'][::-1], {'seed': 1}]}, ending)
    assert model.form.differ(ending, recipe, data, other) != ''


def test_a_folder_has_a_file_for_each_seed(model, tmp_path):
    model.write(f'{tmp_path}/pieces/', SEEDS[:2], label='minor')
    assert sorted(path.name for path in (tmp_path / 'pieces').iterdir()) == ['7.mid', '8.mid']
    recipe = provenance.read((tmp_path / 'pieces/8.mid').read_bytes())
    assert recipe['drawings'] == [{'seed': 8, 'label': 'minor'}]


def test_a_key_asks_for_its_mode(model, tmp_path):
    model.write(tmp_path / 'a.mid', SEEDS, key='e minor')
    told = provenance.read((tmp_path / 'a.mid').read_bytes())
    assert {each['label'] for each in told['drawings']} == {'minor'}
    with pytest.raises(ModelError, match='--key=H'):
        model.write(tmp_path / 'a.mid', SEEDS, key='H')


def test_a_melody_is_harmonised_and_stays_as_it_is(place, command):
    asked = '--model=toy', '--melody=mine.mid', '--out=a.mid', '--seed=3'
    code, out = command('compose', *asked)
    assert code == 0
    assert 'mine.mid: G major, 5 bars' in out
    found = notes(place / 'a.mid')
    mine = [(start, pitch) for _, start, pitch in notes(place / 'mine.mid')]
    soprano = [(start, pitch) for name, start, pitch in found if name == 'Soprano']
    joined = [pair for i, pair in enumerate(mine) if not i or mine[i - 1][1] != pair[1]]
    assert soprano in (mine, joined)  # A model that holds notes strikes none of them again.
    assert {name for name, *_ in found} > {'Soprano', 'Bass'}
    tempos = [each.tempo for each in mido.MidiFile(place / 'a.mid').tracks[0] if each.is_meta
              and each.type == 'set_tempo']  # fmt: skip
    assert [round(mido.tempo2bpm(each)) for each in tempos] == [96]
    recipe = provenance.read((place / 'a.mid').read_bytes())
    assert recipe['source'] == provenance.COMPOSITE
    code, out = command('whence', 'a.mid', '--model=toy')
    assert code == 2
    assert 'what a person drew or wrote is in it' in out and 'cannot be drawn again' in out


def test_a_model_writes_music_by_flags(place, command):
    flags = '--model=toy', '--num=2', '--seed=7', '--bars=9', '--key=e', '--bpm=100'
    assert command('sample', *flags, '--out=a.mid')[0] == 0
    code, out = command('whence', 'a.mid', '--model=toy', '--out=b.mid')
    assert code == 0 and 'Drawn again it is the same.' in out
    assert (place / 'a.mid').read_bytes() == (place / 'b.mid').read_bytes()
    code, _ = command('sample', '--model=toy', '--paper=a4', '--out=a.mid')
    assert '--paper: the model has none, for it makes music' in code


def test_what_was_harmonised_is_gone_on_with_and_filled(place, model):
    given = model.read('melody', place / 'mine.mid')
    piece = model.compose(given, [1])
    form_named(MUSIC).write(str(place / 'whole.mid'), piece, [1], **given.how)
    begun = model.read('begin', place / 'whole.mid', bars=2)
    longer = model.compose(begun, [5])
    assert longer.shape == (1, 80 + 32, 4)
    assert (longer[0, :80] == begun.pitch[:80]).all()
    filled = model.read('piece', place / 'whole.mid', opened='alto,2-3')
    found = model.compose(filled, [5, 6])
    assert (found[:, filled.known] == filled.pitch[filled.known]).all()
    assert (found[0] != found[1])[16:48, 1].any()


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        ([], '--melody=mine.mid is harmonised'),
        (['--melody=a.mid', '--begin=a.mid'], '--melody and --begin: one of them at a time'),
        (['--piece=a.mid'], '--open=alto,tenor'),
        (['--melody=a.mid', '--bars=3'], '--bars is how long --begin goes on'),
        (['--melody=a.mid', '--out=a.doc'], 'it can be written as .mid, .musicxml, .wav'),
        (['--melody=absent.mid'], 'absent.mid cannot be read: there is no such file'),
        (['--melody=a.mid', '--notation', '--out=x.mid'], '--notation is for .svg'),
    ],
)
def test_what_cannot_be_composed_is_refused_with_a_way_on(command, flags, words):
    code, _ = command('compose', '--model=toy', *flags)
    assert words in code
