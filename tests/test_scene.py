"""python -m tfgan.scene draws what words name, where they have it."""

from xml.etree import ElementTree

import numpy as np
import pytest
from forks import Forks
from PIL import Image
from toy_models import NAMES, export_toy, toy_gan, toy_pen

from tfgan import client, provenance
from tfgan.errors import ConfigError, ModelError
from tfgan.forms.drawing import again, scene, vectors
from tfgan.words import layout

SVG = '{http://www.w3.org/2000/svg}'
WORDS = 'two kittens and a poodle under a goldfish'
SHOWN = ['cat', 'cat', 'dog', 'fish']


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return toy_pen(tmp_path_factory.mktemp('models') / 'toy', shape=(12, 16, 1))


@pytest.fixture(scope='module')
def written(model, tmp_path_factory):
    """The scene as a file of each kind."""
    folder = tmp_path_factory.mktemp('scenes')
    for ending in ('svg', 'png', 'pdf'):
        model.write_scene(folder / f'scene.{ending}', WORDS, seed=7)
    model.write_scene(folder / 'plot.svg', WORDS, seed=7, for_plotter=True, paper='a5')
    model.write_scene(folder / 'scene.gif', WORDS, seed=7, size=64, frames=3)
    return folder


def groups(path):
    root = ElementTree.parse(path).getroot()
    return root, root.findall(f'{SVG}g')


def test_each_thing_is_a_group_of_lines_where_words_have_it(model, written):
    root, found = groups(written / 'scene.svg')
    assert (root.get('width'), root.get('height')) == ('1000', '750')
    assert [group.find(f'{SVG}title').text for group in found] == SHOWN
    places = layout.layout(model.understood(WORDS))
    for number, (group, place) in enumerate(zip(found, places, strict=True)):
        paths = group.findall(f'{SVG}path')
        seed = layout.seeds(7, 4)[number]
        [alone] = [vectors.read(each) for each in model.svg([seed], SHOWN[number])]
        assert len(paths) == len(alone.lines) > 0
        [moved] = vectors.read(_alone(root, group)).lines[:1]
        middle = (moved.path.vertices - [1000 * place.x, 1000 * place.y]) / (1000 * place.scale)
        own = (alone.lines[0].path.vertices - [500, 375]) / 1000  # of a page of 12 by 16
        np.testing.assert_allclose(middle, own, atol=1e-3)
        assert moved.width == pytest.approx(alone.lines[0].width * place.scale, abs=0.01)


def _alone(root, group):
    """An SVG file with one of its groups only."""
    head = ElementTree.Element(f'{SVG}svg', root.attrib)
    head.extend([root.find(f'{SVG}rect'), group])
    return ElementTree.tostring(head).decode()


def test_one_seed_is_one_scene(model, written, tmp_path):
    for seed, is_same in ((7, True), (8, False)):
        model.write_scene(tmp_path / 'scene.svg', WORDS, seed=seed)
        same = (tmp_path / 'scene.svg').read_bytes() == (written / 'scene.svg').read_bytes()
        assert same == is_same


def test_drawings_of_one_kind_are_not_the_same(written):
    _, (first, second, *_) = groups(written / 'scene.svg')
    lines = [[path.get('d') for path in group.iter(f'{SVG}path')] for group in (first, second)]
    assert lines[0] != lines[1]


