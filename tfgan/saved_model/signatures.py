"""The exported `tf.Module`: what a served model answers."""

import tensorflow as tf

from tfgan import latents
from tfgan.forms.drawing.pixels import to_float, to_uint8


def _spec(name, shape, dtype):
    return tf.TensorSpec(shape, dtype, name=name)


SEED = _spec('seed', [None], tf.int64)
LABEL = _spec('label', [None], tf.int32)
SHARE = _spec('share', [None], tf.float32)


class Servable(tf.Module):
    """A Gan's averaged generator and its discriminator behind signatures that need no code of ours.

    In all of them n is free, `image` is uint8 [n, height, width, channels] and one seed is one
    drawing, whatever else is in its batch. A negative label is the one that its seed has, as
    frequent as in the data; one that is no class fails the batch.
    """

    def __init__(self, gan, class_names: list[str]):
        super().__init__(name='tfgan')
        models = gan.average, gan.discriminator
        # Listed as plain variables: Keras's own export would store every weight twice.
        self.weights = [variable.value for model in models for variable in model.variables]
        self.middle = gan.middle
        self.quantiles = tf.Variable(latents.quantiles(), trainable=False)  # else in each signature
        self._gan, self._class_names = gan, class_names
        self._size = gan.config.latent_size

    def _points(self, seed, truncation=None):
        return latents.normal(seed, self._size, truncation, self.quantiles)

    def _draw(self, points, label):
        return {'image': to_uint8(self._gan.average(points, self._checked(label)))}

    def _label(self, seed, label):
        return tf.where(label < 0, latents.classes(seed, self._gan.class_shares), label)

    def _checked(self, label):
        count = len(self._gan.class_shares)
        right = tf.reduce_all((label >= 0) & (label < count))
        with tf.control_dependencies([tf.debugging.Assert(right, [f'label: not below {count}'])]):
            return tf.identity(label)

    def signatures(self) -> dict:
        """Name to concrete function, as `tf.saved_model.save` takes them."""
        points = _spec('latents', [None, self._size], tf.float32)
        picture = _spec('image', [None, *self._gan.shape], tf.uint8)
        inputs = {
            'serving_default': (self.serving_default, [SEED]),
            'labelled': (self.labelled, [SEED, LABEL]),
            'truncated': (self.truncated, [SEED, LABEL, _spec('truncation', [None], tf.float32)]),
            'png': (self.png, [SEED]),
            'latents': (self.latents, [points, LABEL]),
            'interpolate': (
                self.interpolate,
                [SEED, _spec('to_seed', [None], tf.int64), SHARE, LABEL],
            ),
            'discriminate': (self.discriminate, [picture, LABEL]),
            'classes': (self.classes, [LABEL]),
        }
        return {
            name: tf.function(function).get_concrete_function(*specs)
            for name, (function, specs) in inputs.items()
        }

    def serving_default(self, seed):
        """One drawing a seed, its class as frequent as in the data."""
        return self.labelled(seed, tf.fill(tf.shape(seed), -1))

    def labelled(self, seed, label):
        """One drawing a seed, of the class asked for."""
        return self._draw(self._points(seed), self._label(seed, label))

    def truncated(self, seed, label, truncation):
        """`labelled` with latents of the middle share of the normal distribution: typical ones."""
        return self._draw(self._points(seed, truncation), self._label(seed, label))

    def png(self, seed):
        """`serving_default` as PNG files; a server's REST answer has them in base64."""
        return {'png_bytes': tf.io.encode_png(self.serving_default(seed)['image'])}

    def latents(self, points, label):
        """Drawings of latents the caller made."""
        return self._draw(points, label)

    def interpolate(self, seed, to_seed, share, label):
        """The drawing at `share` of the way from one seed's latents to another's."""
        first, second = self._points(seed), self._points(to_seed)
        return self._draw(latents.slerp(first, second, share), self._label(seed, label))

    def discriminate(self, image, label):
        """How probably an image is a real one of its class, as the discriminator sees it."""
        logits = self._gan.discriminator(to_float(image), self._checked(label))
        return {'probability': tf.sigmoid(logits - self.middle)}

    def classes(self, label):
        """The names of classes; an empty one where there is no such class."""
        names = tf.constant([*self._class_names, ''])
        known = (label >= 0) & (label < len(self._class_names))
        return {'name': tf.gather(names, tf.where(known, label, len(self._class_names)))}
