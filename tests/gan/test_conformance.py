"""Conformance: what holds for every pair of networks in every game, of every art form.

A row is a form, one of its architectures and an objective. Each property is a test of all rows;
without --all, of as many as it takes to try each pair of networks and each game.
"""

import itertools
import os
import pathlib
import subprocess
from typing import NamedTuple

import forks
import numpy as np
import pytest
import tensorflow as tf
from toys import (
    SHAPES,
    STEPS_ROWS_VOICES,
    augmented,
    noise,
    play,
    same,
    settings,
    tunes,
    weights,
)

from tfgan import latents
from tfgan.forms.base import FORMS, form_named
from tfgan.gan.gan import Gan
from tfgan.gan.step import Batch
from tfgan.objectives import OBJECTIVES
from tfgan.saved_model.signatures import Servable

PAIRS = [(name, pair) for name in FORMS for pair in form_named(name).architectures]
ROWS = [(*pair, objective) for pair, objective in itertools.product(PAIRS, OBJECTIVES)]
LONGER = max(len(PAIRS), len(OBJECTIVES))
FEW = [
    (*pair, objective)
    for pair, objective in itertools.islice(
        zip(itertools.cycle(PAIRS), itertools.cycle(OBJECTIVES)), LONGER
    )
]
SOURCES = {'drawing': noise, 'music': tunes}  # of each form: random examples of a shape of x
EXAMPLES = {'drawing': SHAPES, 'music': STEPS_ROWS_VOICES}


def pytest_generate_tests(metafunc):
    if 'row' in metafunc.fixturenames:
        rows = ROWS if metafunc.config.getoption('--all') else FEW
        # By module, so that all properties of a row are tried before the next row is made.
        metafunc.parametrize('row', rows, ids='-'.join, scope='module')


def shapes_of(row, full):
    """The shapes to try a row with: all, or one that differs from row to row."""
    shapes = EXAMPLES[row[0]]
    return shapes if full else [shapes[ROWS.index(row) % len(shapes)]]


def made(row, source, make=Gan, **changes):
    _, architecture, objective = row
    config = settings(architecture=architecture, objective=objective, **changes)
    if make is augmented:
        return augmented(config, source)
    shape = form_named(source.form).shape(source.summary())
    return Gan(config, shape, source.shares, form=source.form)


def test_no_row_is_missing():
    assert set(SOURCES) == set(EXAMPLES) == set(FORMS)
    assert len(ROWS) == len(set(ROWS)) == len(PAIRS) * len(OBJECTIVES)
    assert {row[:2] for row in FEW} == set(PAIRS)
    assert {row[2] for row in FEW} == set(OBJECTIVES)
    assert len(PAIRS) >= 4 and len(OBJECTIVES) >= 6


class Played(NamedTuple):
    """A Gan after three steps, what it was before them, and what they told."""

    gan: Gan
    source: object
    before: list
    metrics: dict
    bad: np.ndarray


@pytest.fixture(scope='module')
def played(row, full):
    """The row's Gans after three steps, one for each shape; with --all without changes too."""
    found = []
    for shape, make in itertools.product(shapes_of(row, full), [augmented, Gan][: 1 + full]):
        source = SOURCES[row[0]](shape)
        gan = made(row, source, make, penalty_decay=0.1)
        before = weights(gan)
        found.append(Played(gan, source, before, *play(gan, source, 3)))
    return found


def test_a_step_is_finite_and_moves_everything(played):
    for gan, _, before, metrics, bad in played:
        assert np.isfinite(list(metrics.values())).all()
        assert not bad.any()
        assert int(gan.step) == 3
        assert int(gan.skipped) == 0
        for name in ('generator', 'average', 'discriminator'):
            assert len(getattr(gan, name).variables) > 4
        # Only single numbers may stand still, counters of what went wrong, and what is drawn on.
        for variable, old in zip(itertools.chain(*gan.state().values()), before, strict=True):
            assert (
                old.size == 1
                or variable.name == 'ground'
                or not np.array_equal(variable.numpy(), old)
            ), variable


def test_an_export_is_the_model(played):
    for gan, source, *_ in played:
        signatures = Servable(gan, list(source.class_names)).signatures()
        seeds = np.arange(12)
        [drawn] = signatures['serving_default'](tf.constant(seeds)).values()
        assert np.array_equal(drawn.numpy(), gan.draw(seeds))
        assert not (drawn.numpy() == drawn.numpy()[:1]).all()


def test_breaking_off_changes_nothing(played):
    for gan, source, *_ in played:
        broken_off = weights(gan)
        play(gan, source, 6, first_step=3)
        whole = weights(gan)
        # What is no part of the state is as these six steps left it, in a resumed run it is new.
        put_back(gan, broken_off)
        play(gan, source, 6, first_step=3)
        assert same(weights(gan), whole)
        assert not same(weights(gan), broken_off)
        put_back(gan, broken_off)


def put_back(gan, values):
    for variable, value in zip(itertools.chain(*gan.state().values()), values, strict=True):
        variable.assign(value)


