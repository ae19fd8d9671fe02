"""tfgan: train a GAN on drawings with TensorFlow, look at it, and export it to be served."""

import importlib
import os
import sys
import tempfile

__version__ = '0.1.0'

# All are read when TensorFlow and Keras are first imported, so they are set before anything else.
os.environ['KERAS_BACKEND'] = 'tensorflow'  # a user's KERAS_BACKEND=jax would break every import
os.environ['TF_USE_LEGACY_KERAS'] = '0'  # which asks for Keras 2, under another name
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')  # 0 brings TensorFlow's own messages back


def _find_home() -> str:
    """A home for caches, where the user has neither a name nor HOME, as in containers."""
    try:
        return os.path.join(tempfile.gettempdir(), f'home-of-{os.getuid()}')
    except OSError:
        return os.devnull  # which takes nothing


if os.path.expanduser('~') == '~':
    os.environ['HOME'] = _find_home()


# While `python -m tfgan.COMMAND` looks for its module its name is not known yet. The command's own
# imports take a second or more, in which Ctrl-C would end in a traceback.
if sys.argv[:1] == ['-m'] and any(word.startswith('tfgan.') for word in sys.orig_argv[1:3]):
    importlib.import_module('tfgan.startup').begin_command()


# What a notebook calls, imported when it is first asked for: TensorFlow takes seconds.
_CALLS = {
    'Run': 'tfgan.training.run',
    'open_source': 'tfgan.forms.base',
    'load': 'tfgan.client',
    'connect': 'tfgan.client',
}


def __getattr__(name: str):
    if name not in _CALLS:
        raise AttributeError(f'tfgan has no {name!r}; it has {", ".join(_CALLS)}')
    return getattr(importlib.import_module(_CALLS[name]), name)
