"""Files are whole or not there, and where a disk does not take them it is said in one line."""

import os
import resource

import pytest

from tfgan import disk
from tfgan.disk import DiskError


def test_bytes_replace_a_file(tmp_path):
    path = tmp_path / 'a'
    for data in (b'old', b'newer', b''):
        disk.write_bytes(path, data)
        assert path.read_bytes() == data
        assert os.listdir(tmp_path) == ['a']


@pytest.fixture
def small_disk():
    """Writing more than 1,000 bytes to a file fails half way, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_the_old_file(tmp_path, small_disk):
    path = tmp_path / 'a'
    disk.write_bytes(path, b'old')
    with pytest.raises(DiskError, match='File too large'):
        disk.write_bytes(path, bytes(100_000))
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a']


def test_a_name_that_is_taken_by_a_folder(tmp_path):
    (tmp_path / 'a').mkdir()
    with pytest.raises(DiskError, match='directory'):
        disk.write_bytes(tmp_path / 'a', b'new')
    assert os.listdir(tmp_path) == ['a']
