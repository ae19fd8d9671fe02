"""What names say of splits and order, and which folders are no classes."""

import pytest

from tfgan.errors import SourceError
from tfgan.forms.sources import names


def test_numbers_in_names_are_in_their_order():
    ordered = ['-', '1', '2', '10', 'Zebra', 'a1b2', 'a1b10', 'a2', 'été']
    shuffled = ordered[::-2] + ordered[1::2]
    assert sorted(shuffled, key=names.natural) == ordered
    assert sorted(['1', '01', '001'], key=names.natural) == ['001', '01', '1']


@pytest.mark.parametrize(
    ('found', 'asked', 'chosen'),
    [
        (['test', 'train', 'val'], None, ['train']),
        (['Test', 'Training'], None, ['Training']),
        (['seg_pred', 'seg_test', 'seg_train'], None, ['seg_train']),
        (['test', 'val'], None, ['test', 'val']),
        (['test', 'train'], 'all', ['test', 'train']),
        (['test', 'train'], 'test', ['test']),
        (['Test', 'Train'], 'test', ['Test']),
        (['test', 'train', 'val'], 'val+train', ['train', 'val']),
    ],
)
def test_splits_are_chosen(found, asked, chosen):
    assert names.chosen_splits(found, asked, 'folder:x') == chosen


@pytest.mark.parametrize('asked', ['dev', '', 'train+dev', 'train+'])
def test_an_unknown_split_is_answered_with_those_there_are(asked):
    with pytest.raises(SourceError) as refusal:
        names.chosen_splits(['test', 'train'], asked, 'folder:x')
    assert f'--split={asked}: folder:x has the splits test, train;' in str(refusal.value)


@pytest.mark.parametrize(
    ('files', 'splits'),
    [
        ('train/cat/1 train/dog/2 val/cat/3', 'train val'),
        ('train/1 test/2', 'test train'),
        ('seg_pred/1 seg_train/a/2 seg_test/b/3', 'seg_pred seg_test seg_train'),
        ('train/a/1 valid/a/2 readme/3 cover', 'readme train valid'),
        ('test/a/1', 'test'),
        ('bus/1 car/2 train/3', ''),
        ('train/1 cat/2', ''),
        ('contest/1 trainer/2', ''),
        ('test/1 cover', ''),
        ('a b', ''),
    ],
)
def test_folders_that_are_splits(files, splits):
    assert names.split_folders(files.split()) == splits.split()


@pytest.mark.parametrize(
    ('files', 'folder'),
    [
        ('w/a/1 w/b/2', 'w'),
        ('w/a/1', 'w'),
        ('w/1 w/2', ''),
        ('w/a/1 w/2', ''),
        ('w/a/1 v/b/2', ''),
        ('w.x/a/1 wyx/b/2', ''),
        ('1', ''),
    ],
)
def test_a_folder_around_classes_is_none(files, folder):
    assert names.wrapper(files.split()) == folder
