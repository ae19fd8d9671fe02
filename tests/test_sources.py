import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tfgan import sources
from tfgan.sources import SourceError, check_form, open_source, short_name

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 4, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (30, 4, 4, 3), np.uint8)


def npy(folder, array, name='a.npy'):
    folder.mkdir(exist_ok=True)
    np.save(folder / name, array)
    return f'npy:{folder / name}'


def npz(folder, **arrays):
    np.savez_compressed(folder / 'a.npz', **arrays)
    return f'npz:{folder / "a.npz"}'


def all_of(source):
    return source.images(np.arange(len(source)))


# The text


@pytest.mark.parametrize(
    ('dataset', 'name'),
    [
        ('doodles', 'doodles'),
        ('tfds:mnist:train', 'mnist'),
        ('tfds:fashion_mnist', 'fashion_mnist'),
        ('tfds:cifar10_corrupted/fog_1:test[:10%]', 'cifar10_corrupted-fog_1'),
        ('npy:../x/quickdraw', 'quickdraw'),
        ('npy:../x/cat.npy', 'cat'),
        ('npz:a/mnist.npz', 'mnist'),
        ('folder:/a/My Drawings/', 'my-drawings'),
        ('folder:/a/Vögel & Käfer', 'vogel-kafer'),
        ('folder:/a/b.npy', 'b.npy'),
        ('folder:/a/b/..', 'a'),
        ('folder:/a/絵', 'data'),
        ('folder:/' + 59 * 'x' + '- y', 59 * 'x'),
        ('folder:/', 'data'),
        ('folder:/...', 'data'),
    ],
)
def test_short_name(dataset, name):
    assert short_name(dataset) == name


@given(st.text(), st.sampled_from(['', 'folder:', 'tfds:', 'npz:']))
def test_short_name_of_anything_is_safe(text, kind):
    if '\0' not in text:
        assert re.fullmatch(r'[a-z0-9_][a-z0-9_.-]{0,59}', short_name(kind + text))


def test_each_kind_has_an_example_of_itself():
    for kind, row in sources.SOURCES.items():
        assert row.example.partition(':')[0] == kind


@pytest.mark.parametrize('dataset', ['', 'photos:a', 'Doodles', 'folder'])
def test_an_unknown_kind_is_answered_with_the_known(dataset):
    with pytest.raises(SourceError) as refusal:
        check_form(dataset)
    message = str(refusal.value)
    assert repr(dataset) in message or dataset == 'folder'
    for row in sources.SOURCES.values():
        assert row.example in message or dataset == 'folder'


@pytest.mark.parametrize(
    ('dataset', 'said'),
    [
        ('doodles:7', '--dataset=doodles'),
        ('tfds:', 'tfds:NAME'),
        ('tfds:mnist:', 'tfds:NAME:SPLIT'),
        ('tfds:../mnist', 'tfds:NAME'),
        ('folder:', 'is not there'),
        ('folder:/no/such', '/no/such is not there'),
        ('npy:/no/such', '/no/such is not there'),
        ('npz:/no/such', '/no/such is not there'),
        ('mnist', 'Did you mean --dataset=tfds:mnist?'),
    ],
)
def test_a_wrong_text_is_refused_with_the_right_one(dataset, said):
    with pytest.raises(SourceError, match=re.escape(said)):
        open_source(dataset)


def test_a_path_of_the_wrong_kind_is_refused_with_the_right_one(tmp_path):
    (tmp_path / 'a.npz').touch()
    for dataset, said in [
        (f'{tmp_path}', f'--dataset=folder:{tmp_path}?'),
        (f'{tmp_path}/a.npz', f'--dataset=npz:{tmp_path}/a.npz?'),
        (f'folder:{tmp_path}/a.npz', 'is a file'),
        (f'npz:{tmp_path}', 'is a folder'),
    ]:
        with pytest.raises(SourceError, match=re.escape(said)):
            check_form(dataset)


