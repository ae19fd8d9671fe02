"""The engine of the studio's page writes the pieces that the SavedModel does."""

import base64

import numpy as np
import pytest
import tensorflow as tf
from browser import EMPTY, studio_page
from toy_models import toy_music

from tfgan import client, latents
from tfgan.forms.music import pieces
from tfgan.saved_model import bundle, identity

SEEDS = 200
SAME = 0.995  # the least share of pieces: where two logits are equal to rounding, either may win
MODELS = {
    'beats with notes struck again': dict(architecture='beats', rows=50, steps=32),
    'bars': dict(architecture='bars'),
}
START = """
const {openModel} = await import('/studio/engine/model.js');
const {inWords, notesOf} = await import('/studio/engine/pieces.js');
const answer = await fetch('/studio/models/toy.bundle');
const model = await openModel(new Uint8Array(await answer.arrayBuffer()));
const pieceOf = (seed, more = {}) => {
  return model.itemDrawing({seed: String(seed), label: model.labelOf(seed), ...more});
};
const base64 = (arrays) => {
  const bytes = arrays.flatMap(({pitch}) => [...new Uint8Array(pitch.buffer)]);
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(''));
};
"""


@pytest.fixture(scope='module', params=MODELS)
def model(request, tmp_path_factory):
    version = toy_music(tmp_path_factory.mktemp('music') / 'toy', **MODELS[request.param])
    return client.load(version)


@pytest.fixture(scope='module')
def page(browser, model):
    with studio_page(browser, bundle.bundle(model.version), path=EMPTY) as page:
        yield page


def answer(page, script, **given):
    return page.evaluate(f'async (given) => {{ {START} {script} }}', given)


def array(text, shape):
    return np.frombuffer(base64.b64decode(text), np.int32).reshape(shape)


def check_same(found, wanted):
    same = (found == wanted).reshape(len(wanted), -1).all(axis=1)
    assert same.mean() >= SAME, f'{same.mean():.3f} of the pieces are the same'


def test_two_hundred_seeds_are_the_same_pieces(page, model):
    script = 'return base64(Array.from({length: given.count}, (_, seed) => pieceOf(seed)))'
    wanted = model.draw(np.arange(SEEDS))
    check_same(array(answer(page, script, count=SEEDS), wanted.shape), wanted)
    assert len(np.unique(wanted)) > 40
    assert (wanted >= pieces.AGAIN).any() == (model.form.shape(model.card.data)[1] == 50)


def test_a_label_that_is_asked_for_is_taken(page, model):
    script = """
        const seeds = Array.from({length: given.count}, (_, seed) => seed);
        return base64(seeds.map((seed) => pieceOf(seed, {label: seed % 2})));
    """
    wanted = model.draw(np.arange(40), np.arange(40) % 2)
    check_same(array(answer(page, script, count=40), wanted.shape), wanted)


def at_once(model, seeds, steps):
    """Pieces of any length of which nothing is given, as the generator makes them in one go."""
    generator = identity.generator_of(model.card)
    for variable, value in zip(generator.variables, model.weights()):
        variable.assign(value)
    normal = latents.normal(tf.constant(seeds, tf.int64), generator.trunk.embedding.output_dim)
    shape = len(seeds), steps, generator.voices
    given = tf.zeros([len(seeds), steps, generator.rows, generator.voices])
    found = generator(normal, tf.constant(seeds % 2, tf.int32), given, tf.zeros(shape))
    return model.form.decode(found).numpy()


def test_pieces_of_any_length_are_the_same(page, model):
    script = 'return model.hasAnyLength'
    has_any = answer(page, script)
    assert has_any == (model.card.config['architecture'] == 'beats')
    if not has_any:
        return
    script = """
        const seeds = Array.from({length: given.count}, (_, seed) => seed);
        return base64(seeds.map((seed) => pieceOf(seed, {label: seed % 2, bars: 8})));
    """
    wanted = at_once(model, np.arange(10), steps=128)
    assert wanted.shape == (10, 128, 4)
    check_same(array(answer(page, script, count=10), wanted.shape), wanted)


def test_notes_are_those_of_the_form(page, model):
    script = """
        return Array.from({length: given.count}, (_, seed) => {
          const notes = notesOf(pieceOf(seed));
          return notes.map(({voice, start, length, pitch}) => [voice, start, length, pitch]);
        });
    """
    found = answer(page, script, count=10)
    wanted = [
        [list(note) for note in pieces.notes_of(piece)] for piece in model.draw(np.arange(10))
    ]
    assert found == wanted


def test_a_piece_in_words(page):
    script = """
        const rest = Array(32).fill(-1);
        const piece = {pitch: Int32Array.from(rest), steps: 16, voices: 2};
        const sung = {...piece, pitch: Int32Array.from(rest.with(0, 60).with(1, 51).with(2, 188))};
        return [inWords(piece), inWords(sung)];
    """
    assert answer(page, script) == ['1 bar of rests', '1 bar, 3 notes from E♭3 to C4']
