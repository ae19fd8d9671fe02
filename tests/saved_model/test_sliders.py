"""Sliders change what they are named for, leave the rest, and are not offered where they do not."""

import json

import numpy as np
import pytest
import tensorflow as tf
from toy_models import toy_gan

from tfgan import config
from tfgan.forms.drawing import FORM
from tfgan.gan.gan import Gan
from tfgan.networks.strokes import Strokes
from tfgan.saved_model import sliders

COUNT = 64  # drawings
EDITS = [sliders.edit(name) for name in sliders.EDITS]


@pytest.fixture(scope='module')
def generator():
    """A pen's, which has learned nothing and draws tangles."""
    settings = config.make(steps=1, width=16, depth=1, latent_size=6, architecture='pen')
    return Gan(settings, (28, 28, 1), [0.5, 0.3, 0.2]).average


@pytest.fixture
def few(monkeypatch):
    """Few drawings, so that sliders are found in no time."""
    monkeypatch.setattr(sliders, 'DRAWINGS', COUNT)


def asked(generator, count=4):
    return sliders.Model(generator, FORM).asked(count)


def a_drawing(points, width=0.05, ink=1.0):
    """Strokes of one drawing, of points [strokes][points][x, y]."""
    points = tf.constant([points], tf.float32)
    each = tf.ones([1, points.shape[1]])
    return Strokes(points, width * each, ink * each, -each[..., None])


SQUARE = [[[0.4, 0.4], [0.6, 0.4]], [[0.6, 0.6], [0.4, 0.6]]]


def edited(found, shape=(28, 28, 1), **changes):
    row = [changes.get(name, 0.0) for name in sliders.EDITS]
    return sliders.edited(found, shape, tf.constant([row], tf.float32))


def test_the_width_is_that_of_the_pen_and_nothing_moves():
    found = edited(a_drawing(SQUARE), width=np.log(2))
    assert np.allclose(found.width, 0.1)
    assert np.allclose(found.points, [SQUARE], atol=1e-6)


def test_size_grows_about_the_middle_with_the_same_pen():
    found = edited(a_drawing(SQUARE), size=np.log(1.5))
    assert np.allclose(found.points, 0.5 + 1.5 * (np.array([SQUARE]) - 0.5), atol=1e-6)
    assert np.allclose(found.width, 0.05)


def test_a_tilt_leans_the_top_to_the_right():
    found = edited(a_drawing(SQUARE), tilt=0.5)
    assert np.allclose(found.points[0, 0], [[0.45, 0.4], [0.65, 0.4]], atol=1e-6)
    assert np.allclose(found.points[0, 1], [[0.55, 0.6], [0.35, 0.6]], atol=1e-6)


def test_strokes_that_are_not_there_have_no_say_in_the_middle():
    ink = tf.constant([[1.0, 0.0]])
    found = edited(a_drawing(SQUARE)._replace(ink=ink), size=np.log(2))
    assert np.allclose(found.points[0, 0], [[0.3, 0.4], [0.7, 0.4]], atol=1e-6)


@pytest.mark.parametrize(('shape', 'low', 'high'), [((28, 28, 1), 0, 1), ((14, 28, 1), 0.25, 0.75)])
def test_a_drawing_stays_on_its_page(shape, low, high):
    corner = np.array(SQUARE) - [0.35, 0.1]
    found = edited(a_drawing(corner), shape, size=np.log(1.8))
    x, y = found.points[0, ..., 0], found.points[0, ..., 1]
    assert np.min(x) == pytest.approx(0.025)  # half the pen
    assert np.ptp(x) == pytest.approx(0.36) and np.ptp(y) == pytest.approx(0.36)
    large = edited(a_drawing(SQUARE), shape, size=np.log(20)).points
    assert np.min(large[..., 1]) == pytest.approx(low + 0.025)
    assert np.max(large[..., 1]) == pytest.approx(high - 0.025)


