"""TensorBoard's event files, watched: TensorFlow is silent about what a full disk took of them."""

import contextlib
import os
import pathlib
import struct

import tensorflow as tf

from tfgan import errors, storage

PROBE_BYTES = 8192  # more than a block, of which a full disk may have a rest


class Events:
    """One event file below a directory, of what `tf.summary` is told."""

    def __init__(self, directory):
        self._directory = pathlib.Path(directory)
        self._others, self._end = self._files(), 0
        with storage.writing(self._directory):
            self._writer = tf.summary.create_file_writer(str(directory))

    def _files(self):
        return set(self._directory.glob('events.*'))

    @contextlib.contextmanager
    def as_default(self, step: int):
        """Takes what `tf.summary` is told in its block."""
        with storage.writing(self._directory), self._writer.as_default(step=step):  # which flushes
            yield

    def flush(self) -> None:
        """Puts all that was told on the disk; raises StorageError if it is not there."""
        with storage.writing(self._directory):
            self._writer.flush()
            self._check()

    def _check(self):
        before, size = self._end, 0
        for path in self._files() - self._others:  # its name, a time, may be that of an older one
            self._end, size = end_of_records(path, before), os.path.getsize(path)
        if before < self._end == size:
            return
        probe = self._directory / f'{storage.DRAFT}probe'
        try:
            storage.write_bytes(probe, bytes(PROBE_BYTES))
        finally:
            storage.discard(probe)
        if self._end < size:
            raise errors.StorageError(path, 'an event was cut short', 'see to the disk')

    def close(self) -> None:
        """The last `flush`, and the end of the file."""
        self.flush()
        self._writer.close()


def end_of_records(path, start: int = 0) -> int:
    """Where the last whole record ends of those that follow each other in a file from `start` on.

    A record is its length, eight bytes, their check of four, the data and its check of four.
    """
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        while True:
            file.seek(start)
            head = file.read(12)
            after = start + 16 + struct.unpack('<Q', head[:8])[0] if len(head) == 12 else size + 1
            if after > size:
                return start
            start = after
