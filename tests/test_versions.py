"""A model's numbered versions."""

import json
import os

import pytest

from tfgan import config, latents, versions
from tfgan.gan import Gan

DATA = dict(dataset='noise', count=5, shape=[8, 8, 3], class_names=['a', 'b'], licence='none')
FACTS = dict(name='toy', data=DATA, step=1, images_seen=8, secs=2.0, scores={'far': 0.5})


@pytest.fixture(scope='module')
def gan():
    settings = config.make(steps=1, width=8, depth=1, latent_size=4, batch_size=8)
    return Gan(settings, (8, 8, 3), [0.5, 0.5])


def test_versions_count_up_by_number(gan, tmp_path):
    (tmp_path / '9').mkdir()
    (tmp_path / 'notes').mkdir()
    (tmp_path / '.tmp-left').mkdir()  # by an export that was killed
    assert versions.write(gan, tmp_path, FACTS) == tmp_path / '10'
    assert sorted(os.listdir(tmp_path)) == ['10', '9', 'notes']
    assert json.loads((tmp_path / '10/model.json').read_text())['latent_size'] == 4
    assert (tmp_path / '10').stat().st_mode & 0o055 == 0o055


def test_a_number_taken_meanwhile_is_passed_over(tmp_path, monkeypatch):
    for name in ('1', '2', 'draft'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'file').touch()
    monkeypatch.setattr(versions, 'numbers', lambda directory: [])
    assert versions._publish(tmp_path / 'draft', tmp_path) == tmp_path / '3'
    assert not (tmp_path / 'draft').exists()


def test_every_weight_is_stored_once(gan, tmp_path):
    version = versions.write(gan, tmp_path, FACTS)
    models = gan.average, gan.discriminator
    size = sum(v.numpy().nbytes for model in models for v in model.variables)
    stored = sum(path.stat().st_size for path in (version / 'variables').iterdir())
    size += latents.quantiles().nbytes  # which all signatures share
    assert size < stored < size + 4000
