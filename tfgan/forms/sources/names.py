"""What names of folders, files and arrays say: their order, splits, labels, what is around all."""

import re

from tfgan.errors import SourceError, listed, quoted

TRAINING = {'train', 'training'}
HELD_OUT = {'val', 'valid', 'validation', 'dev', 'test', 'testing', 't10k', 'eval', 'evaluation'}
ALL_SPLITS = 'all'
Pairs = dict[str, tuple[str, str | None]]  # of images and their labels, by split, '' without
PAIRS = (  # of images and labels; in any case, and with test, val ... for train
    ('x_train', 'y_train'),
    ('train_images', 'train_labels'),
    ('images', 'labels'),
    ('x', 'y'),
    ('data', 'target'),
    ('arr_0', 'arr_1'),
    ('train_x', 'train_y'),
    ('train_data', 'train_labels'),
    ('images_train', 'labels_train'),
    ('x', 'labels'),
    ('images', 'targets'),
    ('image', 'label'),
    ('data', 'labels'),
    ('data', 'targets'),
    ('data', 'label'),
    ('features', 'targets'),
    ('features', 'labels'),
    ('inputs', 'targets'),
    ('inputs', 'labels'),
)
MOST_DIGITS = 20  # of a number in a name, by which names are ordered


def natural(name: str) -> tuple[str, str]:
    """A key to sort names by, in which numbers are in their order: 2 comes before 10."""
    return re.sub(r'\d+', lambda digits: digits[0].zfill(MOST_DIGITS), name), name


def is_training(name: str) -> bool:
    """Whether a name such as `train` or `seg_train` is that of a training split."""
    return bool(_words(name) & TRAINING)


def is_split(name: str) -> bool:
    """Whether a name has the word of any split in it."""
    return bool(_words(name) & (TRAINING | HELD_OUT))


def _words(name: str) -> set[str]:
    return set(re.split(r'[\W_]+', name.lower()))


def chosen_splits(found: list[str], asked: str | None, where: str) -> list[str]:
    """Those of the splits found that are asked for, as NAME, NAME+NAME or all.

    Unasked it is the training split, or all where none is called so. Raises SourceError.
    """
    if asked == ALL_SPLITS:
        return found
    if asked is None:
        return [name for name in found if is_training(name)] or found
    wanted = asked.lower().split('+')
    if set(wanted) - {name.lower() for name in found}:
        there = listed(found)
        raise SourceError(
            f'--split={quoted(asked)}: {where} has the splits {there}; give one of these, several'
            f' with + between them, or {ALL_SPLITS}'
        )
    return [name for name in found if name.lower() in wanted]


def split_told(chosen: list[str], found: list[str]) -> str:
    """What is told of the splits that were chosen of those found."""
    all_names = listed(found)
    if chosen == found:
        return f'all of the splits: {all_names}'
    return f'split {quoted("+".join(chosen))} of {all_names}; --split= takes others, or all'


def split_folders(names: list[str]) -> list[str]:
    """The first folders of names if these are splits, else none.

    They are if all is in folders named so, or one is for training and another is held out: a class
    may be called `train` too.
    """
    folders = sorted({name.partition('/')[0] for name in names if '/' in name}, key=natural)
    named = [folder for folder in folders if is_split(folder)]
    by_two = any(map(is_training, named)) and not all(map(is_training, named))
    all_named = bool(folders) and named == folders and all('/' in name for name in names)
    return folders if by_two or all_named else []


def wrapper(names: list[str]) -> str:
    """The folder around all that is named, which is no class as all have further folders: or ''."""
    first = names[0].partition('/')[0]
    return first if all(re.match(f'{re.escape(first)}/[^/]+/', name) for name in names) else ''


def named_pairs(names: list[str]) -> Pairs:
    """The names of images and of their labels, if any, for each split, '' if there are no splits.

    They are those of PAIRS, the first whose images are there.
    """
    exact = {name.lower(): name for name in sorted(names)}
    found = {images: _pairs(images, exact) for images, _ in PAIRS}
    usual = [pairs for images, pairs in found.items() if images in exact]
    return next(filter(None, usual or found.values()), {})


def _pairs(images: str, exact: dict[str, str]) -> Pairs:
    """As `named_pairs`, of images of this name and its like in other splits."""
    partners = [labels for first, labels in PAIRS if first == images]
    pairs = {}
    for split in ('train', *sorted(HELD_OUT)) if 'train' in images else ('',):
        labels = [exact.get(name.replace('train', split)) for name in partners]
        if name := exact.get(images.replace('train', split)):
            pairs[split] = name, next(filter(None, labels), None)
    return pairs
