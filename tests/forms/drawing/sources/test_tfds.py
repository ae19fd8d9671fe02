import collections
import os
import pathlib
import re
import subprocess
import time

import forks
import numpy as np
import pytest
from damage import damaged

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.drawing.sources import tfds

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
MIXED = [np.full((10 + i, 20, 3), (10 * i, 0, 0), np.uint8) for i in range(6)]


def prepare(folder, name, images, shape, labelled, label=None):
    """Writes a set as tensorflow-datasets does, two classes taking turns if no label is given."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = {'image': tfds.features.Image(shape=shape, encoding_format='png')}
    signature = {'image': tf.TensorSpec(shape, tf.uint8)}
    if labelled:
        features['label'] = tfds.features.ClassLabel(names=['cat', 'dog'])
        signature['label'] = tf.TensorSpec([], tf.int64)

    def examples():
        for i, image in enumerate(images):
            turn = i % 2 if label is None else label
            yield {'image': image, 'label': turn} if labelled else {'image': image}

    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version='1.0.0',
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            'train': tf.data.Dataset.from_generator(examples, output_signature=signature)
        },
        data_dir=folder,
    )


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp('prepared')
    prepare(folder, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    prepare(folder, 'emnist_mini', IMAGES.swapaxes(1, 2)[..., None], (4, 4, 1), labelled=True)
    prepare(folder, 'mixed', MIXED, (None, None, 3), labelled=False)
    prepare(folder, 'untold', IMAGES[:3, ..., None], (4, 4, 1), labelled=True, label=-1)
    tfds.dataset_builders.store_as_tfds_dataset(
        name='words',
        version='1.0.0',
        features=tfds.features.FeaturesDict({'text': tfds.features.Text()}),
        split_datasets={'train': tf.data.Dataset.from_tensor_slices({'text': ['a', 'b']})},
        data_dir=folder,
    )
    return folder


def all_of(source):
    return source.images(np.arange(len(source)))


def sorted_rows(images):
    """Rows in an order of their own: a prepared set is shuffled."""
    return sorted(image.tobytes() for image in images)


def test_a_prepared_set(data_dir):
    source = open_source('tfds:tiny', data_dir)
    assert source.shape == (4, 4, 1)
    assert source.class_names == ('cat', 'dog')
    assert sorted_rows(all_of(source)) == sorted_rows(IMAGES)
    turned = open_source('tfds:emnist_mini', data_dir)  # which keeps its pictures on their side
    assert sorted_rows(all_of(turned)) == sorted_rows(IMAGES)
    label_of = {image.tobytes(): i % 2 for i, image in enumerate(IMAGES)}
    assert source.labels.tolist() == [label_of[image.tobytes()] for image in all_of(source)]
    assert not list(data_dir.glob('tiny/*/*.npy'))


def test_labels_that_a_prepared_set_does_not_tell_are_none(data_dir):
    source = open_source('tfds:untold', data_dir)
    assert source.class_names == ('drawing',)
    assert source.labels.tolist() == [0, 0, 0]


def test_nothing_is_left_of_an_interrupted_write(tmp_path):
    def blocks():
        yield IMAGES[:10], np.zeros(10)
        raise KeyboardInterrupt

    record = np.dtype([('image', np.uint8, (4, 4)), ('label', np.int32)])
    with pytest.raises(KeyboardInterrupt):
        tfds._write(str(tmp_path / 'a.npy'), 30, record, blocks())
    assert not list(tmp_path.iterdir())


OPEN = """
import sys
from tfgan.errors import TfganError
from tfgan.forms.base import open_source
try:
    print(len(open_source('tfds:tiny', sys.argv[1], memory_bytes=10)))
except TfganError as error:
    print(type(error).__name__, error)
