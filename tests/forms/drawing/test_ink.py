"""Measures of strokes on made-up drawings whose figures are known."""

import numpy as np
import pytest

from tfgan.data.doodles import render
from tfgan.forms.drawing import ink


def page(*boxes, size=28, level=0):
    """One drawing [1, size, size, 1] on white, of boxes (top, bottom, left, right)."""
    image = np.full((1, size, size, 1), 255, np.uint8)
    for top, bottom, left, right in boxes:
        image[:, top:bottom, left:right] = level
    return image


def measure(images, paper=(255,)):
    return {name: values[0] for name, values in ink.measures(images, paper).items()}


@pytest.fixture(scope='module')
def drawings():
    return render.draw(np.arange(1200))[..., None]


def test_blank_paper():
    found = measure(page())
    assert np.isnan(found.pop('stroke_width'))
    assert found == {'ink_share': 0, 'haze_share': 0, 'parts': 0, 'specks': 0}


@pytest.mark.parametrize('width', [1, 2, 3, 4, 5])
@pytest.mark.parametrize('turned', [False, True])
def test_a_bar(width, turned):
    bar = page((4, 4 + width, 3, 23))
    found = measure(bar.swapaxes(1, 2) if turned else bar)
    assert found['stroke_width'] == pytest.approx(width, rel=0.05)
    assert found['ink_share'] == pytest.approx(20 * width / 28**2)
    assert (found['parts'], found['specks'], found['haze_share']) == (1, 0, 0)


def test_a_bar_along_the_pages_edge_and_a_page_of_ink():
    assert measure(page((0, 3, 4, 24)))['stroke_width'] == pytest.approx(3, rel=0.05)
    full = measure(page((0, 28, 0, 28)))
    assert full['stroke_width'] == pytest.approx(28, rel=0.05)
    assert (full['ink_share'], full['parts'], full['haze_share']) == (1, 1, 0)


@pytest.mark.parametrize('angle', [0, 20, 45, 70])
@pytest.mark.parametrize('width', [2, 4])
def test_a_slanting_stroke(angle, width):
    down, across = np.mgrid[:64, :64] - 31.7
    turn = np.exp(1j * np.deg2rad(angle)) * (across + 1j * down)
    inside = np.minimum(width / 2 - np.abs(turn.imag), 25 - np.abs(turn.real))
    image = np.rint(255 * (1 - np.clip(inside + 0.5, 0, 1))).astype(np.uint8)
    assert measure(image[None, ..., None])['stroke_width'] == pytest.approx(width, rel=0.12)


def test_the_widths_of_drawings_are_those_drawn():
    # Strokes are 1.25 to 1.7 pixels wide at 28; where they meet they look somewhat wider.
    for size in 28, 56:
        images = render.draw(np.arange(300), size=size)[..., None]
        width = ink.measures(images, (255,))['stroke_width'] * 28 / size
        assert width.mean() == pytest.approx(1.5, abs=0.2)
    assert not np.isnan(width).any()


def test_parts():
    assert measure(page((2, 6, 2, 6), (10, 14, 10, 14)))['parts'] == 2
    # They touch at a corner.
    assert measure(page((2, 6, 2, 6), (6, 9, 6, 9)))['parts'] == 1
    slant = page(*((i, i + 1, i, i + 1) for i in range(3, 20)))
    assert measure(slant)['parts'] == 1
    assert measure(slant)['specks'] == 0


def test_specks():
    found = measure(page((2, 20, 2, 5), (2, 3, 9, 10), (9, 10, 9, 11), (20, 21, 20, 23)))
    assert (found['parts'], found['specks']) == (4, 2)  # three pixels are none


def test_drawings_do_not_join():
    # The same pixels in succession, and blank pages between.
    pages = np.concatenate([page((2, 5, 2, 5))] * 2 + [page()] + [page((2, 3, 2, 3))] * 3)
    found = ink.measures(pages, (255,))
    assert found['parts'].tolist() == [1, 1, 0, 1, 1, 1]
    assert found['specks'].tolist() == [0, 0, 0, 1, 1, 1]


def test_haze_is_grey_and_touches_no_ink():
    assert measure(page((4, 14, 4, 14), level=128))['haze_share'] == pytest.approx(100 / 28**2)
    for level in 30, 230:  # nearly ink, nearly paper
        assert measure(page((4, 14, 4, 14), level=level))['haze_share'] == 0
    edged = page((4, 9, 4, 24), level=128)
    edged[:, 5:8, 5:23] = 0
    assert measure(edged)['haze_share'] == 0
    smeared = page((4, 9, 4, 24), level=128)
    smeared[:, 6, 5:23] = 0  # the outer of two grey rows on either side; and both at the ends
    assert measure(smeared)['haze_share'] == pytest.approx(2 * 20 / 28**2)


