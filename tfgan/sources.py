"""Data sets by the text of --dataset=: an indexable of uint8 images with labels and class names.

    doodles | tfds:NAME[:SPLIT] | folder:PATH | npy:PATH | npz:PATH

A kind of source is a row of `SOURCES`: a check that costs nothing, and a function that opens.
"""

import dataclasses
import difflib
import functools
import math
import os
import re
import typing
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import tqdm

from tfgan import images, pictures
from tfgan.pictures import SourceError

DOODLES = 60_000
UNKNOWN_LICENCE = 'unknown: ask whoever gave you the files'
ACCEPTED_ARRAYS = (
    'Accepted: [n, h, w], [n, h, w, 1 or 3], or [n, d] with d a square or three times one; of bool,'
    ' of integers 0..255, or of floats in [0, 1], [-1, 1] or [0, 255].'
)
NPZ_NAMES = (
    ('x_train', 'y_train'),
    ('train_images', 'train_labels'),
    ('images', 'labels'),
    ('x', 'y'),
    ('data', 'target'),
    ('arr_0', 'arr_1'),
)
# what NumPy raises at a file that is cut short, no array, or a pickle
DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Images uint8 [n, *shape] with labels int32 [n]; `read` gives those of indices [k]."""

    dataset: str
    shape: tuple[int, int, int]
    labels: np.ndarray
    class_names: tuple[str, ...]
    read: Callable[[np.ndarray], np.ndarray]
    licence: str = UNKNOWN_LICENCE
    notes: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return short_name(self.dataset)

    @property
    def shares(self) -> np.ndarray:
        """How frequent each class is: float64 [classes], summing to 1."""
        return np.bincount(self.labels, minlength=len(self.class_names)) / len(self)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices) -> np.ndarray:
        """The images at indices [k]: uint8 [k, *shape]; from any thread. Raises IndexError."""
        indices = np.asarray(indices, np.int64)
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f'indices 0..{len(self) - 1} exist, got {indices}')
        return self.read(indices)

    def summary(self) -> dict:
        """What there is to say of the data, as JSON can hold it."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return {
            'dataset': self.dataset,
            'name': self.name,
            'count': len(self),
            'shape': list(self.shape),
            'class_names': list(self.class_names),
            'class_counts': counts.tolist(),
            'licence': self.licence,
            **self.notes,
        }


class Wanted(typing.NamedTuple):
    """What `open_source` was asked for; the dataset's text is kind:argument."""

    dataset: str
    argument: str
    data_dir: str | None
    image_size: int | None
    memory_bytes: int


class Kind(typing.NamedTuple):
    check: Callable[[str], None]
    open: Callable[[Wanted], Source]
    example: str


def open_source(
    dataset: str,
    data_dir: str | os.PathLike | None = None,
    image_size: int | None = None,
    memory_bytes: int = 1 << 30,
) -> Source:
    """The data set that `dataset` names, its images resized if `image_size` is given.

    Images are held in memory if they fit in `memory_bytes`, else read when asked for; only an npz
    file is always held. `data_dir` is where tensorflow-datasets keeps its prepared sets. Raises
    SourceError.
    """
    kind, argument = check_form(dataset)
    data_dir = os.path.expanduser(data_dir) if data_dir else None
    return SOURCES[kind].open(Wanted(dataset, argument, data_dir, image_size, memory_bytes))


def check_form(dataset: str) -> tuple[str, str]:
    """Kind and argument of a data set's text; raises SourceError if it cannot be one, at once."""
    kind, _, argument = dataset.partition(':')
    if kind not in SOURCES:
        examples = ', '.join(f'--dataset={kind.example}' for kind in SOURCES.values())
        raise SourceError(f'no such data set: {dataset!r}.{_meant(dataset)} Known are {examples}')
    SOURCES[kind].check(argument)
    return kind, argument


def _meant(dataset: str) -> str:
    """A guess at what the text of no known kind was meant to be."""
    path = os.path.expanduser(dataset)
    if os.path.isdir(path):
        return f' Did you mean --dataset=folder:{dataset}?'
    if os.path.exists(path) and path.endswith(('.npy', '.npz')):
        return f' Did you mean --dataset={path[-3:]}:{dataset}?'
    if re.fullmatch(r'[a-z][a-z0-9_]*', dataset):
        return f' Did you mean --dataset=tfds:{dataset}?'
    return ''


