"""What a model that has an encoder makes of a person's drawings: redrawn, varied, mended."""

import math
import os
from typing import NamedTuple

import numpy as np

from tfgan.errors import ModelError, quoted, reason

STEPS = 30  # that latents are improved by
DISTANCE = 0.3  # of a variation: 0 is the drawing itself, 1 any other of its kind
LEAST_LIKENESS = 0.5  # of ink: of less, a picture is nothing that the model draws
SEEN = 256  # drawings by which a model's hand is known
FRAMES = 60  # of a walk
NO_ENCODER = (
    'the model has no encoder, by which it would read a drawing of yours; python -m tfgan.export'
    ' --run_dir=RUN makes a version that has one'
)


class Redrawn(NamedTuple):
    """Drawings of a model that come of a person's pictures."""

    own: list  # each picture as the model's form framed it
    images: np.ndarray  # uint8 [n, h, w, c], as the model draws them
    latents: np.ndarray  # float32 [n, latent_size]
    labels: np.ndarray  # int32 [n]
    likeness: np.ndarray  # float64 [n]: intersection of ink over its union


class Redrawing:
    """What a `Model` makes of pictures that it is given.

    Pictures are paths, Pillow images or arrays uint8 [height, width, 1, 3 or 4], of any size. The
    model sees them cropped to their ink, as large as it draws and with as wide a pen. Raises
    ModelError for one that cannot be read or has no ink, and of a model without an encoder.
    """

    _hand = None

    def encode(self, images, masks=None):
        """(latents float32 [n, latent_size], labels int32 [n]) of pictures, at a guess.

        `masks` are pictures of the same sizes, painted or transparent where a picture is hidden, or
        arrays bool [height, width], true there, or None.
        """
        found = self._answers_in_blocks('encode', _given(self.framed(images, masks)))
        return found['latents'], found['label']

    def redraw(self, images, masks=None, label=None, steps: int = STEPS, seed: int = 0) -> Redrawn:
        """Pictures as the model draws them: a guess, improved in so many steps.

        `label` is a class by number or name, or one a picture; without, each is guessed.
        """
        return self.redraw_framed(self.framed(images, masks), label, steps, seed)

    def redraw_framed(self, own, label=None, steps: int = STEPS, seed: int = 0) -> Redrawn:
        """The same of pictures that are framed already."""
        asked = {
            'label': self.labels(-1 if label is None else label, len(own)),
            'steps': np.full(len(own), steps, np.int32),
            'seed': np.full(len(own), seed, np.int64),
        }
        found = self._answers_in_blocks('reconstruct', _given(own) | asked)
        likeness = self.form.likeness(own, found['image'])
        return Redrawn(own, found['image'], found['latents'], found['label'], likeness)

    def vary(
        self, image, count: int = 16, distance: float = DISTANCE, label=None, seed: int = 0
    ) -> Redrawn:
        """So many drawings near a picture, or further from it; one seed is the same ones."""
        [own] = self.framed([image])
        found = self.redraw_framed([own], label)
        latents = varied(found.latents[0], count, distance, seed)
        labels = np.repeat(found.labels, count)
        images = self.draw_latents(latents, labels)
        likeness = self.form.likeness([own] * count, images)
        return Redrawn([own] * count, images, latents, labels, likeness)

    def mend(self, image, mask=None, label=None, seed: int = 0) -> np.ndarray:
        """A picture with what is hidden drawn in, and as it was elsewhere: uint8 [h, w, 3].

        Hidden is where it is transparent, and where `mask` says, as in `encode`.
        """
        own = self.framed([image], [mask])
        found = self.redraw_framed(own, label, seed=seed)
        return self.form.mended(own[0], self.drawings(found.latents, found.labels)[0])

    def between(self, first, second, frames: int = FRAMES) -> list[np.ndarray]:
        """A walk from one picture to another, whose ends are the pictures: uint8 [h, w, 1 or 3]."""
        return self.walk_between(self.redraw([first, second]), frames)

    def walk_between(self, found: Redrawn, frames: int = FRAMES) -> list[np.ndarray]:
        """The same between two pictures that are redrawn already."""
        way = on_the_way(found.latents, found.labels, np.linspace(0, 1, frames, dtype=np.float32))
        return self.form.walk(*found.own, self._drawn('between', way))

    def drawings(self, latents, labels) -> list:
        """Drawings of latents as the form places them: SVG files if they are strokes, or images."""
        return self._drawn('latents', {'latents': latents, 'label': labels})

    def svg_latents(self, latents, labels) -> list[str]:
        """SVG files of latents [n, latent_size] and labels int32 [n]."""
        found = self.drawings(latents, labels)
        return found if isinstance(found[0], str) else self.form.outlines(np.stack(found))

    def framed(self, images, masks=None) -> list:
        """Pictures as the model's form frames them for it."""
        self.check_redraws('an encoder')
        if 'encode' not in self.signatures():
            raise ModelError(NO_ENCODER)
        if self._hand is None:
            self._hand = self.form.hand(self.draw(np.arange(SEEN)))
        masks = [None] * len(images) if masks is None else masks
        return [self._framed(image, mask) for image, mask in zip(images, masks, strict=True)]

    def _framed(self, image, mask):
        try:
            return self.form.framed(image, self._hand, mask)
        except (OSError, ValueError) as error:
            name = quoted(image) if isinstance(image, str | os.PathLike) else 'a picture'
            raise ModelError(f'{name}: {reason(error)}') from error

    def _drawn(self, signature, inputs):
        as_svg = f'{signature}_svg'
        return list(self._in_blocks(as_svg if as_svg in self.signatures() else signature, inputs))


def varied(latents: np.ndarray, count: int, distance: float, seed: int) -> np.ndarray:
    """So many latents float32 [count, latent_size] at a distance from latents [latent_size].

    At 0 they are those, at 1 any others. One seed is the same ones, in any number.
    """
    others = np.stack([
        np.random.default_rng([seed % 2**64, number]).standard_normal(len(latents), np.float32)
        for number in range(count)
    ])  # fmt: skip
    angle = distance * math.pi / 2
    return np.float32(math.cos(angle)) * latents + np.float32(math.sin(angle)) * others


def on_the_way(latents: np.ndarray, labels: np.ndarray, shares: np.ndarray) -> dict:
    """What `between` is asked at `shares` [n] of the way between two latents [2, latent_size].

    Latents that come near a person's drawing are longer than usual ones. On the way they become as
    long as those are, so that the model draws what it is used to.
    """
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    less = 1 - np.minimum(1, math.sqrt(latents.shape[1]) / np.maximum(lengths, 1e-6))
    usual = 1 - np.sin(np.pi * shares) * less  # [2, n]
    first, last = (usual[..., None] * latents[:, None]).astype(np.float32)
    ends = (np.full(len(shares), label, np.int32) for label in labels)
    names = 'latents', 'to_latents', 'share', 'label', 'to_label'
    return dict(zip(names, (first, last, shares, *ends), strict=True))


def joined(parts: list[Redrawn]) -> Redrawn:
    """What was redrawn in parts."""
    own = [each for part in parts for each in part.own]
    return Redrawn(own, *(np.concatenate(each) for each in list(zip(*parts, strict=True))[1:]))


def _given(own) -> dict:
    return {
        'image': np.stack([each.image for each in own]),
        'mask': np.stack([each.known for each in own]),
    }
