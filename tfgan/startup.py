"""TensorFlow's import without the lines it prints before its log level counts."""

import contextlib
import os
import sys
import tempfile


def import_tensorflow():
    """Imports TensorFlow and lists its devices, silently unless that fails.

    `TF_CPP_MIN_LOG_LEVEL=0` in the environment lets everything through.
    """
    with contextlib.nullcontext() if _is_verbose() else _silent_stderr():
        import tensorflow as tf

        # Looks for devices without taking them: a strategy of many machines must come first.
        tf.config.list_physical_devices()
        # It trips over a leaky ReLU behind a convolution whose slopes are wanted, and says so.
        tf.config.optimizer.set_experimental_options({'remapping': False})
        return tf


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
