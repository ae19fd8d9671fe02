import io
import os
import re
import tracemalloc
import zipfile

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.drawing.sources import arrays
from tfgan.forms.sources import names

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 4, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (30, 4, 4, 3), np.uint8)


def npy(folder, array, name='a.npy'):
    np.save(folder / name, array)
    return f'npy:{folder / name}'


def npz(folder, **arrays):
    np.savez_compressed(folder / 'a.npz', **arrays)
    return f'npz:{folder / "a.npz"}'


def either(kind, folder, array):
    return npy(folder, array) if kind == 'npy' else npz(folder, x=array)


def all_of(source):
    return source.images(np.arange(len(source)))


@pytest.mark.parametrize(
    ('shape', 'expected'),
    [
        ((30, 4, 4), (4, 4, 1)),
        ((30, 2, 8), (2, 8, 1)),
        ((30, 4, 4, 1), (4, 4, 1)),
        ((30, 16), (4, 4, 1)),
        ((10, 4, 4, 3), (4, 4, 3)),
    ],
)
@pytest.mark.parametrize('order', 'CF')
def test_shapes_of_arrays(tmp_path, shape, expected, order):
    array = np.asarray(IMAGES.reshape(shape), order=order)
    source = open_source(npy(tmp_path, array))
    assert source.shape == expected
    np.testing.assert_array_equal(all_of(source), IMAGES.reshape(-1, *expected))


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
        ([-0.01, 1.4, 1.6, 255], [0, 1, 2, 255]),
    ],
)
def test_floats_are_rounded_and_saturate(tmp_path, values, expected):
    array = np.array(values).reshape(1, 2, 2)
    assert all_of(open_source(npy(tmp_path, array))).ravel().tolist() == expected


@pytest.mark.parametrize(('black', 'white'), [(0, 1), (-1, 1), (0, 255)])
def test_every_level_survives_the_ranges(black, white):
    values = (black + LEVELS / 255 * (white - black)).astype(np.float32)
    np.testing.assert_array_equal(arrays.to_uint8(values, black, white), LEVELS)


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
        (wrong((2, 48)), 'flat colour its shape'),
        (wrong((2, 4, 4, 2)), '(2, 4, 4, 2)'),
        (wrong((2, 4, 4, 4)), 'transparency on paper'),
        (wrong((2, 5, 4, 5)), 'a.reshape(-1, HEIGHT, WIDTH)'),
        (wrong((2, 4, 4, 4, 3)), '(2, 4, 4, 4, 3)'),
        (wrong((0, 4, 4)), '(0, 4, 4)'),
        (wrong((2, 0, 4)), '(2, 0, 4)'),
        (wrong((2, 0)), '(2, 0)'),
    ],
    ids=str,
)
@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_arrays_that_are_no_images_are_refused(tmp_path, array, said, kind):
    with pytest.raises(SourceError) as refusal:
        open_source(either(kind, tmp_path, array))
    assert said.replace('.npy', f'.{kind}') in str(refusal.value)
    assert f'a.{kind}' in str(refusal.value)


class Trap:
    def __reduce__(self):
        return print, ('a pickle was run',)


@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_pickles_are_never_run(tmp_path, capsys, kind):
    array = np.array([Trap()], dtype=object)
    with pytest.raises(SourceError):
        open_source(either(kind, tmp_path, array))
    assert 'a pickle was run' not in capsys.readouterr().out


@pytest.mark.parametrize('kind', ['npy', 'npz'])
@pytest.mark.parametrize('share', [0, 0.02, 0.5, 0.99])
def test_damaged_files_are_refused(tmp_path, kind, share):
    either(kind, tmp_path, COLOURS)
    path = tmp_path / f'a.{kind}'
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(SourceError, match=f'a.{kind} is not a whole .{kind} file'):
        open_source(f'{kind}:{path}')


HEADER = "{'descr': '|u1', 'fortran_order': False, 'shape': SHAPE, }"
HEADERS = {
    'a huge shape': HEADER.replace('SHAPE', '(9999999999, 28, 28)'),
    'a shape of more than there is': HEADER.replace('SHAPE', '(31, 4, 4)'),
    'a shape beyond 64 bits': HEADER.replace('SHAPE', f'(1{"0" * 30}, 4, 4)'),
    'a negative shape': HEADER.replace('SHAPE', '(-30, 4, 4)'),
    'code': HEADER.replace('SHAPE', '__import__("os").abort()'),
    'brackets in brackets': HEADER.replace('SHAPE', '(' * 4000),
    'signs before signs': HEADER.replace('SHAPE', '-' * 9000 + '1'),
    'a text without end': HEADER.replace('SHAPE', '"""'),
    'a long number': HEADER.replace('SHAPE', '1' * 9000),
    'much': HEADER.replace('SHAPE', '(30, 4, 4), ' + 60_000 * ' '),
    'a pickle': HEADER.replace('|u1', '|O').replace('SHAPE', '(30, 4, 4)'),
    'no type': HEADER.replace('|u1', 'zebra').replace('SHAPE', '(30, 4, 4)'),
    'nothing': '',
}


