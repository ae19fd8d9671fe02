"""Pieces judged as drawings are: by their own figures, in their own words, against other pieces."""

import dataclasses

import numpy as np
import pytest
from toy_pieces import toy_pieces

from tfgan.errors import FeatureError
from tfgan.evaluation import evaluator, extractor, feature_learning, report
from tfgan.evaluation.evaluator import SEED, Evaluator
from tfgan.forms.music import FORM
from tfgan.forms.music.pieces import transposed

PIECES, WINDOWS, STEPS = 60, 3, 40


@pytest.fixture(scope='module', autouse=True)
def hasty():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_learning, 'LEAST_STEPS', STEPS)
        patch.setattr(feature_learning, 'BATCH', 64)
        yield


@pytest.fixture(scope='module')
def source():
    return toy_pieces(PIECES, windows=WINDOWS)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture(scope='module')
def look(source, cache):
    return extractor.extractor_of(source, cache)


@pytest.fixture(scope='module')
def judge(source, look, cache):
    return Evaluator(source, look, cache_dir=cache)


def showing(pieces):
    def draw(seeds):
        return pieces[seeds - SEED], None

    return draw


@pytest.fixture(scope='module')
def fresh(judge):
    """Pieces that are nobody's copies."""
    return toy_pieces(judge.count, seed=1).images(np.arange(judge.count))


def foreign(pieces, share):
    """Pieces, of a share of which the third voice is that of another."""
    some = np.random.default_rng(0).random(len(pieces)) < share
    others = np.roll(pieces[..., 2], 1, axis=0)
    return np.where(some[:, None, None] & (np.arange(4) == 2), others[..., None], pieces)


def test_pieces_have_a_report_of_their_own(judge, fresh):
    quality = judge.evaluate(showing(fresh))
    names = {**evaluator.FIGURES, **FORM.figures}
    assert [row.name for row in quality.rows] == [n for n in names if n != 'labels_right']
    values = quality.as_dict()
    assert values['beats_in_chord'] == values['beats_in_chord_of_real'] == 1
    assert values['overlap_pitch_classes'] > 0.9 < values['overlap_pitch_classes_of_real']
    assert values['precision'] > 0.5 and values['recall'] > 0.5
    told = '\n'.join(row.meaning for row in quality.rows)
    assert 'pieces that lie among real pieces' in told and '180 training pieces as 1%' in told
    assert not {'drawing', 'image', '{'} & set(told.replace('s', ' ').split())
    assert 'pieces and as many real pieces' in report.headline(judge, report.OWN)
    assert 'Of the pieces' in '\n'.join(report.class_table({'a': (1, 1)}, {'a': (1, 1)}, 'piece'))


def test_wrong_harmony_is_the_further_the_more_of_it_there_is(judge, fresh):
    found = [judge.evaluate(showing(foreign(fresh, share))).as_dict() for share in (0, 0.3, 1)]
    for name, sign in {'frechet_distance': 1, 'beats_in_chord': -1}.items():
        values = sign * np.array([each[name] for each in found])
        assert (np.diff(values) > 0).all(), (name, values)
    assert found[2]['frechet_distance'] > 2 * found[0]['frechet_distance']


def test_copies_are_found_in_any_key(source, judge, fresh):
    chosen = np.random.default_rng(2).permutation(len(source))[: judge.count]
    higher = transposed(source.images(chosen), 3)
    found = judge.evaluate(showing(higher))
    assert found.as_dict()['copies'] == 1 and (found.distances == 0).all()
    assert judge.evaluate(showing(fresh)).as_dict()['copies'] < 0.1


def test_no_piece_is_in_both_samples(source, judge):
    first, second = judge._order[: 2 * judge.count].reshape(2, -1)
    assert not set(source.origins[first]) & set(source.origins[second])
    assert 0.8 < 2 * judge.count / len(source) <= 1
    assert sorted(judge._order) == list(range(len(source)))
    # The windows of a piece overlap: their own would be the nearest, at distance 0 or little more.
    twice = dataclasses.replace(
        source, read=lambda rows: source.images(rows // WINDOWS * WINDOWS), notes={'rows': 49}
    )
    apart = Evaluator(twice, judge.extractor, cache_dir='/dev/null/nowhere')
    assert (apart._real['among'] > 0.2).all()


def test_what_a_classifier_has_not_seen_is_of_pieces_it_has_not_seen(source):
    order, held = feature_learning.two_samples(source, 0, 18)
    assert 0 < held <= 18 and sorted(order) == list(range(len(source)))
    assert not set(source.origins[order[:held]]) & set(source.origins[order[held:]])
    one = dataclasses.replace(source, origins=np.zeros(len(source), int))
    assert feature_learning.two_samples(one, 0, 18)[1] == 18
    none = dataclasses.replace(source, origins=None)
    order, held = feature_learning.two_samples(none, 0, 18)
    assert held == 18
    np.testing.assert_array_equal(order, np.random.default_rng(0).permutation(len(source)))


def test_copies_are_those_of_what_was_learned_from(source, judge, fresh, cache, look):
    learned = toy_pieces(80, seed=5)
    against = Evaluator(source, look, cache_dir=cache, training=learned)
    copied = np.resize(learned.images(np.arange(80)), fresh.shape)
    quality = against.evaluate(showing(copied))
    assert quality.as_dict()['copies'] == 1 and (quality.distances == 0).all()
    assert quality.as_dict()['copies_of_real'] < 0.1
    np.testing.assert_array_equal(quality.nearest, np.resize(np.arange(80), judge.count))
    (row,) = (row for row in quality.rows if row.name == 'copies')
    assert row.meaning == 'as near to one of 80 training pieces as 1% of unseen pieces'
    # Copies of what it is judged against are none of what it learned from.
    shown = source.images(np.arange(judge.count))
    assert against.evaluate(showing(shown)).as_dict()['copies'] < 0.1
    same = Evaluator(source, look, cache_dir=cache, training=source)
    assert same.evaluate(showing(shown)).as_dict()['copies'] == 1


def test_voices_are_in_the_range_of_what_was_learned_from(source, look, cache, fresh):
    low = dataclasses.replace(source, read=lambda rows: source.images(rows) - 12)
    against = Evaluator(source, look, cache_dir=cache, training=low)
    found = against.evaluate(showing(fresh)).as_dict()
    assert found['voices_in_range'] < 0.2 > found['voices_in_range_of_real']
    elsewhere = dataclasses.replace(low, dataset='elsewhere')  # which may sing as it pleases
    against = Evaluator(source, look, cache_dir=cache, training=elsewhere)
    assert against.evaluate(showing(fresh)).as_dict()['voices_in_range_of_real'] == 1


def test_what_is_no_piece_of_that_shape_is_refused(look):
    for wrong in np.zeros([2, 64, 4], np.uint8), np.zeros([2, 64, 3], np.int32):
        with pytest.raises(FeatureError, match=r'looks at int32 images of \(64, 4\), not at'):
            look.features(wrong)


def test_too_few_pieces_to_judge_by():
    with pytest.raises(FeatureError, match='toy has 19 pieces; to judge pieces by them takes at'):
        extractor.check_count(toy_pieces(19))
