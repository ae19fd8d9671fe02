import concurrent.futures
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfgan import doodles, pictures, sources
from tfgan.sources import SourceError, check_form, open_source, short_name

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 4, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (30, 4, 4, 3), np.uint8)


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


@pytest.mark.parametrize('kind', ['', 'folder:', 'tfds:', 'npz:'])
def test_short_name_of_anything_is_safe(kind):
    characters = [*map(chr, range(1, 700)), *'./~:绘画✏️']
    for length in np.arange(400) % 80:
        name = short_name(kind + ''.join(RNG.choice(characters, length)))
        assert re.fullmatch(r'[a-z0-9_][a-z0-9_.-]{0,59}', name)


def test_each_kind_has_an_example_of_itself():
    for kind, row in sources.SOURCES.items():
        assert row.example.partition(':')[0] == kind


@pytest.mark.parametrize('dataset', ['', 'photos:a', 'Doodles', 'mnist', '/home'])
def test_an_unknown_kind_is_answered_with_the_known(dataset):
    with pytest.raises(SourceError) as refusal:
        check_form(dataset)
    assert repr(dataset) in str(refusal.value)
    for row in sources.SOURCES.values():
        assert f'--dataset={row.example}' in str(refusal.value)


@pytest.mark.parametrize(
    ('dataset', 'takes'),
    [
        ('doodles:7', 'nothing'),
        ('tfds:', 'NAME or NAME:SPLIT'),
        ('tfds:mnist:', 'NAME or NAME:SPLIT'),
        ('tfds:../mnist', 'NAME or NAME:SPLIT'),
        ('folder', 'an existing folder'),
        ('folder:{}/no', 'an existing folder'),
        ('folder:{}/a.npz', 'an existing folder'),
        ('npy:{}/no', 'an existing file or folder'),
        ('npz:{}', 'an existing file'),
    ],
)
def test_a_wrong_text_is_refused_with_a_right_one(tmp_path, dataset, takes):
    (tmp_path / 'a.npz').touch()
    kind, _, argument = dataset.format(tmp_path).partition(':')
    with pytest.raises(SourceError) as refusal:
        open_source(dataset.format(tmp_path))
    example = sources.SOURCES[kind].example
    said = f'{kind}: takes {takes}, as in --dataset={example}; got {argument!r}'
    assert str(refusal.value) == said


def test_a_right_text_is_taken_apart(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert check_form('doodles') == ('doodles', '')
    assert check_form('tfds:a/b:train[:10%]+test') == ('tfds', 'a/b:train[:10%]+test')
    assert check_form(f'folder:{tmp_path}') == ('folder', str(tmp_path))
    assert check_form('folder:~') == ('folder', '~')


def test_the_text_is_checked_without_tensorflow():
    program = (
        'import sys, tfgan.sources as s\n'
        "s.check_form('tfds:mnist'); s.short_name('tfds:mnist')\n"
        "print([m for m in sys.modules if m.startswith(('tensorflow', 'keras'))])"
    )
    result = subprocess.run([sys.executable, '-c', program], capture_output=True, check=True)
    assert result.stdout.strip() == b'[]'


def every_source(tmp_path):
    for name in ('folder', 'two'):
        (tmp_path / name).mkdir()
    for i, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / 'folder' / f'{i:02}.png')
    for path in ('one.npy', 'two/a.npy', 'two/b.npy'):
        np.save(tmp_path / path, IMAGES)
    np.savez(tmp_path / 'a.npz', x=COLOURS, y=np.arange(30) % 3)
    for dataset in ('npy:{}/one.npy', 'npy:{}/two', 'npz:{}/a.npz', 'folder:{}/folder', 'doodles'):
        yield open_source(dataset.format(tmp_path))
        yield open_source(dataset.format(tmp_path), image_size=8, memory_bytes=0)


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


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
@pytest.mark.parametrize('size', [None, 20])
def test_doodles_are_those_of_their_module(memory_bytes, size):
    source = open_source('doodles', image_size=size, memory_bytes=memory_bytes)
    indices = np.array([59_999, 3, 70, 3, *range(100, 180)])
    expected = doodles.draw(indices, size=size or 28)[..., None]
    for _ in range(2):
        np.testing.assert_array_equal(source.images(indices), expected)
    np.testing.assert_array_equal(source.labels, doodles.labels(60_000))
    assert source.class_names == tuple(doodles.KINDS)


def test_a_doodle_is_drawn_once_if_there_is_memory(monkeypatch):
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


def test_a_folder_of_drawings(tmp_path):
    for i, kind in enumerate(('Dogs', 'cats', 'cats')):
        (tmp_path / kind).mkdir(exist_ok=True)
        Image.fromarray(COLOURS[i]).save(tmp_path / kind / f'{i}.png')
    (tmp_path / 'bad.png').touch()
    source = open_source(f'folder:{tmp_path}')
    np.testing.assert_array_equal(source.images([0, 1, 2]), COLOURS[:3])
    assert source.class_names == ('Dogs', 'cats')
    assert source.labels.tolist() == [0, 1, 1]
    assert source.summary()['left_out'] == 1
    assert open_source(f'folder:{tmp_path}', image_size=9).shape == (9, 9, 3)


def test_an_error_is_of_one_kind():
    assert sources.SourceError is pictures.SourceError