@pytest.mark.parametrize('header', HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_headers_that_lie_are_refused(tmp_path, header, kind):
    text = header.encode()
    data = b'\x93NUMPY\x02\x00' + len(text).to_bytes(4, 'little') + text + IMAGES.tobytes()
    if kind == 'npz':
        with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
            archive.writestr('x.npy', data)
    else:
        (tmp_path / 'a.npy').write_bytes(data)
    with pytest.raises(SourceError, match=f'a.{kind} is not a whole .{kind} file of numbers: .'):
        open_source(f'{kind}:{tmp_path}/a.{kind}')


def test_an_npz_that_unpacks_to_more_than_there_is_is_refused(tmp_path):
    npz(tmp_path, x=IMAGES, other=IMAGES)
    for name in ('other.npy', 'x.npy'):
        with zipfile.ZipFile(tmp_path / 'a.npz', 'a') as archive:
            archive.getinfo(name).file_size = 1 << 50
            archive._didModify = True  # so that it writes what it says it holds
        if name == 'other.npy':
            assert len(open_source(f'npz:{tmp_path}/a.npz')) == 30
    with pytest.raises(SourceError, match=r'a\.npz unpacks to 1,125,899,906,842,624 bytes.*npy:'):
        open_source(f'npz:{tmp_path}/a.npz')


@pytest.mark.parametrize('name', ['x', 'y'])
def test_what_is_no_array_in_an_npz_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        for member, array in {'x': IMAGES, 'y': np.arange(30)}.items():
            file = io.BytesIO()
            np.save(file, array)
            archive.writestr(f'{member}.npy', b'a text' if member == name else file.getvalue())
    with pytest.raises(SourceError, match=f"a.npz is not a whole .npz .*: '{name}' is no array"):
        open_source(f'npz:{tmp_path}/a.npz')


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'a.npy')
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'b.npy').mkdir()
    for dataset, name in {f'npy:{tmp_path}/a.npy': 'a', f'npy:{tmp_path}/folder': 'b'}.items():
        with pytest.raises(SourceError, match=f'{name}.npy is no file; needed is an .npy file'):
            open_source(dataset)


@pytest.mark.parametrize('image_size', [None, 9])
@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_one_image_is_a_data_set_too(tmp_path, kind, image_size):
    source = open_source(either(kind, tmp_path, IMAGES[:1]), image_size=image_size)
    assert len(source) == 1 and source.labels.tolist() == [0]
    if not image_size:
        np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES[:1])


@pytest.mark.parametrize('count', [1, 3])
def test_images_may_be_few_and_large(tmp_path, count):
    array = RNG.integers(0, 256, (count, 700, 700), np.uint8)
    np.testing.assert_array_equal(all_of(open_source(npy(tmp_path, array)))[..., 0], array)


@pytest.mark.parametrize('shape', [(100, 1, 1), (100, 1, 5), (100, 5, 1), (100, 1, 5, 3)])
def test_an_image_may_not_be_one_pixel_high_or_wide(tmp_path, shape):
    pixels = RNG.integers(0, 256, shape, np.uint8)
    with pytest.raises(SourceError, match=re.escape(f'an array of shape {shape}')):
        open_source(npy(tmp_path, pixels))


VIEWS = {
    'backwards': IMAGES[::-1],
    'mirrored': IMAGES[:, :, ::-1],
    'every other': IMAGES[::2],
    'turned': IMAGES.transpose(0, 2, 1),
    'Fortran': np.asfortranarray(IMAGES),
    'a row again and again': np.broadcast_to(IMAGES[:1], IMAGES.shape),
}


