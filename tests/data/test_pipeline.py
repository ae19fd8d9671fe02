"""Batches are a function of (seed, step), whatever the number of devices."""

import itertools
import json
import os
import pathlib
import subprocess

import forks
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan.data import pipeline
from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.drawing.drawings import Drawings

ROOT = pathlib.Path(__file__).parents[2]

MIRRORED = """
import json
import tensorflow as tf
devices = tf.config.list_physical_devices('CPU')
tf.config.set_logical_device_configuration(devices[0], 2 * [tf.config.LogicalDeviceConfiguration()])
import test_pipeline
strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
assert strategy.num_replicas_in_sync == 2
print(json.dumps(test_pipeline.take(30, 8, 6, seed=4, first_step=3, strategy=strategy)))
"""


def numbered(count):
    """A source whose image number i, of 2 x 1 pixels, says i twice, and whose label is i % 3."""
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(2, axis=1)
    labels = np.arange(count, dtype=np.int32) % 3
    return Drawings('numbered', (2, 1, 1), labels, tuple('abc'), read=lambda i: pixels[i])


def take(count, batch_size, steps, seed=0, first_step=0, strategy=None):
    """The numbers of the images in the first batches: [steps, batch_size], as lists."""
    strategy = strategy or tf.distribute.get_strategy()
    batches = pipeline.batches(numbered(count), strategy, batch_size, seed, first_step)
    return [whole(strategy, *next(batches)) for _ in range(steps)]


def whole(strategy, images, labels):
    """The numbers in one step's batch, over all replicas."""
    images, labels = (
        np.concatenate(strategy.experimental_local_results(part)) for part in (images, labels)
    )
    assert images.dtype == np.uint8 and labels.dtype == np.int32
    assert images.shape == (len(labels), 2, 1, 1)
    assert np.array_equal(images[:, 0], images[:, 1])
    assert np.array_equal(images[:, 0, 0, 0] % 3, labels)
    return images[:, 0, 0, 0].tolist()


def test_the_shapes_are_known_before_the_first_batch():
    batches = pipeline.batches(numbered(5), tf.distribute.get_strategy(), 4, 0)
    images, labels = batches.element_spec
    assert (images.shape, images.dtype) == ((4, 2, 1, 1), tf.uint8)
    assert (labels.shape, labels.dtype) == ((4,), tf.int32)


def test_the_same_again():
    assert take(30, 8, 9, seed=5) == take(30, 8, 9, seed=5)


@pytest.mark.parametrize('step', [1, 3, 4, 11])
def test_starting_at_a_step_is_skipping_to_it(step):
    assert take(30, 8, 4, first_step=step) == take(30, 8, step + 4)[step:]


def test_a_late_step_is_reached_at_once():
    assert len(set(take(200, 8, 1, first_step=10**12)[0])) > 4


@pytest.mark.parametrize(('count', 'batch_size'), [(30, 8), (30, 10), (3, 8), (1, 4), (200, 7)])
def test_each_example_once_an_epoch(count, batch_size):
    steps = -(-3 * count // batch_size)
    row = list(itertools.chain(*take(count, batch_size, steps)))
    for epoch in range(3):
        assert sorted(row[epoch * count :][:count]) == list(range(count))


def test_each_epoch_and_each_seed_has_its_own_order():
    rows = [np.ravel(take(60, 20, 9, seed=seed)).reshape(3, 60) for seed in (0, 1, 2**31 - 1)]
    for first, second in itertools.combinations(np.concatenate(rows), 2):
        assert (first == second).mean() < 0.15  # chance is 1 in 60


def orders(count, epochs, seed=3):
    numbers = tf.range(count * epochs, dtype=tf.int64)
    return pipeline.shuffled(numbers, count, seed).numpy().reshape(epochs, count)


@pytest.mark.parametrize(('count', 'epochs'), [(1000, 30), (60_000, 6), (70_000, 3)])
def test_an_order_tells_nothing_of_the_next(count, epochs):
    found = orders(count, epochs)
    correlation = np.corrcoef(np.concatenate([found, [np.arange(count)]]))
    # Of so many, chance makes neither a large one nor only small ones.
    assert 0.3 < np.abs(correlation - np.eye(epochs + 1)).max() * count**0.5 < 5
    for order in found[:5]:
        assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) * count**0.5 < 5
        assert (np.abs(np.diff(order)) == 1).mean() * count / 2 == pytest.approx(1, abs=5)


def test_no_order_comes_back():
    found = np.concatenate([orders(60, 600, seed) for seed in (0, 256, 2**20)])
    assert len(np.unique(found, axis=0)) == len(found)


def test_every_place_gets_every_example():
    found = orders(7, 1400)
    assert np.array_equal(np.sort(found), np.tile(np.arange(7), (1400, 1)))
    frequency = np.stack([(found == example).mean(0) for example in range(7)])
    assert frequency == pytest.approx(1 / 7, abs=5 * (6 / 7**2 / 1400) ** 0.5)


def test_two_replicas_share_the_batch_of_one():
    result = subprocess.run(
        [*forks.python(), '-c', MIRRORED],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {'PYTHONPATH': f'{ROOT}:{ROOT}/tests:{ROOT}/tests/data', 'CUDA_VISIBLE_DEVICES': '-1'},
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == take(30, 8, 6, seed=4, first_step=3)


@tf.function
def last_of(batches, steps):
    """What `loop` does: draws from within a compiled loop."""
    images, labels = next(batches)
    for _ in tf.range(steps - 1):
        images, labels = next(batches)
    return images, labels


def a_folder_in_use(tmp_path):
    """The batches of a folder of two classes that is read while training."""
    for name, level in {'cat/0': 0, 'cat/1': 10, 'dog/0': 100, 'dog/1': 110}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new('L', (3, 3), level).save(tmp_path / f'{name}.png')
    source = open_source(f'folder:{tmp_path}', memory_bytes=0)
    return pipeline.batches(source, tf.distribute.get_strategy(), 4, seed=0)


def test_a_picture_that_goes_while_training_does_not_end_it(tmp_path, capsys):
    batches = a_folder_in_use(tmp_path)
    (tmp_path / 'dog' / '0.png').unlink()
    with pipeline.plain_refusals(batches):
        images, labels = last_of(batches, 20)
    drawn = sorted(zip(labels.numpy(), images.numpy()[:, 0, 0, 0], strict=True))
    assert drawn == [(0, 0), (0, 10), (1, 110), (1, 110)]
    assert capsys.readouterr().err.count('dog/0.png can no longer be read') == 1


def test_a_class_that_goes_while_training_is_a_refusal_of_its_source(tmp_path):
    batches = a_folder_in_use(tmp_path)
    for path in (tmp_path / 'dog').iterdir():
        path.unlink()
    with pytest.raises(SourceError) as refusal, pipeline.plain_refusals(batches):
        last_of(batches, 20)
    said = f'{refusal.value}'
    assert 'of 2 pictures of a class none can be read any more (dog/' in said
    assert 'Traceback' not in said and '\n' not in said


def test_other_errors_stay_what_they_are():
    def read(indices):
        raise KeyError('a mistake of ours')

    source = Drawings('none', (2, 1, 1), np.zeros(5, np.int32), ('a',), read)
    batches = pipeline.batches(source, tf.distribute.get_strategy(), 4, seed=0)
    with (
        pytest.raises(tf.errors.OpError, match='a mistake of ours'),
        pipeline.plain_refusals(batches),
    ):
        last_of(batches, 2)
