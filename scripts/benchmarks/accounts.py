"""Where the seconds of a whole run go: training with a clock around each of its parts."""

import tempfile
import time

from workers import Worker

import tfgan
from tfgan import config
from tfgan.startup import import_tensorflow

EVERY_SECS, TURN_SECS = 6.0, 2.0  # of the run, and of the bare loop in between
REST = 'everything else'


class Accounts:
    """Seconds by part; those of a part within another one count for the inner one alone."""

    def __init__(self):
        self.secs, self._within = {}, [REST]
        self._waited = 0.0
        self._since = self.now()

    def now(self) -> float:
        """Seconds of a clock that stands still while the run waits."""
        return time.perf_counter() - self._waited

    def book(self):
        """Puts the time since the last entry down to the part that is being worked on."""
        part, now = self._within[-1], self.now()
        self.secs[part] = self.secs.get(part, 0.0) + now - self._since
        self._since = now

    def timed(self, part, function):
        """The function, whose seconds are those of a part."""

        def call(*arguments, **keywords):
            self.book()
            self._within.append(part)
            try:
                return function(*arguments, **keywords)
            finally:
                self.book()
                self._within.pop()

        return call

    def wait_for(self, function):
        """What the function returns, whose seconds are nobody's."""
        began = time.perf_counter()
        found = function()
        self._waited += time.perf_counter() - began
        return found


def whole(path, preset, dataset, **changes):
    """turn(steps): trains and exports a run, which waits now and then for a turn of the bare loop
    of the same networks on the drawings in a file.

    Returns {'secs': {part: seconds}, 'steps': those after the first call, which compiles, 'turns':
    [seconds of a bare step]}.
    """
    import_tensorflow()

    def turn(steps):
        bare = Worker('in_tensorflow', 'tfgan', path=path, preset=preset, **changes)
        amount = max(3, round(TURN_SECS / bare.turn(20)))
        accounts, turns, counted = Accounts(), [], []
        _watch(accounts, lambda: turns.append(bare.turn(amount)), counted)
        settings = config.make(preset, dataset=dataset, steps=steps)
        with tempfile.TemporaryDirectory() as folder:
            run = tfgan.Run(f'{folder}/run', settings)
            run.train()
            accounts.timed('export', run.export)(f'{folder}/model')
        accounts.book()
        bare.close()
        return {'secs': accounts.secs, 'steps': sum(counted[1:]), 'turns': turns}

    return turn


def _watch(accounts, take_turn, counted):
    """Puts the accounts' clock around the parts of a run, and lets the bare loop take its turns."""
    from tfgan.gan.gan import Gan
    from tfgan.training import loop
    from tfgan.training.checkpoints import Checkpoints
    from tfgan.training.reporter import Report

    for owner, method, part in (
        (Report, 'look', 'learning to judge'),
        (Report, 'score', 'scores'),
        (Report, 'sheet', 'sheets'),
        (Report, 'scalars', 'curves'),
        (Report, 'flush', 'curves'),
        (Report, 'walk', 'the last walk and curves'),
        (Report, 'curves', 'the last walk and curves'),
        (Checkpoints, 'save', 'checkpoints'),
        (Checkpoints, 'save_best', 'checkpoints'),
    ):
        setattr(owner, method, accounts.timed(part, getattr(owner, method)))
    loop.Clock.__init__.__defaults__ = 0.0, accounts.now
    train, due = Gan.train.fget, accounts.now() + EVERY_SECS

    def turns(gan):
        nonlocal due
        if counted and accounts.now() >= due:
            accounts.wait_for(take_turn)
            due = accounts.now() + EVERY_SECS
        step = accounts.timed('steps' if counted else 'compiling', train(gan))

        def call(batches, steps, *schedule):
            counted.append(int(steps))
            return step(batches, steps, *schedule)

        return call

    Gan.train = property(turns)
