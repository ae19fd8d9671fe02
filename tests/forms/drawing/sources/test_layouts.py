"""Arrays are read as the pictures that they are, however these lie; what is unsure is refused."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tfgan.data.doodles import render
from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.drawing.sources import layouts

DOODLES = render.draw(np.arange(60), size=28)


def colourful():
    """Sixty pictures of three discs of different colours."""
    rng = np.random.default_rng(1)
    for _ in range(60):
        picture = Image.new('RGB', (16, 16), tuple(rng.integers(0, 256, 3).tolist()))
        for corner in rng.integers(0, 9, (3, 2)).tolist():
            colour = tuple(rng.integers(0, 256, 3).tolist())
            ImageDraw.Draw(picture).ellipse([*corner, corner[0] + 7, corner[1] + 7], colour)
        yield np.asarray(picture)


COLOURS = np.array([*colourful()])
PLANES = np.moveaxis(COLOURS, -1, 1)


def opened(tmp_path, array):
    np.save(tmp_path / 'a.npy', array)
    return open_source(f'npy:{tmp_path}/a.npy')


@pytest.mark.parametrize(
    ('array', 'pictures', 'said'),
    [
        (DOODLES, DOODLES, ''),
        (DOODLES[..., None], DOODLES, ''),
        (DOODLES.reshape(60, 784), DOODLES, '[60, 784] read as 60 pictures of 28 x 28'),
        (DOODLES.reshape(60, 1, 784), DOODLES, '[60, 1, 784] read as 60 pictures of 28 x 28'),
        (DOODLES.reshape(60, 784, 1), DOODLES, '[60, 784, 1] read as'),
        (DOODLES[:, None], DOODLES, '[60, 1, 28, 28] read as'),
        (np.moveaxis(DOODLES, 0, -1), DOODLES, '[28, 28, 60] read as 60 pictures of 28 x 28'),
        (COLOURS, COLOURS, ''),
        (PLANES, COLOURS, '[60, 3, 16, 16] read as 60 pictures of 16 x 16, colours first'),
        (COLOURS.reshape(60, 768), COLOURS, '[60, 768] read as 60 pictures of 16 x 16, colours la'),
        (PLANES.reshape(60, 768), COLOURS, '[60, 768] read as 60 pictures of 16 x 16, colours fi'),
        (PLANES.reshape(60, 1, 768), COLOURS, 'colours first'),
        (PLANES.reshape(60, 3, 256), COLOURS, '[60, 3, 256] read as'),
        (COLOURS.reshape(60, 256, 3), COLOURS, '[60, 256, 3] read as'),
        (np.moveaxis(COLOURS, 0, -1), COLOURS, '[16, 16, 3, 60] read as 60 pictures of 16 x 16'),
    ],
    ids=lambda value: str(getattr(value, 'shape', '')),
)
@pytest.mark.parametrize('order', 'CF')
def test_pictures_are_found_however_they_lie(tmp_path, array, pictures, said, order):
    source = opened(tmp_path, np.asarray(array, order=order))
    np.testing.assert_array_equal(source.images(np.arange(60)), pictures.reshape(60, *source.shape))
    assert said in source.notes.get('remarks', '') and bool(said) == ('remarks' in source.notes)


def test_a_shape_that_looks_like_pictures_either_way_is_read_by_what_is_in_it(tmp_path):
    rows = render.draw(np.arange(100), size=28).reshape(100, 784)  # 100 rows could be 10 x 10
    assert opened(tmp_path, rows).shape == (28, 28, 1)
    square = render.draw(np.arange(28), size=28)
    for array in square, np.moveaxis(square, 0, -1):
        np.testing.assert_array_equal(opened(tmp_path, array).images(np.arange(28))[..., 0], square)


@pytest.mark.parametrize(
    ('shape', 'line'),
    [
        ((5, 300), "np.save('new.npy', a.reshape(-1, 10, 10, 3)) or np.save('new.npy', np.moveaxi"),
        ((5, 785), "np.save('new.npy', a.reshape(-1, HEIGHT, WIDTH))"),
        ((5, 1, 28), "np.save('new.npy', a.reshape(-1, HEIGHT, WIDTH))"),
        ((5, 1, 1), "np.save('new.npy', a.reshape(-1, HEIGHT, WIDTH))"),
        ((784, 5), "np.save('new.npy', a.T)"),
        ((5, 2, 784), "np.save('new.npy', a.reshape(-1, HEIGHT, WIDTH))"),
        (
            (5, 8, 8, 4),
            "np.save('new.npy', (a[..., :-1] * (a[..., -1:] / 255) + 255 - a[..., -1:])",
        ),
    ],
)
def test_what_makes_no_pictures_or_several_is_refused_with_the_line_to_type(tmp_path, shape, line):
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with pytest.raises(SourceError) as refusal:
        opened(tmp_path, noise)
    assert str(shape) in str(refusal.value) and line in str(refusal.value)


def test_the_lines_to_type_work():
    flat = PLANES.reshape(60, 768)
    for layout in layouts.layouts(flat.shape[1:]):
        expression = layout.line().removeprefix("np.save('new.npy', ").removesuffix(')')
        typed = eval(expression, {'np': np, 'a': flat})
        np.testing.assert_array_equal(typed, layout.arrange(flat))


def test_no_picture_of_any_shape_is_one_pixel_high_or_wide():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        rest = tuple(rng.choice([1, 1, 2, 3, 16, 28, 48, 784], rng.integers(1, 5)).tolist())
        for layout in layouts.layouts(rest):
            assert min(layout.height, layout.width) > 1
            assert np.prod(rest) == np.prod(layout.shape)


@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_integers_of_many_bits_are_white_at_their_full_scale(tmp_path, bits):
    white = 2**bits - 1
    levels = np.linspace(0, white, 256).round().astype(np.uint16).reshape(1, 16, 16)
    source = opened(tmp_path, levels)
    np.testing.assert_array_equal(source.images([0]).ravel(), np.arange(256))
    assert f'{white:,} is white' in source.notes['remarks']
    brightest_half = opened(tmp_path, np.minimum(levels, 2 ** (bits - 1)))
    assert f'{white:,} is white' in brightest_half.notes['remarks']


@pytest.mark.parametrize('most', [256, 511, 1024, 2047, 4096, 8191, 65_536])
def test_integers_of_a_scale_that_is_unsure_are_refused_with_the_line_to_type(tmp_path, most):
    levels = np.linspace(0, most, 256).round().astype(np.int32).reshape(1, 16, 16)
    with pytest.raises(SourceError) as refusal:
        opened(tmp_path, levels)
    line = "np.save('new.npy', (a - a.min()) / (a.max() - a.min()))"
    assert f'int32 from 0 to {most}' in str(refusal.value) and line in str(refusal.value)


def test_blank_pictures_are_counted_and_told(tmp_path):
    array = DOODLES.copy()
    array[7], array[30] = 255, 3
    assert opened(tmp_path, array).notes == {'remarks': '2 of 60 are blank'}


def test_of_very_many_pictures_some_are_looked_at_for_blank_ones(tmp_path, monkeypatch):
    from tfgan.forms.drawing.sources import arrays

    monkeypatch.setattr(arrays, 'LOOKED_BYTES', 10 * 28 * 28)
    array = np.zeros((60, 28, 28), np.uint8)
    assert opened(tmp_path, array).notes == {'remarks': '10 of 10 looked at are blank'}
