import tracemalloc

import numpy as np
import pytest

from tfgan import arrays
from tfgan.sources import SourceError, open_source

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


@pytest.mark.parametrize('names', arrays.NPZ_NAMES, ids=str)
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
    ],
    ids=str,
)
def test_labels_that_are_none_are_refused(tmp_path, labels):
    with pytest.raises(SourceError, match='for 3 images; accepted are 3 integers'):
        open_source(npz(tmp_path, x=IMAGES[:3], y=labels))


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
