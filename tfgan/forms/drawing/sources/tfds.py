"""A tensorflow-datasets set as one array of images, in memory or read from a file."""

import difflib
import os
import typing
import urllib.parse
from collections.abc import Iterable, Iterator

import numpy as np
import tqdm

from tfgan import storage
from tfgan.errors import SourceError, listed, quoted
from tfgan.forms import pictures
from tfgan.forms.drawing.page import fit, look, plan
from tfgan.forms.drawing.sources import arrays


class Prepared(typing.NamedTuple):
    """Images [n, h, w, c] as the set has them, or fitted if they differ; labels int32 [n]."""

    images: arrays.Array
    labels: np.ndarray
    class_names: tuple[str, ...]
    licence: str


def open_set(
    name: str, split: str, data_dir: str | None, image_size: int | None, memory_bytes: int
) -> Prepared:
    """A split of a set that is prepared or can be; raises SourceError.

    What does not fit in `memory_bytes` is written to a file beside the set, once.
    """
    builder = _builder(name, data_dir)
    class_names = _class_names(builder, name)
    images, labels = _examples(builder, split, bool(class_names), image_size, memory_bytes)
    if not class_names or labels.min() < 0:  # -1 is how a test split says nothing
        labels, class_names = np.zeros_like(labels), ('drawing',)
    licence = builder.info.redistribution_info.license
    licence = licence or f'not stated by tensorflow-datasets; see {builder.info.homepage}'
    return Prepared(images, labels, class_names, licence)


def _builder(name: str, data_dir: str | None):
    """The builder of a prepared set; offline it says no within seconds."""
    import requests
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        close = difflib.get_close_matches(name, tfds.list_builders(with_community_datasets=False))
        known = ', '.join(close or ['mnist', 'quickdraw_bitmap'])
        raise SourceError(f'tensorflow-datasets has no set {name!r}; it has {known}') from error
    except Exception as error:  # whatever its readers of damaged files raise, or a strange version
        raise SourceError(f'tensorflow-datasets refuses {name!r}: {_reason(error)}') from error
    if builder.is_prepared():
        return builder
    try:
        for url in list(builder.url_infos)[:1]:  # without it, giving up takes minutes
            requests.head(url, timeout=5, allow_redirects=True)
        builder.download_and_prepare()
    except Exception as error:  # whatever ends it, from a closed network to a manual download
        raise SourceError(
            f'tensorflow-datasets set {name!r} is not prepared in {builder.data_dir} and cannot be'
            f' downloaded ({type(error).__name__}). Name a folder that has it with --data_dir=,'
            ' or use the embedded drawings: --dataset=doodles'
        ) from error
    return builder


def _class_names(builder, name: str) -> tuple[str, ...]:
    """The class names, none if the set has no labels; raises SourceError if it has no images."""
    import tensorflow_datasets as tfds

    features = dict(getattr(builder.info.features, 'items', list)())  # a lone feature has no items
    if not isinstance(features.get('image'), tfds.features.Image):
        raise SourceError(f"tfds:{name}: needs a feature 'image', it has {listed(features)}")
    label = features.get('label')
    return tuple(label.names) if isinstance(label, tfds.features.ClassLabel) else ()


def _examples(builder, split: str, labelled: bool, image_size: int | None, memory_bytes: int):
    """A split's images and labels int32 [n], in memory or from a file of records of both."""
    import tensorflow as tf

    count = _count(builder, split)
    stem = f'tfgan-{urllib.parse.quote(split, safe="")}-{image_size or "own"}'
    path = os.path.join(builder.data_dir, f'{stem}.npy')
    try:
        if not os.path.exists(path):
            pairs = builder.as_dataset(split=split, shuffle_files=False).map(
                lambda example: (example['image'], example['label'] if labelled else 0)
            )
            if builder.info.name.startswith('emnist'):  # which keeps its pictures on their side
                pairs = pairs.map(lambda image, label: (tf.transpose(image, [1, 0, 2]), label))
            shape, dtype, blocks = _blocks(builder, pairs, image_size)
            record = np.dtype([('image', dtype, shape), ('label', np.int32)])
            if count * record.itemsize <= memory_bytes:
                examples = _held(count, record, blocks)
                return examples['image'], examples['label'].copy()
            _write(path, count, record, blocks)
        return _read_back(path)
    except (OSError, tf.errors.OpError) as error:
        where = f'tfds:{builder.info.name}:{split} in {builder.data_dir}'
        raise SourceError(f'{where}: {_reason(error)}') from error


