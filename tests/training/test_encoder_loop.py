"""An encoder is trained when its game is over, goes on bit by bit, and is exported with it."""

import json
import signal

import numpy as np
import pytest
from commands import small_data

from tfgan import client, config
from tfgan.errors import RunError
from tfgan.training import encoder_loop, loop, reporter
from tfgan.training.run import Run

TOY = dict(width=16, depth=1, latent_size=8, batch_size=16, augment='off', steps=20)


@pytest.fixture(autouse=True)
def short_games(monkeypatch):
    monkeypatch.setattr(encoder_loop, 'LEAST_STEPS', 10)
    monkeypatch.setattr(reporter.Report, 'look', lambda self: None)  # without scores


@pytest.fixture
def settings(tmp_path):
    return config.make(dataset=small_data(tmp_path).partition('=')[2], **TOY)


def weights(model):
    return client.load(model).weights()


def steps(run):
    """The checkpoints of a run's encoder."""
    return [path.stem for path in (run.directory / 'encoder' / 'checkpoints').glob('*.index')]


def test_a_run_ends_with_an_encoder_a_fifth_of_its_steps_old(tmp_path, settings, capsys):
    run = Run(tmp_path / 'run', settings)
    run.train()
    assert 'encoder step 1,' in capsys.readouterr().out
    assert steps(run) == ['step-4']
    model = client.load(run.export(tmp_path / 'model'))
    assert {'encode', 'reconstruct', 'between', 'latents_svg'} <= set(model.signatures())
    # Once more, from what is on the disk: the same encoder without training it again.
    again = Run(tmp_path / 'run').export(tmp_path / 'model')
    assert 'encoder step' not in capsys.readouterr().out
    for first, second in zip(model.weights(), weights(again), strict=True):
        assert np.array_equal(first, second)


def test_it_is_left_out_where_it_is_not_wanted(tmp_path, settings):
    run = Run(tmp_path / 'run', config.make(**vars(settings) | {'encoder': 'off', 'minutes': None}))
    run.train()
    assert 'encode' not in client.load(run.export(tmp_path / 'model')).signatures()
    assert not (tmp_path / 'run' / 'encoder').exists()
    # But an export can add one, for which the data must be there.
    assert 'encode' in client.load(Run(tmp_path / 'run').export(tmp_path / 'model')).signatures()
    plain = Run(tmp_path / 'run').export(tmp_path / 'model', encoder='off')
    assert 'encode' not in client.load(plain).signatures()
    (tmp_path / '8.npy').unlink()
    Run(tmp_path / 'run').export(tmp_path / 'model')


def test_a_game_that_is_short_or_not_over_has_none(tmp_path, settings, monkeypatch):
    run = Run(tmp_path / 'run', settings)
    monkeypatch.setattr(encoder_loop, 'LEAST_STEPS', 21)
    run.train()
    assert 'encode' not in client.load(run.export(tmp_path / 'model')).signatures()
    monkeypatch.setattr(encoder_loop, 'LEAST_STEPS', 10)
    monkeypatch.setattr(encoder_loop, 'is_over', lambda *_: False)
    half = Run(tmp_path / 'run').export(tmp_path / 'model')
    assert 'encode' not in client.load(half).signatures()


def stopped_after(monkeypatch, calls):
    """From then on a signal has come when so many calls of the encoder's steps are done."""
    seen = []

    class Stop(loop.Stop):
        @property
        def signal(self):
            return signal.SIGTERM if len(seen) >= calls else None

    plain = encoder_loop.Encoding.train.func

    def train(self):
        step = plain(self)

        def counted(*arguments):
            seen.append(1)
            return step(*arguments)

        return counted

    monkeypatch.setattr(loop, 'Stop', Stop)
    monkeypatch.setattr(encoder_loop.Encoding, 'train', property(train))


def test_one_that_was_stopped_goes_on_bit_by_bit(tmp_path, settings, monkeypatch, capsys):
    whole = Run(tmp_path / 'whole', settings)
    whole.train()
    expected = weights(whole.export(tmp_path / 'model'))
    with monkeypatch.context() as patch:
        stopped_after(patch, 1)
        assert Run(tmp_path / 'run', settings).train().stopped == signal.SIGTERM
    assert 'encoder step 1,' in capsys.readouterr().out
    run = Run(tmp_path / 'run', settings)
    assert not run.train().stopped
    assert 'continuing the encoder at step 1' in capsys.readouterr().out
    found = weights(run.export(tmp_path / 'model'))
    for first, second in zip(expected, found, strict=True):
        assert np.array_equal(first, second)


@pytest.mark.long
def test_an_export_that_was_stopped_says_so_and_goes_on(tmp_path, settings, monkeypatch):
    off = config.make(**vars(settings) | {'encoder': 'off', 'minutes': None})
    Run(tmp_path / 'run', off).train()
    with monkeypatch.context() as patch:
        stopped_after(patch, 1)
        with pytest.raises(RunError, match='stopped while its encoder was trained'):
            Run(tmp_path / 'run').export(tmp_path / 'model')
    assert not (tmp_path / 'model').exists()
    assert 'encode' in client.load(Run(tmp_path / 'run').export(tmp_path / 'model')).signatures()


@pytest.mark.long
def test_the_encoder_of_another_state_is_not_taken(tmp_path, settings, capsys):
    run = Run(tmp_path / 'run', settings)
    run.train()
    first = run.export(tmp_path / 'model')
    longer = vars(settings) | {'steps': 30, 'minutes': None}
    path = tmp_path / 'run' / 'config.json'
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {'config': found['config'] | {'steps': 30}}))
    run = Run(tmp_path / 'run', config.make(**longer))
    run.train()
    assert 'continuing the encoder' not in capsys.readouterr().out
    assert steps(run) == ['step-6']
    second = run.export(tmp_path / 'model')
    assert any(not np.array_equal(*pair) for pair in zip(weights(first), weights(second)))
