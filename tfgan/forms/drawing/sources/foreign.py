"""Files of other formats, known by their first bytes and their names, and the way from each.

A pickle is named, never loaded: opening one may run anything.
"""

import contextlib
import gzip
import os
import re
import shlex
import typing
import zipfile
from collections.abc import Callable

from tfgan.errors import SourceError, shown

HEAD_BYTES = 4096
TAR, ZIP = 'a tar archive', 'a zip of pictures'
IDX_TYPES = {8: 'u1', 9: 'i1', 11: '>i2', 12: '>i4', 13: '>f4', 14: '>f8'}
PICTURES = ('.png', '.jpg', '.jpeg', '.gif', '.bmp', '.tif', '.tiff', '.webp', '.avif')
BRANDS = (b'heic', b'heix', b'hevc', b'heim', b'mif1', b'msf1')


class Format(typing.NamedTuple):
    """A format of files, the kind of source that reads it, or '', and what its owner can type.

    There PATH is the file for a shell, STEM that without its ending, FILE the file for Python.
    """

    name: str
    kind: str
    way: str


def _starts(*magics: bytes) -> Callable[[bytes, str], bool]:
    return lambda head, name: head.startswith(magics)


def _is_idx(head: bytes, name: str) -> bool:
    return head[:2] == b'\0\0' and len(head) > 3 and head[2] in IDX_TYPES and 1 <= head[3] <= 4


def _is_pickle(head: bytes, name: str) -> bool:
    return head[:1] == b'\x80' and head[1:2] in (b'\2', b'\3', b'\4', b'\5')


def _is_tar(head: bytes, name: str) -> bool:
    return head[257:262] == b'ustar'


def _is_tfrecord(head: bytes, name: str) -> bool:
    """Records begin with their length, eight bytes, its check and a protobuf's first field."""
    return '.tfrecord' in name or (
        len(head) > 12 and head[:4] != bytes(4) == head[4:8] and head[12:13] == b'\n'
    )


def _is_heif(head: bytes, name: str) -> bool:
    return head[4:8] == b'ftyp' and head[8:12] in BRANDS


def _is_table(head: bytes, name: str) -> bool:
    """Whether it is a text whose first line has several columns."""
    first = head.decode('utf-8-sig', 'replace').partition('\n')[0].strip().replace('\t', ';')
    is_text = first.isprintable() and '\ufffd' not in first
    return is_text and (name.endswith('.csv') or any(first.count(comma) > 1 for comma in ',;'))


def _is_film(head: bytes, name: str) -> bool:
    return head[4:8] == b'ftyp' and head[8:12] != b'avif'


def _is_page(head: bytes, name: str) -> bool:
    return head.lstrip()[:9].lower().startswith((b'<!doctype', b'<html'))


