"""Feature extractors: what they see, that they are remembered, and what becomes of the damaged."""

import dataclasses
import os
import pathlib
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan.data.doodles import render
from tfgan.errors import FeatureError
from tfgan.evaluation import extractor, feature_learning, inception, metrics
from tfgan.evaluation.cache import cache_path, remembered
from tfgan.forms.drawing import views
from tfgan.forms.drawing.drawings import Drawings

COUNT, SIZE = 600, 20


def drawings(indices, size=SIZE):
    return render.draw(np.asarray(indices), size=size)[..., None]


def toy(labelled=True, count=COUNT):
    kinds = tuple(render.KINDS)
    labels = render.labels(count) if labelled else np.zeros(count, np.int32)
    pixels = drawings(range(count))
    return Drawings(
        'toy', (SIZE, SIZE, 1), labels, kinds if labelled else ('drawing',), pixels.__getitem__
    )


@pytest.fixture(scope='module', autouse=True)
def cache(tmp_path_factory):
    """A cache of this module's own, in place of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield pathlib.Path(os.environ['XDG_CACHE_HOME']) / 'tfgan'


@pytest.fixture(scope='module')
def classifier():
    return extractor.extractor_of(toy())


@pytest.fixture(scope='module')
def unlabelled(full):
    with pytest.MonkeyPatch.context() as patch:
        if not full:  # What it sees well is not asked then.
            patch.setattr(feature_learning, 'LEAST_STEPS', 60)
        return extractor.extractor_of(toy(labelled=False))


@pytest.mark.long
def test_a_stacked_set_is_seen_channel_by_channel(classifier):
    inner, triples = toy(), np.array([[0, 1, 2], [2, 9, 4], [3, 3, 11]])
    read = lambda i: np.moveaxis(inner.images(triples[i].ravel()).reshape(-1, 3, SIZE, SIZE), 1, -1)  # noqa: E731
    source = Drawings(
        'stacked:toy', (SIZE, SIZE, 3), np.arange(3), tuple('abc'), read, layers=inner
    )
    found, images = extractor.extractor_of(source), source.images(np.arange(3))
    seen = [classifier.features(inner.images(column)) for column in triples.T]
    np.testing.assert_allclose(found.features(images), np.concatenate(seen, axis=1), atol=1e-5)
    names = [classifier.classify(inner.images(row)) @ (100, 10, 1) for row in triples]
    np.testing.assert_array_equal(found.classify(images), names)
    assert found.accuracy == classifier.accuracy**3 and found.key != classifier.key


def test_a_stacked_set_without_labels_has_no_classes(unlabelled):
    source = dataclasses.replace(toy(labelled=False), shape=(SIZE, SIZE, 3))
    found = extractor.extractor_of(dataclasses.replace(source, layers=toy(labelled=False)))
    assert found.head is None
    assert found.features(np.zeros([2, SIZE, SIZE, 3], np.uint8)).shape == (2, 384)


def forbidden(*_):
    raise AssertionError('it trains again')


def test_a_classifier_knows_unseen_drawings(classifier):
    unseen = range(5000, 5400)
    right = (classifier.classify(drawings(unseen)) == render.labels(5400)[5000:]).mean()
    assert 0.6 < right < 1
    assert abs(classifier.accuracy - right) < 0.15  # of sixty held out
    assert 'classifier' in classifier.name and 'this data set' in classifier.name


@pytest.mark.parametrize('kind', ['classifier', 'unlabelled'])
def test_features_are_of_one_size_whatever_the_training(kind, request):
    found = request.getfixturevalue(kind).features(toy().images(range(COUNT)))
    assert found.shape == (COUNT, 128) and found.dtype == np.float32
    assert 0.9 < found.var(axis=0).mean() < 1.1


def gaps(pixels):
    """Two squares of 3 pixels cut out of the strokes of each."""
    pixels, rng = pixels.copy(), np.random.default_rng(0)
    for image in pixels:
        for y, x, _ in rng.permutation(np.argwhere(image != image[0, 0]))[:2]:
            image[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = image[0, 0]
    return pixels


def specks(pixels):
    rng = np.random.default_rng(0)
    return np.where(rng.random(pixels.shape) < 0.02, 255 - pixels[0, 0, 0], pixels)


def blurred(pixels):
    return tf.round(tf.nn.avg_pool2d(pixels.astype(np.float32), 3, 1, 'SAME')).numpy()


def hazy(pixels):
    noise = np.random.default_rng(0).random(pixels.shape)
    ink = 255.0 - pixels[0, 0, 0]
    return pixels + (ink - pixels) * 0.2 * noise


def half_the_kinds(pixels):
    return pixels[render.labels(len(pixels)) < 5]


@pytest.mark.parametrize('kind', ['classifier', pytest.param('unlabelled', marks=pytest.mark.long)])
@pytest.mark.parametrize('change', [gaps, specks, blurred, hazy, half_the_kinds])
def test_the_distance_sees_what_matters(kind, change, request):
    look = request.getfixturevalue(kind)
    pixels = drawings(range(5000, 5800))
    real, same, changed = (
        metrics.gaussian(look.features(each.astype(np.uint8)))
        for each in (pixels[:400], pixels[400:], change(pixels[400:]))
    )
    assert metrics.frechet(real, changed) > 1.5 * metrics.frechet(real, same)


@pytest.mark.long
def test_a_seed_is_an_extractor(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_learning, 'LEAST_STEPS', 30)
    first = extractor.extractor_of(toy(), cache_dir=tmp_path / 'first')
    again = extractor.extractor_of(toy(), cache_dir=tmp_path / 'again')
    other = extractor.extractor_of(toy(), cache_dir=tmp_path / 'again', seed=1)
    pixels = drawings(range(50))
    assert len(list((tmp_path / 'again').iterdir())) == 2
    assert again.key == first.key != other.key
    np.testing.assert_array_equal(again.features(pixels), first.features(pixels))
    assert np.abs(other.features(pixels) - first.features(pixels)).max() > 0.1


def test_it_is_remembered(classifier, cache, monkeypatch):
    assert any('extractor' in path.name for path in cache.iterdir())
    monkeypatch.setattr(feature_learning.Learner, 'learned', forbidden)
    again = extractor.extractor_of(toy())
    pixels = drawings(range(50))
    np.testing.assert_array_equal(again.features(pixels), classifier.features(pixels))
    np.testing.assert_array_equal(again.classify(pixels), classifier.classify(pixels))
    assert (again.key, again.accuracy) == (classifier.key, classifier.accuracy)
    with pytest.raises(AssertionError, match='again'):
        extractor.extractor_of(toy(count=COUNT - 1))  # other data


@pytest.mark.parametrize(
    'harm',
    [
        lambda data: b'',
        lambda data: b'not a zip file',
        lambda data: data[:-100],
        lambda data: data[:500] + bytes(8) + data[508:],
    ],
)
def test_a_damaged_file_is_made_anew(harm, tmp_path, capsys):
    path = tmp_path / 'deep' / 'a.npz'
    made = remembered(path, lambda: {'a': np.arange(1.0, 999.0)})
    whole = path.read_bytes()
    path.write_bytes(harm(whole))
    again = remembered(path, lambda: {'a': np.arange(1.0, 999.0)})
    np.testing.assert_array_equal(again['a'], made['a'])
    assert path.read_bytes() == whole
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'damaged' in said and str(path) in said
    np.testing.assert_array_equal(remembered(path, forbidden)['a'], made['a'])


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, capsys):
    (tmp_path / 'file').write_text('no folder')
    made = remembered(tmp_path / 'file' / 'a.npz', lambda: {'a': np.ones(3)})
    assert made['a'].sum() == 3
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'without a cache' in said


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', '/x')
    assert str(cache_path(None, 'a')) == '/x/tfgan/a'
    assert cache_path(tmp_path, 'a') == tmp_path / 'a'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert cache_path('', 'a') == pathlib.Path.home() / '.cache/tfgan/a'


def test_features_do_not_depend_on_blocks(classifier):
    pixels = drawings(range(40))
    narrow = dataclasses.replace(classifier, block=7)
    np.testing.assert_allclose(
        narrow.features(pixels), classifier.features(pixels), rtol=1e-4, atol=1e-4
    )


def test_large_images_are_averaged_down():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, [3, 64, 48, 3], np.uint8)
    means = pixels.reshape(3, 32, 2, 24, 2, 3).mean(axis=(2, 4))
    found = views.DrawingViews([0] * 3).small(pixels).numpy().astype(np.uint8)
    assert found.shape == (3, 32, 24, 3) and found.dtype == np.uint8
    assert np.abs(found - means).max() <= 0.5
    assert views.DrawingViews([0] * 3).small(pixels[:, :32, :30]).numpy().astype(
        np.uint8
    ).shape == (3, 32, 30, 3)
    assert views.DrawingViews([0] * 3).small(pixels[:, :, :1]).numpy().astype(np.uint8).shape == (
        3,
        32,
        1,
        3,
    )


def test_any_shape_and_number_of_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_learning, 'LEAST_STEPS', 60)
    rng = np.random.default_rng(0)
    labels = np.arange(60, dtype=np.int32) % 3
    pixels = rng.integers(0, 40, [60, 70, 33, 3], np.uint8) + 100 * labels[:, None, None, None]
    source = Drawings(
        'toy', (70, 33, 3), labels, tuple('abcd'), pixels.astype(np.uint8).__getitem__
    )
    look = extractor.extractor_of(source, tmp_path)
    assert (look.classify(source.images(range(60))) == labels).all() and look.accuracy == 1


def test_blocks_are_small_where_images_are_large():
    assert feature_learning.block_of((28, 28, 1)) == 512
    assert feature_learning.block_of((256, 256, 3)) * 256 * 256 * 3 <= feature_learning.BLOCK_BYTES
    assert feature_learning.block_of((9999, 9999, 3)) == 1


def test_refusals_quote_what_was_received(classifier, unlabelled):
    with pytest.raises(FeatureError, match=r'\(20, 20, 1\), not at uint8 \(2, 21, 20, 1\)'):
        classifier.features(np.zeros([2, 21, 20, 1], np.uint8))
    with pytest.raises(FeatureError, match='float32'):
        classifier.features(np.zeros([2, 20, 20, 1], np.float32))
    with pytest.raises(FeatureError, match='knows no classes'):
        unlabelled.classify(drawings([1]))
    with pytest.raises(FeatureError, match=r'toy has 19 images.* 20'):
        extractor.extractor_of(toy(count=19))


PAPER = tf.constant([-1.0])


def test_moving_keeps_the_ink_and_the_paper():
    pixels = drawings(range(64)).astype(np.float32) / 127.5 - 1
    moved = views.move(pixels, PAPER, (0, 1)).numpy()
    assert np.abs(views.move(0 * pixels - 1, PAPER, (0, 1)).numpy() + 1).max() < 1e-6
    assert (moved + 1).sum() == pytest.approx((pixels + 1).sum(), rel=0.15)
    apart = np.abs(moved - pixels).mean(axis=(1, 2, 3))
    assert (apart > 0.02).mean() > 0.9 and apart.max() < 0.8
    assert np.abs(views.move(pixels, PAPER, (0, 2)).numpy() - moved).max() > 0.5


def test_damage_is_of_four_kinds():
    pixels = drawings(range(200)).astype(np.float32) / 127.5 - 1
    damaged, ways = (each.numpy() for each in views.damage(pixels, PAPER, (0, 1)))
    assert np.bincount(ways).min() > 25
    ink = (damaged - pixels).sum(axis=(1, 2, 3))
    assert (ink[(ways == 1) | (ways == 2)] > 0).mean() > 0.8  # specks, haze
    assert (ink[ways == 3] <= 0).all() and (ink[ways == 3] < 0).mean() > 0.7  # gaps
    roughness = [np.abs(np.diff(each, axis=2)).mean(axis=(1, 2, 3)) for each in (damaged, pixels)]
    assert (roughness[0] < roughness[1])[ways == 0].all()  # blur
    assert damaged.min() >= -1 and damaged.max() <= 1


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Random weights where Keras keeps downloaded ones, with the name of those."""
    home = tmp_path_factory.mktemp('keras')
    path = home / 'models/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5'
    path.parent.mkdir()
    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(include_top=False, pooling='avg', weights=None)
    network.save(path)
    return home, path