def test_a_right_text_is_taken_apart(tmp_path):
    assert check_form('doodles') == ('doodles', '')
    assert check_form('tfds:a/b:train[:10%]+test') == ('tfds', 'a/b:train[:10%]+test')
    assert check_form(f'folder:{tmp_path}') == ('folder', str(tmp_path))


def test_the_text_is_checked_without_tensorflow():
    program = (
        'import sys, tfgan.sources as s\n'
        "s.check_form('tfds:mnist'); s.short_name('tfds:mnist')\n"
        "print([m for m in sys.modules if m.startswith(('tensorflow', 'keras'))])"
    )
    result = subprocess.run([sys.executable, '-c', program], capture_output=True, check=True)
    assert result.stdout.strip() == b'[]'


# What every source is


def every_source(tmp_path):
    (tmp_path / 'folder').mkdir()
    for i, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / 'folder' / f'{i:02}.png')
    yield open_source(f'folder:{tmp_path}/folder')
    yield open_source(f'folder:{tmp_path}/folder', memory_bytes=0)
    yield open_source(npy(tmp_path / 'one', IMAGES))
    for name in 'ab':
        npy(tmp_path / 'two', IMAGES, f'{name}.npy')
    yield open_source(f'npy:{tmp_path}/two')
    yield open_source(npz(tmp_path, x=COLOURS, y=np.arange(30) % 3))
    yield open_source('doodles')
    yield open_source('doodles', memory_bytes=0)


def test_every_source_is_an_indexable_of_uint8(tmp_path):
    for source in every_source(tmp_path):
        indices = np.array([5, 0, 5, 29])
        images = source.images(indices)
        assert images.dtype == np.uint8
        assert images.shape == (4, *source.shape)
        np.testing.assert_array_equal(images[0], images[2])
        np.testing.assert_array_equal(images[1:2], source.images([0]))
        assert (images[0] != images[1]).any()
        assert source.labels.shape == (len(source),)
        assert source.labels.dtype == np.int32
        assert set(source.labels) == set(range(len(source.class_names)))
        assert source.images([]).shape == (0, *source.shape)
        for outside in (-1, len(source)):
            with pytest.raises(IndexError):
                source.images([outside])