# The first that fits a file's first bytes, and its name in small letters, is its format.
# fmt: off
FORMATS = (
    (_starts(b'\x93NUMPY'), Format('an .npy file', 'npy', '--dataset=npy:PATH reads it')),
    (_is_idx, Format('an idx file', 'idx', '--dataset=idx:PATH reads it')),
    (_is_tar, Format(TAR, '', 'mkdir STEM && tar -xf PATH -C STEM and then --dataset=folder:STEM')),
    (_starts(b'7z\xbc\xaf\x27\x1c', b'Rar!', b'\xfd7zXZ', b'BZh'),
     Format('an archive', '', 'unpack it, for instance with 7z x PATH')),
    (_starts(b'\x89HDF\r\n'),
     Format('an HDF5 file', '', "np.save('new.npy', h5py.File(FILE)['NAME'][:])")),
    (_starts(b'MATLAB 5.0'),
     Format('a MATLAB file', '', "np.save('new.npy', scipy.io.loadmat(FILE)['NAME'])")),
    (_starts(b'PAR1'),
     Format('a Parquet file', '',
            "np.save('new.npy', np.stack(pandas.read_parquet(FILE)['NAME']))")),
    (_is_pickle,
     Format('a pickle', '', 'opening one may run anything, so it is never loaded. If you trust it:'
            " np.save('new.npy', pickle.load(open(FILE, 'rb'), encoding='bytes')[b'data'])")),
    (_is_tfrecord,
     Format('a TFRecord file', '', '--dataset=tfds:NAME --data_dir=FOLDER reads the sets of'
            ' tensorflow-datasets; save the pictures of any other as files in a folder')),
    (_is_heif, Format('a picture in HEIC', '', 'heif-convert PATH STEM.png')),
    (_is_film,
     Format('a film', '', 'mkdir STEM && ffmpeg -i PATH STEM/%05d.png and then'
            ' --dataset=folder:STEM')),
    (lambda head, name: b'<svg' in head,
     Format('a drawing in SVG', '', 'rsvg-convert -w 256 PATH -o STEM.png')),
    (_starts(b'%PDF'), Format('a PDF', '', 'pdftoppm -png -r 100 PATH STEM')),
    (_starts(b'%!PS'), Format('PostScript', '', 'gs -sDEVICE=png16m -r100 -o STEM-%d.png PATH')),
    (_is_page, Format('a web page, not what it links to', '', 'fetch it once more')),
    (_starts(b'\x89PNG', b'\xff\xd8\xff', b'GIF8', b'II*\0', b'MM\0*'),
     Format('a picture', 'folder', '--dataset=folder:FOLDER reads all that are in its folder')),
    (lambda head, name: head.lstrip().startswith(b'{') and b'"drawing"' in head,
     Format('sketches of Quick, Draw!', 'ndjson', '--dataset=ndjson:PATH reads them')),
    (lambda head, name: head.lstrip().startswith((b'{', b'[')),
     Format('JSON', '', 'draw what it describes as pictures in a folder; sketches as Quick, Draw!'
            ' publishes them are read by --dataset=ndjson:FOLDER')),
    (_is_table, Format('a table of text', 'csv', '--dataset=csv:PATH reads pixels in columns')),
)
# fmt: on
GUNZIP = Format('compressed by gzip', '', 'gunzip PATH')
# The first that fits the name of any file in a zip archive is its format.
ZIPPED = (
    ('.npy', Format('an .npz file', 'npz', '--dataset=npz:PATH reads it')),
    (
        'data.pkl',
        Format('a PyTorch file', '', "np.save('new.npy', torch.load(FILE, weights_only=True))"),
    ),
    (PICTURES, Format(ZIP, 'folder', '--dataset=folder:PATH reads it')),
    ('', Format('a zip archive', '', 'unzip PATH -d STEM, then give what is in STEM')),
)


def recognised(path: str) -> Format | None:
    """The format of a file, or of what is compressed in it, if it is known."""
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        return None
    name = os.path.basename(path).lower()
    with contextlib.suppress(OSError), open(path, 'rb') as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b'PK\3\4'):
            return _zipped(path)
        if head.startswith(b'\x1f\x8b'):
            return _gzipped(path, name.removesuffix('.gz'))
        return of_head(head, name)
    return None


def of_head(head: bytes, name: str) -> Format | None:
    """The format of a file that begins so, if it is known."""
    return next((form for fits, form in FORMATS if fits(head, name.lower())), None)


def _gzipped(path: str, name: str) -> Format:
    """What is compressed in a file, if it is read or unpacked as it is."""
    with contextlib.suppress(Exception), gzip.open(path) as unpacked:  # damaged in any way
        form = of_head(unpacked.read(HEAD_BYTES), name)
        if form and (form.kind in ('idx', 'csv', 'ndjson') or form.name == TAR):
            return form
    return GUNZIP


def _zipped(path: str) -> Format | None:
    """What kind of zip it is; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.lower() for name in archive.namelist()]
    except Exception:  # zipfile's reader raises nearly anything at a damaged file
        return None
    fits = (form for ends, form in ZIPPED if any(name.endswith(ends) for name in names))
    return next(fits, None)


def way(path: str, form: Format) -> str:
    """What to type to make use of a file of that format."""
    stem = os.path.splitext(path)[0].removesuffix('.tar')
    words = {'PATH': shlex.quote(path), 'STEM': shlex.quote(stem), 'FILE': repr(path)}
    return shown(re.sub('PATH|STEM|FILE', lambda word: words[word[0]], form.way))


def refuse(path: str, kind: str) -> None:
    """Raises SourceError with the way if a file is known to be of a format of another kind."""
    form = recognised(path)
    if form and form.kind != kind:
        raise refusal(path, form)


def refusal(path: str, form: Format) -> SourceError:
    """That a file is of a format that was not asked for, and the way."""
    return SourceError(f'{path} is {form.name}: {way(path, form)}')
