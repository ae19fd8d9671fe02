"""Every kind of file is told what made it, and drawn again: the same pixels, the same lines."""

import io

import numpy as np
import pytest
import tensorflow as tf
from commands import run
from PIL import Image
from toy_models import toy_pen

from tfgan import client, provenance
from tfgan.errors import ModelError
from tfgan.forms import pictures

SEEDS = np.array([7, 8, 2**62, -3], np.int64)
LATENTS = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return tmp_path_factory.mktemp('models')


@pytest.fixture(scope='module')
def pen(models):
    return toy_pen(models / 'pen', reads=True)


@pytest.fixture(scope='module')
def coloured(models):
    return toy_pen(models / 'coloured', shape=(20, 16, 3), ground=(1.0, 0.5, -0.2))


@pytest.fixture(scope='module')
def pixels(exported):
    return client.load(exported)


def drawn_again(model, path, ending=None):
    """The recipe of a file, which is drawn again byte for byte."""
    data = path.read_bytes()
    recipe, ending = provenance.read(data), ending or pictures.ending(path)
    again = model.again(recipe, ending)
    assert provenance.stamped(again, ending, recipe) == data
    assert model.form.differ(ending, recipe, data, again) == ''
    assert recipe['sha256'] == model.facts['sha256']
    return recipe


FILES = {
    'sheet.png': {},
    'sheet.jpg': {},
    'sheet.webp': {},
    'large.png': {'size': 200},
    'sheet.svg': {},
    'sheet.pdf': {'paper': 'a5'},
    'plotted.svg': {'for_plotter': True, 'paper': 'letter'},
    'moving.gif': {'frames': 3, 'size': 40},
}


@pytest.mark.parametrize('name', FILES)
def test_files_of_a_pen_are_drawn_again(pen, tmp_path, name):
    pen.write(tmp_path / name, SEEDS, **FILES[name])
    recipe = drawn_again(pen, tmp_path / name)
    assert [each['seed'] for each in recipe['drawings']] == SEEDS.tolist()


@pytest.mark.parametrize('name', ['sheet.png', 'large.png', 'sheet.svg', 'plotted.svg'])
def test_files_in_colours_are_drawn_again(coloured, tmp_path, name):
    coloured.write(tmp_path / name, SEEDS[:2], 'dog', **FILES[name])
    recipe = drawn_again(coloured, tmp_path / name)
    assert [each['label'] for each in recipe['drawings']] == ['dog'] * 2


@pytest.mark.parametrize('name', ['sheet.png', 'sheet.webp', 'large.png', 'sheet.svg', 'sheet.pdf'])
def test_files_of_pixels_are_drawn_again(pixels, tmp_path, name):
    pixels.write(tmp_path / name, SEEDS, **FILES[name])
    drawn_again(pixels, tmp_path / name)


def test_folders_and_truncated_ones_are_drawn_again(pen, pixels, tmp_path):
    pen.write(tmp_path / 'few.png', SEEDS, 'cat', 0.3)
    assert drawn_again(pen, tmp_path / 'few.png')['drawings'][3]['truncation'] == 0.3
    for model, file_format in ((pen, 'png'), (pen, 'svg'), (pixels, 'png')):
        folder = tmp_path / f'{model.facts["model"]}-{file_format}'
        model.write(folder, SEEDS[:2], file_format=file_format)
        for file in folder.iterdir():
            assert drawn_again(model, file)['drawings'][0]['seed'] == int(file.stem)
    pen.sheet(SEEDS, columns=3).save(tmp_path / 'notebook.png')
    assert drawn_again(pen, tmp_path / 'notebook.png')['columns'] == 3


def test_a_servers_own_files_are_drawn_again(pen, pixels):
    seed, label = tf.constant([9], tf.int64), tf.constant([2])
    for model, signature, inputs in (
        (pen, 'png', {'seed': seed}),
        (pixels, 'png', {'seed': seed}),
        (pen, 'svg', {'seed': seed, 'label': label}),
        (pen, 'latents_svg', {'latents': tf.constant(LATENTS[:1]), 'label': label}),
    ):
        [answer] = model._loaded.signatures[signature](**inputs).values()
        [data] = answer.numpy()
        recipe, ending = provenance.read(data), provenance.kind_of(data)
        assert model.form.differ(ending, recipe, data, model.again(recipe, ending)) == ''


def test_the_sheets_of_cards_are_drawn_again(pen, coloured, pixels):
    for model in (pen, coloured, pixels):
        data = (model.version / 'sheet.png').read_bytes()
        recipe = provenance.read(data)
        again = model.again(recipe, '.png')
        assert model.form.differ('.png', recipe, data, again) == ''
        assert again != model.again(recipe | {'drawings': recipe['drawings'][::-1]}, '.png')


