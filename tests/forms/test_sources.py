import concurrent.futures
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfgan.data.doodles import render
from tfgan.data.source import short_name, spread
from tfgan.errors import ConfigError, SourceError
from tfgan.forms import base as forms
from tfgan.forms.base import check_source, form_named, open_source

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 4, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (30, 4, 4, 3), np.uint8)
THIRDS = np.arange(30) % 3


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
        ('stacked:npz:x/mnist.npz', 'stacked-mnist'),
        ('stacked:tfds:mnist:test', 'stacked-mnist'),
        ('stacked:doodles', 'stacked-doodles'),
        ('stacked:folder:/' + 51 * 'x' + '- y', 'stacked-' + 51 * 'x'),
    ],
)
def test_short_name(dataset, name):
    assert short_name(dataset) == name


@pytest.mark.parametrize('kind', ['', 'folder:', 'tfds:', 'npz:', 'stacked:folder:'])
def test_short_name_of_anything_is_safe(kind):
    characters = [*map(chr, range(1, 700)), *'./~:绘画✏️']
    for length in np.arange(400) % 80:
        name = short_name(kind + ''.join(RNG.choice(characters, length)))
        assert re.fullmatch(r'[a-z0-9_][a-z0-9_.-]{0,59}', name)


def test_each_kind_has_an_example_of_itself():
    for kind, row in forms.source_kinds().items():
        assert row.example.partition(':')[0] == kind


@pytest.mark.parametrize('dataset', ['', 'photos:a', 'Doodles', 'mnist', '/home'])
def test_an_unknown_kind_is_answered_with_the_known(dataset):
    with pytest.raises(SourceError) as refusal:
        check_source(dataset)
    assert repr(dataset) in str(refusal.value)
    for row in forms.source_kinds().values():
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
        ('idx:{}/no', 'an existing file or folder'),
        ('csv:{}', 'an existing file'),
        ('stacked', 'another data set'),
        ('stacked:', 'another data set'),
        ('stacked:mnist', 'another data set'),
        ('stacked:stacked:doodles', 'another data set'),
    ],
)
def test_a_wrong_text_is_refused_with_a_right_one(tmp_path, dataset, takes):
    (tmp_path / 'a.npz').touch()
    kind, _, argument = dataset.format(tmp_path).partition(':')
    with pytest.raises(SourceError) as refusal:
        open_source(dataset.format(tmp_path))
    example = forms.source_kinds()[kind].example
    said = f'{kind}: takes {takes}, as in --dataset={example}; got {argument!r}'
    assert str(refusal.value) == said


def test_a_path_that_is_no_unicode_is_refused_and_its_link_taken(tmp_path):
    folder = os.path.join(os.fsencode(tmp_path), b'caf\xe9')
    os.mkdir(folder)
    with open(os.path.join(folder, b'a.png'), 'wb') as file:
        Image.fromarray(IMAGES[0]).save(file, 'PNG')
    with pytest.raises(SourceError, match=r'no text in UTF-8.*--dataset=folder:a-link') as refusal:
        open_source(f'folder:{os.fsdecode(folder)}')
    assert f'{refusal.value}'.encode()
    os.symlink(folder, os.fsencode(tmp_path / 'a-link'))
    assert len(open_source(f'folder:{tmp_path}/a-link')) == 1


