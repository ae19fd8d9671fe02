"""The rivals of music: what they learn from and make, and that a table tells all of all alike."""

import json
import os
import pathlib
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from music_readers import random_piece

from tfgan.forms.music import midi_file
from tfgan.forms.music.pieces import AGAIN, MIDDLE, REST, Pieces

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'scripts' / 'rivals'))
sys.path.insert(0, str(ROOT / 'scripts' / 'benchmarks'))

import likelihood
import musegan

STEPS, VOICES, PITCHES = 32, 2, 24


@pytest.fixture(scope='module')
def source():
    """Two voices that hold their notes, rest, and strike notes again."""
    rng = np.random.default_rng(0)
    pitch = MIDDLE + rng.integers(-9, 9, [20, STEPS // 4, VOICES])
    raw = np.repeat(np.where(rng.random(pitch.shape) < 0.1, REST, pitch), 4, axis=1)
    raw[:, 2] += AGAIN * (raw[:, 2] != REST)
    notes = {'rows': PITCHES + 2}
    labels = np.zeros(20, np.int32)
    return Pieces('jsb:own', raw.shape[1:], labels, ('major',), lambda i: raw[i], notes=notes)


@pytest.fixture(scope='module')
def learned(source):
    likelihood.UNITS, likelihood.EMBEDDED, likelihood.BATCH = 8, 4, 4
    return likelihood.train(source, source, minutes=0, seed=1, steps=5)


def test_the_likelihood_model_has_all_of_the_pieces_as_tokens(source, learned):
    raw = source.images(np.arange(20))
    tokens = learned.tokens_of(raw)
    assert tokens.min() == 0
    assert tokens.max() > PITCHES
    np.testing.assert_array_equal(learned.pieces_of(tokens), raw)


def test_it_learns_from_pieces_in_other_keys_and_is_told_which(source, learned):
    raw = np.tile(source.images(np.arange(20)), [10, 1, 1])
    tokens, far = (x.numpy() for x in learned._moved(tf.constant(learned.tokens_of(raw))))
    moved = learned.pieces_of(tokens)
    expected = np.where(raw == REST, REST, raw + far[:, None, None])
    np.testing.assert_array_equal(moved, expected)
    assert 0.3 < (far == 0).mean() < 0.7
    assert far.min() < 0 < far.max()


def test_it_sees_nothing_of_what_it_foretells(source, learned):
    tokens = learned.tokens_of(source.images(np.arange(1)))
    other = tokens.copy()
    other[0, 10, 1] = (other[0, 10, 1] + 1) % PITCHES
    zero = tf.zeros([1], tf.int32)
    first, second = (learned.network(x, moved=zero).numpy()[0] for x in (tokens, other))
    np.testing.assert_allclose(first[:11], second[:11], atol=1e-6)
    assert abs(first[11:] - second[11:]).max() > 1e-4
    other = tokens.copy()
    other[0, 10, 0] = (other[0, 10, 0] + 1) % PITCHES
    second = learned.network(other, moved=zero).numpy()[0]
    np.testing.assert_allclose(first[10, 0], second[10, 0], atol=1e-6)
    assert abs(first[10, 1] - second[10, 1]).max() > 1e-4  # the voice above is heard


def test_it_draws_what_it_has_learned_to_foretell(source, learned, monkeypatch):
    """Each token is drawn of the logits that the network has of all before it."""
    monkeypatch.setattr(tf.random, 'stateless_categorical', likeliest)
    fresh = likelihood.Likelihood(source, seed=2)
    pieces = fresh.sample(3, seed=0)
    tokens = fresh.tokens_of(pieces)
    logits = fresh.network(tokens, moved=tf.zeros([3], tf.int32)).numpy()
    np.testing.assert_array_equal(logits.argmax(axis=-1), tokens)


def likeliest(logits, count, seed, dtype):
    return tf.argmax(logits, axis=-1, output_type=dtype)[:, None]


def test_one_seed_is_one_piece_and_a_soprano_stays(source, learned):
    assert (learned.steps, learned.sample(2, 3).shape) == (5, (2, STEPS, VOICES))
    np.testing.assert_array_equal(learned.sample(4, 3), learned.sample(4, 3))
    assert (learned.sample(4, 3) != learned.sample(4, 4)).any()
    sopranos = source.images(np.arange(5))[:, :, 0]
    pieces = learned.harmonise(sopranos, None, 3)
    np.testing.assert_array_equal(pieces[:, :, 0], sopranos)
    assert len(np.unique(pieces[:, :, 1])) > 3


def test_it_keeps_the_weights_by_which_unseen_pieces_were_likeliest(source, monkeypatch):
    found = iter([3.0, 1.0, 2.0, 2.0])
    fresh, seen = likelihood.Likelihood(source, seed=2), []
    monkeypatch.setattr(likelihood, 'PATIENCE', 2)
    monkeypatch.setattr(
        fresh, '_valid_loss', lambda _: seen.append(fresh.network.get_weights()) or next(found)
    )
    fresh.learn(source, minutes=1)
    assert fresh.steps == 4 * (20 // likelihood.BATCH)
    for kept, weight in zip(fresh.network.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_binary_neurons_have_the_slope_of_a_sigmoid():
    x, slope = tf.constant([-2.0, -0.1, 0.1, 3.0]), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = musegan.binary(x, slope)
    soft = tf.sigmoid(2 * x)
    np.testing.assert_array_equal(y, [0, 0, 1, 1])
    np.testing.assert_allclose(tape.gradient(y, x), 2 * soft * (1 - soft), rtol=1e-5)


@pytest.fixture(scope='module')
def gan(source):
    musegan.BATCH = 4
    return musegan.MuseGAN(source, seed=1, width=1 / 16)


def test_musegan_has_the_pieces_as_rolls(source, gan):
    raw, rolls = source.images(np.arange(20)), gan.rolls.numpy()
    assert rolls.shape == (20, 2, 16, PITCHES, VOICES)
    rolls = rolls.reshape(20, STEPS, PITCHES, VOICES)
    np.testing.assert_array_equal(rolls.any(axis=2), raw != REST)
    pitch = rolls.argmax(axis=2) + MIDDLE - PITCHES // 2
    np.testing.assert_array_equal(pitch[raw != REST], raw[raw != REST] % AGAIN)


def test_its_pieces_have_the_highest_pitch_that_sounds(gan, monkeypatch):
    rolls = np.zeros([2, STEPS, PITCHES, VOICES], bool)
    rolls[0, :, [3, 7], 0] = rolls[1, 5, 23, 1] = True
    monkeypatch.setattr(gan, '_drawn', lambda latents: rolls)
    pieces = gan.sample(2, seed=0)
    assert pieces.dtype == np.int32
    assert set(pieces[0, :, 0]) == {MIDDLE - PITCHES // 2 + 7}
    assert pieces[1, 5, 1] == MIDDLE + PITCHES // 2 - 1
    assert (pieces != REST).sum() == STEPS + 1


@pytest.mark.long
def test_each_stage_of_it_learns_what_it_has_to(gan):
    networks = gan.generator, gan.refiner, gan.discriminator
    for stage, learns in enumerate([(True, False, True), (False, True, True)]):
        before = [network.get_weights() for network in networks]
        gan.stages[stage]()
        changed = [
            any((old != new).any() for old, new in zip(weights, network.get_weights()))
            for weights, network in zip(before, networks)
        ]
        assert tuple(changed) == learns
    gan.learn(minutes=0, steps=1)
    assert gan.steps == 2
    np.testing.assert_array_equal(gan.sample(3, 1), gan.sample(3, 1))


@pytest.fixture(scope='module')
def command():
    return runpy.run_path(str(ROOT / 'scripts/rivals/__main__.py'), run_name='rivals')


def test_files_that_lack_a_note_are_not_alike(command, monkeypatch):
    piece = random_piece(np.random.default_rng(3), 16, 2)
    assert command['is_read_alike'](piece)
    data = midi_file.as_bytes(np.roll(piece, 1, axis=0))
    monkeypatch.setattr(midi_file, 'as_bytes', lambda piece: data)
    assert not command['is_read_alike'](piece)


def test_the_table_has_a_column_of_each(command):
    columns = {'real, test': {'recall': '0.9'}, 'model': {'recall': '0.5', 'steps': '7'}}
    rows = list(command['table'](columns))
    assert '| recall | .55 | 0.9 | 0.5 |' in rows
    assert '| steps |  | - | 7 |' in rows
    assert len({row.count('|') for row in rows}) == 1


@pytest.mark.long
def test_the_command_trains_and_judges(tmp_path):
    rng = np.random.default_rng(5)
    names = {'train': 30, 'valid': 8, 'test': 40}
    pieces = {
        name: np.repeat(rng.integers(50, 75, [count, 24, 4]), 4, axis=1).tolist()
        for name, count in names.items()
    }
    (tmp_path / 'jsb16.json').write_text(json.dumps(pieces))
    flags = [f'--dataset=jsb:{tmp_path}/jsb16.json', '--only=likelihood', '--minutes=0.01']
    flags += ['--num=40', '--files=2', f'--save={tmp_path}/kept', f'--cache_dir={tmp_path}/cache']
    paths = [str(ROOT), str(ROOT / 'scripts/benchmarks'), str(ROOT / 'tests')]
    out = subprocess.check_output(
        [sys.executable, ROOT / 'scripts/rivals', *flags],
        text=True,
        env=os.environ | {'PYTHONPATH': ':'.join(paths)},
    )
    assert re.search(r'\| harmonised: sopranos untouched \|  \| - \| 40 of 40 \|', out)
    assert re.search(r'\| files that all read alike \|  \| 2 of 2 \| 2 of 2 \|', out)
    assert re.search(r'\| precision \| .75 \| [01]\.\d+ \| [01]\.\d+ \|', out)
    kept = np.load(tmp_path / 'kept/likelihood.npy')
    assert kept.shape == (40, 64, 4)