def test_every_source_reads_the_same_from_many_threads(tmp_path):
    for source in every_source(tmp_path):
        blocks = [np.arange(i, i + 20) for i in range(10)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            read = list(pool.map(source.images, blocks))
        for block, images in zip(blocks, read, strict=True):
            np.testing.assert_array_equal(images, source.images(block))


def test_every_source_has_a_summary_that_json_can_hold(tmp_path):
    for source in every_source(tmp_path):
        summary = source.summary()
        assert json.loads(json.dumps(summary)) == summary
        assert summary['dataset'] == source.dataset
        assert summary['name'] == source.name
        assert summary['count'] == len(source) == sum(summary['class_counts'])
        assert tuple(summary['shape']) == source.shape
        assert tuple(summary['class_names']) == source.class_names
        assert summary['licence']


# Doodles


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
@pytest.mark.parametrize('size', [None, 20])
def test_doodles_are_those_of_their_module(memory_bytes, size):
    from tfgan import doodles

    source = open_source('doodles', image_size=size, memory_bytes=memory_bytes)
    indices = np.array([59_999, 3, 70, 3, *range(100, 180)])
    expected = doodles.draw(indices, size=size or 28)[..., None]
    for _ in range(2):
        np.testing.assert_array_equal(source.images(indices), expected)
    np.testing.assert_array_equal(source.labels, doodles.labels(60_000))
    assert source.class_names == tuple(doodles.KINDS)


def test_a_doodle_is_drawn_once_if_there_is_memory(monkeypatch):
    from tfgan import doodles

    drawn = []

    def draw(indices, seed=0, size=28):
        drawn.extend(indices)
        return np.zeros((len(indices), size, size), np.uint8)

    monkeypatch.setattr(doodles, 'draw', draw)
    for memory_bytes, expected in ((60_000 * 28**2, [3, 4]), (60_000 * 28**2 - 1, [3, 3, 4] * 2)):
        drawn.clear()
        source = open_source('doodles', memory_bytes=memory_bytes)
        for _ in range(2):
            source.images([3, 3, 4])
        assert drawn == expected


# Folders


def test_a_folder_of_drawings(tmp_path):
    for i, kind in enumerate(('Dogs', 'cats', 'cats')):
        (tmp_path / kind).mkdir(exist_ok=True)
        Image.fromarray(COLOURS[i]).save(tmp_path / kind / f'{i}.png')
    (tmp_path / 'bad.png').touch()
    source = open_source(f'folder:{tmp_path}')
    np.testing.assert_array_equal(all_of(source), COLOURS[:3])
    assert source.class_names == ('Dogs', 'cats')
    assert source.labels.tolist() == [0, 1, 1]
    assert source.summary()['left_out'] == 1
    assert open_source(f'folder:{tmp_path}', image_size=9).shape == (9, 9, 3)


# Arrays


@pytest.mark.parametrize(
    ('shape', 'expected'),
    [
        ((30, 4, 4), (4, 4, 1)),
        ((30, 2, 8), (2, 8, 1)),
        ((30, 4, 4, 1), (4, 4, 1)),
        ((30, 16), (4, 4, 1)),
        ((10, 4, 4, 3), (4, 4, 3)),
        ((10, 48), (4, 4, 3)),
    ],
)
@pytest.mark.parametrize('order', 'CF')
def test_shapes_of_arrays(tmp_path, shape, expected, order):
    array = np.asarray(IMAGES.reshape(shape), order=order)
    source = open_source(npy(tmp_path, array))
    assert source.shape == expected
    np.testing.assert_array_equal(all_of(source), IMAGES.reshape(-1, *expected))


def test_flat_colour_is_read_as_pixels_or_as_planes_whichever_is_smoother(tmp_path):
    ramp = np.linspace(0, 200, 8)
    smooth = np.stack(
        [ramp + 0 * ramp[:, None], 0 * ramp + ramp[:, None], 255 - ramp + 0 * ramp[:, None]], -1
    )
    smooth = np.stack([smooth, smooth[::-1], smooth[:, ::-1]]).astype(np.uint8)
    pixels, planes = smooth.reshape(3, -1), smooth.transpose(0, 3, 1, 2).reshape(3, -1)
    for flat in (pixels, planes):
        np.testing.assert_array_equal(all_of(open_source(npy(tmp_path, flat))), smooth)


LEVELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)


@pytest.mark.parametrize(
    'array',
    [
        LEVELS,
        LEVELS.astype(np.int64),
        LEVELS.astype('>u2'),
        LEVELS.astype(np.float32),
        LEVELS.astype(np.float16),
        LEVELS / 255,
        (LEVELS / 255).astype(np.float32),
        LEVELS / 127.5 - 1,
        (LEVELS / 127.5 - 1).astype('>f4'),
    ],
    ids=lambda array: f'{array.dtype} {array.min()}..{array.max()}',
)
def test_values_of_arrays(tmp_path, array):
    np.testing.assert_array_equal(all_of(open_source(npy(tmp_path, array)))[..., 0], LEVELS)


def test_bool_is_black_and_white(tmp_path):
    array = np.array([[[True, False], [False, True]]])
    assert all_of(open_source(npy(tmp_path, array))).ravel().tolist() == [255, 0, 0, 255]


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ([-0.005, 0.499, 0.5, 1.004], [0, 127, 128, 255]),
        ([-1.01, -0.5, 0, 1.01], [0, 64, 128, 255]),
        ([-0.6, 1.4, 1.6, 255.7], [0, 1, 2, 255]),
    ],
)
def test_floats_are_rounded_and_saturate(tmp_path, values, expected):
    array = np.array(values).reshape(1, 2, 2)
    assert all_of(open_source(npy(tmp_path, array))).ravel().tolist() == expected


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_any_level_survives_the_ranges(levels):
    block = np.array(levels, np.uint8)
    for black, white in ((0, 1), (-1, 1), (0, 255)):
        values = (black + block / 255 * (white - black)).astype(np.float32)
        np.testing.assert_array_equal(sources._to_uint8(values, black, white), block)


