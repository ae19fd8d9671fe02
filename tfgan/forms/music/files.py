"""Files of pieces: what is played, read and looked at, each of which says what made it."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from tfgan import provenance, storage
from tfgan.errors import ModelError, quoted, shown
from tfgan.forms import pictures
from tfgan.forms.music import midi_file, musicxml, pieces, playing, roll, score, sound
from tfgan.forms.music.theory import Key

# What files of each ending are made as, by which their recipes tell how to make them again.
MADE_AS = {
    **{'.mid': 'midi', '.musicxml': 'musicxml', '.wav': 'sound', '.svg': 'roll'},
    **dict.fromkeys(pictures.SHEETS, 'roll'),
}
ENDINGS = tuple(MADE_AS)
FORMATS = tuple(ending[1:] for ending in ENDINGS)
SCORE = 'score'
MOST_COLUMNS, MOST_SIZE = 1000, 8192
MOST_SIDE = 16_383  # pixels of a WebP file, and fewer than a JPEG file may have
GAP = 16  # units between the pieces of an SVG file


@dataclasses.dataclass(frozen=True)
class How(playing.Playing):
    """What else than its name a file's making takes.

    `file_format` is that of a folder's files; with `notation` .svg is an engraved score. `size` is
    about how many pixels wide a picture of rolls is.
    """

    file_format: str = 'mid'
    notation: bool = False
    columns: int | None = None
    size: int = 640

    def __post_init__(self):
        super().__post_init__()
        if self.file_format not in FORMATS:
            raise ModelError(
                f'format {quoted(self.file_format, repr)}: music has {", ".join(FORMATS)}'
            )
        columns = self.columns is None or self.columns in range(1, MOST_COLUMNS + 1)
        if not columns or self.size not in range(1, MOST_SIZE + 1):
            raise ModelError(
                f'{quoted(self.columns)} columns, {quoted(self.size)} pixels: there may be up to'
                f' {MOST_COLUMNS:,} and {MOST_SIZE:,}'
            )

    def as_json(self, ending: str) -> dict:
        """What of it differs from what is usual, and what files are made as, for a recipe."""
        own = dataclasses.asdict(self) | {'key': list(self.key)}
        usual = dataclasses.asdict(USUAL) | {'key': list(USUAL.key)}
        del own['file_format']
        changed = {name: value for name, value in own.items() if value != usual[name]}
        return {'as': SCORE if self.notation and ending == '.svg' else MADE_AS[ending]} | changed


USUAL = How()


def how_of(recipe: dict) -> How:
    """What a recipe tells of it; raises ValueError if it tells what no file is made by."""
    names = {field.name for field in dataclasses.fields(How)} - {'file_format'}
    told = {name: recipe[name] for name in names & set(recipe)}
    try:
        if 'key' in told:
            told['key'] = Key(*told['key'])
        return How(**told)
    except TypeError as error:
        raise ValueError(f'no pieces are made by {told}') from error


def write(out: str, raw, numbers, recipe: dict | None = None, how: How = USUAL) -> None:
    """One file of all pieces if `out` has an ending, else a folder of files named by `numbers`.

    Raises ModelError for what cannot be written, before the first file, and StorageError.
    """
    ending = pictures.ending(out)
    is_folder = not ending or out.endswith(os.sep) or os.path.isdir(out)
    if not is_folder and ending not in ENDINGS:
        raise ModelError(
            f'{quoted(out)}: music is written as {" ".join(ENDINGS)}, and as files of'
            f' how.file_format in a folder, {quoted(os.path.splitext(out)[0] + os.sep)}'
        )
    if is_folder:
        ending = f'.{how.file_format}'
        made = {
            pathlib.Path(out) / f'{number}{ending}': as_bytes(
                ending, [piece], [number], _of_one(recipe, i), how
            )
            for i, (number, piece) in enumerate(zip(numbers, raw, strict=True))
        }
    else:
        made = {out: as_bytes(ending, raw, numbers, recipe, how)}
    for path, data in made.items():
        storage.write_bytes(path, data)
    print(f'{len(raw)} pieces, {numbers[0]} to {numbers[-1]}: {shown(out)}')


def _of_one(recipe, number):
    return recipe and recipe | {'drawings': [recipe['drawings'][number]]}


def as_bytes(ending: str, raw, numbers, recipe: dict | None = None, how: How = USUAL) -> bytes:
    """A file of that ending of pieces [n, steps, voices], which says what made it.

    What is played or read has one piece after the other, a bar of rest between them, and marks with
    their numbers; a picture has them side by side. Pieces that the recipe calls minor are in A
    minor, if nothing is told of the key. Raises ModelError.
    """
    raw = np.asarray(raw, np.int32)
    if how.notation and ending != '.svg':
        raise ModelError(f'a score is written as .svg, not as {ending}; .musicxml has it as well')
    told = recipe and recipe | how.as_json(ending)
    drawings = recipe['drawings'] if recipe else [{}] * len(raw)
    keyed = [_in_key(how, each.get('label')) for each in drawings]
    return provenance.stamped(_plain(ending, raw, numbers, how, keyed), ending, told)


def _in_key(how, label):
    is_minor = label == 'minor' and how.key == playing.C_MAJOR
    return dataclasses.replace(how, key=Key(9, 'minor')) if is_minor else how


def _plain(ending, raw, numbers, how, keyed):
    """The file without its recipe."""
    midi_file.checked([note for piece in raw for note in pieces.notes_of(piece)], how)
    if ending in pictures.SHEETS:
        page = pieces.transposed(raw, how.semitones)
        sheet = roll.sheet(page, how.columns, how.size, how.bar_steps)
        if max(sheet.shape) > MOST_SIDE and ending != '.png':
            raise ModelError(
                f'{len(raw):,} pieces make a picture of {sheet.shape[1]:,} x {sheet.shape[0]:,}'
                f' pixels; {ending} has up to {MOST_SIDE:,}: write .png or .svg, or fewer pieces'
            )
        return pictures.still(sheet, ending)
    if ending == '.svg':
        draw = score.svg if how.notation else roll.svg
        marks = [[(0, str(number))] if len(raw) > 1 else [] for number in numbers]
        parts = [draw(*each) for each in zip(raw, keyed, marks, strict=True)]
        return side_by_side(parts, 1 if how.notation else how.columns).encode()
    piece, marks = joined(raw, numbers, how.bar_steps)
    if ending == '.wav':
        return sound.wav(piece, how)
    if ending == '.mid':
        return midi_file.as_bytes(piece, keyed[0], marks)
    several = f'Pieces {numbers[0]} to {numbers[-1]}'
    title = several if len(raw) > 1 else f'Piece {numbers[0]}'
    return musicxml.as_bytes(piece, keyed[0], title, marks)


def joined(raw, numbers, bar_steps: int) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Pieces one after the other as one, each from the start of a bar, and where each begins.

    At least a bar of rest is before the next one. A single piece has no mark.
    """
    _, steps, voices = raw.shape
    if len(raw) == 1:
        return raw[0], []
    whole = (-(-steps // bar_steps) + 1) * bar_steps
    found = np.full([len(raw), whole, voices], pieces.REST, np.int32)
    found[:, :steps] = raw
    marks = [(i * whole, str(number)) for i, number in enumerate(numbers)]
    return found.reshape(-1, voices)[: steps - whole], marks


def side_by_side(parts: list[str], columns: int | None) -> str:
    """One SVG file of several in rows; a single one stays as it is."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.array([_size(part) for part in parts])
    width, height = sizes.max(axis=0) + GAP
    columns = columns or int(np.ceil(np.sqrt(len(parts))))
    rows = -(-len(parts) // columns)
    placed = ''.join(
        part.replace('<svg ', f'<svg x="{i % columns * width:g}" y="{i // columns * height:g}" ', 1)
        for i, part in enumerate(parts)
    )
    whole = f'{columns * width - GAP:g}', f'{rows * height - GAP:g}'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole[0]}" height="{whole[1]}"'
        f' viewBox="0 0 {" ".join(whole)}">\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'{placed}</svg>\n'
    )


def _size(svg):
    start = svg.partition('>')[0]
    return [float(re.search(rf' {side}="([0-9.]+)"', start)[1]) for side in ('width', 'height')]
