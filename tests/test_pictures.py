import concurrent.futures
import os
import struct
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from tfgan import pictures
from tfgan.pictures import Page, SourceError

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def drawing(width=20, height=20, paper=255, ink=0):
    """A block of ink in the upper left quarter of the paper."""
    levels = np.full((height, width), paper, np.uint8)
    levels[2 : height // 2, 2 : width // 2] = ink
    return Image.fromarray(levels)


def transparent(picture, ink=(0, 0, 0)):
    """The picture's dark parts as ink on nothing, with rubbish hidden in the nothing."""
    sheet = Image.new('RGBA', picture.size, (*ink, 255))
    alpha = Image.eval(picture, lambda level: 255 - level)
    sheet.putalpha(alpha)
    pixels = np.array(sheet)
    pixels[pixels[..., 3] == 0, :3] = (200, 30, 90)
    return Image.fromarray(pixels)


def opened(folder, **options):
    return pictures.open_folder(str(folder), **options)


def all_of(folder):
    return folder.read(np.arange(len(folder.labels)))


def with_transparent_palette(picture):
    """A palette picture whose second colour is transparent."""
    indices = (np.asarray(picture) > 127).astype(np.uint8)
    result = Image.fromarray(indices)
    result.putpalette([0, 0, 0, 10, 200, 10])
    result.info['transparency'] = 1
    return result


MODES = {
    '1.png': lambda p: p.convert('1'),
    'L.png': lambda p: p,
    'LA.png': lambda p: transparent(p).convert('LA'),
    'P.png': lambda p: p.convert('P'),
    'P.gif': lambda p: p.convert('P'),
    'P-transparent.png': with_transparent_palette,
    'RGB.bmp': lambda p: p.convert('RGB'),
    'RGB.webp': lambda p: p.convert('RGB'),
    'RGB.jpg': lambda p: p.convert('RGB'),
    'RGBA.png': transparent,
    'RGBA.tiff': transparent,
    'CMYK.jpg': lambda p: p.convert('RGB').convert('CMYK'),
    'YCbCr.jpg': lambda p: p.convert('YCbCr'),
    'LAB.tif': lambda p: Image.merge(
        'LAB', (p, Image.new('L', p.size, 128), Image.new('L', p.size, 128))
    ),
    '16-bit.png': lambda p: Image.fromarray(np.asarray(p).astype(np.uint16) * 257),
    '16-bit.tif': lambda p: Image.fromarray(np.asarray(p).astype(np.uint16) * 257),
    '32-bit.tif': lambda p: Image.fromarray(np.asarray(p).astype(np.int32)),
    'float.tif': lambda p: Image.fromarray(np.asarray(p).astype(np.float32) / 255),
    'float-255.tif': lambda p: Image.fromarray(np.asarray(p).astype(np.float32)),
}


@pytest.mark.parametrize('name', MODES)
def test_every_mode_is_the_same_drawing(tmp_path, name):
    grey = drawing()
    MODES[name](grey).save(tmp_path / name)
    grey.save(tmp_path / 'reference.png')
    folder = opened(tmp_path)
    assert folder.page.shape == (20, 20, 1)
    np.testing.assert_allclose(folder.page.paper, WHITE, atol=1)
    difference = abs(np.diff(all_of(folder).astype(int), axis=0))
    lossy = name.endswith(('jpg', 'webp'))
    assert difference.max() <= (60 if lossy else 1)
    assert difference.mean() <= (4 if lossy else 1)


def test_levels_between_black_and_white_are_kept(tmp_path):
    ramp = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / 'a.png')
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / 'b.png')
    Image.fromarray(ramp.astype(np.float32) / 255).save(tmp_path / 'c.tif')
    np.testing.assert_array_equal(all_of(opened(tmp_path))[..., 0], [ramp] * 3)


def test_half_transparent_ink_is_half_as_dark(tmp_path):
    Image.new('LA', (8, 8), (0, 128)).save(tmp_path / 'a.png')
    assert np.unique(all_of(opened(tmp_path))) == 127


