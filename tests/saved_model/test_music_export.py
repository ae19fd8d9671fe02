"""An export of music: its signatures, its card and its weights, small or not."""

import gzip
import io
import json

import mido
import numpy as np
import pytest
import tensorflow as tf
from toy_models import toy_music

from tfgan import client, provenance
from tfgan.forms.music.pieces import notes_of
from tfgan.saved_model import bundle, card, identity, warmup

SEEDS = np.array([3, 7, -1, 2**40, 0], np.int64)
LABELS = np.array([1, 0, 1, 1, 0], np.int32)


@pytest.fixture(scope='module')
def version(tmp_path_factory):
    return toy_music(tmp_path_factory.mktemp('music') / 'toy')


@pytest.fixture(scope='module')
def signatures(version):
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


def ask(signatures, name, **inputs):
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    [output] = signatures[name](**tensors).values()
    return output.numpy()


def test_pieces_are_whole_numbers_of_steps_and_voices(signatures):
    found = ask(signatures, 'serving_default', seed=SEEDS)
    assert found.dtype == np.int32 and found.shape == (5, 64, 4)
    assert set(np.unique(found)) <= {-1, *range(36, 84)}
    assert (ask(signatures, 'labelled', seed=SEEDS, label=-np.ones(5, 'i4')) == found).all()
    seeds_alone = [ask(signatures, 'serving_default', seed=SEEDS[i : i + 1])[0] for i in range(5)]
    assert (np.stack(seeds_alone) == found).all()


def test_what_is_known_is_kept_and_seen(signatures):
    rng = np.random.default_rng(0)
    pitch = rng.integers(36, 84, [5, 64, 4]).astype(np.int32)
    known = np.zeros([5, 64, 4], np.float32)
    known[:, :, 0] = known[:, :16] = 1
    found = ask(signatures, 'fill', seed=SEEDS, label=LABELS, pitch=pitch, known=known)
    is_known = known > 0
    assert (found[is_known] == pitch[is_known]).all()
    free = ask(signatures, 'labelled', seed=SEEDS, label=LABELS)
    assert (found[~is_known] != free[~is_known]).any()
    none = ask(signatures, 'fill', seed=SEEDS, label=LABELS, pitch=pitch, known=0 * known)
    assert (none == free).all()


def test_a_server_writes_midi_that_says_what_made_it(version, signatures):
    found = ask(signatures, 'midi', seed=SEEDS[:2])
    pieces = ask(signatures, 'serving_default', seed=SEEDS[:2])
    model = client.load(version)
    for data, piece, seed in zip(found, pieces, SEEDS):
        file = mido.MidiFile(file=io.BytesIO(data))
        sounding = [each for each in file.tracks[0] if each.type == 'note_on']
        assert len(sounding) == len(notes_of(piece))
        recipe = provenance.read(data)
        assert recipe['sha256'] == model.sha256
        assert [each['seed'] for each in recipe['drawings']] == [seed]
        again = model.again(recipe, '.mid')
        assert model.form.differ('.mid', recipe, data, again) == ''
        other = model.again(recipe | {'drawings': [{'seed': 99}]}, '.mid')
        assert model.form.differ('.mid', recipe, data, other) != ''


def test_a_discriminator_takes_pieces(signatures):
    pitch = ask(signatures, 'serving_default', seed=SEEDS)
    found = ask(signatures, 'discriminate', pitch=pitch, label=LABELS)
    assert found.shape == (5,) and ((found > 0) & (found < 1)).all()


def test_warmup_requests_cover_every_signature(version, signatures):
    asked = list(warmup.requests(version))
    assert {name for name, _ in asked} == set(signatures)
    for name, inputs in asked:
        assert len(ask(signatures, name, **inputs)) in warmup.ROWS


def test_the_card_says_that_it_is_music(version):
    facts = card.read(version)
    assert facts.form == 'music'
    assert facts.sha256 == identity.of_export(facts, client.load(version).weights())
    text = (version / 'README.md').read_text()
    for words in ('pieces of 4 voices, 16 beats long', "['pitch']", 'One seed is one piece',
                  'tfgan.sample', 'tfgan.compose'):  # fmt: skip
        assert words in text
    assert 'drawing' not in text


def test_its_bundle_tells_the_page_that_it_is_music(version):
    data = gzip.decompress(bundle.bundle(version))
    start = len(bundle.MAGIC) + 4
    header = json.loads(data[start : start + int.from_bytes(data[start - 4 : start], 'little')])
    assert (header['form'], header['shape']) == ('music', [64, 49, 4])
    assert {each['network'] for each in header['tensors']} == {'generator'}
