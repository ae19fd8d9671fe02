import concurrent.futures
import contextlib
import io
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from tfgan.errors import SourceError
from tfgan.forms.drawing import page
from tfgan.forms.drawing.page import Page
from tfgan.forms.drawing.sources import folder as folder_module
from tfgan.forms.sources import files
from tfgan.forms.sources.files import files_of

pytestmark = pytest.mark.filterwarnings('ignore:::PIL')  # of bad files, which are named instead
ROOT = pathlib.Path(__file__).parents[4]
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
    return folder_module.open_folder(str(folder), **options)


def all_of(folder):
    return folder.read(np.arange(len(folder.labels)))


def with_transparent_palette(picture):
    """A palette picture whose second colour is transparent."""
    indices = (np.asarray(picture) > 127).astype(np.uint8)
    result = Image.fromarray(indices)
    result.putpalette([0, 0, 0, 10, 200, 10])
    result.info['transparency'] = 1
    return result


def premultiplied(picture):
    """Grey with transparency that is multiplied in, which only a TIFF file can be."""
    file = io.BytesIO()
    transparent(picture).convert('LA').save(file, 'TIFF')
    extra_samples = struct.pack('<HHI', 338, 3, 1)
    data = file.getvalue().replace(extra_samples + b'\x02', extra_samples + b'\x01')
    premultiplied = Image.open(io.BytesIO(data))
    assert premultiplied.mode == 'La'
    return data


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
    'La.tif': premultiplied,
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
    made = MODES[name](grey)
    (tmp_path / name).write_bytes(made) if isinstance(made, bytes) else made.save(tmp_path / name)
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
    assert files_of(str(tmp_path)).find()[0] == [
        'Zebra/b.png',
        'Zebra/deep/er/a.PNG',
        'ant/1.jpeg',
        'été/ñ.JpG',
    ]


def test_a_flat_folder_is_one_class_and_nothing_to_complain_of(tmp_path, capsys):
    drawing().save(tmp_path / 'a.png')
    assert opened(tmp_path).class_names == ('drawing',)
    assert capsys.readouterr() == ('', '')


def test_linked_files_and_folders_are_read_like_others(tmp_path):
    folder = tmp_path / 'set'
    for name in ('set/cats', 'elsewhere/deep'):
        (tmp_path / name).mkdir(parents=True)
    drawing().save(folder / 'cats' / 'a.png')
    drawing(ink=90).save(tmp_path / 'elsewhere' / 'deep' / 'b.png')
    (folder / 'cats' / 'c.png').symlink_to(tmp_path / 'elsewhere' / 'deep' / 'b.png')
    (folder / 'dogs').symlink_to(tmp_path / 'elsewhere')
    found = opened(folder)
    assert (found.class_names, found.labels.tolist()) == (('cats', 'dogs'), [0, 0, 1])
    assert found.left_out == 0
    assert all_of(found)[:, 5, 5, 0].tolist() == [0, 90, 90]
    (tmp_path / 'link').symlink_to(folder)
    assert len(opened(tmp_path / 'link').labels) == 3


def test_links_that_go_round_end_and_are_named(tmp_path, capsys):
    (tmp_path / 'b').mkdir()
    drawing().save(tmp_path / 'b' / 'a.png')
    for name, target in {'b/round': tmp_path, 'a': 'b', 'c': 'b', 'self': 'self'}.items():
        (tmp_path / name).symlink_to(target)
    folder = opened(tmp_path)
    assert (folder.class_names, len(folder.labels), folder.left_out) == (('b',), 1, 4)
    told = capsys.readouterr().err
    for name in ('b/round', 'a', 'c'):
        assert f'  {name}: a link to a folder that is read already\n' in told
    assert '  self: a link to nothing\n' in told


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path, capsys, monkeypatch):
    drawing().save(tmp_path / 'a.png')
    os.mkfifo(tmp_path / 'b.png')
    (tmp_path / 'c.png').symlink_to('nowhere.png')
    monkeypatch.chdir(tmp_path)  # a socket's name may have no more than 107 bytes
    with socket.socket(socket.AF_UNIX) as there:
        there.bind('d.png')
        folder = opened(tmp_path)
    assert (len(folder.labels), folder.left_out) == (1, 3)
    told = capsys.readouterr().err
    assert 'b.png: neither file nor folder' in told
    assert 'c.png: a link to nothing' in told
    assert 'd.png: neither file nor folder' in told