def wrong(shape=(2, 4, 4), value=0.5, dtype=np.float32):
    return np.full(shape, value, dtype)


@pytest.mark.parametrize(
    ('array', 'said'),
    [
        (wrong(value=np.nan), 'nan'),
        (np.where(np.arange(32).reshape(2, 4, 4) == 31, np.inf, 0), 'inf'),
        (wrong(value=300), '300.0'),
        (wrong(value=-2), '-2.0'),
        (np.linspace(-0.42, 2.82, 32).reshape(2, 4, 4), 'from -0.42 to 2.82'),
        (wrong(value=-1, dtype=int), 'int64 from -1'),
        (wrong(value=256, dtype=int), '256'),
        (np.arange(32).reshape(2, 4, 4) % 2, 'astype(bool)'),
        ((np.arange(32).reshape(2, 4, 4) % 2).astype(np.uint8), 'astype(bool)'),
        (wrong(dtype=complex), 'complex128'),
        (wrong(value='a', dtype='U1'), '<U1'),
        (wrong(dtype=object), 'not a whole .npy file'),
        (wrong((7,)), '(7,)'),
        (wrong(()), '()'),
        (wrong((2, 17)), '(2, 17)'),
        (wrong((2, 4, 4, 2)), '(2, 4, 4, 2)'),
        (wrong((2, 4, 4, 4)), 'transparency on paper'),
        (wrong((2, 3, 4, 4)), 'np.moveaxis(a, 1, -1)'),
        (wrong((2, 4, 4, 4, 3)), '(2, 4, 4, 4, 3)'),
        (wrong((0, 4, 4)), '(0, 4, 4)'),
        (wrong((2, 0, 4)), '(2, 0, 4)'),
        (wrong((2, 0)), '(2, 0)'),
    ],
    ids=str,
)
@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_arrays_that_are_no_images_are_refused(tmp_path, array, said, kind):
    dataset = npy(tmp_path, array) if kind == 'npy' else npz(tmp_path, x=array)
    with pytest.raises(SourceError) as refusal:
        open_source(dataset)
    assert said.replace('.npy', f'.{kind}') in str(refusal.value)
    assert f'a.{kind}' in str(refusal.value)


class Trap:
    def __reduce__(self):
        return print, ('a pickle was run',)


@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_pickles_are_never_run(tmp_path, capsys, kind):
    array = np.array([Trap()], dtype=object)
    dataset = npy(tmp_path, array) if kind == 'npy' else npz(tmp_path, x=array)
    with pytest.raises(SourceError):
        open_source(dataset)
    assert 'a pickle was run' not in capsys.readouterr().out


@pytest.mark.parametrize('kind', ['npy', 'npz'])
@pytest.mark.parametrize('share', [0, 0.02, 0.5, 0.99])
def test_damaged_files_are_refused(tmp_path, kind, share):
    (npy if kind == 'npy' else lambda folder, array: npz(folder, x=array))(tmp_path, COLOURS)
    path = tmp_path / f'a.{kind}'
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(SourceError, match=f'a.{kind} is not a whole .{kind} file'):
        open_source(f'{kind}:{path}')


def test_a_text_is_no_array(tmp_path):
    for kind in ('npy', 'npz'):
        (tmp_path / f'a.{kind}').write_text('hello')
        with pytest.raises(SourceError, match=f'a.{kind} is not a whole'):
            open_source(f'{kind}:{tmp_path}/a.{kind}')


