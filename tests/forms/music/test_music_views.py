"""What the judge sees of pieces, how it is changed on purpose, and which pieces are near."""

import numpy as np
import pytest
import tensorflow as tf
from toy_pieces import toy_pieces

from tfgan.forms.music import views as module
from tfgan.forms.music.measures import measures
from tfgan.forms.music.pieces import AGAIN, REST, Pieces, transposed
from tfgan.forms.music.views import MusicViews

COUNT = 60


@pytest.fixture(scope='module')
def source():
    return toy_pieces(COUNT)


@pytest.fixture(scope='module')
def raw(source):
    return source.images(np.arange(COUNT))


@pytest.fixture(scope='module')
def views(source):
    return MusicViews(source)


def seen(views, raw):
    return views.encode(views.small(raw))


def pieces_of(views, x):
    """The pitches of encoded pieces, without what tells where they begin."""
    small = views._decode(x).numpy()
    return np.where(small == module.SILENT, REST, small % AGAIN)


def test_what_a_piece_looks_like(views):
    raw = np.array([[[60, 48], [60, 48], [60 + AGAIN, REST], [64, 55]]], np.int32)
    x = MusicViews(Pieces('toy', (4, 2), np.zeros(1), ('x',), raw.__getitem__)).small(raw)
    x = MusicViews(Pieces('toy', (4, 2), np.zeros(1), ('x',), raw.__getitem__)).encode(x).numpy()[0]
    assert x.shape == (4, 24, 2 + 2 + 1 + 1) and set(np.unique(x)) == {0, 1}
    first = [np.flatnonzero(row).tolist() for row in x[:, :, 0]]
    second = [np.flatnonzero(row).tolist() for row in x[:, :, 1]]
    assert first == [[12], [12], [12], [16]] and second == [[0], [0], [], [7]]  # from 48 up
    assert x[:, :, 2].sum(axis=1).tolist() == [1, 0, 1, 1]  # where notes begin
    assert x[:, :, 3].sum(axis=1).tolist() == [1, 0, 0, 1]
    assert np.flatnonzero(x[3, :, 4]).tolist() == [4, 7, 16, 19]  # classes in each octave
    assert np.flatnonzero(x[3, :, 5]).tolist() == [0, 9]  # from the lowest up
    assert np.flatnonzero(x[2, :, 5]).tolist() == [0]


def test_small_pieces_are_bytes_and_all_that_is_heard_comes_back(views, raw):
    raw = raw.copy()
    raw[:, 5:9, 1] = REST
    raw[:, 2, 0] += AGAIN
    small = views.small(raw)
    assert small.dtype == tf.uint8
    x = views.encode(small)
    np.testing.assert_array_equal(pieces_of(views, x), np.where(raw == REST, REST, raw % AGAIN))
    np.testing.assert_array_equal(views.encode(views._decode(x)), x)


def test_pitches_that_the_source_has_not_stay_within_the_rows(views, raw):
    x = seen(views, raw + 60).numpy()
    assert x.shape[1:3] == (64, 48) and (x[..., :4].sum(axis=2) == 1).all()


def test_a_moved_piece_is_a_transposed_one(views, raw):
    moved = pieces_of(views, views.move(seen(views, raw), (0, 1)))
    shifts = (moved - raw).reshape(COUNT, -1)
    assert (shifts == shifts[:, :1]).all()
    assert set(shifts[:, 0]) == set(range(-module.MOVE, module.MOVE + 1))


def test_each_damage_damages_and_in_its_own_way(views, source, raw):
    many = np.tile(raw, [6, 1, 1])
    x = seen(views, many)
    damaged, ways = views.damage(x, (0, 1))
    assert damaged.shape == x.shape and views.damages == 6
    assert set(ways.numpy()) == set(range(6))
    again, _ = views.damage(x, (0, 1))
    np.testing.assert_array_equal(damaged, again)
    other, _ = views.damage(x, (0, 2))
    assert not np.array_equal(damaged, other)
    pieces, before = pieces_of(views, damaged).astype(np.int32), measures(many, source)
    found = measures(pieces, source)
    for way in range(6):
        chosen = ways.numpy() == way
        changed = (pieces != many)[chosen]
        assert changed.any(axis=(1, 2)).mean() > 0.9, way
        if way != 1:  # whose beats are out of order but as they were
            assert found['beats_in_chord'][chosen].mean() < 0.9, way
    assert (before['beats_in_chord'] == 1).all()
    shuffled, hurried = (np.flatnonzero(ways.numpy() == way) for way in (1, 2))
    for i in shuffled:
        beats, were = (p[i].reshape(16, -1).tolist() for p in (pieces, many))
        assert sorted(beats) == sorted(were)
    assert found['sixteenths'][hurried].mean() > 0.1 and before['sixteenths'].max() == 0
    for way in (3, 4):  # one voice alone is changed
        changed = (pieces != many)[ways.numpy() == way].any(axis=1).sum(axis=1)
        assert (changed <= 1).all()
    foreign = (pieces != many)[ways.numpy() == 5].any(axis=1).sum(axis=1)
    assert foreign.min() >= 1 and foreign.max() <= 3


def test_a_melody_is_damaged_in_ways_that_it_can_be(raw):
    melody = raw[:, :, :1]
    source = Pieces('toy', (64, 1), np.zeros(COUNT), ('x',), melody.__getitem__)
    views = MusicViews(source)
    x = seen(views, melody)
    damaged, ways = views.damage(x, (0, 1))
    assert views.damages == 3 and set(ways.numpy()) == {0, 1, 2}
    changed = (pieces_of(views, damaged) != melody).any(axis=(1, 2))
    assert changed.mean() > 0.8


def test_the_nearest_is_so_in_any_transposition(views, raw):
    rng = np.random.default_rng(0)
    others = views.thumbnails(raw)
    assert others.dtype == np.uint8 and others.shape == (COUNT, 64 * 4)
    chosen = rng.permutation(COUNT)[:13]
    shifts = range(-6, 7)
    changed = np.array([transposed(raw[i], s) for i, s in zip(chosen, shifts, strict=True)])
    changed[:, :3, 0] = 30  # 3 of 256 are other notes
    distances, at = views.nearest(views.thumbnails(changed.astype(np.int32)), others)
    np.testing.assert_array_equal(at, chosen)
    np.testing.assert_allclose(distances, 3 / 256, rtol=1e-5)
    apart, at = views.nearest(others[:5], others, k=2)
    assert (at != np.arange(5)).all() and (apart > 0).all()
    by_hand = min(
        np.mean(transposed(raw[0], s) != raw[i]) for i in range(1, COUNT) for s in range(-6, 7)
    )
    assert apart[0] == pytest.approx(by_hand)


def test_rests_and_notes_struck_again_are_near_as_they_sound(views, raw):
    silent = raw[:1].copy()
    silent[:, 8:16] = REST
    higher = np.where(silent == REST, REST, silent + 5)
    distances, _ = views.nearest(views.thumbnails(higher), views.thumbnails(silent))
    assert distances[0] == 0
    struck = raw[:1] + AGAIN * (np.arange(64) % 4 == 2)[None, :, None]
    distances, _ = views.nearest(views.thumbnails(struck), views.thumbnails(raw))
    assert distances[0] == 0
