"""The exported `tf.Module`: what a served model answers."""

import tensorflow as tf

from tfgan import images, latents


def _spec(name, shape, dtype):
    return tf.TensorSpec(shape, dtype, name=name)


SEED = _spec('seed', [None], tf.int64)
LABEL = _spec('label', [None], tf.int32)


class Servable(tf.Module):
    """A Gan's averaged generator and its discriminator behind signatures that need no code of ours.

    In all of them n is free, `image` is uint8 [n, height, width, channels] and one seed is one
    drawing, whatever else is in its batch.
    """

    def __init__(self, gan):
        super().__init__(name='tfgan')
        models = gan.average, gan.discriminator
        # Listed as plain variables: Keras's own export would store every weight twice.
        self.weights = [variable.value for model in models for variable in model.variables]
        self.middle = gan.middle
        self._gan = gan
        self._size = gan.config.latent_size

    def _draw(self, points, labels):
        return images.to_uint8(self._gan.average(points, labels))

    def _labelled(self, seed, label):
        return self._draw(latents.normal(seed, self._size), label)

    def _classes(self, seed):
        return latents.classes(seed, self._gan.class_shares)

    def signatures(self) -> dict:
        """Name to concrete function, as `tf.saved_model.save` takes them."""
        points = _spec('latents', [None, self._size], tf.float32)
        picture = _spec('image', [None, *self._gan.shape], tf.uint8)
        inputs = {
            'serving_default': (self.serving_default, [SEED]),
            'labelled': (self.labelled, [SEED, LABEL]),
            'png': (self.png, [SEED]),
            'latents': (self.latents, [points, LABEL]),
            'interpolate': (self.interpolate, _INTERPOLATE),
            'discriminate': (self.discriminate, [picture, LABEL]),
        }
        return {
            name: tf.function(function).get_concrete_function(*specs)
            for name, (function, specs) in inputs.items()
        }

    def serving_default(self, seed):
        """One drawing a seed, its class as frequent as in the data."""
        return {'image': self._labelled(seed, self._classes(seed))}

    def labelled(self, seed, label):
        """One drawing a seed, of the class asked for."""
        return {'image': self._labelled(seed, label)}

    def png(self, seed):
        """`serving_default` as PNG files; a server's REST answer has them in base64."""
        return {'png_bytes': tf.io.encode_png(self.serving_default(seed)['image'])}

    def latents(self, points, label):
        """Drawings of latents the caller made."""
        return {'image': self._draw(points, label)}

    def interpolate(self, seed, to_seed, share, label):
        """The drawing at `share` of the way from one seed's latents to another's."""
        first, second = latents.normal(seed, self._size), latents.normal(to_seed, self._size)
        return {'image': self._draw(latents.slerp(first, second, share), label)}

    def discriminate(self, image, label):
        """How probably an image is a real one of its class, as the discriminator sees it."""
        logits = self._gan.discriminator(images.to_float(image), label)
        return {'probability': tf.sigmoid(logits - self.middle)}


_INTERPOLATE = [SEED, _spec('to_seed', [None], tf.int64), _spec('share', [None], tf.float32), LABEL]