def test_what_differs_is_told(pen, tmp_path):
    for name in ('a.png', 'b.svg', 'c.pdf'):
        pen.write(tmp_path / name, SEEDS[:1])
        data, ending = (tmp_path / name).read_bytes(), pictures.ending(name)
        recipe = provenance.read(data)
        other = pen.again(recipe | {'drawings': [{'seed': 99}]}, ending)
        assert pen.form.differ(ending, recipe, data, other)
    one = pictures.png(np.zeros([4, 4, 1], np.uint8))
    two = pictures.png(np.zeros([4, 5, 1], np.uint8))
    assert '4 x 4 and' in pen.form.differ('.png', {}, one, two)


# The commands


def test_commands_files_are_told_and_drawn_again(pen, models, tmp_path):
    own = tmp_path / 'own.png'
    Image.fromarray(pen.draw([5])[0, ..., 0]).resize((60, 60)).save(own)
    place = f'--model={models / "pen"}'
    how = [place, f'--image={own}', '--label=cat', '--steps=0']
    flags = '--out=s.pdf', '--walk=w.apng', '--frames=3'
    run(tmp_path, 'sample', place, '--num=2', *flags)
    run(tmp_path, 'redraw', *how, '--vary=2', '--out=v.svg')
    for name in ('w.apng', 'v.svg'):
        said, _ = run(tmp_path, 'whence', name, f'--models={models}', f'--out=again-{name}')
        assert pen.sha256 in said and 'Drawn again it is the same.' in said
        assert (tmp_path / f'again-{name}').read_bytes() == (tmp_path / name).read_bytes()
    run(tmp_path, 'redraw', *how, f'--to={own}', '--walk=mine.gif', '--frames=3')
    said, _ = run(tmp_path, 'whence', 'mine.gif', f'--models={models}', code=2)
    assert provenance.COMPOSITE in said and 'cannot be drawn again' in said


def test_what_it_cannot_tell(pen, models, tmp_path):
    pen.write(tmp_path / 'a.png', SEEDS)
    said, refused = run(tmp_path, 'whence', 'a.png', code=2)
    assert said.count('seed') == len(SEEDS)
    assert pen.sha256 in refused and 'is not in saved_models' in refused
    with provenance.switched_off():
        pen.write(tmp_path / 'old.png', SEEDS)
    said, refused = run(tmp_path, 'whence', 'old.png', f'--models={models}', code=2)
    assert not said and 'does not say what made it' in refused
    flags = f'--model={models / "pen"}', '--num=1', '--out=off.svg', '--provenance=off'
    run(tmp_path, 'sample', *flags)
    assert b'metadata' not in (tmp_path / 'off.svg').read_bytes()


HOSTILE = {
    'as': ['', 'card', 'walk', 'placed', 'scene', 'x' * 900, None],
    'size': [-1, 0, 10**9, 1.5, 'x', [], True],
    'columns': [-1, 0, 10**9, 'x', 2.5],
    'frames': [0, -1, 10**9, 'x'],
    'paper': ['x', 7, []],
    'enlarged': [10**9, -1, 'x', None],
    'drawings': [
        [{'seed': 1, 'label': 'unicorn'}],
        [{'latents': [1.0], 'label': 'cat'}],
        [{'seed': 1}, {'latents': [0.0] * 6, 'label': 'cat'}],
        [{'seed': 1, 'page': 7}],
        [{'seed': 1, 'page': {'size': [10**6, 10**6], 'paper': '#', 'colour': '', 'place': []}}],
        [{'seed': 1, 'sliders': {'size': 1}}],
        [{'latents': [0.0] * 6, 'label': 'cat', 'page': {
            'size': [9, 9], 'paper': '#ffffff', 'colour': '#000000', 'place': [0, 0, 'x'],
            'pen': 1}}],
    ],
}  # fmt: skip


@pytest.mark.parametrize('name', HOSTILE)
@pytest.mark.parametrize('made_as', ['image', 'sheet', 'strokes', 'card', 'walk', 'placed'])
def test_strangers_recipes_end_in_words(pen, name, made_as):
    plain = {'software': 'x', 'as': made_as, 'drawings': [{'seed': 1, 'label': 'cat'}], 'frames': 2}
    for value in HOSTILE[name]:
        try:
            found = pen.again(plain | {name: value}, '.apng' if made_as == 'walk' else '.png')
        except ModelError:
            continue
        with Image.open(io.BytesIO(found)) as image:
            assert max(image.size) < 5000
