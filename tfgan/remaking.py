"""What a model's files say of it, and the same files drawn again of what they say."""

import functools

import numpy as np

from tfgan import provenance
from tfgan.errors import ModelError, quoted


class Remaking:
    """What a `Model` tells of its drawings in their files."""

    @functools.cached_property
    def facts(self) -> dict:
        """What all recipes have of the model: its name, its SHA-256 and the licence of its data."""
        if 'recipe' in self.signatures():
            zero = np.zeros(1, np.int64)
            told = self._told({'seed': zero, 'label': zero.astype(np.int32)})[0]
            return {name: told.get(name) for name in ('model', 'sha256', 'licence')}
        return self.known_facts()

    def recipe(self, drawings: list[dict], **more) -> dict | None:
        """The recipe of drawings as `seeded` and `given` tell them; None where none are written."""
        return provenance.recipe(self.facts, drawings, **more) if provenance.is_on() else None

    def seeded(self, seeds, label=None, truncation=None) -> list[dict]:
        """What recipes tell of the drawings of int seeds [n]; `label` as in `draw`."""
        if not provenance.is_on():
            return []
        seeds = np.asarray(seeds, np.int64).ravel()
        labels = self.labels(-1 if label is None else label, seeds.size)
        if 'recipe' in self.signatures():
            found = self._told({'seed': seeds, 'label': labels})
            found = [each['drawings'][0] for each in found]
        else:  # Then a negative label, which is its seed's, stays untold.
            names = self.class_names()
            found = [
                {'seed': seed} | ({'label': names[number]} if number >= 0 else {})
                for seed, number in zip(seeds.tolist(), labels, strict=True)
            ]
        shares = np.broadcast_to(1.0 if truncation is None else truncation, seeds.shape)
        return [
            each | ({} if share == 1 else {'truncation': float(share)})
            for each, share in zip(found, shares, strict=True)
        ]

    def _told(self, inputs):
        texts = self._in_blocks('recipe', inputs)
        found = [provenance.parsed(text) for text in texts]
        if not all(each and len(each['drawings']) == 1 for each in found):
            raise ModelError(f'it is no model of tfgan, for its recipe is {quoted(texts[0])}')
        return found

    def given(self, latents, labels, own=None) -> list[dict]:
        """What recipes tell of drawings of latents [n, latent_size], and of whose page they are on.

        `own` are pictures as `framed` gives them, one for each drawing.
        """
        names = self.class_names() if provenance.is_on() else []
        if not names:
            return []
        found = [
            {'latents': provenance.latents_as_json(each), 'label': names[label]}
            for each, label in zip(latents, labels, strict=True)
        ]
        if own:
            pages = [{'page': self.form.page_of(each)} for each in own]
            found = [each | page for each, page in zip(found, pages, strict=True)]
        return found

    def again(self, recipe: dict, ending: str) -> bytes | None:
        """The file of that ending that a recipe tells, drawn again by this model.

        None if more than the model is in it, as a person's drawing. Raises ModelError.
        """
        try:
            return self.form.again(ending, recipe, self)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f'its recipe is of no file of tfgan ({quoted(error)})') from error

    def asked(self, drawings: list[dict]) -> dict:
        """Latents or seeds, labels and truncations of drawings that a recipe tells, as arrays."""
        if any(each.get('sliders') or each.get('kept') or each.get('edits') for each in drawings):
            raise ModelError(
                "it was changed on the studio's page; drop the file on that page to have it again"
            )
        names = self.class_names()
        labels = [
            -1 if each.get('label') is None else names.index(each['label']) for each in drawings
        ]
        found = {'label': np.array(labels, np.int32)}
        if all('latents' in each for each in drawings):
            found['latents'] = np.array([each['latents'] for each in drawings], np.float32)
            return found
        found['seed'] = np.array([each['seed'] for each in drawings], np.int64)
        shares = [each.get('truncation', 1) for each in drawings]
        if any(share != 1 for share in shares):
            found['truncation'] = np.array(shares, np.float32)
        return found

    def pixels_of(self, drawings: list[dict]) -> np.ndarray:
        """Images [n, h, w, c] of drawings that a recipe tells."""
        return np.stack(self._by_kind(drawings, self._pixels_of))

    def svgs_of(self, drawings: list[dict]) -> list[str]:
        """SVG files of drawings that a recipe tells."""
        if any(map(_is_changed, drawings)):
            return self.form.svgs(*self.strokes_of(drawings))
        return self._by_kind(drawings, self._svgs_of)

    def _by_kind(self, drawings, draw):
        """Those of latents are drawn together, and those of seeds, but stay in their order."""
        found = [None] * len(drawings)
        for given in (True, False):
            numbers = [i for i, each in enumerate(drawings) if ('latents' in each) == given]
            drawn = draw(self.asked([drawings[i] for i in numbers])) if numbers else []
            for i, each in zip(numbers, drawn, strict=True):
                found[i] = each
        return found

    def _pixels_of(self, asked):
        if 'latents' in asked:
            return self.draw_latents(asked['latents'], asked['label'])
        return self.draw(asked['seed'], asked['label'], asked.get('truncation'))

    def _svgs_of(self, asked):
        if 'latents' in asked:
            return self.svg_latents(asked['latents'], asked['label'])
        return self.svg(asked['seed'], asked['label'])

    def drawings_as_made(self, drawings: list[dict]) -> list:
        """What `drawings` gives of latents that a recipe tells."""
        asked = self.asked(drawings)
        return self.drawings(asked['latents'], asked['label'])

    @functools.cached_property
    def shape(self) -> tuple:
        """Of its images: [h, w, c]."""
        return self.draw([0]).shape[1:]


def _is_changed(drawing):
    """Whether no signature makes a drawing's strokes, but all of it is known."""
    changed = any(drawing.get(name) for name in ('sliders', 'kept'))
    truncated = 'seed' in drawing and drawing.get('truncation', 1) != 1
    return (changed or truncated) and not drawing.get('edits')
