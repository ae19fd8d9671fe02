"""Pixels survive their conversions, sheets are exact to the pixel, files are whole or absent."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan.forms import pictures
from tfgan.forms.base import open_source
from tfgan.forms.drawing.pixels import to_float, to_uint8

LEVELS = np.arange(256, dtype=np.uint8)


def some(count, height, width, channels, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, height, width, channels), np.uint8)


@pytest.mark.parametrize('wrap', [np.asarray, tf.constant])
def test_conversions_invert(wrap):
    floats = np.asarray(to_float(wrap(LEVELS)))
    assert floats.dtype == np.float32
    assert floats[[0, 255]].tolist() == [-1, 1]
    assert np.diff(floats) == pytest.approx(2 / 255, abs=1e-6)
    back = to_uint8(wrap(floats))
    assert back.dtype == tf.uint8
    assert np.array_equal(back, LEVELS)


def test_bytes_are_rounded_and_saturate():
    floats = to_float(LEVELS)
    for nudge in 0.4, -0.4:
        assert np.array_equal(to_uint8(floats + nudge * 2 / 255), LEVELS)
    outside = tf.constant([-1.01, -7.0, -np.inf, 1.01, 7.0, np.inf])
    assert to_uint8(outside).numpy().tolist() == [0, 0, 0, 255, 255, 255]


@pytest.mark.parametrize('channels', [1, 3])
def test_a_sheet_to_the_pixel(channels):
    images = some(5, 2, 3, channels)
    page = pictures.sheet(images, columns=2, gap=1)
    assert page.shape == (10, 9, channels)
    assert page.dtype == np.uint8
    places = (1, 1), (1, 5), (4, 1), (4, 5), (7, 1)
    for (top, left), image in zip(places, images, strict=True):
        assert np.array_equal(page[top : top + 2, left : left + 3], image)
        page[top : top + 2, left : left + 3] = 128
    assert (page == 128).all()


def test_a_sheet_is_as_square_as_it_goes():
    for count, rows, columns in ((1, 1, 1), (4, 2, 2), (5, 2, 3), (10, 3, 4)):
        page = pictures.sheet(some(count, 4, 4, 1))
        assert page.shape == (2 + 6 * rows, 2 + 6 * columns, 1)


def test_enlarged_pixels_are_repeated():
    image = some(1, 2, 3, 3)[0]
    found = pictures.enlarge(image, 7)
    assert found.shape == (4, 6, 3)
    for row in range(4):
        for column in range(6):
            assert np.array_equal(found[row, column], image[row // 2, column // 2])
    assert np.array_equal(pictures.enlarge(image, 1), image)


@pytest.mark.parametrize(('channels', 'mode'), [(1, 'L'), (3, 'RGB')])
def test_png_round_trip(tmp_path, channels, mode):
    image = some(1, 5, 7, channels)[0]
    path = tmp_path / 'new' / 'folder' / 'a.png'
    pictures.write_png(path, image)
    with Image.open(path) as picture:
        assert (picture.format, picture.mode, picture.size) == ('PNG', mode, (7, 5))
        assert np.array_equal(np.asarray(picture).reshape(image.shape), image)
    assert path.stat().st_mode & 0o777 == 0o644


def test_gif_frames_and_their_time(tmp_path):
    frames = [np.full((4, 6, 1), level, np.uint8) for level in (0, 90, 255)]
    pictures.write_animation(tmp_path / 'a.gif', frames, frame_secs=0.12)
    with Image.open(tmp_path / 'a.gif') as picture:
        assert (picture.n_frames, picture.size, picture.info['loop']) == (3, (6, 4), 0)
        for place, level in enumerate((0, 90, 255)):
            picture.seek(place)
            assert picture.info['duration'] == 120
            assert (np.asarray(picture.convert('L')) == level).all()


def test_gif_of_colours_and_of_one_frame(tmp_path):
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[:2] = 255, 0, 0
    pictures.write_animation(tmp_path / 'a.gif', [frame])
    with Image.open(tmp_path / 'a.gif') as picture:
        assert picture.n_frames == 1
        assert np.array_equal(np.asarray(picture.convert('RGB')), frame)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize(
    ('name', 'kind', 'off'),
    [('a.png', 'PNG', 0), ('a.WEBP', 'WEBP', 0), ('a.jpg', 'JPEG', 40), ('a.JPEG', 'JPEG', 40)],
)
def test_a_sheet_is_what_its_ending_says(tmp_path, name, kind, off, channels):
    drawings = np.full((4, 8, 8, channels), 128, np.uint8)
    drawings[1:3, 2:6] = 250
    pictures.write_drawings(f'{tmp_path}/{name}', drawings, range(4))
    expected = pictures.enlarge(pictures.sheet(drawings)).astype(int)
    with Image.open(tmp_path / name) as found:
        assert found.format == kind
        pixels = np.asarray(found.convert('L' if channels == 1 else 'RGB')).reshape(expected.shape)
    assert abs(pixels - expected).max() <= off


@pytest.mark.parametrize('name', ['a', 'a.b/', '.hidden', 'x.y'])
def test_a_folder_takes_a_picture_a_drawing(tmp_path, name):
    (tmp_path / 'x.y').mkdir()
    pictures.write_drawings(f'{tmp_path}/{name}', some(2, 4, 4, 1), [7, 8])
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ['7.png', '8.png']


@pytest.mark.parametrize(
    ('name', 'kind'), [('a.gif', 'GIF'), ('a.webp', 'WEBP'), ('a.apng', 'PNG')]
)
def test_a_walk_is_what_its_ending_says(tmp_path, name, kind):
    frames = [np.full((4, 6, 3), level, np.uint8) for level in (0, 90, 255)]
    pictures.write_animation(tmp_path / name, frames, frame_secs=0.12)
    with Image.open(tmp_path / name) as found:
        assert (found.format, found.n_frames) == (kind, 3)
        for place, level in enumerate((0, 90, 255)):
            found.seek(place)
            assert abs(np.asarray(found.convert('L')).astype(int) - level).max() <= 1


@pytest.mark.parametrize('channels', [1, 3])
def test_a_small_png_looks_the_same(channels):
    drawings = open_source('doodles', image_size=112).images(range(20))
    page = pictures.sheet(drawings).repeat(channels, axis=2)
    small = pictures.small_png(page)
    assert len(small) < 0.65 * len(pictures.png(page))
    seen = np.asarray(Image.open(io.BytesIO(small)).convert('L' if channels == 1 else 'RGB'))
    difference = np.abs(seen.reshape(page.shape).astype(int) - page)
    assert difference.max() <= 17
    assert difference.mean() < 1
    assert (seen.reshape(page.shape)[page == 255] == 255).all()
