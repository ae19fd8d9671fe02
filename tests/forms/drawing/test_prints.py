"""Files of drawings for screens, paper and plotters, from strokes and from outlines of pixels."""

import io
import pathlib
import re
import subprocess
import sys
import zlib

import numpy as np
import pytest
import resvg_py
from matplotlib.path import Path
from PIL import Image, ImageSequence
from servers import Server
from toy_models import toy_pen

import tfgan
from tfgan.data.doodles import render
from tfgan.errors import ModelError
from tfgan.forms import pictures
from tfgan.forms.drawing import outlines, plotter, vectors
from tfgan.forms.drawing.vectors import Line

SEEDS = np.arange(12)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return toy_pen(tmp_path_factory.mktemp('models') / 'pen')


def rendered(svg, side):
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side))
    return np.asarray(Image.open(io.BytesIO(png)).convert('RGB')).astype(int)


def overlap(found, expected, paper=255):
    """Of the pixels with ink in one image, the share with ink in both."""
    here, there = (
        np.abs(each.astype(int) - paper).max(axis=-1) > 127 for each in (found, expected)
    )
    return (here & there).sum() / (here | there).sum()


@pytest.mark.parametrize('size', [28, 56, 280, 1036])
def test_a_drawing_is_the_same_at_every_size(model, tmp_path, size):
    model.write(tmp_path / 'one.png', [5], size=size)
    with Image.open(tmp_path / 'one.png') as picture:
        assert picture.size == (size, size) and picture.mode == 'L'
        small = np.asarray(picture.reduce(size // 28))[..., None]
        assert overlap(small, model.draw([5])[0]) > 0.85
        if size > 200:  # An image that was scaled up would be grey at its edges.
            assert np.isin(np.asarray(picture), (0, 255)).mean() > 0.95


def test_a_sheet_has_lines_and_not_pixels(model, tmp_path):
    model.write(tmp_path / 'sheet.png', SEEDS)
    with Image.open(tmp_path / 'sheet.png') as picture:
        assert picture.size == (4 * 112 + 5 * 4, 3 * 112 + 4 * 4)
        sixth = np.asarray(picture)[120:232, 120:232, None]
    model.write(tmp_path / 'one.png', [5], size=112)
    with Image.open(tmp_path / 'one.png') as picture:
        assert np.abs(sixth[..., 0].astype(int) - np.asarray(picture)).mean() < 0.5
    assert overlap(sixth, rendered(model.svg([5])[0], 112)) > 0.85


def test_a_pdf_is_paper_with_a_curve_for_each_stroke(model, tmp_path):
    model.write(tmp_path / 'a.pdf', SEEDS, paper='a3')
    data = (tmp_path / 'a.pdf').read_bytes()
    box = [float(each) for each in re.search(rb'/MediaBox \[ ?([\d. ]+)\]', data)[1].split()]
    assert box == pytest.approx([0, 0, 297 / 25.4 * 72, 420 / 25.4 * 72], abs=0.1)
    streams = re.findall(rb'stream\r?\n(.*?)\r?\nendstream', data, re.DOTALL)
    drawn = b''.join(zlib.decompress(each) for each in streams if each[:1] == b'x')
    strokes = sum(svg.count('<path') for svg in model.svg(SEEDS))
    assert len(re.findall(rb' c\n', drawn)) == 4 * strokes
    assert b'/Subtype /Image' not in data and b'CreationDate' not in data


def test_a_gif_draws_itself(model, tmp_path):
    model.write(tmp_path / 'a.gif', SEEDS[:4], frames=20, size=60)
    with Image.open(tmp_path / 'a.gif') as picture:
        frames = [np.asarray(each.convert('L')) for each in ImageSequence.Iterator(picture)]
    ink = [(frame < 64).sum() for frame in frames]
    assert len(frames) == 20 and sorted(ink) == ink and ink[0] < 0.2 * ink[-1]
    model.write(tmp_path / 'all.png', SEEDS[:4], size=60)
    with Image.open(tmp_path / 'all.png') as whole:
        assert np.abs(np.asarray(whole).astype(int) - frames[-1]).mean() < 3


def test_a_plotter_travels_half_as_far_and_draws_each_line_once(model, tmp_path):
    drawings = [vectors.read(svg) for svg in model.svg(SEEDS)]
    for lines in [each.lines for each in drawings]:
        assert plotter.travel(plotter.ordered(lines)) <= 0.5 * plotter.travel(lines)
    first = drawings[0]
    backwards = [line._replace(path=Path(line.path.vertices[::-1], line.path.codes)) for line in
                 first.lines]  # fmt: skip
    twice = first._replace(lines=first.lines + backwards)
    page = vectors.on_paper([first], pictures.PAPERS_MM['a5'])
    assert len(plotter.once(twice.lines)) == len(plotter.once(first.lines))
    assert plotter.file([twice], page).count('<path') == len(plotter.once(first.lines))


def line(start, end, width=60.0, colour='#000000'):
    path = np.linspace(start, end, 4)
    return Line(Path(path, [Path.MOVETO] + [Path.CURVE4] * 3), colour, width)


def test_a_line_that_another_covers_is_left_out():
    long, short = line((0, 0), (900, 0)), line((100, 20), (500, 25))
    assert plotter.once([short, long]) == [long]
    for other in (line((100, 40), (500, 40)), line((100, 20), (500, 25), colour='#ff0000')):
        assert plotter.once([other, long]) == [other, long]


def test_a_plotters_file_is_paper_in_millimetres(model, tmp_path):
    model.write(tmp_path / 'a.svg', SEEDS, for_plotter=True, paper='a4')
    said = subprocess.check_output(
        [pathlib.Path(sys.executable).with_name('vpype'), 'read', tmp_path / 'a.svg', 'stat'],
        text=True,
    )
    places = re.search(r'Bounds: \((.*)\)', said)[1]
    left, top, right, bottom = (float(each) / 96 * 25.4 for each in re.findall(r'[\d.]+', re.sub(
        r'np.float64', '', places)))  # fmt: skip
    assert left > 14 and top > 14 and right < 210 - 14 and bottom < 297 - 14
    assert right - left > 150
    assert re.search(r"svg_inkscape_label: '#000000'", said)


def test_white_ink_is_drawn_with_a_black_pen(tmp_path):
    model = toy_pen(tmp_path / 'dark', ground=(-1.0,))
    model.write(tmp_path / 'a.svg', SEEDS[:2], for_plotter=True)
    assert 'stroke="#000000"' in (tmp_path / 'a.svg').read_text()
    assert '#ffffff' not in (tmp_path / 'a.svg').read_text()


def test_outlines_are_what_pixels_show():
    images = render.draw(np.arange(100))[..., None]
    for shown, paper in ((images, 255), (255 - images, 0)):
        files = outlines.files(shown, [paper])
        found = np.stack([rendered(file, 28)[..., :1] for file in files])
        assert overlap(found, shown, paper) > 0.93
        assert np.abs(found - shown).mean() < 0.03 * 255
        assert max(map(len, files)) < 4000
        assert all(file.count('<path') == 1 for file in files)


def test_outlines_have_the_colours_of_a_picture():
    image = np.full((1, 24, 24, 3), (250, 240, 200), np.uint8)
    image[0, 4:12, 4:20] = 200, 30, 30
    image[0, 14:20, 8:24] = 20, 60, 180  # up to the edge
    found = rendered(outlines.files(image, (250, 240, 200))[0], 24)
    assert np.abs(found - image[0]).mean() < 4
    assert np.abs(found[6:10, 6:18] - [200, 30, 30]).max() < 8
    assert np.abs(found[16:18, 22:] - [20, 60, 180]).max() < 8


def test_outlines_of_shades_are_several():
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))[None, ..., None]
    file = outlines.files(ramp, [255])[0]
    assert file.count('<path') >= 4
    assert np.abs(rendered(file, 32)[..., :1] - ramp[0]).mean() < 30


