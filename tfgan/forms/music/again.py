"""Files of music made again by their recipes, and how they differ from what they were."""

import io

from tfgan import provenance
from tfgan.forms import pictures
from tfgan.forms.base import MOST_BARS
from tfgan.forms.music import files, roll

CARD = 'card'  # the sheet beside an export
SERVED = 'image'  # what a server's files are made as, of any form


def file(ending: str, recipe: dict, model) -> bytes | None:
    """The file that a recipe tells; None if a person's music is in it, or no piece is told."""
    drawings = recipe['drawings']
    if not drawings or recipe.get('source') == provenance.COMPOSITE:
        return None
    if recipe.get('as') == CARD:
        return pictures.small_png(roll.sheet(model.pixels_of(drawings), recipe.get('columns')))
    how = files.how_of(recipe)
    bars = recipe.get('bars')
    if bars is None:
        raw = model.pixels_of(drawings)
    elif type(bars) is int and 0 < bars <= MOST_BARS:
        asked = model.asked(drawings)
        raw = model.long(asked['seed'], asked['label'], bars)
    else:
        raise ValueError(f'{bars} bars')
    numbers = [each.get('seed', number) for number, each in enumerate(drawings)]
    with provenance.switched_off():  # The recipe tells the keys too, and is added by who asked.
        return files.as_bytes(ending, raw, numbers, recipe, how)


def differ(ending: str, recipe: dict, first: bytes, second: bytes) -> str:
    """In what files differ, '' if in no byte: the first has its recipe, the second none.

    Those of a server are MIDI of another type, whose notes are compared.
    """
    second = provenance.STAMPS[ending](second, recipe)
    if first == second or (recipe.get('as') == SERVED and _notes(first) == _notes(second)):
        return ''
    if len(first) != len(second):
        return f'{len(first):,} and {len(second):,} bytes'
    return f'{sum(a != b for a, b in zip(first, second)):,} of {len(first):,} bytes'


def _notes(data):
    """When the notes of a MIDI file begin and end, in quarters."""
    import mido

    found, file = [], mido.MidiFile(file=io.BytesIO(data))
    for track in file.tracks:
        ticks = 0
        for message in track:
            ticks += message.time
            if message.type in ('note_on', 'note_off'):
                sounds = message.type == 'note_on' and message.velocity > 0
                found.append((ticks / file.ticks_per_beat, sounds, message.note))
    return sorted(found)
