"""Exports loaded from any path, also one that TensorFlow would take for a pattern."""

import contextlib
import pathlib
import re
import tempfile

WILDCARDS = re.compile(r'[*?\[\\]')  # TensorFlow looks for the variables' files as a shell would


def load(version):
    """The SavedModel in a version's folder; raises whatever TensorFlow does."""
    import tensorflow as tf

    with _without_wildcards(pathlib.Path(version)) as path:
        return tf.saved_model.load(str(path))


@contextlib.contextmanager
def _without_wildcards(folder):
    """A path of the folder that stands for itself alone: below `v?` lies no other model's weight.

    All is read while it is loaded, so the link need not stay.
    """
    if not WILDCARDS.search(folder.absolute().as_posix()):
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        link = pathlib.Path(place, 'version')
        link.symlink_to(folder.absolute(), target_is_directory=True)
        yield link
