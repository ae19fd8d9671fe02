"""Bundles: what the studio's page needs of an exported version, as one small binary.

After gzip it is `MAGIC`, the length of a header (uint32, little-endian), the header (JSON) and the
tensors of the generator and of the encoder, end to end in the order of Keras. A tensor's numbers
have their first bytes first, then their second ones, and so on: gzip packs them better so.
"""

import gzip
import json

import numpy as np

from tfgan import __version__
from tfgan.errors import ModelError, quoted
from tfgan.forms.base import form_named
from tfgan.saved_model import card, compact, identity, loading, sliders

MAGIC = b'TFGANST1'
LEVELS = 31  # of the encoder's weights, on each side of zero: its answer is a guess
PACKING = 9  # the level of gzip


def bundle(version, trust: bool = False) -> bytes:
    """The bundle of an exported version's folder; raises ModelError as `loading.load_model`."""
    facts = card.read(version)
    network = identity.generator_of(facts)
    generator, encoder = _networks(facts, network, loading.load_model(version, trust))
    stored = [('generator', *_exact(each)) for each in _read(network, generator)]
    stored += [('encoder', *_rounded(each)) for each in encoder]
    header = {
        'name': facts.name,
        'sha256': identity.of_export(facts, generator),
        'licence': facts.data['licence'],
        'form': facts.form,
        'architecture': facts.config['architecture'],
        'config': facts.config,
        'shape': form_named(facts.form).shape(facts.data),  # of music: steps, rows, voices
        'class_names': facts.data['class_names'],
        'class_counts': facts.data['class_counts'],
        'software': f'tfgan {__version__}',
        'sliders': {'sliders': sliders.read(version)},
        'tensors': [
            {
                'network': network,
                'dtype': values.dtype.name,
                'shape': values.shape,
                'scale': [float(each) for each in scale],
            }
            for network, values, scale in stored
        ],
    }
    told = json.dumps(header).encode()
    tensors = b''.join(_bytewise(values) for _, values, _ in stored)
    whole = MAGIC + len(told).to_bytes(4, 'little') + told + tensors
    return gzip.compress(whole, PACKING, mtime=0)


def _networks(facts, network, loaded):
    """The weights of the averaged generator and of the encoder, which an older export lacks."""
    if hasattr(loaded, 'scales'):
        weights = compact.values(loaded.weights, loaded.scales)
    else:
        weights = [variable.numpy() for variable in loaded.weights]
    generator = [variable.shape for variable in network.variables]
    encoder = _encoder_shapes(facts) if 'encode' in loaded.signatures else []
    found = weights[: len(generator)], weights[len(weights) - len(encoder) :]
    if [each.shape for part in found for each in part] != [*generator, *encoder]:
        raise ModelError(
            f'the model {quoted(facts.name)} has other weights than its card tells of; export the '
            'run once more'
        )
    return found


def _read(network, weights):
    """Weights of a generator, zeros where the page does not read them: gzip takes those away."""
    unread = {id(each) for each in getattr(network, 'of_what_is_given', list)()}
    pairs = zip(network.variables, weights)
    return [np.zeros_like(values) if id(each) in unread else values for each, values in pairs]


def _encoder_shapes(facts):
    import tensorflow as tf

    from tfgan.config import Config
    from tfgan.networks.encoder import Encoder

    shape = facts.data['shape']
    encoder = Encoder(Config(**facts.config), shape, len(facts.data['class_names']))
    encoder(tf.zeros([1, *shape]), tf.ones([1, *shape[:2]]))
    return [variable.shape for variable in encoder.variables]


def _exact(values):
    """(values, scale): in sixteen bits if these hold all of them."""
    with np.errstate(over='ignore'):
        halves = values.astype(np.float16)
    return halves if np.array_equal(halves, values) else values, ()


def _rounded(values):
    """(integers of eight bits, what one of them stands for in each unit of the last axis)."""
    axes = tuple(range(values.ndim - 1))
    scale = np.maximum(np.abs(values).max(axis=axes, keepdims=True), 1e-12) / LEVELS
    return np.rint(values / scale).astype(np.int8), scale.reshape(-1)


def _bytewise(values):
    size = values.dtype.itemsize
    stored = np.ascontiguousarray(values, values.dtype.newbyteorder('<'))
    return stored.view(np.uint8).reshape(-1, size).T.tobytes()
