"""The outer loop: one Gan, one run directory, the clock, and when to stop."""

import dataclasses
import math
import signal
import time
from typing import NamedTuple

import tensorflow as tf

from tfgan import startup
from tfgan.data import pipeline
from tfgan.distributed import coordination
from tfgan.errors import DivergedError, shown
from tfgan.gan.gan import METRICS
from tfgan.training import compilation
from tfgan.training.checkpoints import Checkpoints
from tfgan.training.reporter import Report
from tfgan.training.run_dir import NAMES
from tfgan.training.schedule import Clock

CALL_SECS = 1.0  # of the compiled loop: how late a signal or a deadline may be noticed
EVERY_SECS = {'line': 10.0, 'point': CALL_SECS / 2, 'sheet': 5.0, 'score': 30.0}
# And of the time so far, so that what is written grows only with its logarithm: a month has 3,000
# points of each curve (two thirds of them after the first hour), 250 sheets and 800 scores.
EVERY_SHARE = {'point': 1 / 300, 'sheet': 0.05, 'score': 0.01}
SCORE_SHARE = 0.05  # of the time, at most, is spent on scores
CLOSED_PIPE = getattr(signal, 'SIGPIPE', 13)  # by their numbers of Unix on Windows, which has no
HANGUP = getattr(signal, 'SIGHUP', signal.SIGTERM)  # such signals
PATIENCE_STEPS = 100  # that may be skipped in a row before the run is given up


class Turn(NamedTuple):
    """What comes next: so many steps, in which progress is start + slope * step, or the end."""

    steps: float
    start: float
    slope: float
    stopped: float


