"""When the outer loop stops, and what is due in it."""

import os
import signal

import numpy as np
import pytest

from tfgan.loop import Due, Stop


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


def test_tasks_come_when_due():
    due = Due({'line': 10.0, 'score': 30.0}, secs=100.0)
    assert due('line', 100.5)  # the first at once
    assert not due('line', 110.0)
    assert due('line', 110.5)
    assert not due('score', 129.0)
    assert due('score', 131.0)


def test_sheets_come_more_rarely_in_a_long_run_and_checkpoints_do_not():
    due = Due({'sheet': 5.0, 'checkpoint': 60.0}, secs=0.0)
    asked = np.arange(0.0, 36_000.0)
    times = {task: [secs for secs in asked if due(task, secs)] for task in ('sheet', 'checkpoint')}
    assert times['sheet'][:3] == [5, 10, 15]
    assert 130 < len(times['sheet']) < 150
    assert max(np.diff(times['checkpoint'])) == 60


def test_what_takes_long_comes_more_rarely():
    due = Due({'score': 30.0}, secs=0.0)
    assert due('score', 30.0)
    due.took('score', 1.0, share=0.05)  # a twentieth of its 30 seconds would have been 1.5
    assert due('score', 60.0)
    due.took('score', 4.0, share=0.05)
    assert not due('score', 139.0)
    assert due('score', 140.0)
