"""Files of other formats are named with the way, and pickles are never loaded."""

import gzip
import io
import os
import pickle
import re
import shlex
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.drawing.sources import foreign


class Trap:
    def __reduce__(self):
        return print, ('a pickle was run',)


def bytes_of(save, *args):
    file = io.BytesIO()
    save(file, *args)
    return file.getvalue()


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for name in names:
            archive.writestr(name, b'')
    return file.getvalue()


def tarred(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        archive.addfile(tarfile.TarInfo('a.png'))
    return file.getvalue()


def picture(format):
    return bytes_of(Image.new('L', (9, 9)).save, format)


def tfrecord():
    example = b'\n\x06\n\x04\n\x00\x12\x00'
    return struct.pack('<Q', len(example)) + bytes(4) + example + bytes(4)


IDX = b'\0\0\x08\x03' + b'\0\0\0\x01' + 2 * b'\0\0\0\x02' + bytes(4)
TABLE = b'label,pixel0,pixel1\n7,0,255\n'
FILES = {
    'a.npy': (bytes_of(np.save, np.zeros((3, 2, 2))), 'an .npy file: --dataset=npy:PATH'),
    'a.npz': (bytes_of(np.savez, np.zeros((3, 2, 2))), 'an .npz file: --dataset=npz:PATH'),
    'idx3-ubyte': (IDX, 'an idx file: --dataset=idx:PATH'),
    'idx3-ubyte.gz': (gzip.compress(IDX), 'an idx file: --dataset=idx:PATH'),
    'a.csv': (TABLE, 'a table of text: --dataset=csv:PATH'),
    'b.csv.gz': (gzip.compress(TABLE), 'a table of text: --dataset=csv:PATH'),
    'semicolons.txt': (b'a;b;c\n1;2;3\n', 'a table of text'),
    'tabs.tsv': ('\ufeffé\tb\tc\n'.encode(), 'a table of text'),
    'a.npy.gz': (gzip.compress(b'\x93NUMPY'), 'compressed by gzip: gunzip PATH'),
    'cut.gz': (gzip.compress(IDX)[:12], 'compressed by gzip: gunzip PATH'),
    'a.tar': (tarred('w'), 'a tar archive: mkdir STEM && tar -xf PATH -C STEM'),
    'a.tar.gz': (tarred('w:gz'), 'a tar archive: mkdir STEM && tar -xf PATH -C STEM'),
    'a.tar.xz': (tarred('w:xz'), 'an archive: unpack it, for instance with 7z x PATH'),
    'drawings.zip': (zipped('a/B.PNG'), 'a zip of pictures: --dataset=folder:PATH'),
    'vectors.zip': (zipped('a.svg'), 'a zip archive: unzip PATH -d STEM'),
    'a.pt': (zipped('a/data.pkl'), 'a PyTorch file: np.save'),
    'data_batch_1': (pickle.dumps(Trap(), 2), 'a pickle: opening one may run anything'),
    'a.pkl': (pickle.dumps(Trap()), 'never loaded'),
    'a.h5': (b'\x89HDF\r\n\x1a\n', 'an HDF5 file: np.save'),
    'a.mat': (b'MATLAB 5.0 MAT-file', 'a MATLAB file: np.save'),
    'a.parquet': (b'PAR1', 'a Parquet file'),
    'mnist-train.tfrecord-00000-of-00001': (b'?', 'a TFRecord file: --dataset=tfds:NAME'),
    'records': (tfrecord(), 'a TFRecord file: --dataset=tfds:NAME'),
    'a.ndjson': (b'{"word": "cat", "drawing": []}\n', '--dataset=ndjson:PATH reads them'),
    'a.json': (b' [1, 2]', 'JSON: '),
    'a.svg': (b'<?xml version="1.0"?>\n<svg/>', 'rsvg-convert -w 256 PATH -o STEM.png'),
    'a.pdf': (b'%PDF-1.7', 'pdftoppm -png -r 100 PATH STEM'),
    'a.eps': (b'%!PS-Adobe-3.0', 'PostScript: gs '),
    'a.heic': (b'\0\0\0\x18ftypheic', 'heif-convert PATH STEM.png'),
    'a.mp4': (b'\0\0\0\x18ftypisom', 'a film: mkdir STEM && ffmpeg -i PATH STEM/%05d.png'),
    'a.html': (b'\n<!DOCTYPE html><html>', 'a web page'),
    'a.png': (picture('PNG'), 'a picture: --dataset=folder:FOLDER'),
    'a.jpg': (picture('JPEG'), 'a picture: --dataset=folder:FOLDER'),
}


def written(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return f'{tmp_path}/{name}'


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('kind', ['npy', 'npz', 'idx', 'csv', 'folder'])
def test_a_file_of_another_format_is_named_with_the_way(tmp_path, capsys, name, kind):
    data, said = FILES[name]
    path = written(tmp_path, name, data)
    form = foreign.recognised(path)
    if form.kind == kind and form.name != 'a picture':
        return
    with pytest.raises(SourceError) as refusal:
        open_source(f'{kind}:{path}')
    stem = re.sub(r'(\.tar)?\.\w+$', '', path)
    expected = said.replace('PATH', path).replace('STEM', stem)
    assert str(refusal.value).startswith(f'{path} is ') and expected in str(refusal.value)
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('data', [b'', b'hello', b'PK\3\4', np.random.default_rng(0).bytes(999)])
@pytest.mark.parametrize('kind', ['npy', 'npz', 'idx', 'csv'])
def test_what_nobody_knows_is_no_whole_file(tmp_path, kind, data):
    with pytest.raises(SourceError, match=rf'a is not a whole \.{kind} file|a row of 1') as refusal:
        open_source(f'{kind}:{written(tmp_path, "a", data)}')
    assert 'allow_pickle' not in str(refusal.value)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'a')
    for kind, takes in {'folder': 'takes an existing folder', 'npy': 'is no file'}.items():
        with pytest.raises(SourceError, match=takes):
            open_source(f'{kind}:{tmp_path}/a')


def test_objects_in_an_array_are_refused_in_words_of_their_own(tmp_path):
    array = np.array([Trap()], object)
    np.save(tmp_path / 'a.npy', array)
    np.savez(tmp_path / 'a.npz', x=array)
    for kind in ('npy', 'npz'):
        with pytest.raises(
            SourceError, match=r'it holds Python objects .* never loaded'
        ) as refusal:
            open_source(f'{kind}:{tmp_path}/a.{kind}')
        assert 'allow_pickle' not in str(refusal.value)


def test_paths_in_what_is_to_be_typed_are_quoted(tmp_path):
    path = written(tmp_path, "my 'own' file.pdf", b'%PDF-1.7')
    with pytest.raises(SourceError) as refusal:
        open_source(f'npy:{path}')
    command = str(refusal.value).partition('is a PDF: ')[2]
    assert shlex.split(command)[-2:] == [path, path.removesuffix('.pdf')]