def test_a_folder_by_the_name_of_a_picture_is_a_folder(tmp_path):
    for name in ('a.png', 'b.png'):
        (tmp_path / name).mkdir()
    drawing().save(tmp_path / 'a.png' / 'c.png')
    folder = opened(tmp_path)
    assert (folder.class_names, folder.left_out) == (('a.png',), 0)


def test_folders_may_be_thousands_and_as_deep_as_paths_can_be_long(tmp_path, monkeypatch, full):
    depth = 1050 if full else 50  # more than Python calls may be nested
    for i in range(1000):
        (tmp_path / f'{i:04}').mkdir()
    monkeypatch.chdir(tmp_path / '0007')
    for _ in range(depth):
        os.mkdir('d')
        os.chdir('d')
    drawing().save('a.png')
    drawing().save(tmp_path / '0999' / 'a.png')
    assert opened(tmp_path).class_names == ('0007', '0999')
    monkeypatch.chdir(tmp_path)
    shutil.rmtree('0007/' + depth // 2 * 'd/')  # pytest's own nests its calls
    shutil.rmtree('0007')


ANY_NAMES = b'caf\xe9', b'new\nline', '絵画'.encode(), '\u2028\x1b[31m'.encode()


@pytest.mark.parametrize('locale', ['C', 'C.UTF-8', 'POSIX'])
def test_names_of_any_bytes_are_shown_in_any_locale_without_garbling_it(tmp_path, locale):
    for name in ANY_NAMES:
        folder = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(folder)
        with open(os.path.join(folder, b'\xff.png'), 'wb') as file:
            drawing().save(file, 'PNG')
        with open(os.path.join(folder, b'bad\r\xff.png'), 'wb'):
            pass
    program = (
        f'from tfgan.forms.base import open_source\nsource = open_source("folder:{tmp_path}")\n'
        'assert len(source.images(range(4))) == 4\n'
        "print('|'.join(source.class_names))"
    )
    environment = os.environ | {'PYTHONPATH': str(ROOT), 'LC_ALL': locale}
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, env=environment)
    names = done.stdout.decode().removesuffix('\n')
    assert names == '|'.join(['caf\\udce9', 'new\\nline', '\\u2028\\x1b[31m', '絵画'])
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 5 and '4 files left out' in lines[0]
    assert [
        line for line in lines[1:] if line.endswith('/bad\\r\\udcff.png: an empty file')
    ] == lines[1:]
    assert all(map(str.isprintable, lines))


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
        sheet = Page(*page_size.tolist(), channels, (9, 9, 9))
        result = page.fit(Image.new(mode, tuple(size.tolist()), colour), sheet)
        assert result.shape == sheet.shape
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


ONE_ENTRY = b'Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01'
BAD_EXIF = {
    'rubbish': b'Exif\x00\x00rubbish',
    'orientation 99': ONE_ENTRY + b'\x01\x12\x00\x03\x00\x00\x00\x01\x00\x63\x00\x00' + bytes(4),
    'orientation of text': ONE_ENTRY + b'\x01\x12\x00\x02\x00\x00\x00\x04six\x00' + bytes(4),
    '65,535 entries': b'Exif\x00\x00MM\x00*\x00\x00\x00\x08' + 50_000 * b'\xff',
    'goes round': ONE_ENTRY + b'\x87\x69\x00\x04\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08',
    'points nowhere': ONE_ENTRY + b'\x01\x12\x00\x03\xff\xff\xff\xff\xff\xff\xff\xf0' + bytes(4),
}


def test_damaged_exif_costs_nothing_and_is_not_told(tmp_path):
    for ending in ('png', 'jpg', 'webp'):
        for name, exif in BAD_EXIF.items():
            drawing().save(tmp_path / f'{name}.{ending}', exif=exif)
    program = (
        'from tfgan.forms.drawing.sources import folder as pictures\n'
        f'folder = pictures.open_folder("{tmp_path}", memory_bytes=0)\n'
        'print(len(folder.read(range(len(folder.labels)))))'
    )
    environment = os.environ | {'PYTHONPATH': str(ROOT)}
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'18\n', b'')


