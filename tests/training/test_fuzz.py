"""Damaged files of every kind are read, left out or refused: no traceback, no hang, no flood.

    python tests/test_fuzz.py FOLDER SEED FIRST LAST

opens the damaged files FIRST to LAST - 1 of a seed one after the other, and is ended by a signal at
one that takes too long. That file is left in FOLDER.
"""

import collections
import contextlib
import io
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import zipfile

import numpy as np
from damage import HEIGHT, WIDTH, damaged
from PIL import Image

from tfgan.errors import SourceError
from tfgan.forms.base import open_source

ROOT = pathlib.Path(__file__).parents[2]
SECS = 20  # of the processor, for one file
WAIT_SECS = 300  # on the wall, at a file that is waited for
MEMORY_BYTES = 3 << 30  # that a process may ask for
PEAK_BYTES = 2 << 30  # that it may use


def picture():
    """A colour drawing with some noise, so that nothing is packed to nothing."""
    rng = np.random.default_rng(0)
    pixels = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)
    pixels[4:12, 3:20] = rng.integers(0, 90, (8, 17, 3))
    return Image.fromarray(pixels)


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def psd(image):
    """A Photoshop file of one flat layer: Pillow reads but does not write them."""
    head = b'8BPS' + struct.pack('>H6xHIIHH', 1, 3, image.height, image.width, 8, 3)
    planes = b''.join(band.tobytes() for band in image.split())
    return head + struct.pack('>IIIH', 0, 0, 0, 0) + planes


def pictures():
    """Whole picture files: ending -> bytes."""
    colour = picture()
    grey, clear = colour.convert('L'), colour.convert('RGBA')
    clear.putalpha(grey)
    palette = colour.convert('P', palette=Image.Palette.ADAPTIVE)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    real = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010E: 'a drawing'})
    film = dict(save_all=True, append_images=[colour.rotate(90), colour.rotate(180)])
    return {
        'png': saved(colour, 'PNG', exif=exif),
        'grey.png': saved(grey, 'PNG'),
        'deep.png': saved(deep, 'PNG'),
        'bits.png': saved(colour.convert('1'), 'PNG'),
        'clear.png': saved(clear, 'PNG'),
        'palette.png': saved(palette, 'PNG', transparency=bytes(range(200))),
        'film.png': saved(colour, 'PNG', **film),
        'jpg': saved(colour, 'JPEG', exif=exif),
        'steps.jpg': saved(grey, 'JPEG', progressive=True),
        'cmyk.jpg': saved(colour.convert('CMYK'), 'JPEG'),
        'gif': saved(palette, 'GIF', **film),
        'bmp': saved(colour, 'BMP'),
        'palette.bmp': saved(palette, 'BMP'),
        'tif': saved(colour, 'TIFF', exif=exif),
        'film.tif': saved(colour, 'TIFF', **film),
        'lzw.tif': saved(clear, 'TIFF', compression='tiff_lzw'),
        'zip.tif': saved(deep, 'TIFF', compression='tiff_adobe_deflate'),
        'jpeg.tif': saved(colour, 'TIFF', compression='jpeg'),
        'fax.tif': saved(colour.convert('1'), 'TIFF', compression='group4'),
        'float.tif': saved(real, 'TIFF'),
        'webp': saved(colour, 'WEBP', exif=exif),
        'clear.webp': saved(clear, 'WEBP', lossless=True),
        'film.webp': saved(colour, 'WEBP', **film),
        'avif': saved(colour, 'AVIF', exif=exif),
        'jp2': saved(colour, 'JPEG2000'),
        'j2k': saved(clear, 'JPEG2000', no_jp2=True),
        'ppm': saved(colour, 'PPM'),
        'plain.pgm': b'P2 3 2 255\n0 1 2\n250 251 252\n',
        'pfm': saved(real, 'PPM'),
        'tga': saved(clear, 'TGA', compression='tga_rle'),
        'psd': psd(colour),
    }


def array_file(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def arrays():
    """Whole .npy files."""
    values = np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8)
    kinds = (
        values,
        values / 255,
        values.astype('>u2'),
        values.reshape(9, 64),
        np.asfortranarray(values),
    )
    return [array_file(array) for array in (*kinds, values > 127, values[..., None].repeat(3, -1))]


DESCRS = (
    *("'<f8'", "'|u1'", "'|O'", "'|V0'", "'<U0'", "'|S4'", "'<m8'", "'<f16'", "'<c8'", 'None', '3'),
    *("[('a', '<i4')]", "[('a', '|O')]", "'<f4', (2, 2)", "('<f4', (2, 2))", "',,,'", "'i1,O'"),
)
SHAPES = (
    *('()', '(0,)', '(9, 8, 8)', '(4611686018427387904, 4)', '(-1, 4, 4)', '(True, 4, 4)', 'None'),
    *("(2, 'a')", '(1e3, 4)', '4', '(9999999999, 28, 28)', '(2, 2000000000, 1)', '(9, 0, 8)'),
    *('(' * 4000, '[' * 150 + ']' * 150, '-' * 5000 + '1', '__import__("os").abort()', '1,' * 4000),
    *('(1' + '0' * 5000 + ',)', '{' * 90, '\0', '"""', "'\\N{", '(9, 8, 8)}, {'),
)


