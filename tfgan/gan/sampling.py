"""What a game draws to be looked at: examples by seed, sheets of fixed seeds, walks."""

import functools

import numpy as np
import tensorflow as tf

from tfgan import latents
from tfgan.networks.layers import between

BLOCK = 256  # seeds at a time, which bounds memory
ROWS, COLUMNS = 8, 10  # of a sheet
ENLARGED, MOST_ENLARGED = 4, 512  # how far strokes are on it, and to what longer side at most
WALK_ENLARGED = 128  # pixels of the longer side of a drawing in a walk, at most
CORNERS = 3  # of a walk, which ends where it began


class Sampler:
    """Draws with the averaged generator of a state."""

    def __init__(self, state):
        self._state = state
        # Of any batch, as in an export: one graph for all, and the same rounding as there.
        size = state.config.latent_size
        any_batch = tf.TensorSpec([None, size]), tf.TensorSpec([None], tf.int32)
        self._decoded = _compiled(self._decode, any_batch)
        self._enlarged = _compiled(self._enlarge)
        self._between = _compiled(self._decode_between)

    def draw(self, seeds: np.ndarray, labels=None) -> np.ndarray:
        """Raw examples [n, *shape] of int seeds [n]; their labels too come from the seeds."""
        seeds = np.asarray(seeds, np.int64)
        if labels is None:
            labels = latents.classes(tf.constant(seeds), self._state.class_shares)
        starts = range(0, len(seeds), BLOCK)
        return np.concatenate(
            [self._draw(seeds[i : i + BLOCK], labels[i : i + BLOCK]) for i in starts]
        )

    def _draw(self, seeds, labels):
        return self._decoded(latents.normal(seeds, self._state.config.latent_size), labels)

    def _decode(self, latents, labels):
        return self._state.form.decode(self._state.average(latents, labels))

    def shown(self, class_names: list[str], most: int = MOST_ENLARGED) -> tuple[list[dict], dict]:
        """What a recipe tells of `sheet`: its drawings, and how they are drawn."""
        drawings = [
            {'seed': int(seed), 'label': class_names[label]}
            for seed, label in zip(*self._of_sheet(), strict=True)
        ]
        return drawings, {'as': 'card', 'columns': COLUMNS, **self._larger(most)}

    def _of_sheet(self):
        """The seeds 0, 1, ... and labels of a sheet whose columns are the first classes."""
        seeds = np.arange(ROWS * COLUMNS)
        return seeds, (seeds % COLUMNS % len(self._state.class_shares)).astype(np.int32)

    def sheet(self, most: int = MOST_ENLARGED) -> np.ndarray:
        """A picture of the seeds 0, 1, ...; its columns are the first classes: uint8 [h, w, c].

        The longer side of what a pen draws has so many pixels at most.
        """
        seeds, labels = self._of_sheet()
        if not hasattr(self._state.average, 'strokes'):
            return self._state.form.sheet(self.draw(seeds, labels), COLUMNS)
        normal = latents.normal(seeds, self._state.config.latent_size)
        return self._state.form.sheet(self._enlarged(normal, labels, most).numpy(), COLUMNS)

    def _enlarge(self, latents, labels, most=MOST_ENLARGED):
        larger = self._larger(most)
        return self._state.form.decode(self._state.average(latents, labels, **larger))

    def _larger(self, most):
        """How a pen draws larger than it learned to, with a longer side of `most` at most."""
        if not hasattr(self._state.average, 'strokes'):
            return {}
        return {'enlarged': max(1, min(ENLARGED, most // max(self._state.shape[:2])))}

    def walk(self, walkers: int, frames: int) -> np.ndarray:
        """Round trips through the latents: raw examples [frames, walkers, *shape].

        A pen's are enlarged, up to a longer side of WALK_ENLARGED.
        """
        labels = (np.arange(walkers) % len(self._state.class_shares)).astype(np.int32)
        seeds = tf.range(CORNERS * walkers, dtype=tf.int64)
        corners = tf.split(latents.normal(seeds, self._state.config.latent_size), CORNERS)
        places = (CORNERS * i / frames for i in range(frames))
        return np.stack([self._around(corners, place, labels).numpy() for place in places])

    def _around(self, corners, place, labels):
        """Raw examples at `place`, in [0, corners), of a walk from corner to corner and back."""
        corner, shares = int(place), tf.fill(corners[0].shape[:1], place % 1)
        return self._between(corners[corner], corners[(corner + 1) % CORNERS], shares, labels)

    def _decode_between(self, *way):
        larger = self._larger(WALK_ENLARGED)
        return self._state.form.decode(between(self._state.average, *way, **larger))


def _compiled(method, specs=None):
    """A graph of the method of one object.

    TensorFlow counts how often a function is traced by its code, which all objects of a class
    share, and would warn of the sixth run of a process; a partial function counts by itself.
    """
    return tf.function(functools.partial(method), specs, autograph=False)
