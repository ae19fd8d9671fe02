"""When the outer loop stops, and what is due in it."""

import os
import signal

import pytest

from tfgan.loop import Due, Stop


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
    due = Due({'sheet': 10.0, 'score': 30.0}, secs=100.0)
    assert due('sheet', 100.5)  # the first at once
    assert not due('sheet', 110.0)
    assert due('sheet', 110.5)
    assert not due('score', 129.0)
    assert due('score', 131.0)
