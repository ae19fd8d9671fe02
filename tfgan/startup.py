"""What a process begins with: output that may be closed, TensorFlow's import without its lines."""

import contextlib
import io
import os
import re
import signal
import sys
import tempfile
import threading

from tfgan.errors import StorageError, printable

STOPPED = 'stopped'  # what Ctrl-C is answered with
BAR_MOVES = re.compile(r'\n*(\x1b\[A)*')  # what tqdm writes between bars below each other


_screen = 2  # the descriptor of standard error, which is another one while that is silent
_is_command = False


def begin_command() -> None:
    """Makes Ctrl-C end this process at once, as nothing is begun that could be left half done."""
    global _is_command
    _is_command = True
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextlib.contextmanager
def command():
    """A block in which Ctrl-C ends what was begun, and then the process: with a line and no trace.

    Whoever takes the signal for himself, as training does, keeps it.
    """
    global _is_command
    begin_command()
    try:
        with _signal(_end, signal.default_int_handler):
            yield
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None
    finally:
        _is_command = False


@contextlib.contextmanager
def _signal(before, within):
    """Another handler of Ctrl-C within a block, if it is the expected one before."""
    is_main = threading.current_thread() is threading.main_thread()  # which alone may set it
    is_expected = is_main and signal.getsignal(signal.SIGINT) is before
    if is_expected:
        signal.signal(signal.SIGINT, within)
    try:
        yield
    finally:
        if is_expected:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number, _frame):
    # An import that is interrupted swallows a KeyboardInterrupt, or makes another error of it.
    os.write(_screen, f'{STOPPED}\n'.encode())
    os._exit(128 + signal.SIGINT)


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
    silence = contextlib.nullcontext() if _is_verbose() else _silent_stderr()
    at_once = _signal(signal.default_int_handler, _end) if _is_command else contextlib.nullcontext()
    with silence, at_once:
        import tensorflow as tf

        # Looks for devices without taking them: a strategy of many machines must come first.
        tf.config.list_physical_devices()
        # It trips over a leaky ReLU behind a convolution whose slopes are wanted, and says so.
        tf.config.optimizer.set_experimental_options({'remapping': False})
        return tf


class Output(io.TextIOWrapper):
    """Standard output or error that goes on where nobody reads it any more, and knows it.

    Text from outside, whichever way it comes here, cannot make a terminal do anything.
    """

    is_read = True

    def write(self, text):
        with self._tolerant():
            super().write(text if BAR_MOVES.fullmatch(text) else printable(text))
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
    global _screen
    sys.stderr.flush()
    _screen = saved = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:  # Ctrl-C is nobody's failure
            kept.seek(0)
            os.write(saved, kept.read())
            raise
        finally:
            os.dup2(saved, 2)
            _screen = 2
            os.close(saved)
