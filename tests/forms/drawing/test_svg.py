"""SVG from the export of a model that draws with a pen, and what asks for it."""

import io
import xml.etree.ElementTree

import numpy as np
import pytest
import resvg_py
import tensorflow as tf
from commands import run
from PIL import Image
from toy_models import toy_pen

from tfgan import config
from tfgan.gan.gan import Gan

SEEDS = np.arange(40)
SVG = '{http://www.w3.org/2000/svg}'


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return toy_pen(tmp_path_factory.mktemp('models') / 'pen')


def rendered(svg, width, height):
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height))
    return np.asarray(Image.open(io.BytesIO(png)).convert('RGB')).astype(int)


@pytest.mark.parametrize(
    ('shape', 'ground'),
    [
        ((28, 28, 1), [1.0]),
        pytest.param((16, 32, 1), [-1.0], marks=pytest.mark.long),
        ((24, 24, 3), [0.9, 0, -0.5]),
    ],
)
def test_a_file_is_the_models_drawing(tmp_path, shape, ground):
    model = toy_pen(tmp_path / 'm', shape, ground)
    files, images = model.svg(SEEDS), model.draw(SEEDS).astype(int)
    found = np.stack([rendered(file, *shape[1::-1]) for file in files])
    assert max(map(len, files)) < 8000
    # Where coloured strokes cross, the image mixes what a file has one over the other.
    assert np.abs(found - images).mean() < 255 * (0.06 if shape[2] == 3 else 0.04)
    paper = np.round((np.array(ground) + 1) * 127.5)
    inked, others = (np.abs(each - paper).max(axis=-1) > 127 for each in (found, images))
    if shape[2] == 1:
        assert (inked & others).sum() > 0.9 * (inked | others).sum()


def test_a_walk_begins_and_ends_with_the_seeds_own_files(model):
    ends = SEEDS, SEEDS + 100
    labels = (SEEDS % 3).astype(np.int32)
    way = {'seed': ends[0], 'to_seed': ends[1], 'label': labels}
    for share, seeds in enumerate(ends):
        found = model.predict('interpolate_svg', way | {'share': np.full(40, share, np.float32)})
        pictures = (
            np.stack([rendered(file, 56, 56) for file in files])
            for files in (found, model.svg(seeds, labels))
        )
        assert np.abs(np.subtract(*pictures)).mean() < 0.5


def test_a_file_has_a_path_for_each_stroke_that_is_there(model):
    loaded = tf.saved_model.load(str(model.version))
    labels = tf.constant(SEEDS % 3, tf.int32)
    strokes = loaded.signatures['strokes'](seed=tf.constant(SEEDS), label=labels)
    assert strokes['points'].shape == (40, 16, 5, 2) and strokes['points'].dtype == tf.float32
    assert strokes['width'].shape == strokes['ink'].shape == (40, 16)
    assert strokes['colour'].dtype == tf.uint8
    assert set(np.unique(strokes['ink'])) == {0.0, 1.0}
    for i, file in enumerate(model.svg(SEEDS, labels.numpy())):
        paths = list(xml.etree.ElementTree.fromstring(file).iter(f'{SVG}path'))
        there = strokes['ink'][i].numpy() > 0
        assert len(paths) == there.sum()
        first = [float(each) for each in paths[0].get('d')[1:].split('C')[0].split()]
        expected = strokes['points'][i][there][0][0].numpy() * 1000
        assert first == pytest.approx(expected.tolist(), abs=0.06)
        wide = [float(path.get('stroke-width')) for path in paths]
        assert wide == pytest.approx((strokes['width'][i][there] * 1000).numpy(), abs=0.06)


def test_sample_writes_a_sheet_and_files(model, tmp_path):
    here = str(model.version.parent)
    run(tmp_path, 'sample', f'--model={here}', '--num=6', '--out=six.svg')
    run(tmp_path, 'sample', f'--model={here}', '--num=3', '--seed=4', '--out=f', '--format=svg')
    assert sorted(path.name for path in (tmp_path / 'f').iterdir()) == ['4.svg', '5.svg', '6.svg']
    sheet = (tmp_path / 'six.svg').read_text()
    assert len(list(xml.etree.ElementTree.fromstring(sheet).iter(f'{SVG}svg'))) == 1 + 6
    large = rendered(sheet, 3 * 100 + 4 * 4, 2 * 100 + 3 * 4)
    one = rendered(model.svg([4])[0], 100, 100)
    place = large[4 + 104 : 104 + 104, 4 + 104 : 104 + 104]  # the fifth, of three columns
    assert np.abs(place - one).mean() < 6
    assert (large[:3] == 128).all()


def test_no_drawing_is_an_empty_page(tmp_path):
    """A kind whose pages were empty would stay so: there is no slope on an empty page."""
    settings = config.make(steps=1, width=16, depth=1, latent_size=6, architecture='pen')
    generator = Gan(settings, (28, 28, 1), [1.0], ground=[1.0]).generator
    generator.stroke.bias.assign(tf.tile([0.0] * 14 + [-9.0], [16]))  # the last is of presence
    ink = generator.strokes(tf.random.normal([5, 6]), tf.zeros(5, tf.int32)).ink.numpy()
    assert (ink[:, :4] == 1).all() and (ink[:, 4:] == 0).all()
