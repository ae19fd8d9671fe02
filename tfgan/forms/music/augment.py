"""Transposition, which keeps a discriminator from learning few pieces by heart."""

import tensorflow as tf

from tfgan import latents
from tfgan.forms.music.pieces import OCTAVES

MOST = 6  # semitones, up or down


class MusicAugmentation:
    """Transposes pieces float32 [n, steps, rows, voices], as far as notes stay in the rows."""

    def choose(self, seeds, probability):
        """Semitones int32 [n], 0 for those that stay as they are."""
        moves = latents.uniform(latents.fold(seeds, 0)) < probability
        semitones = tf.floor((2 * MOST + 1) * latents.uniform(latents.fold(seeds, 1))) - MOST
        return tf.where(moves, tf.cast(semitones, tf.int32), 0)

    def apply(self, x, changes):
        pitches = x.shape[2] // OCTAVES * OCTAVES
        is_used = tf.reduce_max(x[:, :, :pitches], axis=[1, 3]) > 0.5
        lowest = tf.argmax(is_used, axis=1, output_type=tf.int32)
        above = tf.argmax(is_used[:, ::-1], axis=1, output_type=tf.int32)
        place = tf.range(pitches) - tf.clip_by_value(changes, -lowest, above)[:, None]
        within = tf.cast((place >= 0) & (place < pitches), tf.float32)
        place = tf.clip_by_value(place, 0, pitches - 1)
        moved = tf.gather(x[:, :, :pitches], place, axis=2, batch_dims=1)
        return tf.concat([moved * within[:, None, :, None], x[:, :, pitches:]], axis=2)
