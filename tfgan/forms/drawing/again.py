"""Files drawn again by their recipes, and how they differ from what they were."""

import io
import re
import zlib

import numpy as np
from PIL import Image, ImageSequence

from tfgan import provenance
from tfgan.forms import pictures
from tfgan.forms.drawing import framing, prints, scene, vectors
from tfgan.forms.drawing.pixels import to_float, to_uint8
from tfgan.networks.pen import SAMPLES
from tfgan.networks.strokes import Strokes, draw

NEAR = 0.15  # of a number in a file of vectors, which has one digit after its point, or two
NUMBER = re.compile(r'-?\d+\.?\d*(?:e-?\d+)?')
MOST_FRAMES, MOST_PIXELS = 10_025, 400_000_000  # that are looked at of a file
ROUNDED = 6  # levels of the pixels of a card's sheet, in the mean
MOST_COLUMNS = 1000
MOST_ENLARGED = 64  # times that a card's drawings are
MOST_STREAM = 64 << 20  # bytes of a PDF's contents
COLOUR = re.compile('#[0-9a-fA-F]{6}')


def file(ending: str, recipe: dict, model) -> bytes | None:
    """The file that a recipe tells; None if a person's drawing is in it, or no drawing is told."""
    drawings, made_as = recipe['drawings'], recipe.get('as')
    if not drawings or recipe.get('source') == provenance.COMPOSITE:
        return None
    if made_as == 'card':
        return pictures.png(_card(recipe, model))
    if made_as in ('image', 'sheet'):
        images = model.pixels_of(drawings)
        if made_as == 'sheet':
            return pictures.still(model.form.sheet(images, _columns(recipe)), ending)
        return pictures.still(images[0], ending)
    if made_as == framing.PLACED:
        made = map(framing.placed, _own(drawings, model), model.drawings_as_made(drawings))
        return pictures.still(framing.sheet(list(made)), ending)
    if made_as == 'walk':
        asked, how = model.asked(drawings), prints.how_of(recipe)
        frames = model.walk(asked['seed'], asked['label'], how.frames, how.size)
        return pictures.moving(frames, ending)
    if made_as == 'strokes':
        return prints.file(_svgs(drawings, model), ending, prints.how_of(recipe))
    if made_as == 'scene':
        placed = scene.of_recipe(recipe)
        return scene.file(_svgs(drawings, model), placed, ending, prints.how_of(recipe))
    raise ValueError(f'made as {made_as}')


def _columns(recipe):
    columns = recipe.get('columns')
    if columns is not None and not (type(columns) is int and 0 < columns <= MOST_COLUMNS):
        raise ValueError(f'{columns} columns')
    return columns


def _card(recipe, model):
    """The sheet beside an export, whose strokes are drawn as they were learned, but larger."""
    columns, enlarged = _columns(recipe), recipe.get('enlarged', 1)
    drawings = recipe['drawings']
    if not 0 < enlarged <= MOST_ENLARGED:
        raise ValueError(f'enlarged {enlarged} times')
    if 'enlarged' not in recipe:
        return model.form.sheet(model.pixels_of(drawings), columns)
    asked = model.asked(drawings)
    made = model.answers('strokes', {name: asked[name] for name in ('seed', 'label')})
    strokes = Strokes(
        *(made[name] for name in ('points', 'width', 'ink')), to_float(made['colour'])
    )
    paper = vectors.read(provenance.bare(model.svgs_of(drawings[:1])[0])).paper
    ground = to_float(np.frombuffer(bytes.fromhex(paper[1:]), np.uint8)[: model.shape[-1]])
    sides = (enlarged * side for side in model.shape[:2])
    images = to_uint8(draw(strokes, ground, *sides, 2 * SAMPLES)).numpy()
    return model.form.sheet(images, columns)


def _svgs(drawings, model):
    svgs = model.svgs_of(drawings)
    if any('page' in each for each in drawings):
        svgs = list(map(framing.as_svg, _own(drawings, model), svgs))
    return svgs


def _own(drawings, model):
    return [framing.on_page(each['page'], model.shape) for each in drawings]


def differ(ending: str, recipe: dict, first: bytes, second: bytes) -> str:
    """In what files look different, '' if in nothing: pixels by one level, lines by a hair.

    The sheet of a card has few greys or colours, and is as near to all of them as those are.
    """
    if ending in ('.svg', '.pdf'):
        contents = _svg_text if ending == '.svg' else _pdf_text
        return _differ_in_text(contents(first), contents(second))
    frames = [_frames(each) for each in (first, second)]
    if [each.shape for each in frames[0]] != [each.shape for each in frames[1]]:
        sizes = (f'{len(each)} of {each[0].shape[1]} x {each[0].shape[0]}' for each in frames)
        return f'pictures: {" and ".join(sizes)} pixels'
    apart = [np.abs(a.astype(int) - b).max(axis=-1) for a, b in zip(*frames, strict=True)]
    most = max(int(each.max()) for each in apart)
    if most <= 1:
        return ''
    share = np.mean([np.mean(each > 1) for each in apart])
    mean = np.mean([each.mean() for each in apart])
    if recipe.get('as') == 'card' and mean < ROUNDED:
        return ''
    return f'{share:.2%} of the pixels by up to {most} of 255 levels, {mean:.2f} in the mean'


def _frames(data):
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        count = getattr(image, 'n_frames', 1)
        if count > MOST_FRAMES or width * height * count > MOST_PIXELS:
            raise ValueError(f'{count} pictures of {width} x {height} pixels')
        return [np.asarray(frame.convert('RGB')) for frame in ImageSequence.Iterator(image)]


def _svg_text(data):
    return provenance.bare(data.decode())


def _pdf_text(data):
    """The contents of all pages, unpacked."""
    parts = []
    for found in re.finditer(rb'<< ([^<>]*?) ?>>\nstream\n(.*?)\nendstream', data, re.DOTALL):
        facts, body = found.groups()
        if b'/Type' in facts:
            continue
        if b'FlateDecode' in facts:
            body = zlib.decompressobj().decompress(body, MOST_STREAM)
        parts.append(body.decode('latin-1'))
    return '\n'.join(parts)


def _differ_in_text(first, second):
    if first == second:
        return ''
    words = [NUMBER.sub('0', COLOUR.sub('#', each)).split() for each in (first, second)]
    if words[0] != words[1] or COLOUR.findall(first) != COLOUR.findall(second):
        return 'lines'
    numbers = [np.array(NUMBER.findall(COLOUR.sub('', each)), float) for each in (first, second)]
    most = np.abs(numbers[0] - numbers[1]).max(initial=0)
    return '' if most <= NEAR else f'places of lines by up to {most:.2f}'
