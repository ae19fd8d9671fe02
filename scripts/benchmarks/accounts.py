"""Where the seconds of a whole run go: training with a clock around each of its parts."""

import json
import pathlib
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


def whole(path, preset, dataset, augmented=False):
    """turn(secs): trains and exports a run of about so many seconds, which waits now and then for
    a turn of the bare loop of the same networks on the drawings in a file.

    Returns {'secs': {part: seconds}, 'steps': how many, 'turns': [seconds of a bare step],
    'scores': {name: figure} of its drawings, 'MiB': the most memory that the run held}.
    """
    import_tensorflow()
    from in_tensorflow import peak_bytes

    def turn(secs):
        turns = []
        with tempfile.TemporaryDirectory() as folder:
            settings = config.make(preset, dataset=dataset, minutes=secs / 60)
            run = tfgan.Run(f'{folder}/run', settings)
            accounts = Accounts()
            bare = _Bare(turns, path=path, preset=preset, augmented=augmented)
            _watch(accounts, bare.turn)
            steps = run.train().step
            version = accounts.timed('export', run.export)(f'{folder}/model')
            accounts.book()
            scores = json.loads((pathlib.Path(version) / 'model.json').read_text())['scores']
        bare.close()
        found = {'secs': accounts.secs, 'steps': steps, 'turns': turns, 'scores': scores}
        return found | {'MiB': peak_bytes() / 2**20}

    return turn


class _Bare:
    """The bare loop, which goes the run's way, with XLA or without."""

    def __init__(self, turns, **arguments):
        self._turns, self._arguments, self._worker = turns, arguments, None

    def turn(self, gan):
        if self._worker is None:
            way = {'jit': gan.stepper.xla}
            self._worker = Worker('in_tensorflow', 'tfgan', **way, **self._arguments)
            self._count = max(3, round(TURN_SECS / self._worker.turn(20)))
        self._turns.append(self._worker.turn(self._count))

    def close(self):
        if self._worker:  # a run of a few seconds waits for no turn
            self._worker.close()


def _watch(accounts, take_turn):
    """Puts the accounts' clock around the parts of a run, and lets the bare loop take its turns."""
    from tfgan.gan.gan import Gan
    from tfgan.training import compilation, encoder_loop, loop
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
        (compilation, 'settle', 'XLA or not'),
        (encoder_loop, 'train', 'the encoder'),
    ):
        setattr(owner, method, accounts.timed(part, getattr(owner, method)))
    loop.Clock.__init__.__defaults__ = 0.0, accounts.now
    train, calls, due = Gan.train.fget, 0, accounts.now() + EVERY_SECS

    def timed(gan):
        nonlocal calls, due
        if calls and accounts.now() >= due:
            accounts.wait_for(lambda: take_turn(gan))
            due = accounts.now() + EVERY_SECS
        calls += 1
        return accounts.timed('steps' if calls > 1 else 'the first call', train(gan))

    Gan.train = property(timed)