def test_one_kind_of_file_by_the_name_of_the_other_is_told(tmp_path):
    npz(tmp_path, x=IMAGES)
    npy(tmp_path, IMAGES)
    with pytest.raises(SourceError, match='--dataset=npz:'):
        open_source(f'npy:{tmp_path}/a.npz')
    with pytest.raises(SourceError, match='--dataset=npy:'):
        open_source(f'npz:{tmp_path}/a.npy')


def test_a_folder_of_one_array_for_each_class(tmp_path):
    npy(tmp_path, IMAGES[:5], 'full_numpy_bitmap_hot air balloon.npy')
    npy(tmp_path, IMAGES[5:7] / 255, 'cat.npy')
    npy(tmp_path, IMAGES[7:].reshape(-1, 16), 'zebra.npy')
    (tmp_path / 'notes.txt').touch()
    source = open_source(f'npy:{tmp_path}')
    assert source.class_names == ('cat', 'hot air balloon', 'zebra')
    assert source.labels.tolist() == [0] * 2 + [1] * 5 + [2] * 23
    order = [5, 6, 0, 1, 2, 3, 4, *range(7, 30)]
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES[order])
    mixed = RNG.permutation(30)
    np.testing.assert_array_equal(source.images(mixed)[..., 0], IMAGES[order][mixed])


def test_a_folder_of_arrays_that_differ_or_of_none_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r'no \.npy files'):
        open_source(f'npy:{tmp_path}')
    npy(tmp_path, IMAGES, 'a.npy')
    npy(tmp_path, IMAGES[:, :3], 'b.npy')
    with pytest.raises(SourceError, match=r'b\.npy .*\(3, 4, 1\).*a\.npy .*\(4, 4, 1\)'):
        open_source(f'npy:{tmp_path}')


@pytest.mark.parametrize('names', sources.NPZ_NAMES, ids=str)
def test_names_in_an_npz(tmp_path, names):
    labels = np.arange(30) % 2
    source = open_source(npz(tmp_path, **dict(zip(names, (IMAGES, labels), strict=True)), x_test=0))
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES)
    np.testing.assert_array_equal(source.labels, labels)
    source = open_source(npz(tmp_path, **{names[0]: IMAGES}))
    assert source.class_names == ('drawing',)
    assert not source.labels.any()


def test_other_names_in_an_npz_are_refused_with_the_usual(tmp_path):
    with pytest.raises(SourceError, match=r"\['pictures'\].*x_train/y_train.*data/target"):
        open_source(npz(tmp_path, pictures=IMAGES))


@pytest.mark.parametrize(
    ('labels', 'names', 'numbers'),
    [
        ([7, -1, 7], ('-1', '7'), [1, 0, 1]),
        ([[7], [1], [7]], ('1', '7'), [1, 0, 1]),
        ([2.0, 10.0, 2.0], ('2', '10'), [0, 1, 0]),
        (['dog', 'cat', 'dog'], ('cat', 'dog'), [1, 0, 1]),
        ([b'dog', b'cat', b'dog'], ('cat', 'dog'), [1, 0, 1]),
        ([True, False, True], ('False', 'True'), [1, 0, 1]),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], ('0', '1', '2'), [1, 0, 2]),
        ([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], ('0', '1'), [1, 0, 1]),
    ],
)
def test_labels(tmp_path, labels, names, numbers):
    source = open_source(npz(tmp_path, x=IMAGES[:3], y=labels))
    assert source.class_names == names
    assert source.labels.tolist() == numbers
    assert source.labels.dtype == np.int32


@pytest.mark.parametrize(
    'labels',
    [
        [1, 2],
        [1, 2, 3, 4],
        1,
        [0.5, 1, 2],
        [np.nan] * 3,
        [[1, 1], [0, 1], [1, 0]],
        [[0.2, 0.8]] * 3,
    ],
    ids=str,
)
def test_labels_that_are_none_are_refused(tmp_path, labels):
    with pytest.raises(SourceError, match='for 3 images; accepted are 3 integers'):
        open_source(npz(tmp_path, x=IMAGES[:3], y=labels))


