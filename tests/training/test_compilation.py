"""XLA or not: measured where a run begins, put back as it was, and kept with the run."""

import json

import pytest
import tensorflow as tf
import toys

from tfgan.data import pipeline
from tfgan.errors import RunError
from tfgan.gan.gan import Gan
from tfgan.training import compilation
from tfgan.training.compilation import Measured, settle

SOURCE = toys.noise()
PLAIN_WINS, XLA_WINS = Measured('here', 1.0, 2.0), Measured('here', 2.0, 1.0)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(compilation, 'processor', lambda: 'here')


def made(**changes):
    changes = {'steps': 10**9} | changes
    return Gan(toys.settings(**changes), SOURCE.shape, SOURCE.shares)


def is_by_xla(gan):
    return gan.stepper.xla


def keep(directory, measured):
    (directory / compilation.FILE).write_text(json.dumps(vars(measured)))


def test_a_run_takes_the_faster_way_and_is_as_it_was(tmp_path, capsys):
    gan = made(architecture='mlp')
    before = toys.weights(gan)
    settle(gan, SOURCE, tmp_path)
    assert toys.same(before, toys.weights(gan))
    kept = Measured(**json.loads((tmp_path / compilation.FILE).read_text()))
    assert kept.processor == 'here' and 0 < min(kept.plain, kept.xla) < 1000
    assert is_by_xla(gan) == kept.is_on == (kept.xla < kept.plain)
    assert f'xla             {kept}' in capsys.readouterr().out
    batches = pipeline.batches(SOURCE, gan.strategy, 8, 0)
    gan.train(batches, tf.constant(2, tf.int64), tf.constant(0.5), tf.constant(0.1))
    assert gan.stepper.train.experimental_get_tracing_count() == 1  # as it was measured


@pytest.mark.parametrize('known', [PLAIN_WINS, XLA_WINS])
def test_it_goes_on_in_the_way_that_it_began(known, tmp_path, monkeypatch):
    monkeypatch.setattr(compilation, '_measure', None)  # not again
    keep(tmp_path, known)
    gan = made()
    gan.step.assign(7)
    settle(gan, SOURCE, tmp_path)
    assert is_by_xla(gan) == known.is_on


@pytest.mark.parametrize(
    ('known', 'now', 'told'),
    [
        (XLA_WINS, Measured('here', 1.0, 2.0), 'a new run without it would be faster'),
        (PLAIN_WINS, Measured('here', 2.0, 1.0), 'a new run with it would be faster'),
        (PLAIN_WINS, Measured('here', 2.0, 1.9), ''),  # by less than a tenth
        (PLAIN_WINS, Measured('here', 2.0, None), ''),
        (XLA_WINS, Measured('here', 2.0, 1.0), ''),
        (XLA_WINS, Measured('here', 2.0, None), 'a new run without it'),
        (XLA_WINS, None, ''),
    ],
)
def test_another_machine_is_told_of(known, now, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compilation, '_measure', lambda *_: now)
    keep(tmp_path, Measured('there', known.plain, known.xla))
    gan = made()
    settle(gan, SOURCE, tmp_path)
    said = capsys.readouterr().out
    assert told in said and bool(told) == bool(said)
    assert is_by_xla(gan) == known.is_on


def test_what_xla_cannot_compile_goes_without(tmp_path, monkeypatch):
    gan = made()
    secs = compilation._secs

    def failing(step, *arguments):
        if step.xla:
            raise tf.errors.InvalidArgumentError(None, None, 'not in XLA')
        return secs(step, *arguments)

    monkeypatch.setattr(compilation, '_secs', failing)
    settle(gan, SOURCE, tmp_path)
    assert json.loads((tmp_path / compilation.FILE).read_text())['xla'] is None
    assert not is_by_xla(gan)


@pytest.mark.parametrize('changes', [dict(steps=3), dict(steps=None, minutes=0.9), dict(xla='off')])
def test_a_short_run_or_one_that_is_told_measures_nothing(changes, tmp_path):
    gan = made(**changes)
    before = toys.weights(gan)
    settle(gan, SOURCE, tmp_path)
    assert toys.same(before, toys.weights(gan))
    assert not is_by_xla(gan) and not any(tmp_path.iterdir())


def test_an_older_run_goes_on_as_it_did(tmp_path):
    gan = made(architecture='mlp')
    gan.step.assign(7)
    settle(gan, SOURCE, tmp_path)
    assert is_by_xla(gan) and not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    'text',
    ['', '[]', '{"xla": 1}', '{"processor": "here", "plain": "a", "xla": 1}'],
)
def test_what_nobody_can_read_is_refused(text, tmp_path):
    (tmp_path / compilation.FILE).write_text(text)
    with pytest.raises(RunError, match=r'machine\.json.*cannot be read'):
        settle(made(), SOURCE, tmp_path)


def test_both_ways_learn_the_same():
    found = {}
    for xla in ('on', 'off'):
        gan = made(xla=xla, steps=5, architecture='mlp')
        assert is_by_xla(gan) == (xla == 'on')
        metrics, bad = toys.play(gan, SOURCE, 5)
        found[xla] = [*metrics.values()]
        assert not bad.any()
    assert found['on'] == pytest.approx(found['off'], rel=1e-3)
