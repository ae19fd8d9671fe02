"""The quality of known drawings: real ones, noise, copies, one alone, some of the kinds."""

import dataclasses
import os

import numpy as np
import pytest

from tfgan import errors
from tfgan.data.doodles import render
from tfgan.evaluation import evaluator, extractor, feature_learning, metrics, report
from tfgan.evaluation.evaluator import SEED, Evaluator
from tfgan.forms.drawing import FORM
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.views import DrawingViews

COUNT, SIZE, NUM = 700, 20, 200
CLASSES = {'classes_covered', 'class_kl', 'labels_right'}  # figures of a classifier


def drawings(indices):
    return render.draw(np.asarray(indices), size=SIZE)[..., None]


@pytest.fixture(scope='module')
def source():
    pixels, labels = drawings(range(COUNT)), render.labels(COUNT)
    return Drawings('toy', (SIZE, SIZE, 1), labels, tuple(render.KINDS), pixels.__getitem__)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture(scope='module')
def look(source, cache):
    return extractor.extractor_of(source, cache)


@pytest.fixture(scope='module')
def judge(source, look, cache):
    return Evaluator(source, look, NUM, cache_dir=cache)


def showing(source, indices):
    """Draws the source's images at `indices`, in that order."""

    def draw(seeds):
        chosen = np.asarray(indices)[seeds - SEED]
        return source.images(chosen), source.labels[chosen]

    return draw


def third_sample(judge):
    """Real images that are in neither of the two samples."""
    return judge._order[2 * NUM : 3 * NUM]


def figures(judge, draw):
    return judge.evaluate(draw).as_dict()


def test_real_images_are_as_good_as_real_images(source, judge):
    found = judge.evaluate(showing(source, third_sample(judge)))
    values = found.as_dict()
    assert [row.name for row in found.rows] == [*evaluator.FIGURES, *FORM.figures]
    for name in ('frechet_distance', 'precision', 'recall', 'density', 'coverage', 'diversity'):
        assert 0.8 < values[name] / values[f'{name}_of_real'] < 1.25, name
    for name in ('ink_share', 'haze_share', 'stroke_width', 'parts'):
        assert 0.8 < values[name] / values[f'{name}_of_real'] < 1.25, name
    assert values['kernel_distance_low'] < values['kernel_distance_high']
    assert abs(values['kernel_distance']) < 0.1 * abs(values['diversity'])
    assert values['classes_covered'] == values['classes_covered_of_real'] == 10
    assert values['class_kl'] < 0.1 and values['class_kl_of_real'] < 0.1
    assert values['labels_right'] > 0.8 and values['labels_right_of_real'] > 0.8
    assert all(row.n == NUM for row in found.rows)
    assert {row.better for row in found.rows} == {'lower', 'higher', 'near'}
    shares = found.class_shares
    assert list(shares) == list(render.KINDS)
    assert sum(generated for generated, _ in shares.values()) == pytest.approx(1)
    generated, of_data = zip(*shares.values())
    assert list(of_data) == source.shares.tolist()  # and not a sample's
    assert values['class_kl'] == pytest.approx(metrics.kl_divergence(generated, source.shares))
    diversity = judge.class_diversity(found)
    assert list(diversity) == list(render.KINDS)
    for drawn, real in diversity.values():
        assert 0.7 < drawn / real < 1.4


def test_a_class_that_varies_too_little_is_named_first(source, judge):
    chosen = third_sample(judge)
    chosen = np.where(source.labels[chosen] == 3, chosen[source.labels[chosen] == 3][0], chosen)
    found = judge.evaluate(showing(source, chosen))
    diversity = judge.class_diversity(found)
    heads, first, *others = report.class_table(found.class_shares, diversity)[2:]
    assert heads.split() == ['class', 'share', 'in', 'data', 'diversity', 'real']
    assert first.split()[0] == render.KINDS[3] and len(others) == 9
    drawn, real = diversity[render.KINDS[3]]
    assert drawn < 0.5 * real


