"""Several drawings on one page: what is where is told, and each line stays a path of its own."""

import math
from typing import NamedTuple

from tfgan import provenance, storage
from tfgan.errors import shown
from tfgan.forms.drawing import prints, svg

UNITS = 1000  # of the page's width
SIZE = 1024  # pixels of the page's width, if none are told
MOST_SCALE = 100  # of a drawing, and of how far it may be away


class Scene(NamedTuple):
    """Where drawings are on a page 1 wide: the middle and longer side of each, those behind first.

    `names` are what the drawings are of, and `words` what a person typed.
    """

    words: str
    height: float
    places: list[tuple[float, float, float]]  # x, y and scale
    names: list[str]

    def as_json(self) -> dict:
        """What a recipe tells of it, beside the drawings and their labels."""
        return {'words': self.words, 'height': self.height, 'places': list(map(list, self.places))}


def of_recipe(recipe: dict) -> Scene:
    """The scene that a recipe tells; raises ValueError, KeyError or TypeError for none."""
    told = recipe['scene']
    drawings, height = recipe['drawings'], told['height']
    places = [tuple(map(float, place)) for place in told['places']]
    numbers = [height, *(number for place in places for number in place)]
    if not all(math.isfinite(each) and abs(each) <= MOST_SCALE for each in numbers) or height <= 0:
        raise ValueError(f'numbers of a scene: {numbers}')
    if len(places) != len(drawings) or any(len(place) != 3 for place in places):
        raise ValueError(f'{len(places)} places of {len(drawings)} drawings')
    return Scene('', height, places, [str(each.get('label', '')) for each in drawings])


def compose(drawings: list[str], scene: Scene) -> str:
    """One SVG file of drawings that are SVG files, each a group with its name."""
    drawings = [provenance.bare(each) for each in drawings]
    width, height = UNITS, UNITS * scene.height
    paper = drawings[0].split('fill="', 1)[1].split('"', 1)[0]
    parts = []
    for drawing, (x, y, scale), name in zip(drawings, scene.places, scene.names, strict=True):
        sides = [float(drawing.split(f'{side}="')[1].split('"')[0]) for side in svg.SIDES]
        size = UNITS * scale / max(sides)
        left, top = (UNITS * at - size * side / 2 for at, side in zip((x, y), sides))
        page = svg.Page(width, height, paper, None, left, top, size)
        _, _, *lines = svg.moved(drawing, page).splitlines(keepends=True)
        inner = ''.join(line for line in lines if line.startswith('<path'))
        parts.append(f'{_opening(lines)}<title>{provenance.xml(name)}</title>\n{inner}</g>\n')
    sides = f'{width:g} {height:g}'
    start = f'{svg.HEAD} width="{width:g}" height="{height:g}" viewBox="0 0 {sides}">\n'
    ground = f'<rect width="100%" height="100%" fill="{paper}"/>\n'
    return f'{start}{ground}{"".join(parts)}</svg>\n'


def _opening(lines):
    """The group that strokes are in; outlines have none."""
    return next((line.rstrip() for line in lines if line.startswith('<g ')), '<g>')


def file(drawings: list[str], scene: Scene, ending: str, how: prints.How) -> bytes:
    """A file of a scene, which does not say what made it."""
    return prints.file([compose(drawings, scene)], ending, how)


def write(
    out: str, ending: str, drawings: list[str], scene: Scene, how: dict, recipe: dict | None
) -> None:
    """Writes a scene as one file; raises ModelError and StorageError as `prints.write` does."""
    how = prints.How(**({'size': SIZE} | how))
    data = file(drawings, scene, ending, how)
    more = how.as_json(ending) | {'as': 'scene', 'scene': scene.as_json()}
    recipe = recipe and {k: v for k, v in (recipe | more).items() if v is not None}
    storage.write_bytes(out, provenance.stamped(data, ending, recipe))
    print(f'a scene of {len(drawings)} drawings: {shown(out)}')
