"""A model of music for tests that need no network of TensorFlow's."""

import types

import numpy as np

from tfgan import client
from tfgan.forms.base import MUSIC, form_named


class MusicStub(client.Model):
    """A model of music that chooses each note by its seed, its class and what it is given."""

    form = form_named(MUSIC)
    shape = 64, 4
    card = types.SimpleNamespace(data={'shape': [64, 4], 'rows': 49})

    def signatures(self):
        return ['fill']

    def known_facts(self):
        return {'model': 'stub', 'sha256': 64 * 'a', 'licence': 'none'}

    @property
    def sha256(self):
        return self.facts['sha256']

    def class_names(self):
        return ['major', 'minor']

    def answers(self, signature, inputs):
        count = len(inputs['seed'])
        given = inputs.get('pitch', np.zeros([count, 64, 4], np.int32))
        known = inputs.get('known', np.zeros([count, 64, 4], np.float32)) > 0
        assert given.dtype == np.int32 and given.shape == known.shape == (count, 64, 4)
        labels = inputs.get('label', -np.ones(count, np.int32))
        made = [
            np.random.default_rng([seed % 2**64, label + 2, *given[i][known[i]] + 128]).integers(
                36, 84, (64, 4), np.int32
            )
            for i, (seed, label) in enumerate(zip(inputs['seed'].tolist(), labels.tolist()))
        ]
        return {'pitch': np.where(known, given, np.stack(made))}