def test_noise_is_bad(judge):
    def draw(seeds):
        noise = np.random.default_rng(0).integers(0, 256, [len(seeds), SIZE, SIZE, 1], np.uint8)
        return noise, None

    values = figures(judge, draw)
    assert values['frechet_distance'] > 10 * values['frechet_distance_of_real']
    assert values['kernel_distance_low'] > values['kernel_distance_high_of_real'] > 0
    assert values['precision'] < 0.05 and values['coverage'] < 0.05 and values['density'] < 0.05
    assert values['copies'] == 0
    assert values['parts'] > 3 * values['parts_of_real']
    assert set(values) & CLASSES == CLASSES - {'labels_right'}  # none was asked for


def test_one_drawing_again_and_again_has_no_variety(source, judge):
    found = judge.evaluate(showing(source, [7] * NUM))
    values = found.as_dict()
    assert values['diversity'] < 1e-3 * values['diversity_of_real']
    assert values['coverage'] < 0.1 and values['recall'] == 0
    assert values['frechet_distance'] > 5 * values['frechet_distance_of_real']
    assert values['classes_covered'] == 1
    assert values['class_kl'] > 1.5
    assert max(generated for generated, _ in found.class_shares.values()) == 1
    assert len(judge.class_diversity(found)) == 1
    assert values['copies'] == 1


def test_copies_are_found_and_what_is_new_is_none(source, judge):
    chosen = np.random.default_rng(1).permutation(COUNT)[:NUM]
    found = judge.evaluate(showing(source, chosen))
    values = found.as_dict()
    assert values['copies'] == 1
    assert 0 < values['copies_of_real'] <= 0.02
    assert (source.images(found.nearest) == source.images(chosen)).all()
    assert (found.distances == 0).all()
    new = figures(judge, lambda seeds: (drawings(9000 + seeds - SEED), None))
    assert new['copies'] < 0.06


def test_half_the_kinds_are_missed(source, judge):
    some = np.flatnonzero(source.labels < 5)[:NUM]
    values = figures(judge, showing(source, some))
    assert 5 <= values['classes_covered'] <= 7 < values['classes_covered_of_real']
    assert 0.4 < values['class_kl'] < 1
    assert values['coverage'] < 0.8 * values['coverage_of_real']
    assert values['precision'] > 0.8 * values['precision_of_real']
    assert values['frechet_distance'] > 1.5 * values['frechet_distance_of_real']


def test_drawings_of_other_classes_than_asked(source, judge):
    def draw(seeds):
        pixels, labels = showing(source, third_sample(judge))(seeds)
        return pixels, (labels + 1) % 10

    values = figures(judge, draw)
    assert values['labels_right'] < 0.2 < values['labels_right_of_real']


def test_haze_and_specks_show(source, judge):
    def draw(seeds):
        pixels, labels = showing(source, third_sample(judge))(seeds)
        pixels = np.where(pixels == source.paper[0], abs(source.paper[0] - 100), pixels)
        pixels[:, ::9, ::9] = 255 - source.paper[0]
        return pixels.astype(np.uint8), labels

    values = figures(judge, draw)
    assert values['haze_share'] > 0.2 > values['haze_share_of_real']
    assert values['specks'] > 1 + values['specks_of_real']
    assert values['ink_share'] > 1.5 * values['ink_share_of_real']
    assert values['frechet_distance'] > 3 * values['frechet_distance_of_real']


def test_blank_drawings_have_no_stroke_width(source, judge):
    blank = np.full([NUM, SIZE, SIZE, 1], source.paper[0], np.uint8)
    values = figures(judge, lambda seeds: (blank[: len(seeds)], None))
    assert np.isnan(values['stroke_width']) and values['parts'] == 0


