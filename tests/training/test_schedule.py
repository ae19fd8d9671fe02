"""What is spent of a budget, and what a call may still take, by a clock that the test moves."""

import pathlib
import re

import pytest

from tfgan import config
from tfgan.training.schedule import Clock


class Now:
    """A clock that stands still until told otherwise."""

    def __init__(self):
        self.secs = 1000.0

    def __call__(self):
        return self.secs


@pytest.fixture
def now():
    return Now()


def by_steps(now, steps=200, spent_secs=0.0):
    return Clock(config.make(steps=steps), spent_secs, now)


def by_minutes(now, minutes=2.0, spent_secs=0.0):
    return Clock(config.make(minutes=minutes), spent_secs, now)


def test_seconds_add_to_those_before(now):
    clock = by_minutes(now, spent_secs=30.0)
    assert clock.secs() == 30
    now.secs += 12.5
    assert clock.secs() == 42.5


def test_a_budget_of_steps_is_spent_by_steps_alone(now):
    clock = by_steps(now)
    for _ in range(2):
        start, slope = clock.schedule()
        assert start + slope * 50 == pytest.approx(0.25)
        assert [clock.spent(step) for step in (0, 50, 200)] == pytest.approx([0, 0.25, 1])
        now.secs += 1e6


def test_a_budget_of_minutes_is_spent_by_time_alone(now):
    clock = by_minutes(now, spent_secs=30.0)
    for secs, share in ((0, 0.25), (30, 0.5), (60, 1.0), (60, 1.0)):
        now.secs += secs
        assert clock.schedule() == (share, 0.0)
        assert clock.spent(0) == clock.spent(10**9) == share


def test_steps_of_a_call_end_with_the_budget_of_steps(now):
    clock = by_steps(now)
    assert clock.next_steps(0, rate=50.0, call_secs=0.5) == 25
    assert clock.next_steps(190, rate=50.0, call_secs=0.5) == 10
    assert clock.next_steps(200, rate=50.0, call_secs=0.5) == 0
    assert clock.next_steps(0, rate=0.0, call_secs=0.5) == 1  # before any was measured
    now.secs += 1e6
    assert clock.next_steps(0, rate=50.0, call_secs=0.5) == 25


def test_steps_of_a_call_end_with_the_budget_of_time(now):
    clock = by_minutes(now)
    assert clock.next_steps(10**9, rate=50.0, call_secs=0.5) == 25
    assert clock.next_steps(0, rate=0.0, call_secs=0.5) == 1
    now.secs += 119.75
    assert clock.next_steps(0, rate=50.0, call_secs=0.5) == 12
    assert clock.next_steps(0, rate=1.0, call_secs=0.5) == 1
    now.secs += 0.25
    assert clock.next_steps(0, rate=50.0, call_secs=0.5) == 0
    now.secs += 1e6
    assert clock.next_steps(0, rate=50.0, call_secs=0.5) == 0


def test_time_left(now):
    assert by_steps(now).left_secs(50, rate=10.0) == 15
    assert by_steps(now).left_secs(50, rate=0.0) == float('inf')
    clock = by_minutes(now, spent_secs=20.0)
    assert clock.left_secs(50, rate=10.0) == 100
    now.secs += 101
    assert clock.left_secs(50, rate=10.0) == 0


def test_the_seconds_of_a_real_clock():
    clock = Clock(config.make(minutes=1.0))
    first = clock.secs()
    assert 0 <= first <= clock.secs() < 10


def test_nothing_is_decided_by_a_time_of_day_that_may_jump():
    of_day = re.compile(r'\btime\.(time|time_ns|localtime)\(|\bdatetime\b|st_[mca]time')
    package = pathlib.Path(config.__file__).parent
    found = {
        str(path.relative_to(package)): of_day.findall(path.read_text())
        for path in package.rglob('*.py')
    }
    assert len(found) > 40
    # A version's files are held against what they were: nothing is decided by an order of times.
    assert found.pop('server/model_manager.py') == ['']
    assert {name: uses for name, uses in found.items() if uses} == {}
    assert of_day.search('now = time.time()') and of_day.search('a.stat().st_mtime')
