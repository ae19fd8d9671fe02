"""Tables of pixels are read as Kaggle has its digits, and as people write them."""

import gzip
import os

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.forms.base import open_source

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 4, 4), np.uint8)
ROWS = IMAGES.reshape(12, 16)
LABELS = np.arange(12) % 11
PIXELS = [f'pixel{number}' for number in range(16)]


def table(path, first, *columns, comma=','):
    rows = [first] if first else []
    rows += np.column_stack(columns).tolist()
    text = ''.join(f'{comma.join(map(str, row))}\n' for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == '.gz' else text.encode())
    return f'csv:{path}'


def names_of(numbers):
    return tuple(sorted({str(number) for number in numbers}, key=int))


TABLES = {
    'Kaggle': (['label', *PIXELS], [LABELS, ROWS]),
    'no names': (None, [LABELS, ROWS]),
    'numbers as names': (['label', *range(16)], [LABELS, ROWS]),
    'label last': ([*PIXELS, 'Class'], [ROWS, LABELS]),
    'another word': (['digit', *PIXELS], [LABELS, ROWS]),
    'quoted': (['"label"', *PIXELS], [LABELS, ROWS]),
    'a byte order mark': (['\ufefflabel', *PIXELS], [LABELS, ROWS]),
}


@pytest.mark.parametrize(('first', 'columns'), TABLES.values(), ids=TABLES)
@pytest.mark.parametrize('comma', [',', ';', '\t'])
@pytest.mark.parametrize('name', ['a.csv', 'a.csv.gz'])
def test_tables_with_labels(tmp_path, first, columns, comma, name):
    source = open_source(table(tmp_path / name, first, *columns, comma=comma))
    np.testing.assert_array_equal(source.images(np.arange(12))[..., 0], IMAGES)
    assert source.class_names == names_of(LABELS)
    np.testing.assert_array_equal(source.labels, LABELS)


@pytest.mark.parametrize('first', [PIXELS, None])
def test_tables_without_labels(tmp_path, first):
    source = open_source(table(tmp_path / 'a.csv', first, ROWS))
    np.testing.assert_array_equal(source.images(np.arange(12))[..., 0], IMAGES)
    assert source.class_names == ('drawing',)


def test_labels_may_be_words_and_pixels_shares(tmp_path):
    words = np.array(['cat', 'a dog'])[LABELS % 2]
    source = open_source(table(tmp_path / 'a.csv', None, words, ROWS / 255))
    np.testing.assert_array_equal(source.images(np.arange(12))[..., 0], IMAGES)
    assert source.class_names == ('a dog', 'cat')
    np.testing.assert_array_equal(source.labels, 1 - LABELS % 2)


def test_columns_that_may_be_pixels_or_a_label_and_pixels_are_named_or_refused(tmp_path):
    rows = RNG.integers(0, 256, (12, 49))  # 7 x 7, or a label and 4 x 4 x 3
    with pytest.raises(SourceError, match=r'49 columns may be pixels, .* Name them'):
        open_source(table(tmp_path / 'a.csv', None, rows))
    named = [f'pixel{number}' for number in range(49)]
    assert open_source(table(tmp_path / 'a.csv', named, rows)).shape == (7, 7, 1)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('label,pixel0,pixel1\n1,2,3\n', 'a row of 2 pixels makes no picture. A row is an image'),
        ('label,a,b,c,d\n1,2,x,4,5\n', "could not convert string 'x' to float32 at row 0, column"),
        ('label,a,b,c,d\n1,2,3,4,5\n1,2\n', 'invalid column index'),
        ('emotion,pixels,Usage\n0,70 80 82,Training\n', 'pixels makes no picture'),
    ],
)
def test_tables_of_other_things_are_refused(tmp_path, text, said):
    (tmp_path / 'a.csv').write_text(text)
    with pytest.raises(SourceError, match=r'a\.csv') as refusal:
        open_source(f'csv:{tmp_path}/a.csv')
    assert said in str(refusal.value)


@pytest.mark.filterwarnings('error')
def test_a_table_of_names_alone_is_refused(tmp_path):
    (tmp_path / 'a.csv').write_text('label,a,b,c,d\n')
    with pytest.raises(SourceError, match=r'a\.csv holds an array of shape \(0, 4\)'):
        open_source(f'csv:{tmp_path}/a.csv')


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'a.csv')
    with pytest.raises(SourceError, match='csv: takes an existing file'):
        open_source(f'csv:{tmp_path}/a.csv')
