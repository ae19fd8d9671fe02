"""tfgan: train a GAN on drawings with TensorFlow, look at it, and export it to be served."""

import os
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


def make_config(preset: str = 'default', **settings):
    """The configuration of a preset with settings on top: see `tfgan.config.make`."""
    from tfgan import config

    return config.make(preset, **settings)


def Run(directory, config=None, **options):  # noqa: N802  it stands for the class
    """A run in a directory, to be trained and exported: see `tfgan.training.run.Run`."""
    from tfgan import startup
    from tfgan.training.run import Run

    startup.import_tensorflow()
    return Run(directory, config, **options)


def open_source(dataset: str, **options):
    """The data set that a text such as 'folder:my-drawings' names: `tfgan.forms.base`."""
    from tfgan.forms import base

    return base.open_source(dataset, **options)


def load(path):
    """An exported model, to be asked by `draw(seeds)`: see `tfgan.client.Model`."""
    from tfgan import client

    return client.load(path)


def connect(url: str, model: str = 'doodles', version: int | None = None):
    """A server's model, asked alike; by REST at http://HOST:PORT or gRPC at grpc://HOST:PORT."""
    from tfgan import client

    return client.connect(url, model, version)
