"""Generators that draw with a pen: latents to strokes, and strokes to the image of their ink."""

import dataclasses

import keras
import tensorflow as tf

from tfgan.config import Config
from tfgan.latents import slerp
from tfgan.networks import strokes
from tfgan.networks.layers import BuiltOnCall, Trunk, dense, leaky, on_the_way
from tfgan.networks.recurrent import Gru
from tfgan.networks.strokes import Strokes

STROKES, POINTS = 16, 5  # of a drawing, at most, and of each
MORE_STROKES, SMALL = 24, 32  # of one with a side of more pixels than that, which shows more
PAGE = 0.0, 1.0  # where points of strokes are
SAMPLES = 32  # of each stroke that the image is made from
WIDTH = 0.06  # of the pen as training begins, in sides of the page
WIDTH_RANGE = 0.9  # by which its natural logarithm may differ from that in a drawing
PRESSURE = 0.25  # and by which a stroke's may differ from its drawing's
SIZE = 0.104  # of a stroke as training begins, from its middle, in sides of the page
SIZE_RANGE = 1.24  # by which its natural logarithm may differ from that
ALWAYS = 4  # strokes of each drawing are there: an empty page would have no slope to leave it by
PRESENT = 0.5  # added to the logit of a stroke's presence: most are there at first
# How far a whole drawing may be turned, in radians; grown, as a natural logarithm; and shifted.
TURN, GROWTH, SHIFT = 0.5, 0.4, 0.2
STYLES = 32  # of each class, at most
STYLE_LEAD = 1e-3  # by which the latent that picks is the largest, at least
STYLE_SCALE = 1.5  # of a style's vector beside that of the latents
NUMBERS = 2, 1, 2 * POINTS, 1, 1  # of a stroke: its middle, size, points, width and presence
GRU_WIDTH = 128  # as it takes a turn for each stroke


class PenGenerator(BuiltOnCall, keras.Model):
    """Latents [n, latent_size] and labels [n] to images [n, *shape] of strokes.

    The largest of the first latents picks one of a class's styles, which are learned vectors that
    are added to the latents. A smooth function of the latents alone would keep each stroke in its
    role, and so draw every kind in one way.
    """

    def __init__(self, config: Config, shape, num_classes: int, at_once: int | None = None):
        """`at_once` is how many strokes are made of one row of features; all, if None."""
        super().__init__(name='generator')
        self.shape, self.styles = shape, min(STYLES, config.latent_size)
        self.count = STROKES if max(shape[:2]) <= SMALL else MORE_STROKES
        at_once = at_once or self.count
        self.trunk = Trunk(config, num_classes)
        normal = keras.initializers.RandomNormal(stddev=STYLE_SCALE)
        self.style = keras.layers.Embedding(
            num_classes * self.styles, config.latent_size, embeddings_initializer=normal
        )
        # Glorot's own would begin with strokes that differ little.
        varied = keras.initializers.VarianceScaling(1.0, 'fan_in')
        self.stroke = dense(config, at_once * sum(NUMBERS), kernel_initializer=varied)
        self.pose = dense(config, 4, kernel_initializer=varied)
        self.colour = dense(config, at_once * shape[-1]) if shape[-1] > 1 else None
        self.ground = self.add_weight(
            shape=[shape[-1]], initializer='ones', trainable=False, name='ground'
        )

    def features(self, hidden):
        """What strokes are made from of the trunk's output [n, width]."""
        return hidden

    def style_of(self, latents, labels):
        """The learned vectors [n, latent_size] that latents pick."""
        style = tf.argmax(latents[:, : self.styles], axis=1, output_type=tf.int32)
        return self.style(labels * self.styles + style)

    def other_styles(self, latents, count: int):
        """Latents [n, count, latent_size] that pick the nearest styles, the first their own.

        The largest of those that pick has changed places with another one.
        """
        found = tf.math.top_k(latents[:, : self.styles], min(count, self.styles))
        taken = tf.range(count) % found.values.shape[1]
        less = (found.values[:, :1] - tf.gather(found.values, taken, axis=1))[..., None]
        place = tf.one_hot(tf.gather(found.indices, taken, axis=1), latents.shape[1])
        return latents[:, None] + less * (place - place[:, :1])

    def in_style_of(self, latents, others):
        """Latents [n, latent_size] changed so far that they pick the style that others do."""
        picked = tf.one_hot(tf.argmax(others[:, : self.styles], axis=1), latents.shape[1])
        rivals = tf.where(picked > 0, latents.dtype.min, latents)[:, : self.styles]
        least = tf.reduce_max(rivals, axis=1, keepdims=True) + STYLE_LEAD
        return tf.where(picked > 0, tf.maximum(latents, least), latents)

    def strokes(self, latents, labels, style=None) -> Strokes:
        """The strokes of latents and labels, in their own style or in another one."""
        style = self.style_of(latents, labels) if style is None else style
        whole = self.trunk(latents + style, labels)
        hidden = self.features(whole)
        numbers = tf.split(self._each(self.stroke, hidden, sum(NUMBERS)), NUMBERS, axis=-1)
        middle, size, offsets, wide, present = numbers
        width, present = _widths(wide[..., 0]), present[..., 0]
        pose = tf.tanh(tf.cast(self.pose(whole), tf.float32))
        points = tf.clip_by_value(_posed(_points(middle, size, offsets), pose), *PAGE)
        points = strokes.shortened(points, width, SAMPLES)
        present = tf.concat([tf.ones_like(present[:, :ALWAYS]), _presence(present[:, ALWAYS:])], 1)
        return Strokes(points, width, present, self._colours(hidden, points))

    def strokes_between(self, first, second, share, labels, to_labels=None) -> Strokes:
        """The strokes at `share` [n] of the way from latents to latents [n, latent_size].

        The style moves too: picked anew on the way, it would jump, and the drawing with it. So do
        the classes, from `labels` to `to_labels` [n] if there are such.
        """
        last = labels if to_labels is None else to_labels
        ends = self.style_of(first, labels), self.style_of(second, last)
        style = ends[0] + share[:, None] * (ends[1] - ends[0])
        way = on_the_way(self, labels, to_labels, share)
        return self.strokes(slerp(first, second, share), way, style)

    def _each(self, layer, hidden, size):
        """A layer's output as float32 [n, count, size]."""
        return tf.reshape(tf.cast(layer(hidden), tf.float32), [-1, self.count, size])

    def _colours(self, hidden, points):
        if self.colour is not None:
            return tf.tanh(self._each(self.colour, hidden, self.shape[-1]))
        other = tf.where(self.ground > 0, -1.0, 1.0)  # dark on light, light on dark
        return tf.broadcast_to(other, tf.concat([tf.shape(points)[:2], [1]], axis=0))

    def call(self, latents, labels, enlarged: int = 1):
        return self._drawn(self.strokes(latents, labels), enlarged)

    def between(self, first, second, share, labels, to_labels=None, enlarged: int = 1):
        """Images at `share` [n] of the way from latents to latents [n, latent_size]."""
        found = self.strokes_between(first, second, share, labels, to_labels)
        return self._drawn(found, enlarged)

    def _drawn(self, found: Strokes, enlarged):
        height, width = (enlarged * side for side in self.shape[:2])
        samples = SAMPLES if enlarged == 1 else 2 * SAMPLES  # else edges would look like beads
        return strokes.draw(found, self.ground, height, width, samples)