def test_a_blank_image_has_no_outline():
    assert '<path' not in outlines.files(np.full((1, 8, 8, 1), 255, np.uint8), [255])[0]


@pytest.mark.parametrize(('ending', 'how'), [('.svg', {'for_plotter': True}), ('.gif', {})])
def test_pixels_have_no_strokes(exported, tmp_path, ending, how):
    out = tmp_path / f'a{ending}'
    with pytest.raises(ModelError, match=r'outlines are no strokes; .* --architecture=pen'):
        tfgan.load(exported).write(out, SEEDS, **how)
    assert not out.exists()


def test_too_many_pixels_are_refused(model, tmp_path):
    for name, how in (('a.png', dict(size=8000)), ('a.gif', dict(size=500, frames=1000))):
        with pytest.raises(ModelError, match=r'million pixels; up to .* Give a smaller --size'):
            model.write(tmp_path / name, SEEDS, **how)
    assert list(tmp_path.iterdir()) == []


def test_a_walk_is_drawn_at_any_size(model, exported):
    seeds = np.arange(3)
    small, large = (model.walk(seeds, None, 4, size) for size in (None, 500))
    assert [frame.shape[:2] for frame in small] == [(3 * 10 + 2 * 240,) * 2] * 4
    assert [frame.shape[:2] for frame in large] == [(3 * 20 + 2 * 500,) * 2] * 4
    assert not np.array_equal(large[0], large[1])
    # An image that was scaled up would be grey at its edges.
    assert np.isin(large[0][20:520, 20:520], (0, 255)).mean() > 0.95
    with pytest.raises(ModelError, match=r'--size=8000: .* million pixels; up to 400 million'):
        model.walk(seeds, None, 4, 8000)
    with pytest.raises(ModelError, match='--size=500: the model has no strokes to draw a walk'):
        tfgan.load(exported).walk(seeds, None, 4, 500)


@pytest.mark.parametrize(('name', 'how'), [('a.eps', {}), ('a.pdf', dict(paper='a9'))])
def test_what_is_no_format_and_no_paper_is_refused(model, tmp_path, name, how):
    with pytest.raises(ModelError, match=r'written as .png, .* .pdf, .gif, on a2, a3'):
        model.write(tmp_path / name, SEEDS, **how)
    assert list(tmp_path.iterdir()) == []


def test_there_are_no_vectors_of_truncated_drawings(model, tmp_path):
    with pytest.raises(ModelError, match=r'--truncation=0.5: .svg of any size has none'):
        model.write(tmp_path / 'a.svg', SEEDS, truncation=0.5)


@pytest.mark.long
def test_a_server_gives_the_same_files(model, exported, tmp_path):
    with Server(model.version.parent) as pen, Server(exported) as pixels:
        for place, here in ((pen, model), (pixels, tfgan.load(exported))):
            name = here.version.parent.name
            for address in (place.rest, place.grpc):
                assert tfgan.connect(address, name).svg(SEEDS) == here.svg(SEEDS)
