"""Whatever numbers come to, none that is not finite is written, and what is skipped shows."""

import itertools
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toys import ARCHITECTURES, augmented, play, settings

from tfgan import errors
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.pixels import to_uint8
from tfgan.objectives import OBJECTIVES
from tfgan.saved_model import writer
from tfgan.saved_model.card import ModelCard
from tfgan.training import loop, reporter

SHAPE = (9, 13, 1)
GAMES = list(itertools.product(ARCHITECTURES, OBJECTIVES))
# Every game once, unless all is to be tried, and the architectures that are quick.
FEW = [('mlp', 'minimax'), ('hybrid', 'wasserstein'), ('pen', 'relativistic')]
LIMIT = float(np.finfo(np.float32).max)


def every(factor):
    """A change of all weights of both networks and the average."""

    def change(gan):
        for model in (gan.generator, gan.discriminator, gan.average):
            for variable in model.variables:
                variable.assign(factor * variable)

    return change


def of(name, value):
    """A change of one kind of state: all its variables are so large."""

    def change(gan):
        for variable in gan.state()[name]:
            variable.assign(tf.fill(variable.shape, value))

    return change


def opposite(gan):
    """The generator and its average as far apart as numbers go, in a class that never comes."""
    for model, value in ((gan.generator, LIMIT), (gan.average, -LIMIT)):
        table = model.trunk.embedding.embeddings
        table.assign(tf.concat([table[:-1], tf.fill(table[-1:].shape, value)], axis=0))


EXTREMES = {
    'as they are': lambda gan: None,
    'weights x 1e6': every(1e6),
    'weights x 1e12': every(1e12),
    'weights x 1e30': every(1e30),
    'no weights': every(0.0),
    'gradients remembered as 1e19': of('generator_adam', 1e19),
    'squares as large as they come': of('discriminator_adam', LIMIT),
    'the average far from the generator': opposite,
}
PIXELS = [0, 255, None]  # of all images; none: one drawing over and over


def source(value, count=1):
    """Images that are all alike, and of one class; of three classes the last has none."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, SHAPE, np.uint8) if value is None else np.full(SHAPE, value)
    pixels = np.repeat(image[None].astype(np.uint8), count, axis=0)
    labels = np.zeros(count, np.int32)
    return Drawings('alike', SHAPE, labels, ('a', 'b', 'c'), read=lambda rows: pixels[rows])


def state(gan):
    return [variable for group in gan.state().values() for variable in group]


def is_finite(gan):
    return all(np.isfinite(variable.numpy()).all() for variable in state(gan))


@pytest.fixture(scope='module')
def tried():
    """How many updates were good and how many skipped, in all."""
    return {'good': 0, 'skipped': 0}


@pytest.mark.parametrize(('architecture', 'objective'), GAMES)
def test_nothing_that_is_not_finite_is_written(architecture, objective, full, tried):
    if not full and (architecture, objective) not in FEW:
        pytest.skip('in full with --all')
    changes = dict(
        architecture=architecture, objective=objective, learning_rate=1.0, output='linear'
    )
    for batch_size in (1, 8) if full else (2,):
        gan = augmented(settings(**changes, batch_size=batch_size, depth=1), source(0))
        fresh = [variable.numpy() for variable in state(gan)]
        tries = itertools.product(EXTREMES, PIXELS) if full else zip(EXTREMES, 3 * PIXELS)
        for extreme, value in tries:
            for variable, start in zip(state(gan), fresh, strict=True):
                variable.assign(start)
            EXTREMES[extreme](gan)
            _, bad = play(gan, source(value), 4)
            assert is_finite(gan), (extreme, value)
            skipped = int(gan.skipped)
            assert int(gan.step) == 4
            assert bad.max() <= skipped
            tried['good'] += 4 - skipped
            tried['skipped'] += skipped
            drawn = gan.draw([1, 2, 3])
            assert drawn.dtype == np.uint8 and drawn.shape == (3, *SHAPE)


def test_both_kinds_of_update_were_tried(tried):
    print(f'updates: {tried}')
    assert tried['good'] > 20 and tried['skipped'] > 20


def test_the_line_between_real_and_generated_stays_a_number():
    gan = augmented(settings(objective='relativistic'), source(0))
    for before, now in itertools.product([LIMIT, -LIMIT, 0.0, 2.0], repeat=2):
        gan.decision_threshold.assign(before)
        metrics = {'decision_threshold': tf.constant(now), 'accuracy/real': tf.constant(1.0)}
        gan.stepper._count(tf.constant(True), metrics)
        assert float(gan.decision_threshold) == pytest.approx(0.99 * before + 0.01 * now, rel=1e-5)


def test_what_is_no_number_is_drawn_grey_and_infinity_saturates():
    values = tf.constant([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, 1.0])
    assert to_uint8(values).numpy().tolist() == [128, 255, 0, 255, 0, 128, 255]


@pytest.mark.long
@pytest.mark.parametrize('value', PIXELS)
def test_a_run_on_images_that_are_all_alike_is_scored_or_says_why_not(value, tmp_path, capsys):
    few = source(value, count=40)
    gan = augmented(settings(width=4, depth=1), few)
    play(gan, few, 2)
    seen = reporter.Report(gan, few, tmp_path)
    seen.look()
    for _ in range(3):
        scores = seen.score({'accuracy/real': 1.0, 'accuracy/generated': 1.0}, 0.5)
    seen.close()
    if not scores:
        assert 'without scores: ' in capsys.readouterr().out
    # Where there is no stroke it has no width.
    unknown = {name for name, value in scores.items() if not np.isfinite(value)}
    assert unknown <= {'stroke_width', 'stroke_width_of_real'}
    facts = dict(name='m', data=few.summary(), step=2, images_seen=16, secs=1.0, scores=scores)
    card = ModelCard(**facts, config=vars(gan.config))
    version = writer.write(gan, tmp_path / 'm', card)
    told = json.loads((version / 'model.json').read_text(), parse_constant=pytest.fail)
    assert set(told['scores']) == set(scores) - unknown


def test_skipped_updates_are_told_and_end_the_run_with_advice(tmp_path, capsys):
    few = source(None, count=40)
    gan = augmented(settings(objective='wasserstein', width=4, depth=1, steps=1000), few)
    every(1e30)(gan)
    before = [variable.numpy() for variable in gan.discriminator.variables]
    with loop.Stop() as stop, pytest.raises(errors.DivergedError, match=r'since step 0 no update'):
        loop.train(gan, few, tmp_path, stop)
    assert int(gan.skipped) >= loop.PATIENCE_STEPS
    assert is_finite(gan)
    for variable, old in zip(gan.discriminator.variables, before, strict=True):
        assert np.array_equal(variable.numpy(), old)
    said = capsys.readouterr().out
    assert int(re.search(r'(\d+) updates skipped: not finite', said)[1]) > 0
    events = EventAccumulator(str(tmp_path / 'tensorboard'), {'tensors': 0}).Reload()
    points = [float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors('skipped')]
    assert 0 < points[-1] <= int(gan.skipped)