@pytest.mark.long
def test_inception_takes_a_file_of_weights(weights, monkeypatch):
    home, path = weights
    grey = drawings(range(4))
    look = inception.inception(str(path))
    found = look.features(grey)
    assert found.shape == (4, 2048)
    np.testing.assert_allclose(look.features(grey.repeat(3, axis=-1)), found, rtol=1e-3, atol=1e-5)
    assert np.abs(found[1:] - found[0]).max(axis=1).min() > 1e-3 * np.abs(found).max()
    with pytest.raises(FeatureError, match='knows no classes'):
        look.classify(grey)
    monkeypatch.setenv('KERAS_HOME', str(home))
    monkeypatch.setattr('requests.head', forbidden)
    downloaded = inception.inception()
    assert downloaded.key == look.key and 'ImageNet' in downloaded.name != look.name


@pytest.mark.parametrize('name', ['nowhere.h5', 'text.weights.h5'])
def test_inception_refuses_what_is_no_file_of_weights(name, tmp_path):
    if 'text' in name:
        (tmp_path / name).write_text('no weights')
    with pytest.raises(FeatureError, match=f'{name} (is no file|has no weights for InceptionV3)'):
        inception.inception(str(tmp_path / name))


def test_offline_inception_says_so_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    for name in ('HTTPS_PROXY', 'https_proxy'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')  # nobody is there
    monkeypatch.delenv('NO_PROXY', raising=False)
    began = time.monotonic()
    with pytest.raises(FeatureError, match=r'cannot be downloaded \(.*Error\)') as refusal:
        inception.inception()
    assert time.monotonic() - began < 30
    for words in ('--inception_weights=FILE', '--features=own', 'notop.h5'):
        assert words in str(refusal.value)
    assert 'http' not in str(refusal.value)