def with_header(data, rng):
    """An array's bytes under a header that claims something else, or is none."""
    descr, shape = rng.choice(DESCRS), rng.choice(SHAPES)
    order = rng.choice(['True', 'False', '0', '[]'], p=[0.1, 0.7, 0.1, 0.1])
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    version = int(rng.choice([1, 2, 3, 9], p=[0.6, 0.2, 0.1, 0.1]))
    size = struct.pack('<H' if version == 1 else '<I', len(text))
    return b'\x93NUMPY' + bytes([version, 0]) + size + text + data[128:]


def packed(array, labels):
    """An .npz file of two .npy files, whatever they hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('x.npy', array)
        archive.writestr('y.npy', labels)
    return file.getvalue()


PICTURES, ARRAYS = pictures(), arrays()
LABELS = array_file(np.arange(9) % 3), array_file(np.array(list('abcabcabc')))


def damaged_file(seed, number):
    """Kind of source, file name and bytes of a seed's file of that number."""
    rng = np.random.default_rng([seed, number])
    everything = [*PICTURES.values(), *ARRAYS]
    if number % 4:
        names = list(PICTURES)
        name = names[number % len(names)]
        return 'folder', f'bad.{name}', damaged(PICTURES[name], everything, rng)
    whole = ARRAYS[rng.integers(len(ARRAYS))]
    hurt = with_header(whole, rng) if rng.random() < 0.4 else damaged(whole, everything, rng)
    if number % 8:
        return 'npy', 'bad.npy', hurt
    labels = LABELS[rng.integers(2)]
    if rng.random() < 0.5:
        return 'npz', 'bad.npz', packed(hurt, damaged(labels, ARRAYS, rng))
    return 'npz', 'bad.npz', damaged(packed(whole, labels), everything, rng)


def outcome(number, kind, folder, name):
    """Opens the file as data, and says what became of it: 'read', 'left out' or 'refused'."""
    where = folder if kind == 'folder' else folder / name
    told, refusal = io.StringIO(), None
    try:
        with contextlib.redirect_stderr(told):
            source = open_source(f'{kind}:{where}', memory_bytes=number % 3 and 1 << 30)
            images = source.images(np.arange(len(source)))
    except SourceError as error:
        refusal = f'{error}'
    said = refusal or told.getvalue()
    assert all(map(str.isprintable, said.splitlines())), said
    if kind == 'folder':
        lost = source.notes['left_out']
        assert len(source) + lost == 2 and said.count(f'{name}: ') == lost, said
    elif refusal:
        assert name in refusal and '\n' not in refusal
        return 'refused'
    assert images.dtype == np.uint8 and images.shape == (len(source), *source.shape)
    return 'left out' if kind == 'folder' and lost else 'read'


def peak_bytes():
    """The most memory that this process held; `getrusage` knows its parent's, too."""
    status = pathlib.Path('/proc/self/status').read_text()
    return 1024 * int(re.search(r'VmHWM:\s+(\d+) kB', status)[1])


def work(folder, seed, first, last):
    """Opens files one after the other; prints a line of JSON before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for number in range(first, last):
        kind, name, data = damaged_file(seed, number)
        print(json.dumps([number, kind, name]), flush=True)
        here = folder / f'{number}'
        here.mkdir()
        picture().save(here / 'good.png')
        (here / name).write_bytes(data)
        signal.setitimer(signal.ITIMER_PROF, SECS)
        signal.alarm(WAIT_SECS)
        print(json.dumps(outcome(number, kind, here, name)), flush=True)
        shutil.rmtree(here)
    print(json.dumps(peak_bytes()))


def opened(folder, seed, first, last):
    """What became of a seed's files, as (kind, outcome), and the peak of memory in bytes."""
    program = [sys.executable, __file__, folder, *map(str, (seed, first, last))]
    environment = os.environ | {'PYTHONPATH': f'{ROOT}:{ROOT}/tests'}
    done = subprocess.run(program, capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (
        f'ended by {done.returncode} at {lines[-1:]} of seed {seed}; the file is in {folder}'
        f'\n{done.stderr[-3000:]}'
    )
    *lines, peak = map(json.loads, lines)
    kinds = [kind for _, kind, _ in lines[::2]]
    return collections.Counter(zip(kinds, lines[1::2], strict=True)), peak


def test_damaged_files_are_read_left_out_or_refused(tmp_path, full):
    count = 10_000 if full else 320
    outcomes, peak = opened(tmp_path, 1, 0, count)
    print(outcomes, f'{peak / 2**20:.0f} MB at most')
    assert sum(outcomes.values()) == count
    assert peak < PEAK_BYTES
    # The damage is neither so great that nothing is read nor so small that all is.
    folder = outcomes['folder', 'read'], outcomes['folder', 'left out']
    assert min(folder) > 0.2 * sum(folder)
    for kind in 'npy', 'npz':
        assert outcomes[kind, 'read'] and outcomes[kind, 'refused'] > 0.3 * count / 8


if __name__ == '__main__':
    work(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))
