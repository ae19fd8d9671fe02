"""Which model it is, whatever its weights are stored as, and models of few bytes."""

import hashlib
import subprocess

import numpy as np
import pytest
from toy_models import NAMES, toy_pen

from tfgan import client, config, latents
from tfgan.gan.encoding import Encoding
from tfgan.gan.gan import Gan
from tfgan.saved_model import identity, writer
from tfgan.saved_model.card import ModelCard

SETTINGS = config.make(steps=1, width=64, depth=2, latent_size=8)
DATA = dict(dataset='noise', count=5, shape=[28, 28, 1], class_names=NAMES, licence='CC0')
CARD = ModelCard('pen', DATA | {'class_counts': [5, 3, 2]}, 1, 8, 2.0, {}, vars(SETTINGS))
SEEDS = np.arange(64)


@pytest.fixture(scope='module')
def exports(tmp_path_factory):
    """The same model as it is and compact."""
    gan = Gan(SETTINGS, (28, 28, 1), [0.5, 0.3, 0.2])
    identity.round_weights(gan.average)
    encoder = Encoding(gan).encoder
    folder = tmp_path_factory.mktemp('models')
    return [
        client.load(writer.write(gan, folder / name, CARD, encoder, compact=name == 'compact'))
        for name in ('plain', 'compact')
    ]


def test_a_compact_model_draws_the_same(exports):
    plain, compact = exports
    assert np.array_equal(plain.draw(SEEDS), compact.draw(SEEDS))
    assert plain.svg(SEEDS) == compact.svg(SEEDS)
    assert plain.sha256 == compact.sha256
    assert compact.is_compact and not plain.is_compact
    assert set(plain.signatures()) - set(compact.signatures()) == {'discriminate'}


def test_a_compact_model_reads_drawings_nearly_as_well(exports):
    images = exports[0].draw(SEEDS)
    whole = dict(image=images, mask=np.ones([len(SEEDS), 28, 28], np.float32))
    found = [model.answers('encode', whole)['latents'] for model in exports]
    apart = np.sqrt(np.mean((found[0] - found[1]) ** 2)) / found[0].std()
    assert 0 < apart < 0.05


def test_it_is_less_than_a_third_as_large(exports):
    sizes = [
        sum(path.stat().st_size for path in (model.version / 'variables').iterdir())
        for model in exports
    ]
    table = latents.quantiles().nbytes  # which is in both
    assert sizes[1] - table < (sizes[0] - table) / 3


def test_the_hash_is_of_what_draws(exports):
    model = exports[0]
    weights = model.weights()
    assert identity.of_export(model.card, weights) == model.card.sha256
    weights[1] = weights[1] + np.float32(1e-6)
    assert identity.of_export(model.card, weights) != model.card.sha256


def test_an_export_of_before_has_one_too(exports, tmp_path):
    import dataclasses

    old = client.load(exports[1].version)
    old.card = dataclasses.replace(old.card, sha256='')
    assert old.sha256 == exports[0].sha256


def test_a_version_lists_the_hashes_of_its_files(exports):
    folder = exports[1].version
    subprocess.run(['sha256sum', '--check', '--strict', identity.SUMS], cwd=folder, check=True)
    listed = {line.split('  ')[1] for line in (folder / identity.SUMS).read_text().splitlines()}
    assert {'saved_model.pb', 'model.json', 'variables/variables.index'} <= listed
    data = (folder / 'model.json').read_bytes()
    assert f'{hashlib.sha256(data).hexdigest()}  model.json\n' in identity.sums(folder)


def test_weights_that_sixteen_bits_do_not_hold_are_left_alone():
    gan = Gan(SETTINGS, (28, 28, 1), [0.5, 0.3, 0.2])
    large, small = gan.average.variables[1:3]
    large.assign(large + 1e6)
    before = [variable.numpy() for variable in (large, small)]
    identity.round_weights(gan.average)
    assert np.array_equal(large.numpy(), before[0])
    assert not np.array_equal(small.numpy(), before[1])
    np.testing.assert_allclose(small.numpy(), before[1], rtol=2**-11, atol=2**-25)


@pytest.mark.long
def test_a_compact_model_learns_a_word(tmp_path):
    toy = toy_pen(tmp_path / 'toy', reads=True)
    gan = Gan(SETTINGS, (28, 28, 1), [0.5, 0.3, 0.2])
    version = writer.write(gan, tmp_path / 'm', CARD, Encoding(gan).encoder, compact=True)
    model = client.load(version)
    images = list(toy.draw([1, 2, 3, 4]))
    learned = client.load(model.learn(images, 'owl', tmp_path / 'more', steps=2))
    assert learned.is_compact and learned.class_names() == [*NAMES, 'owl']