@pytest.mark.parametrize('far', [0.4, -0.4])
def test_what_was_beyond_the_page_already_may_be_there(far):
    out = np.add(SQUARE, [far, 0.0])  # to a side, beyond which half the pen is
    assert np.allclose(edited(a_drawing(out), width=1.0).points, [out], atol=1e-6)


def test_at_their_defaults_they_change_nothing(generator):
    normal, labels = asked(generator)
    images = sliders.draw(generator, normal, labels, EDITS, np.zeros([4, 3]))
    assert np.array_equal(images, generator(normal, labels))
    changed = sliders.draw(generator, normal, labels, EDITS, np.full([4, 3], 0.1))
    assert np.abs(changed - images).max() > 0.1


@pytest.mark.usefixtures('few')
def test_what_is_offered_is_good_on_other_drawings(generator):
    found = sliders.found(generator, FORM)
    assert {each['name'] for each in found} >= {'size', 'tilt'}  # wide pens fill its tangles
    model = sliders.Model(generator, FORM)
    for score in sliders.judged(found, model.swept(found, 2 * COUNT, first=7)):
        assert score.spearman > 0.9
        assert max(score.cross_talk.values()) < 0.4  # which of so few drawings is not sure


@pytest.mark.usefixtures('few')
def test_edits_that_disturb_each_other_are_left_out(generator):
    model = sliders.Model(generator, FORM)
    wide = sliders.edit('size', width=1.0)  # which also does what another one is for
    kept = sliders.chosen(model, [sliders.edit('width'), wide])
    assert [each['name'] for each in kept] != ['width', 'size']


@pytest.mark.usefixtures('few')
def test_one_that_does_nothing_is_not_offered(generator):
    model = sliders.Model(generator, FORM)
    assert sliders.chosen(model, [sliders.edit('width', width=0.0)]) == []


def test_a_model_of_pixels_has_none():
    assert sliders.found(toy_gan().average, FORM) == []


def test_a_score_is_of_ranks():
    way = np.linspace(-1, 1, 7)
    up, down = np.exp(way), -way
    assert sliders._spearman(way, np.stack([up, up * 9]))[0] == pytest.approx(1)
    assert sliders._spearman(way, np.stack([up, down]))[0] == pytest.approx(0)
    assert sliders._spearman(way, np.stack([up, 0 * way]))[0] == pytest.approx(0.5)
    assert sliders._spearman(way, np.stack([up, np.nan * way]))[0] == pytest.approx(1)
    assert sliders._spearman(way, np.full([2, 7], np.nan)) == (0.0, 0.0)


def test_directions_move_latents_and_keep_their_length():
    normal = tf.constant([[3.0, 0.0], [0.0, 2.0]])
    of_class = {'kind': 'direction', 'directions': [[0.0, 3.0], [2.0, 0.0]], 'default': 0}
    of_all = {'kind': 'direction', 'directions': [[0.0, 0.0]], 'default': 0}
    changes = sliders.moves([of_class, of_all], [0, 1], [[1.0, 5.0], [-1.0, 5.0]])
    assert np.allclose(changes, [[0, 3], [-2, 0]])
    half = np.sqrt(0.5)
    found = sliders.moved(normal, changes)
    assert np.allclose(found, [[3 * half, 3 * half], [-2 * half, 2 * half]], atol=1e-6)


def test_values_are_brought_into_range():
    given = {'width': 9.0, 'tilt': -9.0}
    assert sliders.values_of(EDITS, given) == [0.5, 0, sliders.EDITS['tilt'][0]]


def test_a_version_tells_its_sliders_and_odd_files_none(tmp_path):
    assert sliders.read(tmp_path) == []
    file = tmp_path / sliders.FILE
    file.write_text(sliders.as_json(EDITS))
    assert sliders.read(tmp_path) == EDITS
    for text in ('', '[]', '{}', '{"format": 2, "sliders": []}', '\xff', 'null'):
        file.write_text(text)
        assert sliders.read(tmp_path) == []
    assert set(json.loads(sliders.as_json(EDITS))) == {'format', 'sliders'}
