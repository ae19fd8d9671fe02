"""SavedModels loaded from any path, and told from those of others."""

from tfgan import startup, storage
from tfgan.errors import ModelError, quoted, reason

NEEDED = 'serving_default', 'labelled', 'truncated', 'latents', 'interpolate', 'classes'


def load(version):
    """The SavedModel in a version's folder; raises whatever TensorFlow does."""
    tf = startup.import_tensorflow()
    with storage.unglobbed(version) as folder:
        return tf.saved_model.load(str(folder))


def load_model(version):
    """A version's object with its `signatures`, as TensorFlow loads it; raises ModelError.

    It is refused where it cannot be read, and where it is no model of ours.
    """
    try:
        loaded = load(version)
    except Exception as error:  # whatever its readers of damaged files raise
        raise ModelError(f'--model={quoted(version)} cannot be loaded: {reason(error)}') from error
    if missing := [name for name in NEEDED if name not in loaded.signatures]:
        raise ModelError(
            f'--model={quoted(version)} is no model of tfgan: it lacks the signatures '
            f'{", ".join(missing)}; python -m tfgan.train writes one'
        )
    return loaded