@pytest.mark.parametrize('array', [IMAGES, COLOURS, COLOURS[:, :3]])
def test_arrays_are_resized_when_asked(tmp_path, array):
    dataset = npy(tmp_path, array)
    source = open_source(dataset, image_size=8)
    assert source.shape == (8, 8, open_source(dataset).shape[-1])
    np.testing.assert_allclose(
        all_of(source).mean(), array.mean(), atol=4 if array.shape[1] == 4 else 40
    )
    if array.shape[1] == 4:
        np.testing.assert_array_equal(
            all_of(open_source(dataset, image_size=4)).ravel(), array.ravel()
        )


def test_a_wide_array_is_padded_with_its_paper(tmp_path):
    array = np.full((5, 4, 8), 200, np.uint8)
    array[:, 1:3, 2:6] = 0
    resized = all_of(open_source(npy(tmp_path, array), image_size=8))
    np.testing.assert_array_equal(resized[:, 2:6, :, 0], array)
    assert (resized[:, [0, 1, 6, 7]] == 200).all()


def test_an_array_file_is_not_read_into_memory(tmp_path):
    array = np.zeros((4000, 32, 32), np.float32)
    array[::2] = 1
    dataset = npy(tmp_path, array)
    tracemalloc.start()
    try:
        source = open_source(dataset)
        for start in range(0, 4000, 50):
            assert source.images(np.arange(start, start + 50)).mean() == 127.5
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < array.nbytes / 8


# tensorflow-datasets

MIXED = [np.full((10 + i, 20, 3), (10 * i, 0, 0), np.uint8) for i in range(6)]