def test_clean_drawings_have_no_haze_and_blurred_ones_have(drawings):
    levels = drawings[..., 0].astype(float)
    grey = ((levels > 51) & (levels < 204)).mean()
    clean = ink.measures(drawings, (255,))['haze_share'].mean()
    assert grey > 0.1 and clean < grey / 100
    blurred = sum(np.roll(levels, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
    hazy = ink.measures(blurred.astype(np.uint8)[..., None], (255,))['haze_share'].mean()
    assert hazy > 20 * clean


def test_light_ink_on_dark_paper_is_the_same(drawings):
    dark, light = ink.measures(drawings, (255,)), ink.measures(255 - drawings, (0,))
    for name in dark:
        np.testing.assert_array_equal(dark[name], light[name])


def test_colour():
    image = np.empty((1, 28, 28, 3), np.uint8)
    image[:] = 250, 240, 100
    image[:, 4:7, 3:23] = 250, 240, 225  # apart in one channel, by 125 of the 250 possible
    found = measure(image, (250, 240, 100))
    assert found['ink_share'] == pytest.approx(0.5 * 60 / 28**2)
    assert found['haze_share'] == pytest.approx(60 / 28**2)
    image[:, 4:7, 3:23] = 0, 0, 0
    found = measure(image, (250, 240, 100))
    assert found['ink_share'] == pytest.approx(60 / 28**2)
    assert found['stroke_width'] == pytest.approx(3, rel=0.05)


def test_grey_in_three_channels_is_grey(drawings):
    one, three = ink.measures(drawings, (255,)), ink.measures(drawings.repeat(3, 3), (255,) * 3)
    for name in one:
        np.testing.assert_array_equal(one[name], three[name])


def test_blocks_are_the_whole(drawings, monkeypatch):
    assert len(drawings) > 2 * ink.BLOCK
    found = ink.measures(drawings, (255,))
    monkeypatch.setattr(ink, 'BLOCK', 1 << 20)
    for name, values in ink.measures(drawings, (255,)).items():
        assert found[name].dtype == np.float64 and found[name].shape == (1200,)
        np.testing.assert_allclose(found[name], values, rtol=1e-12)


def test_no_drawings_have_no_figures():
    assert all(values.shape == (0,) for values in ink.measures(page()[:0], (255,)).values())


def test_what_is_no_drawing_is_quoted():
    with pytest.raises(ValueError, match=r'float64 \(1, 28, 28, 1\)'):
        ink.measures(page() / 255, (255,))
    with pytest.raises(ValueError, match=r'uint8 \(28, 28, 1\)'):
        ink.measures(page()[0], (255,))
    with pytest.raises(ValueError, match=r'\(255, 255, 255\) .* \(1, 28, 28, 1\)'):
        ink.measures(page(), (255, 255, 255))


def test_the_paper_is_the_commonest_border(drawings):
    assert ink.paper_of(drawings) == (255,)
    assert ink.paper_of(255 - drawings) == (0,)
    # What is within does not count, whatever there is of it.
    assert ink.paper_of(page((1, 27, 1, 27))) == (255,)
    assert type(ink.paper_of(drawings)[0]) is int


def test_all_four_sides_are_border():
    # Each side in turn is the only black one of a page of 2 x 40 or 40 x 2, and outvotes the rest.
    flat = np.full((1, 2, 40, 1), 255, np.uint8)
    for side in 0, 1:
        image = flat.copy()
        image[:, side] = 0
        image[:, 1 - side, 1:4] = 0
        assert ink.paper_of(image) == ink.paper_of(image.swapaxes(1, 2)) == (0,)
    tall = np.full((1, 40, 3, 1), 255, np.uint8)
    tall[:, 1:-1, 1] = 0
    assert ink.paper_of(tall) == (255,)


def test_alike_colours_are_one_paper():
    # White is the commonest colour but cream, of many levels, the commonest border.
    image = np.full((1, 2, 40, 3), 255, np.uint8)
    image[0, 0] = np.stack([np.full(40, 240), 224 + np.arange(40) % 15, np.full(40, 160)], 1)
    image[0, 1, :3] = 240, 231, 160
    assert ink.paper_of(image) == (240, 231, 160)


def test_the_paper_is_told_by_the_first_thousand():
    pages = np.concatenate([np.full((1000, 4, 4, 1), 200), np.full((5000, 4, 4, 1), 10)])
    assert ink.paper_of(pages.astype(np.uint8)) == (200,)
    with pytest.raises(ValueError, match=r'\(0, 28, 28, 1\)'):
        ink.paper_of(page()[:0])


def test_size_is_that_of_the_drawing_and_not_of_its_page():
    small, large = (np.full([1, side, side, 1], 255, np.uint8) for side in (60, 60))
    small[0, 20:30, 15:35], large[0, 10:30, 5:45] = 0, 0
    sizes = [ink.traits(each, [255])['size'][0] for each in (small, large)]
    assert sizes[1] / sizes[0] == pytest.approx(2, rel=0.02)
    page = np.full([1, 120, 120, 1], 255, np.uint8)
    page[0, 10:30, 5:45] = 0
    assert ink.traits(page, [255])['size'][0] == pytest.approx(sizes[1] / 2, rel=0.01)


def test_tilt_is_how_far_the_ink_leans_to_the_right():
    bar = np.full([60, 60, 1], 255, np.uint8)
    bar[10:50, 28:32] = 0
    leaning = np.stack([np.roll(row, (30 - y) // 2, axis=0) for y, row in enumerate(bar)])
    found = ink.traits(np.stack([bar, leaning, leaning[:, ::-1]]), [255])['tilt']
    assert np.allclose(found, [0, 0.5, -0.5], atol=0.02)
    cross = np.minimum(bar, bar.transpose(1, 0, 2))
    assert np.abs(ink.traits(cross[None], [255])['tilt']).max() < 0.01


def test_blank_paper_has_no_size():
    found = ink.traits(np.full([2, 8, 8, 1], 255, np.uint8), [255])
    assert np.isnan(found['size']).all() and np.isnan(found['tilt']).all()
