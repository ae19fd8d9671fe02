"""A run that was made before fingerprints were kept (format 4) goes on, and its export draws."""

import json
import pathlib
import shutil

import pytest

import tfgan
from tfgan import config
from tfgan.errors import RunError
from tfgan.training import reporter, run_dir
from tfgan.training.run import Run

# Made by --steps=40 --width=8 --depth=1 --channels=2 --latent_size=4 --batch_size=4
# --objective=hinge on the embedded drawings.
BEFORE = pathlib.Path(__file__).parent / 'run_of_format_4'
SETTINGS = dict(width=8, depth=1, channels=2, latent_size=4, batch_size=4, objective='hinge')
SETTINGS |= dict(architecture='hybrid', generator_rate=1.0)  # the defaults of that time


@pytest.fixture
def directory(tmp_path):
    return pathlib.Path(shutil.copytree(BEFORE, tmp_path / 'v[2]'))


def test_it_goes_on(directory, monkeypatch, capsys):
    monkeypatch.setattr(reporter.Report, 'look', lambda self: None)  # without scores
    settings = config.make(steps=60, **SETTINGS)
    run = Run(directory, settings)
    assert run.train().step == 60
    said = capsys.readouterr().out
    assert 'was to train for --steps=40. At step 40 it has had 40 of now 60 steps' in said
    assert f'continuing {directory} at step 40' in said
    now = json.loads((directory / 'config.json').read_text())
    data = run.source.summary() | {run_dir.FINGERPRINT: run.source.fingerprint}
    assert now == {'format': 4, 'form': 'drawing', 'config': vars(settings), 'data': data}
    with pytest.raises(RunError, match='--steps=60'):
        Run(directory, config.make(steps=40, **SETTINGS)).train()


def test_its_export_draws(directory, tmp_path):
    model = tmp_path / 'm[1]'
    (model / '0001').mkdir(parents=True)
    assert Run(directory).export(model) == model / '2'
    exported = tfgan.load(model)
    drawn = exported.draw([3, 4]).astype(int)
    assert drawn.shape == (2, 28, 28, 1) and drawn.std() > 1
    assert exported.card.step == 40 and exported.card.form == 'drawing'