@pytest.mark.parametrize('array', VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_arrays_of_any_strides_are_saved_and_read(tmp_path, array, kind):
    source = open_source(either(kind, tmp_path, array))
    np.testing.assert_array_equal(all_of(source)[..., 0], array)


def test_a_memory_map_is_saved_and_read(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / 'a.npy', 'w+', '>f4', (30, 4, 4))
    mapped[:] = IMAGES
    mapped.flush()
    np.testing.assert_array_equal(all_of(open_source(f'npy:{tmp_path}/a.npy'))[..., 0], IMAGES)


def test_a_value_that_is_none_is_found_wherever_it_is(tmp_path):
    array = np.zeros((3000, 16, 16), np.float64)  # of many blocks
    for place in (0, 1234, 2999):
        array[place, 3, 4] = np.nan
        with pytest.raises(SourceError, match='float64 from nan to nan'):
            open_source(npy(tmp_path, array))
        array[place, 3, 4] = 300
        with pytest.raises(SourceError, match=r'float64 from 0\.0 to 300\.0'):
            open_source(npy(tmp_path, array))
        array[place, 3, 4] = 0


def test_an_array_that_is_cut_short_while_it_is_read_is_refused(tmp_path):
    array = RNG.integers(0, 256, (3000, 16, 16), np.uint8)
    source = open_source(npy(tmp_path, array))
    size = os.path.getsize(tmp_path / 'a.npy')
    os.truncate(tmp_path / 'a.npy', size - 1000)
    np.testing.assert_array_equal(source.images([0, 2995])[..., 0], array[[0, 2995]])
    for index in (2996, 2999):
        with pytest.raises(SourceError, match=r'a\.npy was cut short since it was opened'):
            source.images([0, index])


@pytest.mark.parametrize('change', ['deleted', 'replaced'])
def test_an_array_that_is_deleted_or_replaced_is_still_read(tmp_path, change):
    source = open_source(npy(tmp_path, IMAGES))
    if change == 'deleted':
        os.unlink(tmp_path / 'a.npy')
    else:
        npy(tmp_path, np.zeros(3), 'b.npy')
        os.replace(tmp_path / 'b.npy', tmp_path / 'a.npy')
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES)


def test_class_names_can_be_shown_and_saved(tmp_path):
    for name in (b'caf\xe9.npy', 'été.npy'.encode(), b'new\nline.npy'):
        with open(os.path.join(os.fsencode(tmp_path), name), 'wb') as file:
            np.save(file, IMAGES)
    names = ('caf\\udce9', 'new\\nline', 'été')
    assert open_source(f'npy:{tmp_path}').class_names == names
    source = open_source(npz(tmp_path, x=IMAGES[:3], y=['\udce9', 'a\x1b[31m', '絵']))
    assert source.class_names == ('a\\x1b[31m', '絵', '\\udce9')


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


@pytest.mark.parametrize('pair', names.PAIRS, ids=str)
def test_names_in_an_npz(tmp_path, pair):
    labels = np.arange(30) % 2
    source = open_source(npz(tmp_path, **dict(zip(pair, (IMAGES, labels), strict=True)), x_test=0))
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES)
    np.testing.assert_array_equal(source.labels, labels)
    source = open_source(npz(tmp_path, **{pair[0]: IMAGES}))
    assert source.class_names == ('drawing',)
    assert not source.labels.any()


@pytest.mark.parametrize(
    ('images', 'labels'),
    [
        ('X', 'y'),
        ('X_train', 'Y_train'),
        ('Images', 'Labels'),
        ('data', 'labels'),
        ('X', 'targets'),
    ],
)
def test_names_in_an_npz_are_known_whatever_their_case(tmp_path, images, labels):
    numbers = np.arange(30) % 3
    source = open_source(npz(tmp_path, other=1, **{images: IMAGES, labels: numbers}))
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES)
    np.testing.assert_array_equal(source.labels, numbers if labels != 'targets' else 0)


def with_splits(tmp_path, kind):
    """A training split of 20 images, 6 to validate by, and 4 without labels."""
    members = {
        'x_train': IMAGES[:20].reshape(20, 16),
        'y_train': np.arange(20) % 2,
        'X_val': IMAGES[20:26],
        'y_val': np.full(6, 7),
        'x_test': IMAGES[26:],
    }
    if kind == 'npz':
        return npz(tmp_path, **members)
    for name, array in members.items():
        npy(tmp_path, array, f'{name}.npy')
    return f'npy:{tmp_path}'