def prepare(folder, name, images, shape, labelled, label=None):
    """Writes a set as tensorflow-datasets does, two classes taking turns if no label is given."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = {'image': tfds.features.Image(shape=shape, encoding_format='png')}
    signature = {'image': tf.TensorSpec(shape, tf.uint8)}
    if labelled:
        features['label'] = tfds.features.ClassLabel(names=['cat', 'dog'])
        signature['label'] = tf.TensorSpec([], tf.int64)

    def examples():
        for i, image in enumerate(images):
            turn = i % 2 if label is None else label
            yield {'image': image, 'label': turn} if labelled else {'image': image}

    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version='1.0.0',
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            'train': tf.data.Dataset.from_generator(examples, output_signature=signature)
        },
        data_dir=folder,
    )


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp('prepared')
    prepare(folder, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    prepare(folder, 'mixed', MIXED, (None, None, 3), labelled=False)
    prepare(folder, 'untold', IMAGES[:3, ..., None], (4, 4, 1), labelled=True, label=-1)
    tfds.dataset_builders.store_as_tfds_dataset(
        name='words',
        version='1.0.0',
        features=tfds.features.FeaturesDict({'text': tfds.features.Text()}),
        split_datasets={'train': tf.data.Dataset.from_tensor_slices({'text': ['a', 'b']})},
        data_dir=folder,
    )
    return folder


def sorted_rows(images):
    """Rows in an order of their own: a prepared set is shuffled."""
    return sorted(image.tobytes() for image in images)


def test_a_prepared_set(data_dir):
    source = open_source('tfds:tiny', data_dir)
    assert source.shape == (4, 4, 1)
    assert source.class_names == ('cat', 'dog')
    assert sorted_rows(all_of(source)) == sorted_rows(IMAGES)
    label_of = {image.tobytes(): i % 2 for i, image in enumerate(IMAGES)}
    assert source.labels.tolist() == [label_of[image.tobytes()] for image in all_of(source)]
    assert not list(data_dir.glob('tiny/*/*.npy'))


def test_labels_that_a_prepared_set_does_not_tell_are_none(data_dir):
    source = open_source('tfds:untold', data_dir)
    assert source.class_names == ('drawing',)
    assert source.labels.tolist() == [0, 0, 0]


def test_nothing_is_left_of_an_interrupted_write(tmp_path):
    def blocks():
        yield IMAGES[:10], np.zeros(10)
        raise KeyboardInterrupt

    files = [str(tmp_path / name) for name in ('labels.npy', 'images.npy')]
    with pytest.raises(KeyboardInterrupt):
        sources._write(files, IMAGES.shape, np.uint8, blocks())
    assert not list(tmp_path.iterdir())


def test_a_slice_of_a_prepared_set(data_dir):
    first, rest = (open_source(f'tfds:tiny:train[{s}]', data_dir) for s in (':10%', '10%:'))
    assert (len(first), len(rest)) == (3, 27)
    assert sorted_rows([*all_of(first), *all_of(rest)]) == sorted_rows(IMAGES)


def test_a_prepared_set_of_mixed_sizes_is_fitted(data_dir):
    source = open_source('tfds:mixed', data_dir)
    assert source.shape == (20, 20, 3)
    assert source.class_names == ('drawing',)
    middles = all_of(source)[:, 10, 10]
    assert sorted(middles.tolist()) == [[10 * i, 0, 0] for i in range(6)]
    assert open_source('tfds:mixed', data_dir, image_size=9).shape == (9, 9, 3)


@pytest.mark.parametrize('name', ['tiny', 'mixed'])
def test_a_prepared_set_too_large_for_memory_is_written_once(data_dir, name, monkeypatch):
    kept = open_source(f'tfds:{name}:train[:50%]', data_dir)
    streamed = open_source(f'tfds:{name}:train[:50%]', data_dir, memory_bytes=10)
    np.testing.assert_array_equal(all_of(streamed), all_of(kept))
    np.testing.assert_array_equal(streamed.labels, kept.labels)
    assert len(list(data_dir.glob(f'{name}/*/*.npy'))) == 2
    assert not list(data_dir.glob(f'{name}/*/*.tmp'))
    with monkeypatch.context() as patch:
        patch.setattr(sources, '_write', None)
        again = open_source(f'tfds:{name}:train[:50%]', data_dir, memory_bytes=10)
    np.testing.assert_array_equal(all_of(again), all_of(kept))
    other = open_source(f'tfds:{name}:train[50%:]', data_dir, memory_bytes=10)
    assert not set(sorted_rows(all_of(other))) & set(sorted_rows(all_of(kept)))


@pytest.mark.parametrize(
    ('dataset', 'said'),
    [
        ('tfds:words', "needs a feature 'image', it has text"),
        ('tfds:tiny:trian', "no split 'trian'; there are train"),
        ('tfds:tiny:train[:0]', 'no images'),
        ('tfds:mnist/no', "refuses 'mnist/no'"),
        ('tfds:fashion_mnits', 'it has fashion_mnist'),
    ],
)
def test_what_a_prepared_set_has_not_is_refused(data_dir, dataset, said):
    with pytest.raises(SourceError, match=re.escape(said)):
        open_source(dataset, data_dir)


def test_a_damaged_prepared_set_is_refused(tmp_path):
    prepare(tmp_path, 'tiny', IMAGES[..., None], (4, 4, 1), labelled=True)
    (record,) = tmp_path.glob('tiny/*/*.tfrecord*')
    record.write_bytes(record.read_bytes()[:1000])
    with pytest.raises(SourceError, match='tfds:tiny in '):
        open_source('tfds:tiny', tmp_path)


def test_without_a_network_an_absent_set_is_refused_within_seconds(tmp_path, monkeypatch):
    import tensorflow_datasets  # noqa: F401  its import is not what is timed

    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')  # a port at which nobody answers
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    start = time.monotonic()
    with pytest.raises(SourceError) as refusal:
        open_source('tfds:fashion_mnist', tmp_path)
    assert time.monotonic() - start < 10
    for said in ("'fashion_mnist'", os.fspath(tmp_path), '--data_dir', '--dataset=doodles'):
        assert said in str(refusal.value)
