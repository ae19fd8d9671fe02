"""Scenes of a model: what words ask for, drawn on one page."""

import os

import numpy as np

from tfgan.errors import ModelError, listed, quoted
from tfgan.forms import pictures
from tfgan.words import captions, layout, lexicon

HINT = 'type what it draws, as "two cats and a house under a sun"'


class Composing:
    """What a `Model` makes of words."""

    def understood(self, words: str) -> captions.Caption:
        """What words ask this model for; raises ModelError for what it does not draw."""
        self.check_redraws('scenes of words')
        names = self.class_names()
        caption = captions.parse(words, lexicon.read(), names)
        if caption.refused or not caption.things:
            why = caption.refused or [f'{quoted(words, repr)} names nothing']
            raise ModelError(
                f'--words: {"; ".join(map(quoted, why))}. The model draws {listed(names)}: {HINT}'
            )
        return caption

    def write_scene(self, out, words: str, seed: int = 0, **how) -> None:
        """Writes a scene of what words ask for as one file, by its ending as `write` does.

        One seed is one scene. Raises ModelError for words that are not understood or not drawn,
        ConfigError for relations that contradict each other, and StorageError.
        """
        out = os.fspath(out)
        caption = self.understood(words)
        places = layout.layout(caption)
        names = [caption.things[place.thing].class_name for place in places]
        seeds = np.array(layout.seeds(seed, len(places)), np.int64)
        recipe = self.recipe(self.seeded(seeds, names))
        where = [place[1:] for place in places]
        self.form.write_scene(
            out,
            pictures.ending(out),
            self.svg(seeds, names),
            {'words': words, 'height': layout.HEIGHT, 'places': where, 'names': names},
            how,
            recipe,
        )