@pytest.mark.parametrize('ending', ['gif', 'png', 'webp', 'tif', 'avif'])
def test_of_frames_and_pages_the_first_is_read(tmp_path, ending):
    first, second = drawing(), drawing(ink=120)
    options = {'lossless': True} if ending == 'webp' else {}
    first.save(tmp_path / f'a.{ending}', save_all=True, append_images=[second], **options)
    with Image.open(tmp_path / f'a.{ending}') as picture:
        assert picture.n_frames == 2
    found = all_of(opened(tmp_path))[0, ..., 0]
    np.testing.assert_allclose(found, np.asarray(first), atol=20 if ending == 'avif' else 0)


def test_pages_that_are_not_read_are_told(tmp_path):
    drawing().save(tmp_path / 'a.tif', save_all=True, append_images=11 * [drawing(ink=120)])
    drawing().save(tmp_path / 'b.png')
    (told,) = opened(tmp_path).told
    assert told.startswith('only the first page is read of 1: a.tif; ') and 'magick FILE' in told


def files_in(folder, *names):
    """A drawing of another level by each name."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        drawing(ink=10 * number).save(folder / name)


SPLITS = 'train/cat/1.png', 'train/dog/2.png', 'val/cat/3.png', 'val/dog/4.png', 'val/eel/5.png'


@pytest.mark.parametrize(
    ('split', 'class_names', 'labels', 'inks'),
    [
        (None, ('cat', 'dog'), [0, 1], [0, 10]),
        ('train', ('cat', 'dog'), [0, 1], [0, 10]),
        ('val', ('cat', 'dog', 'eel'), [0, 1, 2], [20, 30, 40]),
        ('all', ('cat', 'dog', 'eel'), [0, 1, 0, 1, 2], [0, 10, 20, 30, 40]),
    ],
)
@pytest.mark.parametrize('around', ['', 'my set/', 'a/b/'])
def test_splits_are_no_classes(tmp_path, split, class_names, labels, inks, around):
    files_in(tmp_path, *(around + name for name in SPLITS))
    folder = opened(tmp_path, split=split)
    assert (folder.class_names, folder.labels.tolist()) == (class_names, labels)
    assert all_of(folder)[:, 5, 5, 0].tolist() == inks
    assert any('train, val' in told for told in folder.told)
    for name in filter(None, around.split('/')):
        assert f'what is in {name} is taken' in folder.told


def test_an_unknown_split_of_a_folder_is_answered_with_those_there_are(tmp_path):
    files_in(tmp_path, *SPLITS)
    with pytest.raises(
        SourceError, match=r'--split=dev: folder:.* has the splits train, val; give'
    ):
        opened(tmp_path, split='dev')


def test_splits_without_classes_and_within_folders_of_their_own_name(tmp_path):
    files_in(tmp_path / 'flat', 'train/1.png', 'test/2.png')
    assert opened(tmp_path / 'flat').class_names == ('drawing',)
    files_in(
        tmp_path / 'deep', *(f'{s}/{s}/{c}/1.png' for s in ('seg_train', 'seg_test') for c in 'ab')
    )
    for split, count in {None: 2, 'seg_test': 2, 'all': 4}.items():
        folder = opened(tmp_path / 'deep', split=split)
        assert (folder.class_names, len(folder.labels)) == (('a', 'b'), count)


def test_a_class_may_be_called_train(tmp_path):
    files_in(tmp_path, 'bus/1.png', 'car/2.png', 'train/3.png')
    folder = opened(tmp_path)
    assert (folder.class_names, folder.told) == (('bus', 'car', 'train'), ())


def test_what_unzipping_leaves_is_seen_through(tmp_path):
    files_in(tmp_path, 'pets/cat/1.png', 'pets/dog/2.png')
    (tmp_path / '__MACOSX' / 'pets' / 'cat').mkdir(parents=True)
    (tmp_path / '__MACOSX' / 'pets' / 'cat' / '._1.png').write_bytes(b'what a Mac leaves')
    (tmp_path / 'README.txt').write_text('read me')
    folder = opened(tmp_path)
    assert (folder.class_names, folder.told) == (('cat', 'dog'), ('what is in pets is taken',))


def test_folders_that_are_numbers_are_in_their_order(tmp_path):
    files_in(tmp_path, *(f'{number}/1.png' for number in range(12)))
    assert opened(tmp_path).class_names == tuple(map(str, range(12)))


def zip_of(folder):
    return shutil.make_archive(f'{folder}', 'zip', folder)


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
def test_a_zip_is_read_like_the_folder_in_it(tmp_path, memory_bytes, capsys):
    files_in(tmp_path / 'a', *SPLITS, 'train/cat/.trash/1.png')
    (tmp_path / 'a' / 'train' / 'cat' / 'text.png').write_text('no picture')
    folder, zipped = (
        opened(tmp_path / 'a'),
        opened(zip_of(tmp_path / 'a'), memory_bytes=memory_bytes),
    )
    np.testing.assert_array_equal(all_of(zipped), all_of(folder))
    assert zipped.labels.tolist() == folder.labels.tolist()
    assert (zipped.class_names, zipped.left_out, zipped.told) == (('cat', 'dog'), 1, folder.told)
    assert capsys.readouterr().err.count('train/cat/text.png: not an image') == 2


def test_a_zip_may_be_deleted_or_read_from_many_threads(tmp_path):
    files_in(tmp_path / 'a', *(f'{i}.png' for i in range(20)))
    folder = opened(zip_of(tmp_path / 'a'), memory_bytes=0)
    os.unlink(tmp_path / 'a.zip')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: all_of(folder), range(8)))
    assert all((images == read[0]).all() for images in read)


def test_a_file_in_a_zip_that_is_too_large_or_damaged_is_left_out(tmp_path, monkeypatch, capsys):
    files_in(tmp_path / 'a', 'good.png', 'damaged.png')
    (tmp_path / 'a' / 'large.png').write_bytes(png_header(9, 9) + bytes(5000))
    data = (tmp_path / 'a' / 'damaged.png').read_bytes()
    path = pathlib.Path(zip_of(tmp_path / 'a'))
    with zipfile.ZipFile(path, 'w') as archive:
        for name in ('good.png', 'damaged.png', 'large.png'):
            archive.write(tmp_path / 'a' / name, name)
    path.write_bytes(path.read_bytes().replace(data, data[:-20] + bytes(20)))
    monkeypatch.setattr(files, 'MOST_ZIPPED_BYTES', 4000)
    assert opened(path).left_out == 2
    told = capsys.readouterr().err
    assert 'damaged.png: Bad CRC-32' in told and 'large.png: more than 4,000 bytes' in told
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r'a\.zip is not a whole zip archive: '):
        opened(path)


def test_pictures_without_ink_are_counted_and_named(tmp_path):
    for number in range(5):
        Image.new('L', (20, 20), 250).save(tmp_path / f'blank{number}.png')
    noise = np.random.default_rng(0).integers(-3, 4, (20, 20))
    Image.fromarray((240 + noise).astype(np.uint8)).save(tmp_path / 'grain.png')
    Image.new('RGBA', (20, 20), (9, 9, 9, 0)).save(tmp_path / 'nothing.png')
    drawing(paper=255, ink=200).save(tmp_path / 'faint.png')
    (told,) = opened(tmp_path).told
    assert told == '7 of 8 are blank: blank0.png, blank1.png, blank2.png, ...'


@pytest.mark.parametrize(
    ('paper', 'ink', 'shown'),
    [(0, (0, 0, 0), 255), (255, (255, 255, 255), 0), (20, (40, 40, 40), 255), (240, (210,) * 3, 0)],
)
def test_ink_that_the_paper_of_the_set_would_hide_is_shown_as_the_others_are(
    tmp_path, paper, ink, shown
):
    for number in range(3):
        drawing(paper=paper, ink=255 - paper).save(tmp_path / f'{number}.png')
    transparent(drawing(), ink).save(tmp_path / 'hidden.png')
    transparent(drawing(), (128, 128, 128)).save(tmp_path / 'seen.png')
    folder = opened(tmp_path)
    hidden, seen = all_of(folder)[3:, ..., 0]
    assert (hidden[5, 5], hidden[-1, -1]) == (shown, paper)
    assert (seen[5, 5], seen[-1, -1]) == (128, paper)
    assert folder.told == ('ink that the paper would hide is shown in 1: hidden.png',)


def test_a_picture_of_black_and_white_on_grey_paper_is_left_as_it_is():
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :8, :3], pixels[2:, :, 3] = 255, 255
    sheet = Page(16, 16, 1, (128, 128, 128))
    assert np.unique(page.fit(Image.fromarray(pixels), sheet)).tolist() == [0, 128, 255]


def test_pictures_of_one_pixel_make_no_page_of_one_pixel(tmp_path):
    for number in range(3):
        Image.new('L', (5, 1), 9 * number).save(tmp_path / f'{number}.png')
    assert opened(tmp_path).page.shape == (5, 5, 1)


def test_foreign_pictures_are_named_with_the_way(tmp_path, capsys):
    drawing().save(tmp_path / 'good.png')
    (tmp_path / 'a.svg').write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / 'b.pdf').write_bytes(b'%PDF-1.7')
    (tmp_path / 'c d.heic').write_bytes(b'\0\0\0\x18ftypheic')
    (tmp_path / 'e.png').write_bytes(b'\x89PNG\r\n\x1a\n')
    assert opened(tmp_path).left_out == 4
    told = capsys.readouterr().err
    assert 'a.svg: not an image but a drawing in SVG; rsvg-convert -w 256 a.svg -o a.png' in told
    assert 'b.pdf: not an image but a PDF; pdftoppm -png -r 100 b.pdf b\n' in told
    assert "not an image but a picture in HEIC; heif-convert 'c d.heic' 'c d'.png\n" in told
    assert 'e.png: not an image\n' in told


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


@pytest.mark.parametrize('level', [np.nan, np.inf])
def test_levels_that_are_no_numbers_are_left_out(tmp_path, capsys, level):
    drawing().save(tmp_path / 'good.png')
    levels = np.zeros((9, 9), np.float32)
    levels[4, 4] = level
    Image.fromarray(levels).save(tmp_path / 'bad.tif')
    assert opened(tmp_path).left_out == 1
    assert 'bad.tif: its levels are not all finite' in capsys.readouterr().err


def test_no_pixels_are_no_picture(tmp_path, capsys):
    drawing().save(tmp_path / 'good.png')
    drawing().save(tmp_path / 'flat.tga')
    data = bytearray((tmp_path / 'flat.tga').read_bytes())
    data[14:16] = 0, 0  # the height
    (tmp_path / 'flat.tga').write_bytes(data)
    assert opened(tmp_path).left_out == 1
    assert 'flat.tga: ' in capsys.readouterr().err


@pytest.mark.parametrize('size', [(1, 1), (1, 50_000), (50_000, 1), (65_500, 3)])
def test_a_picture_of_any_proportions_is_read(tmp_path, size):
    drawing().save(tmp_path / 'a.png')
    Image.new('L', size, 0).save(tmp_path / 'b.png')
    folder = opened(tmp_path, image_size=16)
    assert (len(folder.labels), folder.left_out) == (2, 0)
    assert (all_of(folder)[1] == 0).any()


def test_one_picture_is_a_folder_too(tmp_path):
    drawing().save(tmp_path / 'a.png')
    np.testing.assert_array_equal(all_of(opened(tmp_path))[..., 0], [np.asarray(drawing())])


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


def test_a_long_picture_takes_no_more_memory_than_a_square_one(tmp_path):
    Image.new('L', (300, 40_000), 200).save(tmp_path / 'a.png')
    assert peak_bytes(lambda: opened(tmp_path)) < 300 * 40_000


@pytest.mark.parametrize('many_pixels', [1, 1 << 24])
def test_of_pictures_with_many_pixels_one_at_a_time_is_decoded(tmp_path, monkeypatch, many_pixels):
    for i in range(8):
        drawing().save(tmp_path / f'{i}.png')
    at_work, most, counting = [], [], threading.Lock()
    eight_bit = page._eight_bit

    def watched(picture):
        with counting:
            at_work.append(picture)
            most.append(len(at_work))
        time.sleep(0.02)
        with counting:
            at_work.pop()
        return eight_bit(picture)

    monkeypatch.setattr(folder_module, 'THREADS', 4)
    monkeypatch.setattr(page, 'MANY_PIXELS', many_pixels)
    monkeypatch.setattr(page, '_eight_bit', watched)
    opened(tmp_path)
    assert (max(most) == 1) == (many_pixels == 1)


@contextlib.contextmanager
def public_folder():
    """A folder that all may look into."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@contextlib.contextmanager
