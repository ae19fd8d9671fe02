"""What a process begins with: output that may be closed, TensorFlow's import without its lines."""

import contextlib
import io
import os
import sys
import tempfile

from tfgan.errors import StorageError


def import_tensorflow():
    """Imports TensorFlow and lists its devices, silently unless that fails.

    `TF_CPP_MIN_LOG_LEVEL=0` in the environment lets everything through. Raises StorageError where
    no temporary file can be written, for then TensorFlow is not imported either.
    """
    try:
        tempfile.gettempdir()
    except OSError as error:
        advice = 'set TMPDIR to a folder that can be written to'
        raise StorageError('a temporary file', error.strerror, advice) from error
    # Its products of many small matrices are two to three times as fast, and TensorFlow leaves it
    # off on processors without AVX-512.
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
    with contextlib.nullcontext() if _is_verbose() else _silent_stderr():
        import tensorflow as tf

        # Looks for devices without taking them: a strategy of many machines must come first.
        tf.config.list_physical_devices()
        # It trips over a leaky ReLU behind a convolution whose slopes are wanted, and says so.
        tf.config.optimizer.set_experimental_options({'remapping': False})
        return tf


class Output(io.TextIOWrapper):
    """Standard output or error that goes on where nobody reads it any more, and knows it."""

    is_read = True

    def write(self, text):
        with self._tolerant():
            super().write(text)
        return len(text)

    def flush(self):
        with self._tolerant():
            super().flush()

    @contextlib.contextmanager
    def _tolerant(self):
        try:
            yield
        except OSError:  # its reader has ended, its terminal is closed or its disk is full
            self.is_read = False
            with open(os.devnull, 'wb') as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())


def tolerate_closed_output() -> None:
    """Puts an `Output` in the place of this process's standard output and error."""
    for name in 'stdout', 'stderr':
        stream = getattr(sys, name)
        if stream is not None and stream is getattr(sys, f'__{name}__'):
            output = Output(
                stream.buffer,
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, output)


def is_read() -> bool:
    """Whether what is printed still goes to somebody."""
    return all(getattr(stream, 'is_read', True) for stream in (sys.stdout, sys.stderr))


def _is_verbose():
    return os.environ.get('TF_CPP_MIN_LOG_LEVEL') == '0'


@contextlib.contextmanager
def _silent_stderr():
    """Keeps what C++ writes to standard error, and replays it if the block raises."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(saved, kept.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