def test_gradients_are_those_of_the_formula(row, full):
    if not full and row[1] == 'pen_gru':
        pytest.skip('it takes --all: its discriminator is that of pen')
    source = SOURCES[row[0]](EXAMPLES[row[0]][2])
    gan = made(row, source, augmented)
    rng = np.random.default_rng(0)
    for variable in gan.generator.trainable_variables + gan.discriminator.trainable_variables:
        variable.assign_add(0.02 * rng.normal(size=variable.shape))  # none is as it began
    real = gan.form.encode(tf.constant(source.images(np.arange(8))), gan.shape)
    seeds = tf.range(8, dtype=tf.int64)
    normal, given = latents.normal(seeds, 6), gan.form.given(real, seeds)
    labels, mix = tf.constant(source.labels[:8]), tf.linspace(0.0, 0.9, 8)
    changes = gan.stepper._changes(seeds)
    batch = Batch(real, normal, labels, mix, changes, given)
    found, metrics = gan.stepper.gradients(batch, 0.7)
    game = gan.objective
    plain = real
    with tf.GradientTape(persistent=True) as tape:
        real = gan.augmentation.apply(real, changes[0])
        fake = gan.augmentation.apply(gan.generator(normal, labels, *given), changes[1])
        logits = gan.discriminator(real, labels), gan.discriminator(fake, labels)
        g_loss = mean_of_pairs(game.generator, *logits, labels)
        d_loss = mean_of_pairs(game.discriminator, *logits, labels)
        if game.weight:
            seen = [real, tf.stop_gradient(fake)]
            if game.between:
                seen = [seen[0] + mix[:, None, None, None] * (seen[1] - seen[0])]
            penalties = [game.penalty(slopes_at(gan.discriminator, u, labels)) for u in seen]
            d_loss += 0.7 * tf.reduce_mean(tf.add_n(penalties))
    assert (real != plain).numpy().any()
    for player, loss in ('generator', g_loss), ('discriminator', d_loss):
        for at, variable in enumerate(getattr(gan, player).trainable_variables):
            expected = tf.convert_to_tensor(tape.gradient(loss, variable)).numpy()
            scale = np.abs(expected).max() + 1e-6
            assert np.abs(found[player][at] - expected).max() < 1e-4 * scale, variable.path
    assert float(metrics['loss/penalty'] > 0) == bool(game.weight)


def mean_of_pairs(loss, real, fake, labels):
    """The mean over real images of the mean over generated ones of the same class."""
    of_class = [tf.boolean_mask(fake, labels == label) for label in labels]
    return tf.reduce_mean([tf.reduce_mean(loss(x, y)) for x, y in zip(real, of_class)])


def slopes_at(discriminator, images, labels):
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, labels)
    return tape.gradient(logits, images)


REPLICAS = """
import sys
import numpy as np
from tfgan.errors import ConfigError
from tfgan.forms.base import form_named
from tfgan.gan.gan import Gan
from toys import augmented, noise, play, settings, tunes
from tfgan.distributed import strategies
strategies.make('auto', virtual_devices=2)
form, architecture, *objectives = sys.argv[1:]
source = noise((20, 16, 1) if architecture == 'conv' else (12, 8, 1))
source = tunes((16, 25, 2)) if form == 'music' else source
shape = form_named(form).shape(source.summary())
plain = lambda config, source, strategy: Gan(config, shape, source.shares, strategy, form=form)
rows = [(plain, objective) for objective in objectives] + [(augmented, objectives[-1])]
for make, objective in rows:
    found = []
    for name in ('single', 'mirrored'):
        strategy, _ = strategies.make(name)
        # A memory of the gradient: without one Adam's steps magnify rounding where slopes are nil.
        changes = dict(architecture=architecture, objective=objective, beta_1=0.5)
        gan = make(settings(**changes), source, strategy)
        play(gan, source, 8)
        found.append([v.numpy() for m in (gan.average, gan.discriminator) for v in m.variables])
        found[-1] += [gan.decision_threshold.numpy(), gan.change_probability.numpy()]
    assert strategy.num_replicas_in_sync == 2
    far = max(np.abs(a - b).max() for a, b in zip(*found, strict=True))
    print(objective, far)
try:
    Gan(settings(xla='on', architecture=architecture), shape, source.shares, strategy, form=form)
except ConfigError as error:
    assert '--xla=on: XLA compiles the steps of one device only' in str(error)
else:
    raise AssertionError('taken')
"""


# Without --all tests/distributed/test_spread.py alone has replicas. A process for each:
# TensorFlow remembers the size of a sum by its number, which a new strategy starts again. Games of
# one kind have sums of the same sizes.
@pytest.mark.long
@pytest.mark.parametrize('anchored', [True, False])
@pytest.mark.parametrize('pair', PAIRS, ids='-'.join)
def test_two_replicas_equal_one(pair, anchored):
    objectives = [
        objective
        for *other, objective in ROWS
        if tuple(other) == pair and OBJECTIVES[objective].anchored == anchored
    ]
    here = pathlib.Path(__file__).parents[1]
    path = os.pathsep.join([str(here), str(here.parent)])
    out = subprocess.check_output(
        [*forks.python(), '-c', REPLICAS, *pair, *objectives],
        text=True,
        env=os.environ | {'PYTHONPATH': path},
    )
    rows = [line.split() for line in out.splitlines()]
    assert [row[0] for row in rows] == [*objectives, objectives[-1]]
    # The edges of a pen's lines are steep: they magnify what rounding there is.
    most = 1e-4 if pair[1].startswith('pen') else 2e-5
    assert [row for row in rows if not float(row[1]) < most] == []