def short_name(dataset: str) -> str:
    """A data set's name for a directory: lower-case ASCII letters, digits, '_', '.' and '-'."""
    kind, _, argument = dataset.partition(':')
    stem = kind
    if kind == 'tfds':
        stem = argument.partition(':')[0]
    elif argument:
        stem = os.path.basename(os.path.abspath(os.path.expanduser(argument)))
        stem = stem.removesuffix(f'.{kind}')
    ascii_only = unicodedata.normalize('NFKD', stem).encode('ascii', 'ignore').decode().lower()
    return re.sub('[^a-z0-9_.]+', '-', ascii_only)[:60].strip('-.') or 'data'


# The embedded drawings


def _check_doodles(argument: str) -> None:
    if argument:
        raise SourceError(f'doodles takes nothing after it, got {argument!r}: --dataset=doodles')


def _open_doodles(wanted: Wanted) -> Source:
    from tfgan import doodles

    side = wanted.image_size or 28
    read = functools.partial(_draw, size=side)
    if DOODLES * side**2 <= wanted.memory_bytes:
        read = _remembered(read, DOODLES, (side, side, 1))
    licence = "drawn by this program from its own rules; nobody else's data"
    labels = doodles.labels(DOODLES)
    return Source(wanted.dataset, (side, side, 1), labels, tuple(doodles.KINDS), read, licence)


def _draw(indices, size: int):
    from tfgan import doodles

    return doodles.draw(indices, size=size)[..., None]


def _remembered(read: Callable, count: int, shape: tuple[int, int, int]) -> Callable:
    """`read` that keeps what it has read; threads that draw the same drawing draw it the same."""
    memory = np.empty((count, *shape), np.uint8)
    done = np.zeros(count, bool)

    def reread(indices):
        missing = np.unique(indices[~done[indices]])
        for start in range(0, len(missing), 64):
            chunk = missing[start : start + 64]
            memory[chunk] = read(chunk)
            done[chunk] = True
        return memory[indices]

    return reread


# Folders of image files


def _check_path(kind: str, argument: str) -> None:
    path = os.path.expanduser(argument)
    example = f'--dataset={SOURCES[kind].example}'
    if not argument or not os.path.exists(path):
        raise SourceError(f'{kind}:{argument} is not there; a path is needed, as in {example}')
    if kind == 'folder' and not os.path.isdir(path):
        raise SourceError(f'{kind}:{argument} is a file; a folder is needed, as in {example}')
    if kind == 'npz' and os.path.isdir(path):
        raise SourceError(f'{kind}:{argument} is a folder; a file is needed, as in {example}')


def _open_folder(wanted: Wanted) -> Source:
    root = os.path.expanduser(wanted.argument)
    folder = pictures.open_folder(root, wanted.image_size, wanted.memory_bytes)
    notes = {'paper': list(folder.page.paper), 'left_out': folder.left_out}
    shape, labels, class_names = folder.page.shape, folder.labels, folder.class_names
    return Source(wanted.dataset, shape, labels, class_names, folder.read, notes=notes)


# Arrays


class Part(typing.NamedTuple):
    """An array as images; `read` gives uint8 [k, *shape] of indices [k]."""

    count: int
    shape: tuple[int, int, int]
    read: Callable[[np.ndarray], np.ndarray]


def _open_npy(wanted: Wanted) -> Source:
    root = os.path.expanduser(wanted.argument)
    if not os.path.isdir(root):
        part = _part(_loaded(root, 'npy', 'r'), root)
        return _of_part(wanted, part, *_classes(None, part.count, root))
    paths = sorted(e.path for e in os.scandir(root) if e.name[0] != '.' and e.name[-4:] == '.npy')
    if not paths:
        raise SourceError(f'{wanted.dataset}: no .npy files there; one for each class is needed')
    parts = [_part(_loaded(path, 'npy', 'r'), path) for path in paths]
    labels = np.repeat(np.arange(len(parts), dtype=np.int32), [part.count for part in parts])
    stems = (os.path.basename(path).removesuffix('.npy') for path in paths)
    # Quick, Draw! offers its files for download under this name.
    class_names = tuple(stem.removeprefix('full_numpy_bitmap_') for stem in stems)
    return _of_part(wanted, _joined(parts, paths), labels, class_names)


def _loaded(path: str, kind: str, mmap_mode: str | None = None):
    """What an .npy or .npz file holds; raises SourceError if it is damaged or of the other kind."""
    try:
        found = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except DAMAGE as error:
        raise SourceError(f'{path} is not a whole .{kind} file of numbers: {error}') from error
    is_kind = 'npy' if isinstance(found, np.ndarray) else 'npz'
    if is_kind != kind:
        raise SourceError(f'{path} is an .{is_kind} file inside: --dataset={is_kind}:{path}')
    return found


