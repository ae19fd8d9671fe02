"""What was told to TensorBoard is on the disk, or it is said."""

import os

import pytest
import tensorflow as tf

from tfgan.errors import StorageError
from tfgan.training.event_files import Events, end_of_records


def tell(events, size):
    with events.as_default(step=1):
        tf.summary.text('told', 'x' * size)


def test_all_is_on_the_disk(tmp_path):
    events = Events(tmp_path / 'e')
    for _ in range(3):
        tell(events, 5000)
        events.flush()
        (path,) = tmp_path.rglob('events.*')
        assert end_of_records(path) == os.path.getsize(path) > 5000
    events.flush()  # with nothing new
    events.close()
    assert os.listdir(tmp_path / 'e') == [path.name]


@pytest.mark.parametrize('left', [8192, 4096])
def test_a_full_disk_is_noticed(tmp_path, full_disk, left):
    place = tmp_path / 'small'
    filler = full_disk(place, left)
    events = Events(place)
    tell(events, 100_000)
    with pytest.raises(StorageError, match='No space left on device'):
        events.flush()
    filler.unlink()
    others = Events(place)  # as the same command would
    tell(others, 100_000)
    others.close()


def test_a_disk_that_is_full_from_the_first_byte_on(tmp_path, full_disk):
    full_disk(tmp_path / 'small')
    with pytest.raises(StorageError, match='No space left on device'):
        Events(tmp_path / 'small')


def test_events_of_which_nothing_is_left_are_missed(tmp_path, full_disk):
    place = tmp_path / 'small'
    full_disk(place, 16_384)
    events = Events(place)
    tell(events, 1000)
    events.flush()
    (path,) = place.glob('events.*')
    before = os.path.getsize(path)
    tell(events, 1000)
    events.flush()
    size = os.path.getsize(path)
    tell(events, 1000 + -(2 * size - before) % 4096)  # then it ends where a page does
    events.flush()
    whole = os.path.getsize(path)
    assert whole % 4096 == 0
    with open(place / 'rest', 'wb') as rest, pytest.raises(OSError, match='No space'):
        rest.write(bytes(2**20))
    with pytest.raises(StorageError, match='No space left on device'):
        tell(events, 1000)
    assert os.path.getsize(path) == whole


def test_an_event_that_was_cut_is_noticed_when_there_is_room_again(tmp_path, full_disk):
    place = tmp_path / 'small'
    filler = full_disk(place, 8192)
    events = Events(place)
    for _ in range(20):  # more than waits in memory
        tell(events, 10_000)
    filler.unlink()
    with pytest.raises(StorageError, match='cut short'):
        events.flush()


def test_a_file_of_a_later_clock_is_not_taken_for_this_ones(tmp_path):
    (tmp_path / 'events.out.tfevents.9999999999.vm.1.0.v2').write_bytes(b'cut')
    events = Events(tmp_path)
    tell(events, 10)
    events.close()


def test_a_disk_to_read_only(tmp_path, mount):
    mount(tmp_path / 'still', 'ro')
    with pytest.raises(StorageError, match='Read-only file system'):
        Events(tmp_path / 'still/e')


def test_where_whole_records_end(tmp_path):
    path, ends = tmp_path / 'records', [0]
    with tf.io.TFRecordWriter(str(path)) as file:
        for size in (0, 1, 30):
            file.write(bytes(size))
            ends.append(ends[-1] + size + 16)
    data = path.read_bytes()
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        assert end_of_records(path) == max(end for end in ends if end <= size)
    assert end_of_records(path, ends[2]) == len(data)