def test_without_classes_there_are_no_figures_of_classes(source, cache, monkeypatch):
    monkeypatch.setattr(feature_learning, 'LEAST_STEPS', 60)
    plain = dataclasses.replace(source, labels=np.zeros(COUNT, np.int32), class_names=('drawing',))
    judge = Evaluator(plain, extractor.extractor_of(plain, cache), NUM, cache_dir=cache)
    found = judge.evaluate(showing(plain, third_sample(judge)))
    assert {row.name for row in found.rows} == {*evaluator.FIGURES, *FORM.figures} - CLASSES
    assert found.class_shares == judge.class_diversity(found) == {}
    assert report.class_table({}, {}) == []
    values = found.as_dict()
    assert 0.7 < values['frechet_distance'] / values['frechet_distance_of_real'] < 1.4


def forbidden(*_):
    raise AssertionError('it looks again')


def test_the_real_side_is_remembered(source, look, judge, cache, monkeypatch):
    draw = showing(source, third_sample(judge))
    before = figures(judge, draw)
    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, '_look_at_real', forbidden)
        assert figures(Evaluator(source, look, NUM, cache_dir=cache), draw) == before
        for other in ({'num': 100}, {'seed': 1}):
            with pytest.raises(AssertionError, match='again'):
                Evaluator(source, look, **({'num': NUM, 'cache_dir': cache} | other))
        with pytest.raises(AssertionError, match='again'):
            Evaluator(source, dataclasses.replace(look, key='other'), NUM, cache_dir=cache)
    other = figures(Evaluator(source, look, NUM, seed=1, cache_dir=cache), draw)
    assert other['frechet_distance'] != before['frechet_distance']


