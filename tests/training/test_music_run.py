"""A run on music from start to finish, each command in a process of its own."""

import json

import numpy as np
import pytest
from commands import TOY, run
from PIL import Image

from tfgan import config, provenance
from tfgan.errors import ConfigError
from tfgan.saved_model import card
from tfgan.training.run import Run

FLAGS = ['--dataset=jsb:tunes.json', '--steps=6', *TOY, '--channels=2']


def tunes(rng, count):
    """Pieces of 96 sixteenths for four voices that move by steps of a scale."""
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    walks = np.array([14, 10, 6, 1]) + rng.integers(-1, 2, [count, 24, 4]).cumsum(axis=1)
    return (48 + 12 * (walks // 7) + scale[walks % 7]).repeat(4, axis=1).clip(36, 83).tolist()


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    cwd, rng = tmp_path_factory.mktemp('music'), np.random.default_rng(0)
    splits = {name: tunes(rng, 8) for name in ('train', 'valid', 'test')}
    (cwd / 'tunes.json').write_text(json.dumps(splits))
    return cwd, *run(cwd, 'train', *FLAGS)


def test_music_trains_to_an_export(trained):
    cwd, out, err = trained
    assert err == ''
    assert '* architecture    beats' in out and '* preset          music' in out
    assert 'pieces/s' in out and 'images' not in out[out.index('strategy') :]
    following = [line.split()[2] for line in out.splitlines() if ' -m tfgan.' in line]
    assert following == ['tfgan.sample', 'tfgan.compose', 'tfgan.evaluate', 'tfgan.serve']
    facts = card.read(cwd / 'saved_models/music-tunes/1')
    assert facts.form == 'music' and facts.data['shape'] == [64, 4]
    assert 'beats_in_chord' in facts.scores
    assert not (cwd / 'runs/music-tunes/encoder').exists()
    samples = cwd / 'runs/music-tunes/samples'
    assert Image.open(samples / 'walk.gif').n_frames > 1
    assert provenance.read((samples / 'real.png').read_bytes())['as'] == 'real pieces'


def test_tensorboard_shows_rolls_and_plays_pieces(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(trained[0] / 'runs/music-tunes/tensorboard'), {'tensors': 0})
    events.Reload()
    tags = set(events.Tags()['tensors'])
    assert tags >= {'pieces', 'real', 'walk', 'sound/pieces', 'sound/real', 'score/beats_in_chord'}


@pytest.mark.parametrize(
    ('dataset', 'architecture', 'known'),
    [('jsb:tunes.json', 'pen', 'beats, bars'), ('doodles', 'beats', 'pen, pen_gru')],
)
def test_a_pair_of_another_form_is_refused(dataset, architecture, known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'tunes.json').write_text('{}')
    with pytest.raises(ConfigError, match=f'--architecture={architecture}.*{known}'):
        Run('runs/x', config.make(dataset=dataset, architecture=architecture))
    assert not (tmp_path / 'runs').exists()