def nobody():
    """A block in which root may no more than others."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_closed_folders_and_files_are_named(capsys):
    with public_folder() as folder:
        for name in ('a.png', 'b.png'):
            drawing().save(folder / name)
        os.chmod(folder / 'b.png', 0)
        (folder / 'closed').mkdir(mode=0)
        with nobody():
            assert opened(folder).left_out == 2
    told = capsys.readouterr().err
    assert '  b.png: Permission denied\n  closed: Permission denied\n' in told


def test_a_closed_root_is_refused(capsys):
    with public_folder() as folder:
        drawing().save(folder / 'a.png')
        os.chmod(folder, 0)
        with nobody(), pytest.raises(SourceError, match='needs images'):
            opened(folder)
    assert '  .: Permission denied' in capsys.readouterr().err


def two_classes(folder, count=3):
    """Class a in levels 0, 10, ..., class b in levels 100, 110, ...: read while they are there."""
    for kind, first in {'a': 0, 'b': 100}.items():
        (folder / kind).mkdir()
        for i in range(count):
            Image.new('L', (4, 4), first + 10 * i).save(folder / kind / f'{i}.png')
    return opened(folder, memory_bytes=0)


def levels_of(folder):
    return all_of(folder)[:, 0, 0, 0].tolist()


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


LOSSES = {
    'gone': pathlib.Path.unlink,
    'cut': lambda path: path.write_bytes(path.read_bytes()[:40]),
    'empty': lambda path: path.write_bytes(b''),
    'a text': lambda path: path.write_text('no picture any more'),
    'a bomb': lambda path: path.write_bytes(png_header(50_000, 50_000)),
    'a folder': replaced_by_a_folder,
}


@pytest.mark.parametrize('lose', LOSSES.values(), ids=LOSSES)
def test_a_lost_picture_is_replaced_by_the_next_of_its_class(tmp_path, capsys, lose):
    folder = two_classes(tmp_path)
    assert levels_of(folder) == [0, 10, 20, 100, 110, 120]
    lose(tmp_path / 'a' / '0.png')
    lose(tmp_path / 'b' / '2.png')
    assert capsys.readouterr().err == ''
    for _ in range(3):
        assert levels_of(folder) == [10, 10, 20, 100, 110, 100]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert sum('a/0.png can no longer be read (' in line for line in lines) == 1
    assert sum('b/2.png can no longer be read (' in line for line in lines) == 1
    assert '2 lost so far' in lines[1]


def test_a_picture_that_is_changed_or_back_again_is_read(tmp_path):
    folder = two_classes(tmp_path)
    os.rename(tmp_path / 'a' / '0.png', tmp_path / 'kept')
    Image.new('L', (30, 40), 66).save(tmp_path / 'b' / '0.png')
    assert levels_of(folder)[0] == 10
    os.rename(tmp_path / 'kept', tmp_path / 'a' / '0.png')
    assert levels_of(folder)[:3] == [0, 10, 20]
    assert all_of(folder)[3, 2, 2, 0] == 66


def test_of_many_lost_pictures_ten_are_named(tmp_path, capsys):
    folder = two_classes(tmp_path, 125)
    for path in sorted(tmp_path.glob('a/*'))[:120]:
        path.unlink()
    all_of(folder)
    told = capsys.readouterr().err
    assert told.count('can no longer be read') == 10
    assert len(told.splitlines()) == 11
    assert '100 lost so far' in told


def test_a_class_of_which_all_is_lost_is_refused(tmp_path, capsys):
    folder = two_classes(tmp_path)
    shutil.rmtree(tmp_path / 'a')
    assert folder.read(np.array([3, 5]))[:, 0, 0, 0].tolist() == [100, 120]
    with pytest.raises(SourceError, match=r'of 3 pictures .* none .*\(a/1.png: No such file'):
        folder.read(np.array([4, 1]))
    assert capsys.readouterr().err.count('No such file or directory') == 3


def test_a_picture_lost_between_two_looks_is_replaced(tmp_path, monkeypatch):
    plan = folder_module.plan

    def planned(*args):
        (tmp_path / 'a' / '1.png').unlink()
        return plan(*args)

    two_classes(tmp_path)
    monkeypatch.setattr(folder_module, 'plan', planned)
    assert levels_of(opened(tmp_path)) == [0, 20, 20, 100, 110, 120]
