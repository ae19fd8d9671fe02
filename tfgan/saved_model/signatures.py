"""The exported `tf.Module`: what a served model answers."""

import contextlib
import functools
import types

import tensorflow as tf

from tfgan import latents
from tfgan.networks.inversion import CANDIDATES, invert
from tfgan.networks.layers import between
from tfgan.saved_model.compact import Compact


def _spec(name, shape, dtype):
    return tf.TensorSpec(shape, dtype, name=name)


SEED = _spec('seed', [None], tf.int64)
TO_SEED = _spec('to_seed', [None], tf.int64)
LABEL = _spec('label', [None], tf.int32)
SHARE = _spec('share', [None], tf.float32)
TRUNCATION = _spec('truncation', [None], tf.float32)
TO_LABEL = _spec('to_label', [None], tf.int32)
STEPS = _spec('steps', [None], tf.int32)
MOST_STEPS = 1000  # of a reconstruction: a request holds its server for so long


class Servable(tf.Module):
    """A Gan's averaged generator and its discriminator behind signatures that need no code of ours.

    In all of them n is free, an example is as the form stores it, and one seed is one example,
    whatever else is in its batch. A negative label is the one that its seed has, as frequent as in
    the data; one that is no class fails the batch.
    """

    WAY = SEED, TO_SEED, SHARE, LABEL

    def __init__(
        self,
        gan,
        class_names: list[str],
        encoder=None,
        compact: bool = False,
        provenance: dict | None = None,
    ):
        """With an `encoder` it answers what takes an example of the caller's.

        One that is `compact` has no discriminator, the generator's weights in sixteen bits and the
        encoder's in eight. `provenance` is what its files say of the model that made them.
        """
        super().__init__(name='tfgan')
        encoders = [encoder] if encoder else []
        # Listed as plain variables: Keras's own export would store every weight twice.
        if compact:
            stored = Compact(gan.average.variables, encoder.variables if encoder else [])
            self.weights, self.scales = stored.stored, stored.scales
        else:
            models = [gan.average, gan.discriminator, *encoders]
            self.weights = [variable.value for model in models for variable in model.variables]
            self.decision_threshold = gan.decision_threshold
        self.quantiles = tf.Variable(latents.quantiles(), trainable=False)  # else in each signature
        self._gan, self._class_names = gan, class_names
        self._size = gan.config.latent_size
        # As functions a graph has each of these once, however many signatures call it. They are in
        # a namespace because an export would hold an attribute a second time.
        self._once = types.SimpleNamespace(
            encoder=encoder,
            scope=stored if compact else contextlib.nullcontext(),
            provenance=provenance,
            invert=tf.function(functools.partial(invert, gan.average, encoder), autograph=False),
            normal=tf.function(self._normal, autograph=False),
            generate=tf.function(gan.average, autograph=False),
            between=tf.function(functools.partial(between, gan.average), autograph=False),
        )

    def signatures(self) -> dict:
        """Name to concrete function, as `tf.saved_model.save` takes them."""
        normal = _spec('latents', [None, self._size], tf.float32)
        example = self.example()
        inputs = {
            'serving_default': (self.serving_default, [SEED]),
            'labelled': (self.labelled, [SEED, LABEL]),
            'truncated': (self.truncated, [SEED, LABEL, TRUNCATION]),
            'latents': (self.of_latents, [normal, LABEL]),
            'interpolate': (self.interpolate, self.WAY),
            'classes': (self.classes, [LABEL]),
        } | self._gan.form.signatures(self)
        if not self.is_compact:
            inputs['discriminate'] = self.discriminate, [example, LABEL]
        if self.encoder:
            mask = _spec('mask', [None, *self._gan.shape[:2]], tf.float32)
            inputs |= {
                'encode': (self.encode, [example, mask]),
                'reconstruct': (self.reconstruct, [example, mask, LABEL, STEPS, SEED]),
                'between': (self.between, self.between_specs()),
            }
        with self._once.scope:
            return {
                name: tf.function(function, autograph=False).get_concrete_function(*specs)
                for name, (function, specs) in inputs.items()
            }

    def example(self) -> tf.TensorSpec:
        """What examples are as the form stores them."""
        blank = self._gan.form.decode(tf.zeros([1, *self._gan.shape]))
        return _spec(self._gan.form.example, [None, *blank.shape[1:]], blank.dtype)

    def between_specs(self) -> list:
        """What `between` is asked with."""
        ends = (_spec(name, [None, self._size], tf.float32) for name in ('latents', 'to_latents'))
        return [*ends, SHARE, LABEL, TO_LABEL]

    @property
    def is_compact(self) -> bool:
        return hasattr(self, 'scales')

    @property
    def encoder(self):
        return self._once.encoder

    @property
    def provenance(self) -> dict | None:
        return self._once.provenance

    @property
    def class_names(self) -> list[str]:
        return self._class_names

    @property
    def generator(self):
        return self._gan.average

    def generate(self, normal, labels, *given):
        """What the generator makes, of nothing where it could be given a part."""
        if not given and hasattr(self.generator, 'nothing'):
            given = self.generator.nothing(tf.shape(normal)[0])  # One function, then, does both.
        return self._once.generate(normal, labels, *given)

    def asked(self, seed, label):
        """What the generator takes for seeds and labels as `labelled` has them."""
        return self._once.normal(seed), self.checked(self._label(seed, label))

    def way(self, seed, to_seed, share, label):
        """What `between` takes for what `interpolate` is asked."""
        ends = self._once.normal(seed), self._once.normal(to_seed)
        label = self.checked(self._label(seed, label))
        return *ends, share, label, label

    def serving_default(self, seed):
        """One example a seed, its class as frequent as in the data."""
        return self._drawn(self._once.normal(seed), self._classes(seed))

    def labelled(self, seed, label):
        """One example a seed, of the class asked for."""
        return self._drawn(*self.asked(seed, label))

    def truncated(self, seed, label, truncation):
        """`labelled` with latents of the middle share of the normal distribution: typical ones."""
        is_share = (truncation >= 0) & (truncation <= 1)  # It is false for NaN.
        share = _asserted(truncation, is_share, 'truncation: not from 0 to 1')
        return self._draw(self._normal(seed, share), self._label(seed, label))

    def of_latents(self, normal, label):
        """Examples of latents that the caller made."""
        return self._draw(normal, label)

    def interpolate(self, seed, to_seed, share, label):
        """The example at `share` of the way from one seed's latents to another's."""
        return self._raw(self._once.between(*self.way(seed, to_seed, share, label)))

    def encode(self, example, mask):
        """The latents and the class that an example is drawn from, at a guess.

        The example is looked at where the mask is 1, and hidden where it is 0.
        """
        zeros = tf.zeros_like(mask[:, 0, 0], tf.int32)
        found, label = self._inverted(example, mask, zeros - 1, zeros, tf.cast(zeros, tf.int64))
        return {'latents': found, 'label': label}

    def reconstruct(self, example, mask, label, steps, seed):
        """An example drawn anew, with the latents and the class that it is drawn from.

        A guess is improved in so many steps. A negative label is guessed.
        """
        steps = _asserted(steps, (steps >= 0) & (steps <= MOST_STEPS), f'steps: 0 to {MOST_STEPS}')
        label = _asserted(label, label < len(self._gan.class_shares), 'label: no such class')
        found, label = self._inverted(example, mask, label, steps, seed)
        return self._drawn(found, label) | {'latents': found, 'label': label}

    def _inverted(self, example, mask, label, steps, seed):
        numbers = tf.range(CANDIDATES, dtype=tf.int64)
        noise = self._once.normal(tf.reshape(latents.fold(seed[:, None], numbers), [-1]))
        known = self._gan.form.encode(example, self._gan.shape)
        return self._once.invert(known, mask, label, steps, noise)

    def between(self, latents, to_latents, share, label, to_label):
        """The example at `share` of the way from latents and a class to others."""
        ends = self.checked(label), self.checked(to_label)
        return self._raw(self._once.between(latents, to_latents, share, *ends))

    def discriminate(self, example, label):
        """How probably an example is a real one of its class, as the discriminator sees it."""
        x = self._gan.form.encode(example, self._gan.shape)
        logits = self._gan.discriminator(x, self.checked(label))
        return {'probability': tf.sigmoid(logits - self.decision_threshold)}

    def classes(self, label):
        """The names of classes; an empty one where there is no such class."""
        names = tf.constant([*self._class_names, ''])
        known = (label >= 0) & (label < len(self._class_names))
        return {'name': tf.gather(names, tf.where(known, label, len(self._class_names)))}

    def _normal(self, seed, truncation=None):
        return latents.normal(seed, self._size, truncation, self.quantiles)

    def _draw(self, normal, label):
        return self._drawn(normal, self.checked(label))

    def _drawn(self, normal, label):
        return self._raw(self.generate(normal, label))

    def _raw(self, examples):
        form = self._gan.form
        return {form.example: form.decode(examples)}

    def _label(self, seed, label):
        return tf.where(label < 0, self._classes(seed), label)

    def _classes(self, seed):
        return latents.classes(seed, self._gan.class_shares)

    def checked(self, label):
        """Labels as they are; a request fails whose labels are not all of classes."""
        count = len(self._gan.class_shares)
        return _asserted(label, (label >= 0) & (label < count), f'label: not below {count}')


def _asserted(value, is_right, message):
    """The value as it is; where it is not right throughout, the request fails."""
    check = tf.debugging.Assert(tf.reduce_all(is_right), [message])
    with tf.control_dependencies([check]):
        return tf.identity(value)
