"""The engine of the studio's page draws what the SavedModel does."""

import base64

import numpy as np
import pytest
import tensorflow as tf
from browser import EMPTY, studio_page
from toy_models import NAMES

from tfgan import client, config, latents
from tfgan.gan.encoding import Encoding
from tfgan.gan.gan import Gan
from tfgan.networks.encoder import Encoder
from tfgan.saved_model import bundle, identity, sliders, writer
from tfgan.saved_model.card import ModelCard

SEEDS = 1000
EXTREME = [0, 1, -1, 7, 2**32, -(2**40), 2**63 - 1, -(2**63)]
SIZE = 7  # of latents, which does not fill whole words of 64 bits
START = """
const base64 = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
};
const joined = (arrays) => {
  const whole = new arrays[0].constructor(arrays.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of arrays) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
};
const latents = await import('/studio/engine/latents.js');
const {openModel} = await import('/studio/engine/model.js');
const opened = async () => {
  const answer = await fetch('/studio/models/toy.bundle');
  return openModel(new Uint8Array(await answer.arrayBuffer()));
};
"""


def export(directory, architecture, shape, ground=(1.0,), reads=False, **changes):
    """The loaded export of a random Gan, all of whose weights count."""
    small = dict(steps=1, width=24, depth=2, latent_size=SIZE, channels=4)
    settings = config.make(**(small | changes), architecture=architecture)
    gan = Gan(settings, shape, [0.5, 0.3, 0.2], ground=ground)
    encoder = Encoding(gan).encoder if reads else None
    rng = np.random.default_rng(0)
    for variable in [*gan.average.variables, *(encoder.variables if reads else [])]:
        if not variable.path.endswith('ground'):
            variable.assign(variable + rng.normal(size=variable.shape, scale=0.1))
    if reads:
        encoder.ground.assign(ground)
    data = dict(dataset='noise', count=10, shape=shape, class_names=NAMES, licence='none')
    data['class_counts'] = [5, 3, 2]
    facts = dict(name=directory.name, data=data, step=1, images_seen=8, secs=2.0, scores={})
    writer.write(gan, directory, ModelCard(**facts, config=vars(settings)), encoder)
    return client.load(directory)


def answer(page, script, **given):
    """What a script returns in the page, `given` in its variables."""
    return page.evaluate(f'async (given) => {{ {START} {script} }}', given)


def array(text, dtype, *shape):
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


@pytest.fixture(scope='module')
def empty(browser):
    with studio_page(browser, b'', path=EMPTY) as page:
        yield page


def test_quantiles_are_the_same_floats(empty):
    found = answer(empty, 'return base64(latents.quantiles())')
    np.testing.assert_array_equal(array(found, np.float32, -1), latents.quantiles())


@pytest.mark.parametrize('truncation', [1, 0.7, 0.25, 0])
def test_latents_are_the_same_floats(empty, truncation):
    seeds = [*EXTREME, *range(100, SEEDS)]
    script = """
        const rows = given.seeds.map((seed) => {
          return latents.normal(BigInt(seed), given.size, given.truncation);
        });
        return base64(joined(rows));
    """
    found = answer(empty, script, seeds=[str(each) for each in seeds], size=SIZE,
                   truncation=truncation)  # fmt: skip
    share = tf.fill([len(seeds)], np.float32(truncation))
    wanted = latents.normal(tf.constant(seeds, tf.int64), SIZE, share).numpy()
    np.testing.assert_array_equal(array(found, np.float32, -1, SIZE), wanted)


def test_labels_and_folded_seeds_are_the_same(empty):
    seeds = [*EXTREME, *range(100, SEEDS)]
    counts = [5, 0, 300, 1, 0]
    script = """
        const seeds = given.seeds.map(BigInt);
        return {
          labels: seeds.map((seed) => latents.classes(seed, given.counts)),
          folded: seeds.map((seed) => String(latents.fold(seed, 3))),
        };
    """
    found = answer(empty, script, seeds=[str(each) for each in seeds], counts=counts)
    given = tf.constant(seeds, tf.int64)
    assert (
        found['labels'] == latents.classes(given, np.divide(counts, sum(counts))).numpy().tolist()
    )
    assert [int(each) for each in found['folded']] == latents.fold(given, 3).numpy().tolist()


