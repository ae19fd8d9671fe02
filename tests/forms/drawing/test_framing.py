"""A person's picture becomes a drawing like a model's, and one of those is put where theirs is."""

import io

import numpy as np
import pytest
import resvg_py
from PIL import Image, ImageDraw

from tfgan.data.doodles import render
from tfgan.forms.drawing import framing, ink
from tfgan.forms.drawing.framing import Hand

DOODLES = render.draw(np.arange(300), size=28)[..., None]


@pytest.fixture(scope='module')
def hand():
    return framing.hand(DOODLES)


def house(width, height, line, shift=(0, 0), ink=0, paper=255, mode='L'):
    """A house that fills the middle half of a picture."""
    picture = Image.new(mode, (width, height), paper)
    side = min(width, height) // 2
    left, top = (width - side) // 2 + shift[0], (height - side) // 2 + shift[1]
    pen = ImageDraw.Draw(picture)
    walls = left, top + side // 3, left + side, top + side
    pen.rectangle(walls, outline=ink, width=line)
    roof = [(left, walls[1]), (left + side // 2, top), (left + side, walls[1])]
    pen.line(roof, fill=ink, width=line, joint='curve')
    return picture


def alike(first, second):
    """The intersection over union of ink of two drawings uint8 [h, w, 1], dark on light."""
    first, second = (255.0 - each for each in (first, second))
    return np.minimum(first, second).sum() / np.maximum(first, second).sum()


def test_a_hand_is_measured(hand):
    assert hand.shape == (28, 28, 1) and hand.paper.tolist() == [255] and hand.colour[0] < 20
    assert 1.4 < hand.pen < 2.2
    left, top, right, bottom = hand.box
    assert 1 <= left < top < 8 and 20 < bottom < right <= 27


def test_a_drawing_of_the_models_own_size_is_taken_as_it_is(hand):
    for image in DOODLES[:10]:
        own = framing.framed(image, hand)
        assert np.array_equal(own.image, image) and own.known.min() == 1
        assert own.place == (0, 0, 1)


@pytest.mark.parametrize('line', [3, 6, 20, 30])
def test_it_is_as_large_and_as_wide_as_the_models(hand, line):
    own = framing.framed(house(700, 500, line).convert('RGB'), hand)
    drawn = own.image[None]
    assert abs(ink.measures(drawn, [255])['stroke_width'][0] - hand.pen) < 0.5
    rows = np.flatnonzero((drawn[0] < 128).any(axis=(1, 2)))
    assert abs(rows[-1] + 1 - rows[0] - (hand.box[3] - hand.box[1])) <= 4
    reference = framing.framed(house(700, 500, 12).convert('RGB'), hand).image
    assert alike(own.image, reference) > 0.6


def test_where_it_lies_on_the_picture_does_not_matter(hand):
    there = framing.framed(house(900, 600, 9).convert('RGB'), hand)
    shifted = framing.framed(house(900, 600, 9, shift=(120, -90)).convert('RGB'), hand)
    assert alike(there.image, shifted.image) > 0.97
    moved = np.subtract(shifted.place[:2], there.place[:2])
    assert np.allclose(moved, (120, -90), atol=1)


def photograph():
    """Blue ink on grey paper, dark on one side, with noise, as JPEG."""
    lines = np.asarray(house(640, 640, 10)) < 128
    across = np.linspace(210, 120, 640)[None, :, None] * np.array([1, 0.98, 0.9])
    pixels = np.where(lines[..., None], 0.25 * across + [0, 10, 60], across)
    pixels = pixels + np.random.default_rng(0).normal(0, 5, (640, 640, 1))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, 'JPEG', quality=80)
    return Image.open(file)


def on_glass(colour):
    """A drawing of which all but the ink is transparent."""
    picture = Image.new('RGBA', (500, 500), (*colour, 0))
    picture.putalpha(house(500, 500, 8, ink=255, paper=0))
    return picture


@pytest.mark.parametrize(
    'picture',
    [
        photograph(),
        house(500, 500, 8, ink=230, paper=30),
        house(500, 500, 8, ink=(200, 30, 30), paper=(250, 240, 200), mode='RGB'),
        house(500, 500, 8, ink=170, paper=235),
        on_glass((0, 0, 0)),
        on_glass((255, 255, 255)),
        house(3000, 2000, 12).resize((3000, 2000)),
        house(60, 60, 1),
    ],
    ids=['photograph', 'chalk', 'coloured', 'pencil', 'glass', 'light-on-glass', 'large', 'small'],
)
def test_ink_is_found_on_any_paper(hand, picture):
    own = framing.framed(picture, hand)
    reference = framing.framed(house(500, 500, 10), hand)
    assert alike(own.image, reference.image) > 0.65
    assert own.known.all()
    across = own.place.scale * (hand.box[2:] - hand.box[:2]).max()
    assert abs(across / (min(picture.size) / 2) - 1) < 0.25


def test_more_ink_than_paper_is_ink(hand):
    picture = Image.new('L', (300, 300), 255)
    ImageDraw.Draw(picture).ellipse((10, 10, 290, 290), fill=0)
    own = framing.framed(picture, hand)
    assert own.paper.tolist() == [255] * 3 and own.colour.max() < 10
    dark = framing.hand(255 - DOODLES)
    full = np.full((28, 28, 1), 230, np.uint8)
    full[:4], full[-3:], full[:, :2], full[14] = 0, 0, 0, 90
    assert np.array_equal(framing.framed(full, dark).image, full)


def test_papers_and_inks_colours_are_told(hand):
    own = framing.framed(
        house(400, 400, 8, ink=(200, 30, 30), paper=(250, 240, 200), mode='RGB'), hand
    )
    assert np.allclose(own.paper, (250, 240, 200), atol=3)
    assert np.allclose(own.colour, (200, 30, 30), atol=3)


def test_light_on_dark_models_are_given_that():
    dark = framing.hand(255 - DOODLES)
    own = framing.framed(house(400, 400, 8), dark)
    assert own.image[0, 0, 0] == 0 and own.image.max() > 200


def test_a_picture_is_turned_as_its_camera_says(hand, tmp_path):
    upright = house(400, 300, 8, shift=(0, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it a quarter clockwise to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / 'a.png', exif=exif)
    own = framing.framed(tmp_path / 'a.png', hand)
    assert np.array_equal(own.image, framing.framed(upright, hand).image)


def test_holes_in_paper_and_masks_are_hidden(hand):
    torn = house(400, 400, 8).convert('RGBA')
    torn.paste((0, 0, 0, 0), (200, 200, 400, 400))
    own = framing.framed(torn, hand)
    assert own.hidden[300, 300] and not own.hidden[100, 300]
    assert own.hidden.mean() == 0.25
    assert 0 < (own.known == 0).mean() < 0.5 and set(np.unique(own.known)) == {0, 1}
    mask = np.zeros((400, 400), bool)
    mask[200:, 200:] = True
    masked = framing.framed(house(400, 400, 8), hand, mask)
    assert np.array_equal(masked.known, own.known)
    painted = Image.fromarray(np.where(mask, 0, 255).astype(np.uint8))
    assert np.array_equal(framing.framed(house(400, 400, 8), hand, painted).hidden, mask)


@pytest.mark.parametrize(
    ('picture', 'mask', 'said'),
    [
        (Image.new('L', (50, 40), 255), None, 'it has no ink'),
        (Image.new('RGBA', (50, 40), (0, 0, 0, 0)), None, 'it has no ink'),
        (house(50, 50, 3), np.ones((50, 50), bool), 'all of it is hidden'),
        (
            house(50, 50, 3),
            np.ones((9, 7), bool),
            'a mask of 7 x 9 pixels for a picture of 50 x 50',
        ),
        (np.zeros((5, 5, 1)), None, 'an array float64'),
    ],
)
def test_what_cannot_be_framed_is_refused(hand, picture, mask, said):
    with pytest.raises(ValueError, match=said):
        framing.framed(picture, hand, mask)


SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="1000" viewBox="0 0 1000 1000">
<rect width="100%" height="100%" fill="#ffffff"/>
<g fill="none" stroke-linecap="round" stroke-linejoin="round">
<path stroke="#000000" stroke-width="60.0" d="M250.0 250.0C400.0 250.0 600.0 750.0 750.0 750.0"/>
</g>
</svg>
"""


def framed_by_hand(shape=(28, 28, 1)):
    """A page of 28 pixels whose corner is at (100, 50) of a picture, ten times as large there."""
    model = Hand(shape, np.array([255], np.uint8), np.array([0], np.uint8), 1.7, np.zeros(4))
    return framing.Framed(
        image=np.zeros(shape, np.uint8),
        known=np.ones(shape[:2], np.float32),
        picture=np.full((400, 500, 3), (240, 230, 220), np.uint8),
        hidden=np.zeros((400, 500), bool),
        paper=np.array((240, 230, 220), np.uint8),
        colour=np.array((20, 40, 160), np.uint8),
        place=framing.Place(100.0, 50.0, 10.0),
        pen=0.5,
    ), model


def test_a_drawing_is_put_where_the_persons_is():
    own, _ = framed_by_hand()
    moved = framing.as_svg(own, SVG)
    pixels = np.array(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(moved)))).convert('RGB'))
    assert pixels.shape == (400, 500, 3)
    lines = np.abs(pixels - np.array((20, 40, 160.0))).max(axis=2) < 30
    rows, columns = np.nonzero(lines)
    # 250 of 1,000 units are 70 of 280 pixels; half of the line's width of 8.4 lies beyond.
    assert np.allclose((columns.min(), columns.max()), (170 - 4.2, 310 + 4.2), atol=1.5)
    assert np.allclose((rows.min(), rows.max()), (120 - 4.2, 260 + 4.2), atol=1.5)
    ours = framing.placed(own, SVG)
    assert np.abs(ours.astype(int) - pixels).mean() < 1


def test_pixels_are_put_there_too():
    own, _ = framed_by_hand()
    image = np.full((28, 28, 1), 255, np.uint8)
    image[7:21, 7:21] = 0
    pixels = framing.placed(own, image)
    assert np.array_equal(pixels[5, 5], (240, 230, 220))
    assert np.array_equal(pixels[50 + 140, 100 + 140], (20, 40, 160))
    rows = np.flatnonzero((pixels[:, 240] == (20, 40, 160)).all(axis=1))
    assert np.allclose((rows[0], rows[-1]), (120, 260), atol=10)


def test_what_was_not_hidden_is_mended_to_what_it_was():
    own, _ = framed_by_hand()
    noise = np.random.default_rng(0).integers(0, 256, own.picture.shape, np.uint8)
    hidden = np.zeros((400, 500), bool)
    hidden[150:300, 200:] = True
    own = own._replace(picture=noise, hidden=hidden)
    mended = framing.mended(own, SVG)
    assert np.array_equal(mended[~hidden], noise[~hidden])
    assert np.array_equal(mended[hidden], framing.placed(own, SVG)[hidden])


def test_a_walks_ends_are_the_pictures(hand):
    first = framing.framed(photograph(), hand)
    last = framing.framed(house(640, 640, 20, shift=(50, 50)), hand)
    small = framing.framed(house(64, 64, 2), hand)
    frames = framing.walk(first, last, [SVG] * 12)
    assert np.array_equal(frames[0], first.picture) and np.array_equal(frames[-1], last.picture)
    middle = framing.placed(framing._on_the_way(first, last, 5 / 11), SVG)
    assert np.array_equal(frames[5], middle)
    frames = framing.walk(first, small, [SVG] * 3)
    assert np.array_equal(frames[-1][::10, ::10], small.picture)


def test_likeness_is_of_ink_that_is_known(hand):
    own = framing.framed(DOODLES[0], hand)
    assert np.allclose(framing.likeness([own, own], DOODLES[[0, 0]]), 1)
    assert framing.likeness([own], DOODLES[1:2])[0] < 0.5
    spoiled = DOODLES[:1].copy()
    spoiled[0, :14] = 0
    known = np.ones((28, 28), np.float32)
    known[:14] = 0
    assert framing.likeness([own], spoiled)[0] < 0.6
    assert np.isclose(framing.likeness([own._replace(known=known)], spoiled)[0], 1)