def _open_npz(wanted: Wanted) -> Source:
    path = os.path.expanduser(wanted.argument)
    array, labels = _pair(path)
    part = _part(array, path)
    return _of_part(wanted, part, *_classes(labels, part.count, path))


def _pair(path: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The images of an npz file and, if it has any, the labels."""
    with _loaded(path, 'npz') as archive:
        try:
            for array, labels in NPZ_NAMES:
                if array in archive:
                    return archive[array], archive.get(labels)
        except DAMAGE as error:
            raise SourceError(f'{path} is not a whole .npz file of numbers: {error}') from error
        found = archive.files
    names = ', '.join('/'.join(pair) for pair in NPZ_NAMES)
    raise SourceError(f'{path} holds {found}; images and labels are looked for under {names}')


def _of_part(wanted: Wanted, part: Part, labels, class_names, licence=UNKNOWN_LICENCE) -> Source:
    part = _resized(part, wanted.image_size)
    return Source(wanted.dataset, part.shape, labels, class_names, part.read, licence)


def _part(array: np.ndarray, where: str) -> Part:
    """An array of any accepted kind as images; raises SourceError naming `where` it is from."""
    if array.size == 0 or array.ndim == 0:
        raise SourceError(f'{where} holds no images: its shape is {array.shape}. {ACCEPTED_ARRAYS}')
    shape, arrange = _arrangement(array, where)
    darkest, lightest = _ends(array, where)

    def read(indices):
        return _to_uint8(arrange(np.asarray(array[indices])), darkest, lightest)

    return Part(len(array), shape, read)


def _arrangement(array: np.ndarray, where: str) -> tuple[tuple[int, int, int], Callable]:
    """The images' shape, and the function that gives a block [k, ...] of them that shape."""
    shape = _image_shape(array, where)
    height, width, channels = shape
    if array.ndim == 2 and channels == 3 and _is_planar(_sample(array), height):
        planes = (-1, channels, height, width)
        return shape, lambda block: block.reshape(planes).transpose(0, 2, 3, 1)
    return shape, lambda block: block.reshape(-1, *shape)


def _image_shape(array: np.ndarray, where: str) -> tuple[int, int, int]:
    if array.ndim == 4 and array.shape[-1] in (1, 3):
        return array.shape[1:]
    if array.ndim == 3:
        return (*array.shape[1:], 1)
    if array.ndim == 2:
        for channels in (1, 3):
            side = math.isqrt(array.shape[1] // channels)
            if side**2 * channels == array.shape[1]:
                return side, side, channels
    hint = ''
    if array.ndim == 4:
        hint = ' Lay transparency on paper first; put channels last with np.moveaxis(a, 1, -1).'
    raise SourceError(f'{where} holds an array of shape {array.shape}. {ACCEPTED_ARRAYS}{hint}')


def _is_planar(rows: np.ndarray, side: int) -> bool:
    """Whether flat colour images [k, 3 * side^2] are three planes, as CIFAR's are, not pixels.

    Read the right way, neighbours resemble each other more.
    """
    rows = rows.astype(np.float32)
    planes = rows.reshape(-1, 3, side, side).transpose(0, 2, 3, 1)
    return _roughness(planes) < 0.8 * _roughness(rows.reshape(-1, side, side, 3))


def _roughness(block: np.ndarray) -> float:
    return sum(np.abs(np.diff(block, axis=axis)).sum() for axis in (1, 2))


def _ends(array: np.ndarray, where: str) -> tuple[float, float]:
    """The values that stand for black and for white."""
    if array.dtype == bool:
        return 0, 1
    if array.dtype.kind not in 'iuf':
        raise SourceError(f'{where} holds an array of {array.dtype}. {ACCEPTED_ARRAYS}')
    seen = _sample(array) if array.dtype == np.uint8 else array
    low, high = seen.min().item(), seen.max().item()  # NaN if there is one
    if array.dtype.kind in 'iu':
        if (low, high) == (0, 1):
            raise SourceError(f'{where}: integers 0 and 1 are both black; save array.astype(bool)')
        if low >= 0 and high <= 255:
            return 0, 255
    else:  # standardised values, about -0.4 to 2.8, must not pass for dark ones of 0 to 255
        for black, white in ((0, 255),) if high > 16 else ((0, 1), (-1, 1)):
            slack = (white - black) / 100  # what a resampling filter overshoots by
            if black - slack <= low and high <= white + slack:
                return black, white
    raise SourceError(f'{where} holds {array.dtype} from {low} to {high}. {ACCEPTED_ARRAYS}')


def _sample(array: np.ndarray) -> np.ndarray:
    """Up to 256 evenly spaced rows."""
    return array[np.linspace(0, len(array) - 1, min(256, len(array))).astype(int)]


def _to_uint8(block: np.ndarray, black: float, white: float) -> np.ndarray:
    if block.dtype == np.uint8:
        return block
    levels = (block.astype(np.float32) - black) * (255 / (white - black))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _joined(parts: list[Part], paths: list[str]) -> Part:
    """Parts one after the other; raises SourceError naming two that differ in shape."""
    shape = parts[0].shape
    for part, path in zip(parts, paths, strict=True):
        if part.shape != shape:
            found = f'{path} holds images of {part.shape}, {paths[0]} of {shape}'
            raise SourceError(f'{found}; all files of a folder need the same')
    starts = np.cumsum([0, *(part.count for part in parts)])

    def read(indices):
        result = np.empty((len(indices), *shape), np.uint8)
        owner = np.searchsorted(starts, indices, side='right') - 1
        for i in np.unique(owner):
            result[owner == i] = parts[i].read(indices[owner == i] - starts[i])
        return result

    return Part(int(starts[-1]), shape, read)


def _resized(part: Part, image_size: int | None) -> Part:
    """A part whose images are squares of `image_size`, fitted when they are read."""
    if image_size is None or part.shape[:2] == (image_size, image_size):
        return part
    sample = part.read(_sample(np.arange(part.count)))
    page = pictures.plan([pictures.look(images.picture(image)) for image in sample], image_size)
    page = page._replace(channels=part.shape[-1])

    def read(indices):
        result = np.empty((len(indices), *page.shape), np.uint8)
        for place, image in enumerate(part.read(indices)):
            result[place] = pictures.fit(images.picture(image), page)
        return result

    return Part(part.count, page.shape, read)


def _classes(labels, count: int, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int32 [n] and class names, of integers, texts, one-hot rows or None."""
    if labels is None:
        return np.zeros(count, np.int32), ('drawing',)
    labels = _flat(labels)
    whole = labels.dtype.kind in 'iubSU' or (
        labels.dtype.kind == 'f' and np.array_equal(labels, np.rint(labels))
    )
    if labels.shape != (count,) or not whole:
        raise SourceError(
            f'{where} holds labels of {labels.dtype} {labels.shape} for {count} images;'
            f' accepted are {count} integers or texts, or one-hot rows'
        )
    values, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int32), tuple(_label_text(value) for value in values.tolist())


def _flat(labels: np.ndarray) -> np.ndarray:
    """Labels [n, 1] as [n], and one-hot rows [n, classes] as the place of their one."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in 'iufb':
        ones = (labels == 1).sum(axis=1) == 1
        if np.all(ones & ((labels != 0).sum(axis=1) == 1)):
            return labels.argmax(axis=1)
    return labels


def _label_text(value) -> str:
    if isinstance(value, bytes):
        return value.decode(errors='replace')
    return str(int(value)) if isinstance(value, float) else str(value)


# tensorflow-datasets


def _check_tfds(argument: str) -> None:
    name, colon, split = argument.partition(':')
    if not re.fullmatch(r'\w[\w/.-]*', name) or (colon and not split):
        example = SOURCES['tfds'].example
        raise SourceError(f'tfds:{argument} should be tfds:NAME or tfds:NAME:SPLIT, as {example}')


def _open_tfds(wanted: Wanted) -> Source:
    name, _, split = wanted.argument.partition(':')
    builder = _prepared(name, wanted.data_dir)
    class_names = _class_names(builder, name)
    array, labels = _examples(builder, split or 'train', bool(class_names), wanted)
    if not class_names or labels.min() < 0:  # -1 is how a test split says nothing
        labels, class_names = _classes(None, len(labels), wanted.dataset)
    licence = builder.info.redistribution_info.license
    licence = licence or f'not stated by tensorflow-datasets; see {builder.info.homepage}'
    part = _part(array, wanted.dataset)
    return _of_part(wanted, part, labels, class_names, licence)


def _prepared(name: str, data_dir: str | None):
    """The builder of a set that is prepared or can be; offline it says no within seconds."""
    import requests
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        close = ', '.join(difflib.get_close_matches(name, known)) or 'mnist, quickdraw_bitmap'
        raise SourceError(f'tensorflow-datasets has no set {name!r}; it has {close}') from error
    except (ValueError, AssertionError) as error:  # a version or a variant that is not there
        raise SourceError(f'tensorflow-datasets refuses {name!r}: {error}') from error
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
        raise SourceError(f"tfds:{name}: needs a feature 'image', it has {', '.join(features)}")
    label = features.get('label')
    return tuple(label.names) if isinstance(label, tfds.features.ClassLabel) else ()


def _examples(builder, split: str, labelled: bool, wanted: Wanted):
    """Images and labels int32 [n] of a split, in an array or, if they are too many, a file."""
    import tensorflow as tf

    count = _count(builder, split, wanted)
    feature = builder.info.features['image']
    alike = None not in feature.shape and feature.shape[-1] in (1, 3)
    size = 'own' if alike else wanted.image_size or 'small'
    stem = f'tfgan-{urllib.parse.quote(split, safe="")}-{size}'
    files = [os.path.join(builder.data_dir, f'{stem}-{what}.npy') for what in ('labels', 'images')]
    try:
        if not all(os.path.exists(file) for file in files):
            pairs = builder.as_dataset(split=split, shuffle_files=False).map(
                lambda example: (example['image'], example['label'] if labelled else 0)
            )
            shape, dtype, blocks = (_alike if alike else _mixed)(pairs, feature, wanted)
            if count * math.prod(shape) * np.dtype(dtype).itemsize <= wanted.memory_bytes:
                return _filled(np.empty((count, *shape), dtype), blocks)
            _write(files, (count, *shape), dtype, blocks)
        return np.load(files[1], mmap_mode='r'), np.load(files[0])
    except (OSError, tf.errors.OpError) as error:
        raise SourceError(f'{wanted.dataset} in {builder.data_dir}: {error}') from error


def _count(builder, split: str, wanted: Wanted) -> int:
    try:
        count = builder.info.splits[split].num_examples
    except ValueError as error:
        found = ', '.join(builder.info.splits)
        raise SourceError(f'{wanted.dataset}: no split {split!r}; there are {found}') from error
    if not count:
        raise SourceError(f'{wanted.dataset}: the split {split!r} has no images')
    return count


def _alike(pairs, feature, wanted: Wanted):
    """Shape, dtype and blocks (images [k, *shape], labels [k]) of images of one shape."""
    return feature.shape, feature.np_dtype, pairs.batch(1024).as_numpy_iterator()


def _mixed(pairs, feature, wanted: Wanted):
    """The same of images of any shape, laid on one page as those of a folder are."""
    if feature.np_dtype != np.uint8:
        raise SourceError(f'{wanted.dataset}: images of mixed shapes are needed as uint8')
    looks = (pictures.look(images.picture(image)) for image, _ in pairs.as_numpy_iterator())
    page = pictures.plan(looks, wanted.image_size)
    blocks = (
        (pictures.fit(images.picture(image), page)[None], label)
        for image, label in pairs.as_numpy_iterator()
    )
    return page.shape, np.uint8, blocks


def _filled(array: np.ndarray, blocks) -> tuple[np.ndarray, np.ndarray]:
    """The array with the blocks' images in it, and their labels int32 [n]."""
    labels = np.empty(len(array), np.int32)
    place = 0
    with tqdm.tqdm(total=len(array), desc='reading', delay=1, disable=None) as bar:
        for block, block_labels in blocks:
            array[place : place + len(block)] = block
            labels[place : place + len(block)] = block_labels
            place += len(block)
            bar.update(len(block))
    return array, labels


def _write(files: list[str], shape, dtype, blocks) -> None:
    """Writes labels and images as .npy files, each whole or not there."""
    temporary = [f'{file}.{os.getpid()}.tmp' for file in files]
    try:
        array = np.lib.format.open_memmap(temporary[1], 'w+', dtype, shape)
        array, labels = _filled(array, blocks)
        array.flush()
        with open(temporary[0], 'wb') as file:
            np.save(file, labels)
        for name, file in zip(temporary, files, strict=True):
            os.replace(name, file)
    finally:
        for name in filter(os.path.exists, temporary):
            os.unlink(name)


SOURCES = {
    'doodles': Kind(_check_doodles, _open_doodles, 'doodles'),
    'tfds': Kind(_check_tfds, _open_tfds, 'tfds:mnist:train'),
    'folder': Kind(functools.partial(_check_path, 'folder'), _open_folder, 'folder:my/drawings'),
    'npy': Kind(functools.partial(_check_path, 'npy'), _open_npy, 'npy:my/quickdraw'),
    'npz': Kind(functools.partial(_check_path, 'npz'), _open_npz, 'npz:my/mnist.npz'),
}
