"""A model's numbered versions."""

import dataclasses
import json
import os
import shlex
import threading

import pytest

from tfgan import config, latents, storage
from tfgan.errors import StorageError
from tfgan.gan.gan import Gan
from tfgan.saved_model import writer
from tfgan.saved_model.card import ModelCard

DATA = dict(dataset='noise', count=5, shape=[8, 8, 3], class_names=['a', 'b'], licence='none')
SETTINGS = config.make(steps=1, width=8, depth=1, latent_size=4, batch_size=8)
CARD = ModelCard(
    name='toy',
    data=DATA,
    step=1,
    images_seen=8,
    secs=2.0,
    scores={'far': 0.5},
    config=vars(SETTINGS),
)


@pytest.fixture(scope='module')
def gan():
    return Gan(SETTINGS, (8, 8, 3), [0.5, 0.5])


def test_versions_count_up_by_number(gan, tmp_path):
    (tmp_path / '9').mkdir()
    (tmp_path / 'notes').mkdir()
    (tmp_path / '.tmp-left').mkdir()  # by an export that was killed
    assert writer.write(gan, tmp_path, CARD) == tmp_path / '10'
    assert sorted(os.listdir(tmp_path)) == ['10', '9', 'notes']
    assert json.loads((tmp_path / '10/model.json').read_text())['latent_size'] == 4
    assert (tmp_path / '10').stat().st_mode & 0o055 == 0o055


def test_a_number_taken_meanwhile_is_passed_over(tmp_path, monkeypatch):
    for name in ('1', '2', 'draft'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'file').touch()
    monkeypatch.setattr(writer.layout, 'next_number', lambda directory: 1)
    assert writer._publish(tmp_path / 'draft', tmp_path) == tmp_path / '3'
    assert not (tmp_path / 'draft').exists()


def test_every_weight_is_stored_once(gan, tmp_path):
    version = writer.write(gan, tmp_path, CARD)
    models = gan.average, gan.discriminator
    size = sum(v.numpy().nbytes for model in models for v in model.variables)
    stored = sum(path.stat().st_size for path in (version / 'variables').iterdir())
    size += latents.quantiles().nbytes  # which all signatures share
    assert size < stored < size + 4000


@pytest.mark.long
def test_a_full_disk_leaves_no_half_of_one(gan, tmp_path, full_disk):
    models = tmp_path / 'm'
    filler = full_disk(models, 20_000)
    with pytest.raises(StorageError, match=f'{models} cannot be written: No space left on device'):
        writer.write(gan, models, CARD)
    assert os.listdir(models) == ['filler']
    filler.unlink()
    assert writer.write(gan, models, CARD) == models / '1'


@pytest.mark.long
def test_exports_take_turns(gan, tmp_path):
    written = []
    with storage.turn(tmp_path):
        (tmp_path / '.tmp-of-ours').mkdir()
        thread = threading.Thread(target=lambda: written.append(writer.write(gan, tmp_path, CARD)))
        thread.start()
        thread.join(0.5)
        assert os.listdir(tmp_path) == ['.tmp-of-ours']
        (tmp_path / '.tmp-of-ours').rename(tmp_path / '1')
    thread.join(60)
    assert written == [tmp_path / '2']
    assert sorted(os.listdir(tmp_path)) == ['1', '2']


def test_commands_of_a_card_can_be_pasted():
    text = dataclasses.replace(CARD, name="v[2] & cat's").as_markdown()
    [line] = [line for line in text.splitlines() if '--model_name' in line]
    assert "--model_name=v[2] & cat's" in shlex.split(line)
    [line] = [line for line in text.splitlines() if 'curl' in line]
    assert shlex.split(line)[-1] == 'localhost:8501/v1/models/v%5B2%5D%20%26%20cat%27s:predict'
