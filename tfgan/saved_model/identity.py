"""Which model it is: a hash of what draws, and its weights as numbers of sixteen bits."""

import hashlib
import json

import numpy as np

from tfgan import config
from tfgan.errors import ConfigError, ModelError, quoted
from tfgan.forms.base import form_named

SUMS = 'SHA256SUMS'  # a version's file of the hashes of its other files, as sha256sum takes it


def sha256(form: str, architecture: str, shape, weights) -> str:
    """The hash of a generator, in hexadecimal: exports that have the same one draw the same.

    `weights` are the averaged generator's, in the order of Keras. How they are stored does not
    matter, nor what else an export has: the hash is of their values as float32.
    """
    kind = json.dumps([form, architecture, [int(side) for side in shape]])
    found = hashlib.sha256(kind.encode())
    for each in weights:
        each = np.ascontiguousarray(each, '<f4')
        found.update(json.dumps(each.shape).encode())
        found.update(each.tobytes())
    return found.hexdigest()


def of_export(card, weights) -> str:
    """The same of an export by its card and its weights, of which the generator's are the first."""
    count = len(generator_of(card).variables)
    shape = form_named(card.form).shape(card.data)
    architecture = card.config['architecture']
    return sha256(card.form, architecture, shape, weights[:count])


def generator_of(card):
    """A generator as a card tells it, with weights of its own; raises ModelError."""
    import tensorflow as tf

    try:
        settings = config.Config(**card.config | {'precision': 'float32'})
    except (TypeError, ConfigError) as error:
        said = f'the model {quoted(card.name)}: its configuration is none of today'
        raise ModelError(f'{said} ({quoted(error)}); export the run once more') from error
    form, classes = form_named(card.form), len(card.data['class_names'])
    shape = form.shape(card.data)
    architecture = form.architectures[settings.architecture]
    generator = architecture.make_generator(settings, shape, classes)
    generator(tf.zeros([1, settings.latent_size]), tf.zeros([1], tf.int32))
    return generator


def round_weights(network) -> None:
    """Rounds a network's weights to what sixteen bits hold, so that the studio's page can be small.

    The page and the export have the same numbers then, and draw the same. What a drawing looks like
    does not change: the numbers keep three digits. An array that has too large ones is left alone.
    """
    for variable in network.variables:
        value = variable.numpy()
        with np.errstate(over='ignore'):
            rounded = value.astype(np.float16)
        if np.isfinite(rounded).all():
            variable.assign(rounded.astype(value.dtype))


def sums(folder) -> str:
    """A line for each file below a version's folder: its hash, two spaces and its path."""
    paths = sorted(path for path in folder.rglob('*') if path.is_file() and path.name != SUMS)
    return ''.join(
        f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n'
        for path in paths
    )
