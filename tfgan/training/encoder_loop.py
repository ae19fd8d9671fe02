"""The outer loop of an encoder's training, once its game is over: checkpoints, clock, progress."""

import dataclasses
import sys
import time

import tensorflow as tf
import tqdm

from tfgan import storage
from tfgan.config import Config
from tfgan.data import pipeline
from tfgan.distributed import coordination
from tfgan.gan.encoding import METRICS, Encoding
from tfgan.training.checkpoints import Checkpoints
from tfgan.training.loop import CALL_SECS, CHIEFS_WORD, Due, Turn
from tfgan.training.schedule import Clock

SHARE = 5  # of a run's budget, a fifth, comes on top of it
LEAST_STEPS = 1000  # of a game: drawings of a shorter one are not worth reading
LINE_SECS = 10.0  # between lines of progress
SEED = 1 << 31  # added to a run's: its data come in another order


def is_wanted(config: Config, step: int) -> bool:
    """Whether an encoder is trained for a game of so many steps."""
    return config.encoder == 'auto' and step >= LEAST_STEPS


def budget(config: Config) -> Config:
    """A configuration whose budget is the encoder's."""
    if config.steps:
        return dataclasses.replace(config, steps=max(1, config.steps // SHARE))
    return dataclasses.replace(config, minutes=config.minutes / SHARE)


def is_over(config: Config, step: int, secs: float) -> bool:
    """Whether a game that came so far is over, and long enough to have an encoder."""
    left = step < config.steps if config.steps else secs < 60 * config.minutes
    return not left and step >= LEAST_STEPS


def finished(gan, directory):
    """The encoder whose training for a Gan as it is now is over; None if there is none."""
    encoding = Encoding(gan)
    checkpoints = Checkpoints(directory, encoding)
    if not checkpoints.restore() or encoding.game_step.numpy() != gan.step.numpy():
        return None
    clock = Clock(budget(gan.config), float(checkpoints.secs.numpy()))
    is_over = clock.next_steps(int(encoding.step.numpy()), 0.0, CALL_SECS) <= 0
    return encoding.encoder if is_over else None


def train(gan, source, directory, stop, checkpoint_secs: float = 60.0, peer_secs: float = 600.0):
    """Trains an encoder to the end of its budget, from the newest checkpoint if there is one.

    Returns it, or None where `stop` came first; it is saved either way. Raises PeerError,
    SourceError and StorageError.
    """
    config, strategy = budget(gan.config), gan.strategy
    patience = coordination.Patience(coordination.processes(strategy), peer_secs)
    encoding, checkpoints = _begun(gan, source, directory)
    if coordination.processes(strategy) > 1:
        with patience:
            state = encoding.state().values()
            coordination.share(strategy, [each for group in state for each in group])
    step = int(encoding.step.numpy())
    batches = pipeline.batches(source, strategy, encoding.batch_size, config.seed + SEED, step)
    clock = Clock(config, float(checkpoints.secs.numpy()) if checkpoints else 0.0)
    due = Due({'line': LINE_SECS, 'checkpoint': checkpoint_secs}, clock.secs())
    bar = tqdm.tqdm(
        total=1.0, bar_format='{percentage:3.0f}% |{bar}| {desc}', disable=not sys.stderr.isatty()
    )
    rate = 0.0
    while True:
        wanted = clock.next_steps(step, rate, CALL_SECS), *clock.schedule(), stop.signal is not None
        with patience:
            turn = Turn(*coordination.agree(strategy, Turn(*wanted), CHIEFS_WORD))
        if turn.steps <= 0 or turn.stopped:
            break
        began = time.monotonic()
        with patience, pipeline.plain_refusals(batches):
            means = encoding.train(
                batches,
                tf.constant(turn.steps, tf.int64),
                tf.constant(turn.start, tf.float32),
                tf.constant(turn.slope, tf.float32),
            ).numpy()
        rate = turn.steps / (time.monotonic() - began)
        step += int(turn.steps)
        if not checkpoints:
            continue
        _tell(bar, clock, step, 2 * rate * encoding.batch_size, means, due('line', clock.secs()))
        if due('checkpoint', clock.secs()):
            checkpoints.save(clock.secs())
    bar.close()
    if checkpoints:
        checkpoints.save(clock.secs())
    return None if turn.stopped else encoding.encoder


def _begun(gan, source, directory):
    """(An encoder's training as far as it came, its checkpoints, which the chief alone has)."""
    encoding = Encoding(gan)
    encoding.encoder.ground.assign(gan.form.ground(source))
    if not coordination.is_chief(gan.strategy):
        return encoding, None
    checkpoints = Checkpoints(directory, encoding)
    if checkpoints.restore():
        if encoding.game_step.numpy() == gan.step.numpy():
            print(f'continuing the encoder at step {encoding.step.numpy():,}', flush=True)
            return encoding, checkpoints
        # It was of another state of the game: this one takes its place.
        storage.discard(directory)
        encoding = Encoding(gan)
        encoding.encoder.ground.assign(gan.form.ground(source))
        checkpoints = Checkpoints(directory, encoding)
    encoding.game_step.assign(gan.step)
    return encoding, checkpoints


def _tell(bar, clock, step, rate, means, line):
    interval = tqdm.tqdm.format_interval
    values = ' '.join(f'{name} {value:.3f}' for name, value in zip(METRICS, means, strict=True))
    left = interval(clock.left_secs(step, rate))
    text = f'encoder step {step:,}, {rate:,.0f} images/s, {left} left, {values}'
    bar.n = clock.spent(step)
    bar.set_description_str(text)
    if bar.disable and line:
        print(f'{interval(clock.secs())} {100 * clock.spent(step):3.0f}% {text}', flush=True)