"""


def opened(folder, script=OPEN):
    """The process of a script that opens a set without room in memory."""
    return subprocess.Popen(
        [*forks.python(), '-c', script, str(folder)],
        env=os.environ | {'PYTHONPATH': str(pathlib.Path(__file__).parents[4])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_is_told_before_a_set_too_large_for_memory_is_read(tmp_path, full_disk):
    large = np.zeros((300, 64, 64, 1), np.uint8)
    filler = full_disk(tmp_path / 'small', 1 << 20)  # of which the set takes more once it is read
    prepare(tmp_path / 'small', 'tiny', large, (64, 64, 1), labelled=True)
    process = opened(tmp_path / 'small')
    said, _ = process.communicate()
    assert process.returncode == 0  # where a memory map would have killed it
    assert said.startswith(f'StorageError {tmp_path}/small/tiny/')
    assert 'No space left on device' in said and 'make room' in said
    assert not [*(tmp_path / 'small').glob('tiny/*/*.tmp*'), *(tmp_path / 'small').rglob('.tmp-*')]
    filler.unlink()
    assert opened(tmp_path / 'small').communicate()[0] == '300\n'


WAIT = """
import os, signal
from tfgan.forms.drawing.sources import tfds
records = tfds._records
def slow(*args):
    print('writing', flush=True)
    if input() == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    yield from records(*args)