MODELS = {
    'pen': dict(architecture='pen', shape=(28, 28, 1)),
    'pen in colours on black, across': dict(
        architecture='pen', shape=(20, 40, 3), ground=(-1.0, -1.0, -0.5), reads=True
    ),
    'pen_gru': dict(architecture='pen_gru', shape=(30, 20, 1)),
    'mlp': dict(architecture='mlp', shape=(12, 10, 3), output='linear'),
    'hybrid': dict(architecture='hybrid', shape=(21, 34, 3)),
}


# Each of their exports takes seconds, and of these two the others have all parts.
SLOW = 'pen', 'mlp'


def marked(name):
    return pytest.param(name, marks=pytest.mark.long if name in SLOW else ())


@pytest.fixture(scope='module', params=map(marked, MODELS))
def model(request, tmp_path_factory):
    return export(tmp_path_factory.mktemp('models') / 'toy', **MODELS[request.param])


@pytest.fixture(scope='module')
def page(browser, model):
    with studio_page(browser, bundle.bundle(model.version), path=EMPTY) as page:
        yield page


def unlike(found, wanted):
    """The largest difference of levels."""
    return np.abs(found.astype(int) - wanted.astype(int)).max()


def test_a_thousand_seeds_are_the_same_drawings(page, model):
    script = """
        const model = await opened();
        const images = Array.from({length: given.count}, (_, seed) => {
          const item = {seed: String(seed), label: model.labelOf(seed)};
          return model.pixels(model.itemDrawing(item));
        });
        return base64(joined(images));
    """
    wanted = model.draw(np.arange(SEEDS))
    found = array(answer(page, script, count=SEEDS), np.uint8, *wanted.shape)
    assert unlike(found, wanted) <= 1


def test_a_walk_is_the_same(page, model):
    script = """
        const model = await opened();
        const images = given.shares.map((share, seed) => {
          const [a, b] = [model.latentsOf(seed), model.latentsOf(seed + 100)];
          const toLabel = given.moves ? (seed + 1) % 3 : seed % 3;
          return model.pixels(model.drawBetween(a, b, share, seed % 3, toLabel));
        });
        return base64(joined(images));
    """
    seeds, shares = tf.range(60, dtype=tf.int64), np.linspace(0, 1, 60, dtype=np.float32)
    asked = dict(share=tf.constant(shares), label=tf.cast(seeds % 3, tf.int32))
    moves = 'between' in model.signatures()
    if moves:
        ends = dict(
            latents=latents.normal(seeds, SIZE), to_latents=latents.normal(seeds + 100, SIZE)
        )
        asked |= ends | dict(to_label=tf.cast((seeds + 1) % 3, tf.int32))
    else:
        asked |= dict(seed=seeds, to_seed=seeds + 100)
    signature = model._loaded.signatures['between' if moves else 'interpolate']
    wanted = signature(**asked)['image'].numpy()
    found = answer(page, script, shares=shares.tolist(), moves=moves)
    assert unlike(array(found, np.uint8, *wanted.shape), wanted) <= 1