def test_it_is_written_as_what_its_ending_says(written):
    assert Image.open(written / 'scene.png').size == (scene.SIZE, scene.SIZE * 3 // 4)
    assert (written / 'scene.pdf').read_bytes().startswith(b'%PDF')
    plot, _ = groups(written / 'plot.svg')
    assert {plot.get('width'), plot.get('height')} == {'148mm', '210mm'}
    assert Image.open(written / 'scene.gif').size == (64, 48)


@pytest.mark.parametrize('name', ['scene.svg', 'scene.png', 'scene.pdf', 'scene.gif', 'plot.svg'])
def test_it_says_what_made_it_and_is_drawn_again(model, written, name):
    data = (written / name).read_bytes()
    recipe = provenance.read(data)
    assert recipe['as'] == 'scene'
    assert recipe['scene']['words'] == WORDS
    assert [each['label'] for each in recipe['drawings']] == SHOWN
    ending = f'.{name.partition(".")[2]}'
    assert again.differ(ending, recipe, data, model.again(recipe, ending)) == ''


@pytest.mark.parametrize(
    'changed',
    [
        {'places': []},
        {'places': [[0, 0, 1]] * 5},
        {'places': [[0, 0]] * 4},
        {'places': [['x', 0, 1]] * 4},
        {'places': [[0, 0, 1e9]] * 4},
        {'places': [[0, 0, float('nan')]] * 4},
        {'height': 0},
        {'height': 'tall'},
        {'height': None},
        {'places': None},
    ],
)
def test_a_recipe_that_is_no_scene_is_refused(model, written, changed):
    recipe = provenance.read((written / 'scene.svg').read_bytes())
    recipe['scene'] |= changed
    with pytest.raises(ModelError, match='of no file of tfgan'):
        model.again(recipe, '.svg')


def test_a_model_of_pixels_has_its_outlines_in_a_scene(tmp_path):
    model = client.load(export_toy(toy_gan(), tmp_path / 'toy'))
    model.write_scene(tmp_path / 'scene.svg', WORDS)
    _, found = groups(tmp_path / 'scene.svg')
    assert [group.find(f'{SVG}title').text for group in found] == SHOWN
    assert all(path.get('fill') for group in found for path in group.iter(f'{SVG}path'))
    model.write_scene(tmp_path / 'scene.png', WORDS)
    assert np.asarray(Image.open(tmp_path / 'scene.png')).std() > 0
    with pytest.raises(ModelError, match='are no strokes'):
        model.write_scene(tmp_path / 'plot.svg', WORDS, for_plotter=True)


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ('a house', ['house', 'it is no dog, which is nearest', f'draws {", ".join(NAMES)}']),
        ('two red cats', ['red: only things, how many and where']),
        ('', ["'' names nothing", 'type what it draws']),
        ('ten cats', ['from one to nine']),
        ('a cat under', ['under: of what?']),
        ('a cat in a dog', ['in: it is none of left of']),
    ],
)
def test_what_is_not_drawn_is_refused_with_the_way_on(model, tmp_path, words, said):
    with pytest.raises(ModelError) as refusal:
        model.write_scene(tmp_path / 'scene.svg', words)
    assert all(each in str(refusal.value) for each in said), refusal.value
    assert not list(tmp_path.iterdir())


def test_relations_that_contradict_each_other_are_refused(model, tmp_path):
    with pytest.raises(ConfigError, match='cannot all hold'):
        model.write_scene(tmp_path / 'scene.svg', 'a cat above a dog and under the dog')


def test_the_command_draws_and_refuses(model, tmp_path):
    forks = Forks()
    asked = [f'--model={model.version.parent}', f'--words={WORDS}']
    code, said = forks.run(tmp_path, 'tfgan.scene', *asked, '--out=scene.svg', '--seed=7')
    assert (code, said) == (0, 'a scene of 4 drawings: scene.svg\n')
    assert provenance.read((tmp_path / 'scene.svg').read_bytes())
    off = [*asked, '--out=bare.svg', '--provenance=off']
    assert forks.run(tmp_path, 'tfgan.scene', *off)[0] == 0
    assert provenance.read((tmp_path / 'bare.svg').read_bytes()) is None
    for wrong, why in (
        ([], 'give --out=scene.svg'),
        (['--out=scenes/'], 'it can be written as'),
        (['--out=scene.svg', '--size=99'], '--size is for'),
    ):
        code, said = forks.run(tmp_path, 'tfgan.scene', *asked, *wrong)
        assert code == 1 and why in said