CHIEFS_WORD = Turn(steps=True, start=True, slope=True, stopped=False)  # and any may stop all


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a run so far."""

    step: int
    images_seen: int
    secs: float
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    best_score: float | None = None  # the lowest Fréchet distance it had, if any
    stopped: int = 0  # by which signal, in this process or another one


class Stop:
    """Notices signals within a `with` block, and that nobody reads what is printed any more.

    The signals are SIGTERM and Ctrl-C, of which the second one ends the process at once, and
    SIGHUP, of which a terminal that is closed sends several.
    """

    ending = signal.SIGTERM, signal.SIGINT

    def __init__(self):
        self._signal = None

    @property
    def signal(self) -> int | None:
        """The signal to stop by, once there is one."""
        if self._signal is None and not startup.is_read():
            self._signal = CLOSED_PIPE
        return self._signal

    def __enter__(self):
        ignored = signal.getsignal(HANGUP) == signal.SIG_IGN  # as nohup has it
        heeded = self.ending if ignored else {*self.ending, HANGUP}
        self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, _frame):
        self._signal = number
        for ending in self.ending:
            signal.signal(ending, self._before[ending])


class Due:
    """Tells whether a task is due that comes every so many seconds, by the training's clock."""

    def __init__(self, every_secs: dict[str, float], secs: float):
        self._every = every_secs
        self._last = dict.fromkeys(every_secs, secs)
        # A line comes with the first call: a person waits for it.
        self._at = {task: secs if task == 'line' else self._next(task, secs) for task in every_secs}

    def _next(self, task, secs):
        """When a task comes again that was due just now."""
        every, share = self._every[task], EVERY_SHARE.get(task)
        if not share:
            return secs + every
        # Times that do not depend on when this process began: a run that is resumed over and over
        # gets no more of each task than one that never stops, and no less.
        even = every / share
        if secs < even:
            return every * (secs // every + 1)
        return even * (1 + share) ** (math.floor(math.log(secs / even, 1 + share) + 1e-9) + 1)

    def took(self, task: str, secs: float, share: float) -> None:
        """Puts a task that took so many seconds off until that is no more than a share of them."""
        self._at[task] = max(self._at[task], self._last[task] + secs / share)

    def __call__(self, task: str, secs: float) -> bool:
        due = secs >= self._at[task]
        if due:
            self._last[task], self._at[task] = secs, self._next(task, secs)
        return due


def train(
    gan, source, directory, stop: Stop, checkpoint_secs: float = 60.0, peer_secs: float = 600.0
) -> Outcome:
    """Trains to the end of the configured budget, from the newest checkpoint if there is one.

    The state is saved whether it ends or `stop` comes first. Raises DivergedError, and PeerError if
    another process of the run is gone; one that hangs is given `peer_secs`; SourceError if examples
    can no longer be read.
    """
    config, strategy = gan.config, gan.strategy
    patience = coordination.Patience(coordination.processes(strategy), peer_secs)
    checkpoints = Checkpoints(directory, gan) if coordination.is_chief(strategy) else None
    if checkpoints and checkpoints.restore():
        print(f'continuing {shown(str(directory))} at step {gan.step.numpy():,}', flush=True)
    if coordination.processes(strategy) > 1:
        with patience:
            settings = {name: value for name, value in vars(config).items() if name not in NAMES}
            coordination.check_same(strategy, settings=str(settings), data=source.fingerprint)
            coordination.share(strategy, [each for group in gan.state().values() for each in group])
    step = int(gan.step.numpy())
    batches = pipeline.batches(source, strategy, config.batch_size, config.seed, step)
    report = Report(gan, source, directory) if checkpoints else None
    if report:
        if not step:
            report.sheet()  # noise, but at once: what comes next takes seconds
        report.look()
    compilation.settle(gan, source, directory)
    clock = Clock(config, float(checkpoints.secs.numpy()) if checkpoints else 0.0)
    due = Due(EVERY_SECS | {'checkpoint': checkpoint_secs}, clock.secs())
    rate, metrics, point = 0.0, {}, {}  # steps a second in the last call, its means, all to plot
    while True:
        # Clocks differ from machine to machine: all follow the chief's, and any may stop all.
        next_steps, asked_to_stop = clock.next_steps(step, rate, CALL_SECS), stop.signal is not None
        wanted = Turn(next_steps, *clock.schedule(), asked_to_stop)
        with patience:
            turn = Turn(*coordination.agree(strategy, wanted, CHIEFS_WORD))
        if turn.steps <= 0 or turn.stopped:
            break
        began, skipped = time.monotonic(), int(gan.skipped.numpy())
        with patience, pipeline.plain_refusals(batches):
            total, bad = gan.train(
                batches,
                tf.constant(turn.steps, tf.int64),
                tf.constant(turn.start, tf.float32),
                tf.constant(turn.slope, tf.float32),
            )
        rate = turn.steps / (time.monotonic() - began)
        if gan.step.numpy() != step + turn.steps:
            raise RuntimeError(f'{turn.steps:.0f} steps from {step} led to {gan.step.numpy()}')
        step += int(turn.steps)
        diverged = int(gan.streak.numpy()) >= PATIENCE_STEPS
        if diverged and not report:
            raise _divergence(gan, bad.numpy())
        if not report:
            continue
        good_steps = max(1, turn.steps - (int(gan.skipped.numpy()) - skipped))
        metrics = dict(zip(METRICS, total.numpy() / good_steps, strict=True))
        point = metrics | {
            'images_per_sec': rate * config.batch_size,
            'skipped': int(gan.skipped.numpy()),
            'augmentation': float(gan.change_probability.numpy()),
        }
        if due('point', clock.secs()) or diverged:
            report.scalars(point)
            point = {}
        if diverged:
            raise _divergence(gan, bad.numpy())
        report.progress(clock, metrics, rate, line=due('line', clock.secs()))
        if due('sheet', clock.secs()):
            report.sheet()
        better = False
        if due('score', clock.secs()):
            began = time.monotonic()
            better = _keep_best(checkpoints, report.score(metrics, clock.spent(step)))
            report.sounds()
            due.took('score', time.monotonic() - began, SCORE_SHARE)
        if due('checkpoint', clock.secs()) or better:
            checkpoints.save(clock.secs())
            report.flush()

    scores, best_score = {}, None
    if report:
        checkpoints.save(clock.secs())  # before all that may fail
        report.scalars(point)  # the last one, if it was not due
        if not turn.stopped:
            scores = report.score(metrics, 1.0) or {}
            _keep_best(checkpoints, scores)
            best_score = float(checkpoints.best_score.numpy()) if scores else None
            report.sheet()
            report.sounds()
            report.walk()
            report.curves()
        report.close()
    ended_by = (stop.signal or signal.SIGTERM) if turn.stopped else 0
    return Outcome(step, step * config.batch_size, clock.secs(), scores, best_score, ended_by)


def _keep_best(checkpoints, scores):
    """Keeps this state apart if no earlier one was as near to the data; whether it was."""
    return bool(scores) and checkpoints.save_best(scores['frechet_distance'])


def _divergence(gan, bad):
    streak = int(gan.streak.numpy())
    terms = ', '.join(name for name, count in zip(METRICS, bad, strict=True) if count)
    return DivergedError(
        f'since step {gan.step.numpy() - streak:,} no update was finite ({terms}); the weights are '
        'those before it. Try, in a new run, a lower '
        f'--learning_rate (now {gan.config.learning_rate:g}), another --objective (now '
        f'{gan.config.objective}) or another --penalty_weight (now {gan.penalty_weight:g})'
    )