tfds._records = slow
"""


def test_what_a_killed_process_left_of_a_set_is_swept_and_nothing_of_a_living_one(tmp_path):
    prepare(tmp_path, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    killed = opened(tmp_path, WAIT + OPEN)
    assert killed.stdout.readline() == 'writing\n'
    killed.communicate('die\n')
    [left] = tmp_path.glob('tiny/*/.tmp-*')
    living = opened(tmp_path, WAIT + OPEN)
    assert living.stdout.readline() == 'writing\n'
    [draft] = tmp_path.glob('tiny/*/.tmp-*')
    assert draft != left
    waiting = opened(tmp_path)
    assert 'waiting for another process' in waiting.stdout.readline()
    assert living.communicate('\n')[0] == waiting.communicate()[0] == '30\n'
    assert not list(tmp_path.glob('tiny/*/.tmp-*'))


def test_a_slice_of_a_prepared_set(data_dir):
    first, rest = (open_source(f'tfds:tiny:train[{s}]', data_dir) for s in (':10%', '10%:'))
    assert (len(first), len(rest)) == (3, 27)
    assert sorted_rows([*all_of(first), *all_of(rest)]) == sorted_rows(IMAGES)


def test_the_split_of_a_prepared_set_may_be_asked_for_by_itself(data_dir):
    source = open_source('tfds:tiny', data_dir, split='train[:10%]')
    assert (len(source), source.notes['split']) == (3, 'train[:10%]')
    with pytest.raises(SourceError, match=r'--split=test: tfds:tiny:train names another; give one'):
        open_source('tfds:tiny:train', data_dir, split='test')


def test_a_prepared_set_of_mixed_sizes_is_fitted(data_dir):
    source = open_source('tfds:mixed', data_dir)
    assert source.shape == (20, 20, 3)
    assert source.class_names == ('drawing',)
    middles = all_of(source)[:, 10, 10]
    assert sorted(middles.tolist()) == [[10 * i, 0, 0] for i in range(6)]
    assert open_source('tfds:mixed', data_dir, image_size=9).shape == (9, 9, 3)


@pytest.mark.parametrize('name', ['tiny', 'mixed'])
def test_a_prepared_set_too_large_for_memory_is_written_once(data_dir, name, monkeypatch):
    kept = open_source(f'tfds:{name}:train[:50%]', data_dir)
    streamed = open_source(f'tfds:{name}:train[:50%]', data_dir, memory_bytes=10)
    np.testing.assert_array_equal(all_of(streamed), all_of(kept))
    np.testing.assert_array_equal(streamed.labels, kept.labels)
    assert len(list(data_dir.glob(f'{name}/*/*.npy'))) == 1
    assert not list(data_dir.glob(f'{name}/*/*.tmp'))
    with monkeypatch.context() as patch:
        patch.setattr(tfds, '_write', None)
        again = open_source(f'tfds:{name}:train[:50%]', data_dir, memory_bytes=10)
    np.testing.assert_array_equal(all_of(again), all_of(kept))
    other = open_source(f'tfds:{name}:train[50%:]', data_dir, memory_bytes=10)
    assert not set(sorted_rows(all_of(other))) & set(sorted_rows(all_of(kept)))


@pytest.mark.parametrize(
    ('dataset', 'said'),
    [
        ('tfds:words', "needs a feature 'image', it has text"),
        ('tfds:tiny:trian', "no split 'trian'; there are train"),
        ('tfds:tiny:train[:0]', 'no images'),
        ('tfds:mnist/no', "refuses 'mnist/no'"),
        ('tfds:fashion_mnits', 'it has fashion_mnist'),
    ],
)
def test_what_a_prepared_set_has_not_is_refused(data_dir, dataset, said):
    with pytest.raises(SourceError, match=re.escape(said)):
        open_source(dataset, data_dir)


def test_a_damaged_prepared_set_is_refused(tmp_path):
    prepare(tmp_path, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    (record,) = tmp_path.glob('tiny/*/*.tfrecord*')
    record.write_bytes(record.read_bytes()[:1000])
    with pytest.raises(SourceError, match='tfds:tiny:train in '):
        open_source('tfds:tiny', tmp_path)


def test_any_damage_to_a_prepared_set_is_refused_in_one_line_or_read(tmp_path, full):
    prepare(tmp_path, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    whole = {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()}
    rng, outcomes = np.random.default_rng(0), collections.Counter()
    for number in range(1000 if full else 24):
        path, data = list(whole.items())[number % len(whole)]
        path.write_bytes(damaged(data, [*whole.values()], rng))
        try:
            source = open_source('tfds:tiny', str(tmp_path))
            assert source.images(np.arange(len(source))).shape[1:] == source.shape
            said = ''
        except SourceError as error:
            said = str(error)
        assert said.isprintable() and ('tiny' in said or not said)
        outcomes[path.suffix, 'refused' if said else 'read'] += 1
        path.write_bytes(data)
    print(outcomes)
    assert len(whole) == 4
    refused = sum(count for (_, what), count in outcomes.items() if what == 'refused')
    assert 0.2 * number < refused < number


def test_a_damaged_file_beside_a_prepared_set_is_refused_until_it_is_deleted(tmp_path):
    prepare(tmp_path, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    whole = open_source('tfds:tiny', tmp_path, memory_bytes=10)
    expected = all_of(whole)
    (path,) = tmp_path.glob('tiny/*/*.npy')
    data = path.read_bytes()
    os.truncate(path, len(data) - 1)
    with pytest.raises(SourceError, match=r'tfgan-train-own\.npy was cut short'):
        all_of(whole)
    for damage in (data[:-1], data[:50], b'', np.lib.format.magic(1, 0)):
        path.write_bytes(damage)
        with pytest.raises(SourceError, match=r'train-own\.npy .*\. Delete that file'):
            open_source('tfds:tiny', tmp_path, memory_bytes=10)
    path.unlink()
    np.testing.assert_array_equal(
        all_of(open_source('tfds:tiny', tmp_path, memory_bytes=10)), expected
    )


def test_without_a_network_an_absent_set_is_refused_within_seconds(tmp_path, monkeypatch):
    import tensorflow_datasets  # noqa: F401  its import is not what is timed

    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')  # a port at which nobody answers
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    start = time.monotonic()
    with pytest.raises(SourceError) as refusal:
        open_source('tfds:fashion_mnist', tmp_path)
    assert time.monotonic() - start < 10
    for said in ("'fashion_mnist'", os.fspath(tmp_path), '--data_dir', '--dataset=doodles'):
        assert said in str(refusal.value)
