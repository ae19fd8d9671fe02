"""A run that was made before fingerprints were kept (format 4) goes on, and its export draws."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import tfgan
from tfgan import config
from tfgan.errors import RunError
from tfgan.forms.base import open_source
from tfgan.gan.gan import Gan
from tfgan.saved_model import writer
from tfgan.training import loop, reporter, run_dir
from tfgan.training.checkpoints import Checkpoints

# Made by --steps=40 --width=8 --depth=1 --channels=2 --latent_size=4 --batch_size=4
# --objective=hinge on the embedded drawings.
BEFORE = pathlib.Path(__file__).parent / 'run_of_format_4'
SETTINGS = dict(width=8, depth=1, channels=2, latent_size=4, batch_size=4, objective='hinge')


@pytest.fixture
def directory(tmp_path):
    return pathlib.Path(shutil.copytree(BEFORE, tmp_path / 'v[2]'))


def test_it_goes_on(directory, monkeypatch, capsys):
    monkeypatch.setattr(reporter.Report, 'look', lambda self: None)  # without scores
    source = open_source('doodles')
    settings = config.make(steps=60, **SETTINGS)
    data = source.summary() | {run_dir.FINGERPRINT: source.fingerprint}
    gan = Gan(settings, source.shape, source.shares)
    with run_dir.Run(directory, settings, data):
        facts = loop.train(gan, source, directory, loop.Stop())
    said = capsys.readouterr().out
    assert 'was to train for --steps=40. At step 40 it has had 40 of now 60 steps' in said
    assert f'continuing {directory} at step 40' in said
    assert facts['step'] == int(gan.step) == 60
    now = json.loads((directory / 'config.json').read_text())
    assert now == {'format': 4, 'config': vars(settings), 'data': data}
    with pytest.raises(RunError, match='--steps=60'):
        run_dir.Run(directory, config.make(steps=40, **SETTINGS), data)


def test_its_export_draws(directory, tmp_path):
    run = run_dir.read(directory)
    settings = run_dir.settings(directory, run)
    counts = np.array(run['data']['class_counts'])
    gan = Gan(settings, run['data']['shape'], counts / counts.sum())
    assert Checkpoints(directory, gan).restore()
    model = tmp_path / 'm[1]'
    (model / '0001').mkdir(parents=True)
    facts = {'name': 'm', 'data': run['data'], 'step': 40, 'images_seen': 160, 'secs': 1.0}
    assert writer.write(gan, model, facts | {'scores': {}}) == model / '2'
    drawn = tfgan.load(model).draw([3, 4]).astype(int)
    assert drawn.shape == (2, 28, 28, 1) and drawn.std() > 1
    assert abs(drawn - gan.draw([3, 4])).max() <= 1