def test_a_right_text_is_taken_apart(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert check_source('doodles') == ('doodles', '')
    assert check_source('tfds:a/b:train[:10%]+test') == ('tfds', 'a/b:train[:10%]+test')
    assert check_source(f'folder:{tmp_path}') == ('folder', str(tmp_path))
    assert check_source('folder:~') == ('folder', '~')
    assert check_source('stacked:folder:~') == ('stacked', 'folder:~')
    assert check_source('stacked:tfds:a:test') == ('stacked', 'tfds:a:test')


@pytest.mark.parametrize('inner', ['npz:/no.npz', 'doodles:7', 'tfds:'])
def test_a_wrong_text_within_another_is_refused_as_by_itself(inner):
    said = []
    for dataset in inner, f'stacked:{inner}':
        with pytest.raises(SourceError) as refusal:
            check_source(dataset)
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_the_text_is_checked_without_tensorflow():
    program = (
        'import sys\nfrom tfgan.data.source import short_name\nfrom tfgan.forms import base\n'
        "base.check_source('stacked:tfds:mnist'); short_name('tfds:mnist')\n"
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
    np.savez(tmp_path / 'a.npz', x=COLOURS, y=THIRDS)
    np.savetxt(tmp_path / 'a.csv', IMAGES.reshape(30, 16), '%d', delimiter=',')
    (tmp_path / 'idx').write_bytes(bytes.fromhex('00000803 0000001e 00000004 00000004'))
    with open(tmp_path / 'idx', 'ab') as file:
        file.write(IMAGES.tobytes())
    shutil.make_archive(tmp_path / 'b', 'zip', tmp_path / 'folder')
    texts = ('npy:{}/one.npy', 'npy:{}/two', 'npz:{}/a.npz', 'folder:{}/folder', 'doodles')
    texts += ('csv:{}/a.csv', 'idx:{}/idx', 'folder:{}/b.zip')
    for dataset in (*texts, 'stacked:npy:{}/two'):
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
    expected = render.draw(indices, size=size or 28)[..., None]
    for _ in range(2):
        np.testing.assert_array_equal(source.images(indices), expected)
    np.testing.assert_array_equal(source.labels, render.labels(60_000))
    assert source.class_names == tuple(render.KINDS)


def test_a_doodle_is_drawn_once_if_there_is_memory(monkeypatch):
    drawn = []

    def draw(indices, seed=0, size=28):
        drawn.extend(indices)
        return np.zeros((len(indices), size, size), np.uint8)

    monkeypatch.setattr(render, 'draw', draw)
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


@pytest.fixture
def digits(tmp_path):
    """A data set of 30 grey images, of the classes '0' to '9'."""
    np.savez(tmp_path / 'digits.npz', x=IMAGES, y=np.arange(30) % 10)
    return f'npz:{tmp_path}/digits.npz'


def found_in(layers, images):
    """Where in images [n, ...] each of the layers [k, ...] is."""
    alike = (layers[:, None] == images[None]).all((2, 3))
    assert (alike.sum(1) == 1).all()
    return alike.argmax(1)


def test_a_stacked_image_is_three_of_the_inner_source(digits):
    inner, source = open_source(digits), open_source(f'stacked:{digits}')
    assert len(source) == 128_000 and source.shape == (4, 4, 3)
    assert len(source.class_names) == 1000
    assert source.class_names[703] == '7-0-3'
    assert (source.layers.images([5]) == inner.images([5])).all() and inner.layers is None
    some = np.arange(2000)
    layers = [
        found_in(x, inner.images(range(30))[..., 0])
        for x in source.images(some).transpose(3, 0, 1, 2)
    ]
    expected = inner.labels[np.array(layers)].T @ (100, 10, 1)
    np.testing.assert_array_equal(source.labels[some], expected)
    for counts in map(np.bincount, layers):  # of each image, in each channel, 67 are expected
        assert 35 < counts.min() < 67 < counts.max() < 105
    pairs = np.corrcoef(layers)[np.triu_indices(3, 1)]
    assert np.abs(pairs).max() < 5 / 2000**0.5


def test_a_stacked_source_is_the_same_every_time(digits):
    first, second = (open_source(f'stacked:{digits}') for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    last = np.array([127_999, 5])
    np.testing.assert_array_equal(first.images(last), second.images(last[::-1])[::-1])
    np.testing.assert_array_equal(np.bincount(first.labels // 100) // 1000, 10 * [12])
    # and of every version of NumPy
    layers = open_source(digits).images([12, 15, 21])[..., 0]
    np.testing.assert_array_equal(first.images([0])[0], np.moveaxis(layers, 0, -1))


def test_the_classes_of_a_stacked_source_are_of_any_base(tmp_path):
    np.savez(tmp_path / 'a.npz', x=IMAGES, y=THIRDS)
    source = open_source(f'stacked:npz:{tmp_path}/a.npz')
    assert source.class_names[:4] == ('0-0-0', '0-0-1', '0-0-2', '0-1-0')
    assert source.class_names[-1] == '2-2-2'
    assert set(source.labels) == set(range(27))


def test_a_stacked_source_reads_no_more_than_it_is_asked_for(monkeypatch):
    drawn = []

    def draw(indices, seed=0, size=28):
        drawn.extend(indices)
        return np.zeros((len(indices), size, size), np.uint8)

    monkeypatch.setattr(render, 'draw', draw)
    source = open_source('stacked:doodles', image_size=20, memory_bytes=0)
    assert source.shape == (20, 20, 3) and not drawn
    source.images([7, 8])
    assert len(drawn) == 6


def test_a_stacked_source_says_of_the_inner_one_what_is_true_of_both(tmp_path):
    Image.fromarray(np.full((4, 4, 3), (250, 252, 255), np.uint8)).save(tmp_path / 'a.png')
    inner, source = (open_source(f'{kind}folder:{tmp_path}') for kind in ('', 'stacked:'))
    assert inner.shape == (4, 4, 1)
    assert (source.licence, source.notes['left_out']) == (inner.licence, 0)
    assert source.paper == 3 * inner.paper == tuple(source.images([0])[0, 0, 0])


@pytest.mark.parametrize(
    ('images', 'classes', 'got'),
    [(COLOURS, 3, r'(4, 4, 3) in 3 '), (IMAGES, 11, '(4, 4, 1) in 11 ')],
)
def test_what_cannot_be_stacked_is_refused(tmp_path, images, classes, got):
    np.savez(tmp_path / 'a.npz', x=images, y=np.arange(30) % classes)
    inner = f'npz:{tmp_path}/a.npz'
    with pytest.raises(SourceError) as refusal:
        open_source(f'stacked:{inner}')
    said = f'got {inner!r} with images of shape {got}classes'
    assert str(refusal.value).startswith('stacked: takes images of one channel in at most 10 ')
    assert str(refusal.value).endswith(said)


def test_the_paper_is_what_the_notes_say(tmp_path):
    Image.fromarray(np.full((4, 4, 3), (250, 40, 90), np.uint8)).save(tmp_path / 'a.png')
    source = open_source(f'folder:{tmp_path}')
    assert source.paper == (250, 40, 90) == tuple(source.notes['paper'])
    assert dataclasses.replace(source, notes={'paper': [1, 2, 3]}).paper == (1, 2, 3)
    Image.fromarray(np.full((4, 4, 3), (250, 252, 255), np.uint8)).save(tmp_path / 'a.png')
    source = open_source(f'folder:{tmp_path}')
    assert source.notes['paper'] == [250, 252, 255]
    assert source.paper == tuple(source.images([0])[0, 0, 0])


@pytest.mark.parametrize('colour', [(0,), (255,), (30, 200, 110)])
def test_without_notes_the_paper_is_the_border(tmp_path, colour):
    images = np.full((1500, 8, 8, len(colour)), colour, np.uint8)
    images[:, 2:6, 2:6] = RNG.integers(0, 256, (1500, 4, 4, len(colour)))
    np.save(tmp_path / 'a.npy', images)
    source = open_source(f'npy:{tmp_path}/a.npy')
    assert source.paper == colour
    assert all(isinstance(level, int) for level in source.paper)


def test_the_paper_is_looked_for_once_in_at_most_a_thousand_images(digits):
    asked = []
    inner = open_source(f'stacked:{digits}')

    def read(indices):
        asked.append(indices)
        return inner.read(indices)

    source = dataclasses.replace(inner, read=read)
    assert source.paper == source.paper
    assert len(asked) == 1
    np.testing.assert_array_equal(asked[0], 128 * np.arange(1000))


def test_few_images_are_all_looked_at():
    assert spread(3, 1000).tolist() == [0, 1, 2]
    assert spread(10, 4).tolist() == [0, 2, 5, 7]


def test_a_fingerprint_is_of_the_data_and_not_of_its_path(tmp_path):
    def fingerprint(name, images=IMAGES, labels=THIRDS, **options):
        np.savez(tmp_path / f'{name}.npz', x=images, y=labels)
        return open_source(f'npz:{tmp_path}/{name}.npz', **options).fingerprint

    first = fingerprint('a')
    assert re.fullmatch('[0-9a-f]{16}', first)
    assert fingerprint('b') == first
    changed, relabelled = IMAGES.copy(), THIRDS.copy()
    changed[17, 2, 2] ^= 1
    relabelled[29] = 0
    others = [
        fingerprint('a', changed),
        fingerprint('a', labels=relabelled),
        fingerprint('a', labels=THIRDS[::-1]),
        fingerprint('a', IMAGES[::-1]),
        fingerprint('a', image_size=5),
        fingerprint('a', IMAGES[:29], THIRDS[:29]),
        fingerprint('a', labels=THIRDS + 1),  # other names of the same classes
        fingerprint('a', IMAGES.transpose(0, 2, 1)),
    ]
    assert len({first, *others}) == 1 + len(others)


def test_a_fingerprint_is_the_same_in_every_process_and_kind_of_file(tmp_path):
    np.save(tmp_path / 'a.npy', np.zeros((3, 2, 2), np.uint8))
    (tmp_path / 'b').mkdir()
    np.save(tmp_path / 'b' / 'drawing.npy', np.zeros((3, 2, 2), np.uint8))
    for name in 'a.npy', 'b':
        assert open_source(f'npy:{tmp_path}/{name}').fingerprint == '6fac61070528f149'


def test_a_file_that_is_left_out_leaves_the_fingerprint(tmp_path):
    Image.fromarray(COLOURS[0]).save(tmp_path / 'a.png')
    first = open_source(f'folder:{tmp_path}')
    (tmp_path / 'README.txt').write_text('Drawn by me.')
    second = open_source(f'folder:{tmp_path}')
    assert (first.notes['left_out'], second.notes['left_out']) == (0, 1)
    assert first.fingerprint == second.fingerprint


def test_a_fingerprint_reads_at_most_512_images(monkeypatch):
    drawn = []
    draw = render.draw
    monkeypatch.setattr(render, 'draw', lambda i, **options: drawn.extend(i) or draw(i, **options))
    source = open_source('doodles', memory_bytes=0)
    assert source.fingerprint == source.fingerprint
    assert len(drawn) == 512 and max(drawn) - min(drawn) > 59_000


@pytest.mark.parametrize('split', ['test', ''])
def test_a_split_of_what_has_none_is_refused(tmp_path, split):
    np.save(tmp_path / 'a.npy', IMAGES)
    for dataset in ('doodles', f'npy:{tmp_path}/a.npy', f'stacked:npy:{tmp_path}/a.npy'):
        with pytest.raises(SourceError, match=f'--split={split}: .* has no splits; leave it out'):
            open_source(dataset, split=split)
        assert len(open_source(dataset, split='all')) >= 30


def test_a_stacked_source_is_of_the_split_that_is_asked_for(tmp_path):
    np.savez(tmp_path / 'a.npz', x_train=IMAGES[:10], x_test=IMAGES[10:])
    source = open_source(f'stacked:npz:{tmp_path}/a.npz', split='test')
    np.testing.assert_array_equal(source.layers.images(range(20))[..., 0], IMAGES[10:])
    assert source.notes['split'] == 'test'


def test_what_is_told_of_files_is_not_of_the_data(tmp_path):
    np.save(tmp_path / 'a.npy', IMAGES)
    np.savez(tmp_path / 'a.npz', x_train=IMAGES.reshape(30, 16), x_test=COLOURS)
    first, second = open_source(f'npy:{tmp_path}/a.npy'), open_source(f'npz:{tmp_path}/a.npz')
    assert set(second.summary()) - set(first.summary()) == {'remarks', 'split'}
    assert first.fingerprint == second.fingerprint


def test_without_labels_a_source_is_one_class_of_the_same_images():
    whole = open_source('doodles')
    plain = whole.unlabelled()
    assert plain.class_names == ('drawing',) and not plain.labels.any()
    assert plain.summary()['class_counts'] == [len(whole)]
    assert (plain.images([3, 8]) == whole.images([3, 8])).all()
    assert len(whole.class_names) == 10 and whole.labels.any()
    assert plain.labelled is plain.unlabelled().labelled is whole and whole.labelled is None


@pytest.mark.parametrize('name', ['dance', '', None, 1, [], {}])
def test_an_art_form_that_nobody_knows_is_refused(name):
    told = re.escape(f'no such art form: {name!r}; known: drawing')
    with pytest.raises(ConfigError, match=told):
        form_named(name)
