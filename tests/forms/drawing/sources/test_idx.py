"""MNIST's own files are read, with their labels beside them."""

import gzip
import os
import struct

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.forms.base import open_source

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 5, 4), np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 10
CODES = {'u1': 8, 'i1': 9, '>i2': 11, '>i4': 12, '>f4': 13, '>f8': 14}


def idx(path, array, dtype='u1', cut=None):
    header = bytes([0, 0, CODES[dtype], array.ndim]) + struct.pack(f'>{array.ndim}I', *array.shape)
    data = (header + array.astype(dtype).tobytes())[:cut]
    path.write_bytes(gzip.compress(data) if path.suffix == '.gz' else data)
    return f'idx:{path}'


def mnist(folder, separator='-', ending=''):
    """Twenty images to train on and ten to test by."""
    for name, part in {'train': slice(20), 't10k': slice(20, 30)}.items():
        idx(folder / f'{name}-images{separator}idx3-ubyte{ending}', IMAGES[part])
        idx(folder / f'{name}-labels{separator}idx1-ubyte{ending}', LABELS[part])


@pytest.mark.parametrize('ending', ['', '.gz'])
@pytest.mark.parametrize('separator', ['-', '.'])
def test_a_file_is_read_with_the_labels_beside_it(tmp_path, separator, ending):
    mnist(tmp_path, separator, ending)
    source = open_source(f'idx:{tmp_path}/train-images{separator}idx3-ubyte{ending}')
    np.testing.assert_array_equal(source.images(np.arange(20))[..., 0], IMAGES[:20])
    assert source.class_names == tuple('0123456789')
    np.testing.assert_array_equal(source.labels, LABELS[:20])


@pytest.mark.parametrize(
    ('split', 'part'),
    [(None, slice(20)), ('train', slice(20)), ('t10k', slice(20, 30)), ('train+t10k', None)],
)
def test_a_folder_of_them_has_splits(tmp_path, split, part):
    mnist(tmp_path, ending='.gz')
    source = open_source(f'idx:{tmp_path}', split=split)
    order = np.arange(30)[part] if part else [*range(20, 30), *range(20)]
    np.testing.assert_array_equal(source.images(np.arange(len(order)))[..., 0], IMAGES[order])
    np.testing.assert_array_equal(source.labels, LABELS[order])
    assert 'of t10k, train' in source.notes['remarks'] or 'all of' in source.notes['remarks']


def test_labels_may_be_compressed_and_images_not_or_be_missing(tmp_path):
    dataset = idx(tmp_path / 'train-images-idx3-ubyte', IMAGES)
    source = open_source(dataset)
    assert source.class_names == ('drawing',)
    assert source.notes['remarks'] == 'no file of labels is beside it'
    idx(tmp_path / 'train-labels-idx1-ubyte.gz', LABELS)
    assert open_source(dataset).class_names == tuple('0123456789')


@pytest.mark.parametrize('place', ['', '/emnist-letters-train-images-idx3-ubyte'])
def test_emnist_is_turned_upright(tmp_path, place):
    idx(tmp_path / 'emnist-letters-train-images-idx3-ubyte', IMAGES.swapaxes(1, 2))
    idx(tmp_path / 'emnist-letters-train-labels-idx1-ubyte', LABELS)
    source = open_source(f'idx:{tmp_path}{place}')
    np.testing.assert_array_equal(source.images(np.arange(30))[..., 0], IMAGES)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert 'turned upright' in source.notes['remarks']


@pytest.mark.parametrize('dtype', CODES)
def test_numbers_of_every_type_are_read(tmp_path, dtype):
    source = open_source(idx(tmp_path / 'a', IMAGES // 4, dtype))
    np.testing.assert_array_equal(source.images(np.arange(30))[..., 0], IMAGES // 4)


def test_labels_are_no_images(tmp_path):
    dataset = idx(tmp_path / 'train-labels-idx1-ubyte', LABELS)
    with pytest.raises(SourceError, match=r'labels-idx1-ubyte holds an array of shape \(30,\)'):
        open_source(dataset)


@pytest.mark.parametrize('name', ['a', 'a.gz'])
@pytest.mark.parametrize('cut', [9, 15, 16, 615])
def test_a_file_that_is_cut_short_is_refused(tmp_path, name, cut):
    with pytest.raises(SourceError, match=f'{name} is not a whole .idx file of numbers: .'):
        open_source(idx(tmp_path / name, IMAGES, cut=cut))


def test_a_file_that_unpacks_to_more_than_there_is_is_refused(tmp_path):
    header = b'\0\0\x08\x03' + 3 * b'\xff\xff\xff\xff'
    (tmp_path / 'a.gz').write_bytes(gzip.compress(header))
    with pytest.raises(
        SourceError, match=r'a\.gz unpacks to 79,228,162,458,924,105,385,300,197,375'
    ):
        open_source(f'idx:{tmp_path}/a.gz')


def test_what_is_no_file_or_no_folder_of_them_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r'no file there is named like train-images-idx3-ubyte'):
        open_source(f'idx:{tmp_path}')
    os.mkfifo(tmp_path / 'a')
    with pytest.raises(SourceError, match='a is no file; needed is an idx file'):
        open_source(f'idx:{tmp_path}/a')