class RecurrentPenGenerator(PenGenerator):
    """The same one stroke after the other: a GRU whose state is what was drawn so far."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(config, shape, num_classes, at_once=1)
        self.given = dense(config, GRU_WIDTH)
        self.gru = Gru(dataclasses.replace(config, width=GRU_WIDTH))
        self.numbers = tf.range(self.count)

    def features(self, hidden):
        """A row for each stroke: [n, strokes, GRU_WIDTH]."""
        given = leaky(tf.cast(self.given(hidden), tf.float32))
        # A loop in the graph: stroke by stroke it would be many times as large.
        states = tf.scan(lambda state, _: self.gru(given, state), self.numbers, tf.tanh(given))
        return tf.transpose(states, [1, 0, 2])


def _points(middle, size, offsets):
    """Points [n, strokes, POINTS, 2] of strokes of all sizes, each about a middle of its own."""
    middle = 0.5 + 0.5 * tf.tanh(middle)
    size = SIZE * tf.exp(SIZE_RANGE * tf.tanh(size))
    offsets = tf.reshape(offsets, [-1, middle.shape[1], POINTS, 2])
    offsets -= tf.reduce_mean(offsets, axis=2, keepdims=True)
    squared = tf.reduce_sum(offsets**2, axis=3, keepdims=True)
    rms = tf.sqrt(tf.reduce_mean(squared, axis=2, keepdims=True) + 1e-6)
    return middle[:, :, None] + size[..., None] * offsets / rms


def _posed(points, pose):
    """Points [n, strokes, points, 2] of drawings that are turned, grown and shifted as wholes.

    A pose is four numbers [n, 4] in [-1, 1]. Strokes would have to learn to move together.
    """
    turn, growth = TURN * pose[:, 0], tf.exp(GROWTH * pose[:, 1])
    across, down = growth * tf.cos(turn), growth * tf.sin(turn)
    matrix = tf.stack([tf.stack([across, -down], axis=-1), tf.stack([down, across], axis=-1)], 1)
    shift = SHIFT * pose[:, None, None, 2:]
    return 0.5 + shift + tf.einsum('nij,nkpj->nkpi', matrix, points - 0.5)


def _widths(wide):
    """Widths [n, strokes]: most of one pen for all strokes of a drawing, pressed more or less."""
    pen = tf.reduce_mean(wide, axis=1, keepdims=True)
    # A mean of many varies less than each, so it counts twice.
    logarithm = WIDTH_RANGE * tf.tanh(2 * pen) + PRESSURE * tf.tanh(wide - pen)
    return WIDTH * tf.exp(logarithm)


def _presence(logits):
    """1 where a stroke is there and 0 where it is not; with the slope of a probability."""
    probability = tf.sigmoid(2 * (logits + PRESENT))
    return probability + tf.stop_gradient(tf.round(probability) - probability)