def test_an_image_is_read_as_by_the_model(page, model):
    if 'encode' not in model.signatures():
        assert answer(page, 'return (await opened()).hasEncoder') is False
        return
    script = """
        const model = await opened();
        const found = [];
        for (let seed = 0; seed < given.count; seed++) {
          const image = model.pixels(model.itemDrawing({seed: String(seed), label: seed % 3}));
          const known = Float32Array.from(given.known);
          const {latents, label, scores} = model.encode(image, known);
          found.push({latents: [...latents], label, sum: scores.reduce((a, b) => a + b)});
        }
        return found;
    """
    count, shape = 100, model.card.data['shape']
    known = np.ones(shape[:2], np.float32)
    known[2:9, 3:20] = 0
    images = model.draw(np.arange(count), np.arange(count) % 3)
    encoder = Encoder(config.Config(**model.card.config), shape, len(NAMES))
    mask = np.repeat(known[None], count, axis=0)
    encoder(model.form.encode(images), mask)
    for variable, value in zip(encoder.variables, model.weights()[-len(encoder.variables) :]):
        variable.assign(value)
    wanted, logits = (each.numpy() for each in encoder(model.form.encode(images), mask))
    found = answer(page, script, count=count, known=known.ravel().tolist())
    latents_of = np.array([each['latents'] for each in found])
    # The page has the encoder's weights in six bits: its answer is a guess that is improved.
    error = np.abs(latents_of - wanted).mean() / np.abs(wanted).mean()
    assert error < 0.12
    same = np.array([each['label'] for each in found]) == logits.argmax(axis=1)
    assert same.mean() > 0.85
    assert all(abs(each['sum'] - 1) < 1e-6 for each in found)


def test_kept_strokes_are_those_of_the_other_drawing(page, model):
    script = """
        const model = await opened();
        const of = {seed: '3', label: 1};
        const item = {seed: '4', label: 2, kept: {strokes: [0, 2], of}};
        return [of, {seed: '4', label: 2}, item].map((each) => model.itemDrawing(each).strokes);
    """
    if not model.card.config['architecture'].startswith('pen'):
        return
    other, own, found = answer(page, script)
    kept = [stroke for stroke in other if stroke['index'] in (0, 2)]
    rest = [stroke for stroke in own if stroke['index'] not in (0, 2)]
    assert len(kept) == 2
    assert found == sorted([*kept, *rest], key=lambda stroke: stroke['index'])


EDITS = [
    {'name': 'width', 'change': {'width': 1, 'size': 0, 'tilt': 0}},
    {'name': 'size', 'change': {'width': 0.04, 'size': 1, 'tilt': 0}},
    {'name': 'tilt', 'change': {'width': 0, 'size': -0.1, 'tilt': 1}},
]


def sliders_of(model):
    """Sliders of a kind that suits a model."""
    rest = dict(low=-0.8, high=0.8, default=0)
    if model.card.config['architecture'].startswith('pen'):
        return [each | rest | dict(kind='edit', measure='-') for each in EDITS]
    directions = np.random.default_rng(1).normal(size=[2, 3, SIZE]).round(4).tolist()
    return [
        rest | dict(name='ink', measure='-', kind='direction', directions=directions[0]),
        rest | dict(name='size', measure='-', kind='direction', directions=directions[1][:1]),
    ]


def test_sliders_change_drawings_as_in_python(page, model):
    script = """
        const model = await opened();
        model.sliders = {sliders: given.sliders};
        const images = given.values.map((values, seed) => {
          const names = given.sliders.map(({name}, i) => [name, values[i]]);
          const item = {seed: String(seed), label: seed % 3, sliders: Object.fromEntries(names)};
          return model.pixels(model.itemDrawing(item));
        });
        return base64(joined(images));
    """
    count, own = 100, sliders_of(model)
    values = np.random.default_rng(2).uniform(-0.8, 0.8, [count, len(own)]).astype(np.float32)
    generator = identity.generator_of(model.card)
    for variable, value in zip(generator.variables, model.weights()):
        variable.assign(value)
    normal = latents.normal(tf.range(count, dtype=tf.int64), SIZE)
    made = sliders.draw(generator, normal, tf.range(count) % 3, own, values)
    wanted = model.form.decode(made).numpy()
    found = answer(page, script, sliders=own, values=values.tolist())
    assert unlike(array(found, np.uint8, *wanted.shape), wanted) <= 1
