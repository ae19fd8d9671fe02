"""An encoder learns from a finished generator, which stays as it is, alike however it is spread."""

import os
import pathlib
import subprocess

import forks
import numpy as np
import tensorflow as tf
from toys import noise, same, settings

from tfgan.data import pipeline
from tfgan.gan.encoding import Encoding, holes
from tfgan.gan.gan import Gan

SHAPE = 16, 16, 1


def begun(strategy=None, **changes):
    source = noise(SHAPE)
    gan = Gan(settings(architecture='pen', **changes), SHAPE, source.shares, strategy)
    return gan, Encoding(gan), source


def trained(encoding, source, steps, first=0):
    batches = pipeline.batches(source, encoding.strategy, encoding.batch_size, 7, first)
    return encoding.train(batches, tf.constant(steps, tf.int64), 0.0, 1e-3).numpy()


def values(encoding):
    return [variable.numpy() for group in encoding.state().values() for variable in group]


def test_it_learns_and_the_generator_stays():
    gan, encoding, source = begun()
    before = [variable.numpy() for variable in gan.average.variables]
    first = trained(encoding, source, 5)
    trained(encoding, source, 150, 5)
    last = trained(encoding, source, 5, 155)
    assert last[0] < 0.97 * first[0]
    assert same(before, [variable.numpy() for variable in gan.average.variables])
    assert encoding.step.numpy() == 160


def test_it_goes_on_bit_by_bit():
    _, whole, source = begun()
    trained(whole, source, 6)
    _, first, _ = begun()
    trained(first, source, 2)
    _, rest, _ = begun()
    for variable, value in zip(
        [each for group in rest.state().values() for each in group], values(first), strict=True
    ):
        variable.assign(value)
    trained(rest, source, 4, 2)
    assert same(values(whole), values(rest))


REPLICAS = """
import numpy as np
from tfgan.distributed import strategies
strategies.make('auto', virtual_devices=2)
from gan.test_encoding import begun, trained, values
found = []
for name in ('single', 'mirrored'):
    strategy, _ = strategies.make(name)
    _, encoding, source = begun(strategy)
    metrics = trained(encoding, source, 4)
    found.append([metrics, *values(encoding)])
assert strategy.num_replicas_in_sync == 2
flat = [np.concatenate([each.ravel() for each in values]) for values in found]
apart = np.abs(flat[0] - flat[1])
print(apart[:2].max(), np.mean(apart > 1e-4))
"""


def test_two_replicas_come_to_what_one_does():
    here = pathlib.Path(__file__).parents[1]
    path = os.pathsep.join([str(here), str(here.parent)])
    command = [*forks.python(), '-c', REPLICAS]
    out = subprocess.check_output(command, text=True, env=os.environ | {'PYTHONPATH': path})
    metrics, share = map(float, out.split())
    # Of weights whose slope is nearly nil Adam makes a whole step of what rounding leaves.
    assert metrics < 1e-4 and share < 1e-3


def test_holes_are_in_some_and_are_rectangles():
    hidden = holes(tf.range(4000, dtype=tf.int64), (28, 20)).numpy()
    some = hidden.any(axis=(1, 2))
    assert 0.25 < some.mean() < 0.33  # a few lie off the page
    area = hidden[some].sum(axis=(1, 2))
    sides = (hidden[some].any(axis=axis).sum(axis=1) for axis in (1, 2))
    assert np.array_equal(area, np.prod(list(sides), axis=0))
    assert 0.1 < area.mean() / (28 * 20) < 0.3