def test_sub_folders_are_classes_in_an_order_that_is_the_same_everywhere(tmp_path):
    for name in ('Zebra/b.png', 'Zebra/deep/er/a.PNG', 'été/ñ.JpG', 'ant/1.jpeg', '.trash/x.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        drawing().save(tmp_path / name, format='PNG')
    (tmp_path / 'Zebra' / '._b.png').write_bytes(b'what a file system leaves behind')
    folder = opened(tmp_path)
    assert folder.class_names == ('Zebra', 'ant', 'été')
    assert folder.labels.tolist() == [0, 0, 1, 2]
    assert folder.labels.dtype == np.int32
    assert pictures._find(str(tmp_path))[0] == [
        'Zebra/b.png',
        'Zebra/deep/er/a.PNG',
        'ant/1.jpeg',
        'été/ñ.JpG',
    ]


def test_a_flat_folder_is_one_class_and_nothing_to_complain_of(tmp_path, capsys):
    drawing().save(tmp_path / 'a.png')
    assert opened(tmp_path).class_names == ('drawing',)
    assert capsys.readouterr() == ('', '')


def test_links_that_go_round_end(tmp_path):
    (tmp_path / 'a').mkdir()
    drawing().save(tmp_path / 'a' / 'a.png')
    os.symlink(tmp_path, tmp_path / 'a' / 'round', target_is_directory=True)
    assert len(opened(tmp_path).labels) == 1


def test_a_pipe_is_not_waited_for(tmp_path):
    drawing().save(tmp_path / 'a.png')
    os.mkfifo(tmp_path / 'b.png')
    assert len(opened(tmp_path).labels) == 1


@pytest.mark.parametrize(
    ('sizes', 'image_size', 'shape'),
    [
        ([(20, 30)], None, (30, 20)),
        ([(20, 64)], None, (64, 20)),
        ([(20, 65)], None, (64, 64)),
        ([(20, 30), (30, 20)], None, (30, 30)),
        ([(10, 10), (20, 5), (40, 40)], None, (20, 20)),
        ([(500, 300), (80, 90)], None, (64, 64)),
        ([(20, 30)], 16, (16, 16)),
        ([(20, 30)], 300, (300, 300)),
    ],
)
def test_size(tmp_path, sizes, image_size, shape):
    for i, size in enumerate(sizes):
        drawing(*size).save(tmp_path / f'{i}.png')
    folder = opened(tmp_path, image_size=image_size)
    assert all_of(folder).shape == (len(sizes), *shape, 1)


def test_proportions_are_kept_and_the_rest_is_paper(tmp_path):
    Image.new('L', (400, 200), 0).save(tmp_path / 'a.png')
    for name in 'bc':
        Image.new('L', (200, 200), 240).save(tmp_path / f'{name}.png')
    wide = all_of(opened(tmp_path, image_size=40))[0, ..., 0]
    assert (wide[10:30] == 0).all()
    assert (wide[:10] == 240).all()
    assert (wide[30:] == 240).all()


@pytest.mark.parametrize('colour', [9, (9, 9, 9), (200, 100, 50, 0)], ids=['L', 'RGB', 'RGBA'])
@pytest.mark.parametrize('channels', [1, 3])
def test_paper_of_any_shape_fits_any_page_without_a_trace(colour, channels):
    mode = {1: 'L', 3: 'RGB', 4: 'RGBA'}[np.size(colour)]
    rng = np.random.default_rng(0)
    for size, page_size in zip(rng.integers(1, 300, (50, 2)), rng.integers(1, 40, (50, 2))):
        page = Page(*page_size.tolist(), channels, (9, 9, 9))
        result = pictures.fit(Image.new(mode, tuple(size.tolist()), colour), page)
        assert result.shape == page.shape
        assert (result == 9).all()


def test_shrinking_keeps_the_amount_of_ink(tmp_path):
    levels = np.full((1200, 1200), 255, np.uint8)
    levels[300:900:6, 300:900] = 0  # lines that would vanish or thicken if pixels were picked
    Image.fromarray(levels).save(tmp_path / 'a.png')
    small = all_of(opened(tmp_path))
    assert 255 - small.mean() == pytest.approx(255 - levels.mean(), abs=0.5)


def test_shrinking_averages(tmp_path):
    levels = np.full((128, 128), 255, np.uint8)
    levels[::2] = 0
    Image.fromarray(levels).save(tmp_path / 'a.png')
    inside = all_of(opened(tmp_path))[0, 4:-4]
    assert 118 < inside.min() <= inside.max() < 137


def test_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to the right to see it upright
    picture = drawing(20, 10)
    picture.save(tmp_path / 'a.png', exif=exif)
    picture.transpose(Image.Transpose.ROTATE_270).save(tmp_path / 'b.png')
    folder = opened(tmp_path)
    turned, upright = all_of(folder)
    assert folder.page.shape == (20, 10, 1)
    np.testing.assert_array_equal(turned, upright)


def test_damaged_exif_costs_nothing(tmp_path):
    drawing().save(tmp_path / 'a.png', exif=b'Exif\x00\x00rubbish')
    assert len(opened(tmp_path).labels) == 1


def test_an_animation_is_its_first_frame(tmp_path):
    first, second = drawing(), drawing(ink=120)
    first.save(tmp_path / 'a.gif', save_all=True, append_images=[second])
    np.testing.assert_array_equal(all_of(opened(tmp_path))[0, ..., 0], np.asarray(first))


@pytest.mark.parametrize('paper', [0, 130, 240, 255])
def test_the_paper_is_the_commonest_border(tmp_path, paper):
    for i in range(3):
        drawing(paper=paper, ink=60).save(tmp_path / f'{i}.png')
    drawing(paper=77, ink=60).save(tmp_path / 'odd.png')
    transparent(drawing()).save(tmp_path / 'transparent.png')
    folder = opened(tmp_path)
    assert folder.page.paper == (paper,) * 3
    assert all_of(folder)[-1, -1, -1, 0] == paper


def test_the_paper_of_a_noisy_scan_with_a_few_exactly_black_pixels(tmp_path):
    noise = np.random.default_rng(0).integers(-3, 4, (4, 30, 30, 3))
    for i, grain in enumerate(noise):
        scan = (np.array((228, 214, 180)) + grain).astype(np.uint8)
        scan[0, :12] = 0
        Image.fromarray(scan).save(tmp_path / f'{i}.png')
    np.testing.assert_allclose(opened(tmp_path).page.paper, (228, 214, 180), atol=2)


@pytest.mark.parametrize(
    ('ink', 'paper'), [((0, 0, 0), WHITE), ((200, 30, 10), WHITE), ((250, 250, 210), BLACK)]
)
def test_ink_on_nothing_gets_paper_on_which_it_shows(tmp_path, ink, paper):
    transparent(drawing(), ink).save(tmp_path / 'a.png')
    Image.new('RGBA', (20, 20)).save(tmp_path / 'blank.png')
    folder = opened(tmp_path)
    assert folder.page.paper == paper
    image, blank = all_of(folder)
    np.testing.assert_array_equal(image[5, 5], np.resize(ink, folder.page.channels))
    assert np.unique(blank) == paper[0]


@pytest.mark.parametrize(
    ('colour', 'channels'),
    [((90, 90, 90), 1), ((90, 94, 90), 1), ((90, 90, 110), 3), ((255, 0, 0), 3)],
)
def test_channels_are_of_the_content(tmp_path, colour, channels):
    drawing().convert('RGB').save(tmp_path / 'a.png')
    Image.new('RGB', (20, 20), colour).save(tmp_path / 'b.png')
    assert opened(tmp_path).page.channels == channels


def png_header(width, height):
    body = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + body + struct.pack('>I', zlib.crc32(body))


def test_files_that_cannot_be_read_are_named_and_left_out(tmp_path, capsys):
    drawing().save(tmp_path / 'good.png')
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    for ending in ('png', 'jpg'):
        Image.fromarray(noise).save(tmp_path / f'cut.{ending}')
        data = (tmp_path / f'cut.{ending}').read_bytes()
        (tmp_path / f'cut.{ending}').write_bytes(data[: len(data) // 2])
    (tmp_path / 'empty.png').touch()
    (tmp_path / 'text.png').write_text('a text by the name of a picture')
    (tmp_path / 'script.jpg').write_text('%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n')
    (tmp_path / 'nothing.ppm').write_bytes(b'P6 0 0 255\n')
    (tmp_path / 'bomb.png').write_bytes(png_header(50_000, 50_000))
    (tmp_path / 'big.pgm').write_bytes(b'P5 10000 10000 255 ')
    folder = opened(tmp_path)
    told = capsys.readouterr().err
    assert (len(folder.labels), folder.left_out) == (1, 8)
    assert 'empty.png: an empty file' in told
    assert 'text.png: not an image' in told
    assert 'script.jpg: not an image' in told
    assert 'big.pgm: (10000, 10000) pixels' in told
    for name in ('cut.png', 'cut.jpg', 'nothing.ppm', 'bomb.png'):
        assert f'{name}: ' in told
    assert 'good.png' not in told


def test_many_bad_files_are_counted_rather_than_listed(tmp_path, capsys):
    drawing().save(tmp_path / 'good.png')
    for i in range(25):
        (tmp_path / f'{i:02}.png').touch()
    opened(tmp_path)
    told = capsys.readouterr().err
    assert '25 files left out' in told
    assert '09.png' in told
    assert '10.png' not in told
    assert '15 more' in told


def test_nothing_usable_is_refused(tmp_path):
    (tmp_path / 'a.png').touch()
    (tmp_path / 'b.svg').touch()
    with pytest.raises(SourceError, match=r'needs images \(PNG, JPEG.*found 2 files'):
        opened(tmp_path)


def test_streamed_is_the_same_as_kept(tmp_path):
    for i in range(20):
        drawing(20 + i, 40, ink=10 * i).save(tmp_path / f'{i:02}.png')
    kept, streamed = opened(tmp_path), opened(tmp_path, memory_bytes=0)
    np.testing.assert_array_equal(all_of(kept), all_of(streamed))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for i, images in enumerate(pool.map(streamed.read, [np.array([i, 3]) for i in range(20)])):
            np.testing.assert_array_equal(images, kept.read([i, 3]))
    assert streamed.read(np.array([], int)).shape == (0, *kept.page.shape)


def peak_bytes(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_by_what_was_asked(tmp_path):
    for i in range(200):
        drawing(24, 24, ink=i).save(tmp_path / f'{i}.png')
    decoded = 200 * 256 * 256

    def go_through(memory_bytes):
        folder = opened(tmp_path, image_size=256, memory_bytes=memory_bytes)
        for start in range(0, 200, 8):
            folder.read(np.arange(start, start + 8))

    assert peak_bytes(lambda: go_through(decoded - 1)) < decoded / 3
    assert peak_bytes(lambda: go_through(decoded)) > decoded


@pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() == 0, reason='root may read anything')
def test_a_closed_folder_is_named(tmp_path, capsys):
    drawing().save(tmp_path / 'a.png')
    (tmp_path / 'closed').mkdir(mode=0)
    opened(tmp_path)
    assert 'closed: Permission denied' in capsys.readouterr().err
