"""SavedModels loaded from any path, told from those of others and from programs."""

from tfgan import startup, storage
from tfgan.errors import ModelError, TfganError, quoted, reason

NEEDED = 'serving_default', 'labelled', 'truncated', 'latents', 'interpolate', 'classes'


def load(version, trust: bool = False):
    """The SavedModel in a version's folder; raises whatever TensorFlow does.

    One with operations that may do more than compute is refused by ModelError before any of it
    runs, unless there is `trust`.
    """
    tf = startup.import_tensorflow()
    with storage.unglobbed(version) as folder:
        if not trust:
            _check(tf.__internal__.saved_model.parse_saved_model(str(folder)), version)
        return tf.saved_model.load(str(folder))


def _check(model, version):
    from tfgan.saved_model import operations

    if found := operations.more_than_compute(model):
        told = ', '.join(f'{operation} in {place}' for operation, place in sorted(found.items()))
        raise ModelError(
            f'{quoted(version)} is a program that may do more than compute, such as read and write '
            f'files, and was not loaded. It has {quoted(told)}. --trust_model, or '
            'tfgan.load(path, trust=True), runs it: only for models of those whose programs you '
            'would run too'
        )


def load_model(version, trust: bool = False):
    """A version's object with its `signatures`, as TensorFlow loads it; raises ModelError.

    It is refused where it cannot be read, where it is no model of ours, and as by `load`.
    """
    try:
        loaded = load(version, trust)
    except TfganError:
        raise
    except Exception as error:  # whatever its readers of damaged files raise
        why = quoted(reason(error))
        raise ModelError(f'--model={quoted(version)} cannot be loaded: {why}') from error
    if missing := [name for name in NEEDED if name not in loaded.signatures]:
        raise ModelError(
            f'--model={quoted(version)} is no model of tfgan: it lacks the signatures '
            f'{", ".join(missing)}; python -m tfgan.train writes one'
        )
    return loaded