def test_a_damaged_memory_is_made_anew(source, look, judge, cache, capsys):
    draw = showing(source, third_sample(judge))
    before = figures(judge, draw)
    (path,) = cache.glob(f'real-{source.fingerprint}-{look.key}-{NUM}-0-*')
    path.write_bytes(path.read_bytes()[: os.path.getsize(path) // 2])
    assert figures(Evaluator(source, look, NUM, cache_dir=cache), draw) == before
    assert 'damaged' in capsys.readouterr().err


def test_pixels_are_held_a_block_at_a_time(source, look, judge, tmp_path, monkeypatch):
    blocks = []

    def read(indices):
        blocks.append(len(indices))
        return source.read(indices)

    draw = showing(source, third_sample(judge))
    before = figures(judge, draw)
    monkeypatch.setattr(feature_learning, 'BLOCK_BYTES', 30 * SIZE * SIZE)
    watched = dataclasses.replace(source, read=read, notes={'paper': 3 * source.paper})
    watching = Evaluator(watched, look, NUM, cache_dir=tmp_path)

    def watched_draw(seeds):
        blocks.append(len(seeds))
        return draw(seeds)

    values = figures(watching, watched_draw)
    blocks.remove(512)  # the source's own fingerprint
    assert max(blocks) == 30 and sum(blocks) == COUNT + 3 * NUM
    for name, value in before.items():
        assert values[name] == pytest.approx(value, rel=0.02, abs=0.02), name


def test_a_small_set_is_split_in_halves(source, look, tmp_path):
    few = dataclasses.replace(source, labels=source.labels[:51])
    judge = Evaluator(few, look, 200, cache_dir=tmp_path)
    assert judge.count == 25
    assert judge.evaluate(showing(few, range(25))).rows[0].n == 25
    few = dataclasses.replace(source, labels=source.labels[:19])
    with pytest.raises(errors.FeatureError, match=r'toy has 19 images.* 20'):
        Evaluator(few, look, 200, cache_dir=tmp_path)


def test_copies_are_looked_for_among_fewer_if_not_thorough(source, look, judge, monkeypatch):
    monkeypatch.setattr(evaluator, 'FEW_TRAINING', 300)
    quick = Evaluator(source, look, NUM, cache_dir='/dev/null/nowhere', thorough=False)
    np.testing.assert_array_equal(quick.training, judge.training[:300])
    quality = quick.evaluate(showing(source, quick.training[::-1]))
    rows = {row.name: row for row in quality.rows}
    assert '300 training images' in rows['copies'].meaning and rows['copies'].generated == 1
    beyond = quick.evaluate(showing(source, third_sample(judge)))
    assert dict(beyond.as_dict())['copies'] < 0.06


def test_the_nearest_of_chunks_is_the_nearest(source, judge, monkeypatch):
    monkeypatch.setattr(evaluator, 'CHUNK', 64)
    pixels = source.images(judge.training).reshape(COUNT, -1) / np.float32(255)
    fresh = drawings(range(9000, 9050))
    distances, places = judge._nearest(DrawingViews([255]).thumbnails(fresh))
    apart = np.linalg.norm(fresh.reshape(50, 1, -1) / np.float32(255) - pixels, axis=2)
    np.testing.assert_allclose(distances, apart.min(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(places, apart.argmin(axis=1))
    among, _ = judge._nearest(judge._thumbnails[:NUM], themselves=True)
    expected, _ = metrics.nearest(pixels, pixels, leave_out=True)
    np.testing.assert_allclose(among, expected[:NUM], rtol=1e-5)
    np.testing.assert_allclose(judge._real['among'], among, rtol=1e-5)


def test_thumbnails_are_grey_and_small():
    pixels = np.zeros([2, 64, 40, 3], np.uint8)
    pixels[1, :, :, 0] = 90
    rows = DrawingViews([255]).thumbnails(pixels)
    assert rows.shape == (2, 32 * 20) and rows.dtype == np.uint8
    assert (rows[0] == 0).all() and (rows[1] == 30).all()


def pairs_on(sheet):
    """The pairs [5, 4, 2, SIZE, SIZE] on a sheet of five rows."""
    sheet = sheet[::4, ::4]  # it is enlarged
    assert sheet.shape == (2 + 5 * (SIZE + 2), 2 + 8 * (SIZE + 2), 1)
    cells = np.stack([sheet[2 + 22 * i : 22 + 22 * i, 2:] for i in range(5)])[..., 0]
    cells = np.stack([cells[:, :, 22 * i : 22 * i + SIZE] for i in range(8)], axis=1)
    return cells.reshape(5, 4, 2, SIZE, SIZE)


def test_the_sheet_of_what_is_missed(source, judge, look):
    without = [i for i in third_sample(judge) if source.labels[i] != 0]
    draw = showing(source, np.resize(without, NUM))
    pairs = pairs_on(judge.missed_sheet(draw, judge.evaluate(draw), rows=5))
    missed = pairs[:, :2, 0].reshape(-1, SIZE, SIZE, 1)
    assert (look.classify(missed) == 0).mean() > 0.5  # the one kind that is never drawn
    assert (look.classify(pairs[:, :2, 1].reshape(-1, SIZE, SIZE, 1)) != 0).all()
    assert (look.classify(pairs[:, 2:, 0].reshape(-1, SIZE, SIZE, 1)) == 0).mean() < 0.5


def test_the_sheet_of_neighbours(source, judge):
    chosen = third_sample(judge)

    def draw(seeds):
        """Copies for the even seeds, new drawings for the odd ones."""
        pixels, _ = showing(source, chosen)(seeds)
        pixels = pixels.copy()
        odd = seeds % 2 == 1
        pixels[odd] = drawings(9000 + seeds[odd] - SEED)
        return pixels, None

    quality = judge.evaluate(draw)
    pairs = pairs_on(judge.neighbours_sheet(draw, quality, rows=5))
    same = (pairs[:, :, 0] == pairs[:, :, 1]).all(axis=(2, 3))
    assert same[:, :2].all() and not same[:, 2:].all()
    assert not (pairs[0, 0, 0] == pairs[1, 0, 0]).all()


def test_inception_like_extractors_know_no_classes(source, look, judge, tmp_path):
    blind = dataclasses.replace(look, head=None, key='blind')
    values = figures(
        Evaluator(source, blind, NUM, cache_dir=tmp_path), showing(source, third_sample(judge))
    )
    assert not CLASSES & set(values)
    assert values['frechet_distance'] > 0