def _reason(error: Exception) -> str:
    """What an error says, without the nodes of TensorFlow that it names first."""
    return quoted(str(error).strip().rpartition('}} ')[2]) or type(error).__name__


def _read_back(path: str) -> tuple[arrays.Array, np.ndarray]:
    """Images and labels of a file that `_write` wrote; raises SourceError if it is damaged."""
    try:
        images, labels = (arrays.on_disk(path, field) for field in ('image', 'label'))
        # Each block's labels are copied, lest its images stay in memory.
        return images, np.concatenate([block.copy() for block in labels.blocks(len(labels))])
    except SourceError as error:
        raise SourceError(f'{error}. Delete that file, and it is written again') from error


def _count(builder, split: str) -> int:
    name = builder.info.name
    try:
        count = builder.info.splits[split].num_examples
    except ValueError as error:
        found = listed(builder.info.splits)
        raise SourceError(f'tfds:{name}: no split {split!r}; there are {found}') from error
    if not count:
        raise SourceError(f'tfds:{name}: the split {split!r} has no images')
    return count


def _blocks(builder, pairs, image_size: int | None):
    """Shape and dtype of the images, and an iterator of blocks (images [k, *shape], labels [k]).

    Images of mixed shapes, or with transparency, are laid on one page as those of a folder are.
    """
    feature = builder.info.features['image']
    if None not in feature.shape and feature.shape[-1] in (1, 3):
        return feature.shape, feature.np_dtype, pairs.batch(1024).as_numpy_iterator()
    if feature.np_dtype != np.uint8:
        found = f'tfds:{builder.info.name}: images of mixed shapes of {feature.np_dtype}'
        raise SourceError(f'{found}; uint8 is needed')
    looks = (look(pictures.picture(image)) for image, _ in pairs.as_numpy_iterator())
    page = plan(looks, image_size)
    blocks = (
        (fit(pictures.picture(image), page)[None], [label])
        for image, label in pairs.as_numpy_iterator()
    )
    return page.shape, np.uint8, blocks


def _records(count: int, record: np.dtype, blocks: Iterable) -> Iterator[np.ndarray]:
    """Each block's images and labels as records, while a bar tells how many of all there were."""
    with tqdm.tqdm(total=count, desc='reading', delay=1, disable=None) as bar:
        for images, labels in blocks:
            records = np.empty(len(images), record)
            records['image'], records['label'] = images, labels
            yield records
            bar.update(len(images))


def _held(count: int, record: np.dtype, blocks: Iterable) -> np.ndarray:
    """The blocks' records in memory."""
    examples, place = np.empty(count, record), 0
    for records in _records(count, record, blocks):
        examples[place : place + len(records)] = records
        place += len(records)
    return examples


def _write(path: str, count: int, record: np.dtype, blocks: Iterable) -> None:
    """Writes the blocks' records as an .npy file, whole or not there; raises StorageError.

    It is written as a file and not as a memory map, where a disk that fails kills the process.
    """
    header = {
        'descr': np.lib.format.dtype_to_descr(record),
        'fortran_order': False,
        'shape': (count,),
    }
    folder = os.path.dirname(path)
    with storage.turn(folder) as alone:
        if os.path.exists(path):  # another process wrote it meanwhile
            return
        if alone:
            storage.sweep(folder)
        with storage.draft(path, count * record.itemsize) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for records in _records(count, record, blocks):
                with storage.writing(path):
                    file.write(records.tobytes())
