"""When the outer loop stops, and what is due in it."""

import itertools
import os
import signal
import sys

import numpy as np
import pytest
import toys

from tfgan import startup
from tfgan.gan.gan import Gan
from tfgan.training import checkpoints, loop, reporter
from tfgan.training.loop import Due, Stop


@pytest.fixture
def heeded():
    """Ctrl-C as in a terminal: a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('heeded')
def test_a_signal_is_noted_once_and_the_next_one_ends_the_process():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Stop() as stop:
        assert stop.signal is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_terminal_that_is_closed_stops_the_run_however_often_it_says_so():
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with Stop() as stop:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signal == signal.SIGHUP
    assert signal.signal(signal.SIGHUP, before) == signal.SIG_DFL


def test_a_run_under_nohup_goes_on():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signal is None
    assert signal.signal(signal.SIGHUP, before) == signal.SIG_IGN


def test_what_nobody_reads_stops_the_run(monkeypatch):
    reader, writer = os.pipe()
    with open(writer, 'wb') as pipe:
        monkeypatch.setattr(sys, 'stdout', startup.Output(pipe, write_through=True))
        with Stop() as stop:
            print('a line', flush=True)
            assert stop.signal is None
            os.close(reader)
            for _ in range(3):
                print('a line', flush=True)
            assert stop.signal == signal.SIGPIPE


def test_an_ornament_that_fails_is_told_and_the_run_ends_well(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reporter.Report, 'look', lambda self: None)  # without scores
    monkeypatch.setattr(reporter, 'WALK_FRAMES', 10)
    source = toys.noise((1, 16_400, 1), count=10, classes=1)  # four are too wide for a GIF
    settings = toys.settings(width=2, depth=1, architecture='mlp', steps=2, batch_size=2)
    gan = Gan(settings, source.shape, [1])
    facts = loop.train(gan, source, tmp_path, Stop())
    # TensorFlow warns of the functions that other tests have traced in this process.
    said = capsys.readouterr().err.splitlines()
    (line,) = [line for line in said if not line.startswith('WARNING:tensorflow:')]
    assert line.startswith('going on without a walk: ')
    assert facts.step == 2 and facts.scores == {}
    assert checkpoints.reached(tmp_path)[0] == 2
    assert (tmp_path / 'samples/curves.png').exists()


def test_tasks_come_when_due():
    due = Due({'line': 10.0, 'score': 30.0}, secs=100.0)
    assert due('line', 100.5)  # the first at once
    assert not due('line', 110.0)
    assert due('line', 110.5)
    assert not due('score', 119.0)
    assert due('score', 121.0)
    assert not due('score', 149.0)
    assert due('score', 150.0)


def times(due, asked):
    """When each task was due of the times at which it was asked for."""
    found = {task: [] for task in loop.EVERY_SECS}
    for secs in asked:
        for task, when in found.items():
            if due(task, secs):
                when.append(secs)
    return found


HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ('secs', 'points', 'sheets', 'scores'),
    [(HOUR, 1047, 93, 118), (DAY, 2002, 158, 437), (30 * DAY, 3024, 228, 779)],
)
def test_what_is_written_grows_with_the_logarithm_of_the_time(secs, points, sheets, scores):
    # Calls are a second long; after hours, a minute is short beside what lies between two points.
    asked = itertools.chain(np.arange(1.0, 4 * HOUR), np.arange(4 * HOUR, 31 * DAY, 20.0))
    found = times(Due(loop.EVERY_SECS, 0.0), itertools.takewhile(lambda at: at <= secs, asked))
    assert [len(found[task]) for task in ('point', 'sheet', 'score')] == pytest.approx(
        [points, sheets, scores], abs=4
    )
    assert found['point'][:250] == list(range(1, 251))  # as dense as the calls at first
    assert found['sheet'][:3] == [5, 10, 15] and found['score'][:3] == [30, 60, 90]
    assert max(np.diff(found['line'])) < 30  # for whoever waits
    for task, share in loop.EVERY_SHARE.items():
        late = np.array([at for at in found[task] if at > 1000])
        pauses = np.diff(late)
        allowed = np.maximum(share * late[1:], loop.EVERY_SECS[task])
        assert (pauses <= 1.01 * allowed + 40).all()


def test_a_run_that_is_resumed_over_and_over_is_shown_as_often_as_one_that_never_stops():
    asked = np.arange(1.0, 2 * DAY)
    whole = times(Due(loop.EVERY_SECS, 0.0), asked)
    broken = {task: [] for task in loop.EVERY_SECS}
    for part in np.array_split(asked, 1000):  # each less than three minutes long
        for task, when in times(Due(loop.EVERY_SECS, part[0] - 1), part).items():
            broken[task] += when
    for task in loop.EVERY_SHARE:
        assert broken[task] == whole[task]


def test_a_time_on_the_grid_is_due_but_once():
    due = Due({'point': 0.5, 'sheet': 5.0}, 0.0)
    for task in ('point', 'sheet'):
        for _ in range(2000):
            at = due._at[task]
            assert due(task, at)
            assert due._at[task] > at
            assert not due(task, at)


def test_what_takes_long_comes_more_rarely():
    due = Due({'score': 30.0}, secs=0.0)
    assert due('score', 30.0)
    due.took('score', 1.0, share=0.05)  # a twentieth of its 30 seconds would have been 1.5
    assert due('score', 60.0)
    due.took('score', 4.0, share=0.05)
    assert not due('score', 139.0)
    assert due('score', 140.0)