@pytest.mark.parametrize('kind', ['npy', 'npz'])
@pytest.mark.parametrize(
    ('split', 'images', 'class_names', 'told'),
    [
        (None, IMAGES[:20], ('0', '1'), 'split train of train, test, val; --split= takes others'),
        ('train', IMAGES[:20], ('0', '1'), 'split train of'),
        ('val', IMAGES[20:26], ('7',), 'split val of'),
        ('test', IMAGES[26:], ('drawing',), 'split test of'),
        ('val+train', IMAGES[:26], ('0', '1', '7'), 'split train+val of'),
        ('all', IMAGES[[*range(20), *range(26, 30), *range(20, 26)]], ('drawing',), 'all of the'),
    ],
)
def test_splits_of_arrays(tmp_path, kind, split, images, class_names, told):
    source = open_source(with_splits(tmp_path, kind), split=split)
    np.testing.assert_array_equal(all_of(source)[..., 0], images)
    assert source.class_names == class_names
    assert told in source.notes['remarks']


@pytest.mark.parametrize('kind', ['npy', 'npz'])
def test_an_unknown_split_of_arrays_is_answered_with_those_there_are(tmp_path, kind):
    with pytest.raises(SourceError, match=r'--split=dev: .* has the splits train, test, val; give'):
        open_source(with_splits(tmp_path, kind), split='dev')


def test_a_folder_of_one_array_for_each_split(tmp_path):
    npy(tmp_path, IMAGES[:5], 'test.npy')
    npy(tmp_path, IMAGES[5:], 'train.npy')
    source = open_source(f'npy:{tmp_path}')
    np.testing.assert_array_equal(all_of(source)[..., 0], IMAGES[5:])
    assert (source.class_names, source.notes['split']) == (('drawing',), 'train')


def test_arrays_of_classes_called_x_and_y_are_no_labels(tmp_path):
    npy(tmp_path, IMAGES[:5], 'x.npy')
    npy(tmp_path, IMAGES[5:], 'y.npy')
    assert open_source(f'npy:{tmp_path}').class_names == ('x', 'y')
    npy(tmp_path, np.arange(5), 'y.npy')
    assert open_source(f'npy:{tmp_path}').class_names == tuple('01234')


def test_classes_that_are_numbers_are_in_their_order(tmp_path):
    source = open_source(npz(tmp_path, x=IMAGES[:3], y=['10', '9', '1']))
    assert (source.class_names, source.labels.tolist()) == (('1', '9', '10'), [2, 1, 0])
    for name in ('10', '9', '1'):
        npy(tmp_path, IMAGES, f'{name}.npy')
    assert open_source(f'npy:{tmp_path}').class_names == ('1', '9', '10')


def test_other_names_in_an_npz_are_refused_with_the_usual(tmp_path):
    with pytest.raises(SourceError, match=r"\['pictures'\].*x_train/y_train.*data/target"):
        open_source(npz(tmp_path, pictures=IMAGES))


@pytest.mark.parametrize(
    ('labels', 'names', 'numbers'),
    [
        ([7, -1, 10], ('-1', '7', '10'), [1, 0, 2]),
        ([[7], [1], [7]], ('1', '7'), [1, 0, 1]),
        (['dog', 'cat', 'dog'], ('cat', 'dog'), [1, 0, 1]),
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
        [b'cat', b'dog', b'cat'],
        [[1, 1], [0, 1], [1, 0]],
        [[0, 2], [0, 2], [0, 2]],
        [['a', 'b']] * 3,
        [[0.2, 0.8]] * 3,
        [1.0, 2.0, np.nan],
        [1j, 1, 2],
        np.zeros((3, 0)),
        np.zeros((3, 0), 'U1'),
        np.zeros(3, 'm8[s]'),
        np.zeros(3, [('a', int)]),
    ],
    ids=str,
)
def test_labels_that_are_none_are_refused(tmp_path, labels):
    with pytest.raises(SourceError, match='for 3 images; accepted are 3 integers'):
        open_source(npz(tmp_path, x=IMAGES[:3], y=labels))


def test_labels_that_are_objects_or_no_characters_are_refused(tmp_path, capsys):
    bad = np.array(['cat', Trap(), 3], object), np.full(3, 0x7FFF_FFFF, '<u4').view('<U1')
    for labels in bad:
        with pytest.raises(SourceError, match=r'a\.npz is not a whole \.npz file of numbers: '):
            open_source(npz(tmp_path, x=IMAGES[:3], y=labels))
    assert capsys.readouterr().out == ''


GREY_COLOURS = IMAGES[..., None].repeat(3, axis=-1)


@pytest.mark.parametrize('array', [IMAGES, COLOURS, COLOURS[:, :3], GREY_COLOURS])
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
