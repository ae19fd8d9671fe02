"""Whether XLA compiles a run's steps: measured on its machine as it begins, and kept with it."""

import dataclasses
import json
import pathlib
import platform
import statistics
import time

import tensorflow as tf

from tfgan import storage
from tfgan.data import pipeline
from tfgan.errors import RunError, quoted
from tfgan.gan.step import Step

FILE = 'machine.json'
LEAST_SECS = 60.0  # of a run: in a shorter one compiling costs more than it saves
TURNS, TURN_SECS = 5, 0.1
WORTH_TELLING = 0.9  # of the time of a step


@dataclasses.dataclass(frozen=True)
class Measured:
    """Milliseconds of a step without XLA and with it, None where it fails, on a processor."""

    processor: str
    plain: float
    xla: float | None

    @property
    def is_on(self) -> bool:
        return self.xla is not None and self.xla < self.plain

    def __str__(self):
        word, plain = 'on' if self.is_on else 'off', f'{self.plain:.1f} ms without'
        told = 'it fails' if self.xla is None else f'{self.xla:.1f} ms a step with it, {plain}'
        return f'{word}: {told} ({self.processor})'


def settle(gan, source, directory) -> None:
    """Makes a run's steps as `--xla` says; where that is auto, in the way that is faster here.

    The way is kept in the run's directory, so that it goes on bit for bit. It is kept on another
    machine too, where a line says if the other way would be faster by a tenth. Raises RunError and
    StorageError.
    """
    if gan.config.xla != 'auto' or gan.strategy.num_replicas_in_sync > 1:
        return
    path = pathlib.Path(directory) / FILE
    usual = gan.stepper
    ways = {usual.xla: usual, not usual.xla: Step(gan, xla=not usual.xla)}
    known = _read(path)
    if known is None and gan.step.numpy() == 0:  # else it has its way from a time before this file
        known = _measure(gan, source, ways)
        if known:
            storage.write_bytes(path, json.dumps(dataclasses.asdict(known), indent=2).encode())
            print(f'  xla             {known}', flush=True)
    elif known and known.processor != processor():
        _tell(known, _measure(gan, source, ways))
    if known:
        gan.stepper = ways[known.is_on]


def _read(path):
    """What was measured; None if nothing was."""
    try:
        found = Measured(**json.loads(path.read_text()))
        _ = found.is_on  # a TypeError for what are no numbers
        return found
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValueError) as error:
        said = f'{quoted(path)} cannot be read ({quoted(error)}); take another --run_dir'
        raise RunError(said) from error


def _tell(known, now):
    """Says if a run would be faster the other way on this machine."""
    if now is None or known.is_on == now.is_on:
        return
    taken, other = (now.xla, now.plain) if known.is_on else (now.plain, now.xla)
    if taken is None or other < WORTH_TELLING * taken:
        word = 'without' if known.is_on else 'with'
        print(
            f'  xla             {"on" if known.is_on else "off"}, as the run began on another'
            f' machine; a new run {word} it would be faster on this one: {now}',
            flush=True,
        )


def _measure(gan, source, ways):
    """Takes some steps in both ways and puts the state back; None if the run is too short."""
    variables = [variable for group in gan.state().values() for variable in group]
    before = [variable.numpy() for variable in variables]
    config = gan.config
    batches = pipeline.batches(source, gan.strategy, config.batch_size, config.seed)
    try:
        with pipeline.plain_refusals(batches):
            if _run_secs(gan, batches) < LEAST_SECS:
                return None
            return _both_ways(ways, batches)
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _run_secs(gan, batches):
    """About how long a run takes."""
    if gan.config.minutes:
        return 60 * gan.config.minutes
    _secs(gan.stepper, batches, 2)  # the first call compiles
    return gan.config.steps * _secs(gan.stepper, batches, 2)


def _both_ways(ways, batches):
    _secs(ways[False], batches, 2)
    once = _secs(ways[False], batches, 2)
    try:
        _secs(ways[True], batches, 2)
    except tf.errors.OpError:  # what XLA has not, a network may need
        return Measured(processor(), 1e3 * once, None)
    count = max(1, round(TURN_SECS / once))
    turns = [[_secs(ways[xla], batches, count) for xla in (False, True)] for _ in range(TURNS)]
    return Measured(processor(), *(1e3 * statistics.median(secs) for secs in zip(*turns)))


def _secs(step, batches, count):
    """Of a step, over `count` of them."""
    began = time.perf_counter()
    step.train(batches, tf.constant(count, tf.int64), tf.constant(0.0), tf.constant(0.0))[0].numpy()
    return (time.perf_counter() - began) / count


def processor() -> str:
    """The name of this machine's processor, as far as its system knows it."""
    try:
        lines = pathlib.Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor() or platform.machine())
