"""Pieces as networks take them, and back."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan.forms.music import rows
from tfgan.forms.music.augment import MusicAugmentation
from tfgan.forms.music.pieces import AGAIN, REST


def pieces(count=20, steps=32, voices=4, lowest=40, highest=80):
    rng = np.random.default_rng(0)
    raw = rng.integers(lowest, highest, size=[count, steps // 4, voices]).repeat(4, axis=1)
    raw[rng.random(raw.shape) < 0.1] = REST
    return raw.astype(np.int32)


def with_again(raw):
    """The same with every third held note struck again."""
    raw = raw.copy()
    held = (raw[:, 1:] == raw[:, :-1]) & (raw[:, 1:] != REST)
    raw[:, 1:][held & (np.cumsum(held).reshape(held.shape) % 3 == 0)] += AGAIN
    return raw


@pytest.mark.parametrize(('count', 'low', 'high'), [(25, 48, 71), (49, 36, 83), (73, 24, 95)])
def test_pieces_come_back(count, low, high):
    raw = pieces(lowest=low, highest=high + 1)
    x = rows.encode(raw, count)
    assert x.shape == (20, 32, count, 4)
    np.testing.assert_array_equal(tf.reduce_sum(x, axis=2), 1)
    np.testing.assert_array_equal(rows.decode(x), raw)


def test_notes_struck_again_come_back():
    raw = with_again(pieces())
    assert (raw >= AGAIN).any()
    np.testing.assert_array_equal(rows.decode(rows.encode(raw, 50)), raw)


def test_a_note_is_not_struck_again_that_did_not_sound():
    x = np.zeros([1, 4, 26, 1], np.float32)
    x[0, [0, 1, 2, 3], [24, 3, 3, 24], 0] = 1  # a rest, a note for two steps, a rest
    x[0, :, 25] = 1
    lowest = rows.lowest(26)
    np.testing.assert_array_equal(
        rows.decode(x)[0, :, 0], [REST, lowest + 3, lowest + 3 + AGAIN, REST]
    )


def test_what_is_given_is_part_of_the_pieces_and_of_all_kinds():
    x = rows.encode(pieces(400, 64), 49)
    given, known = (each.numpy() for each in rows.given(x, tf.range(400, dtype=tf.int64)))
    np.testing.assert_array_equal(given, x * known[:, :, None])
    assert set(np.unique(known)) == {0, 1}
    share = known.mean(axis=(1, 2))
    soprano = (known[:, :, 0] == 1).all(axis=1) & (known[:, :, 1:] == 0).all(axis=(1, 2))
    begun = (known[:, :16] == 1).all(axis=(1, 2)) & (known[:, -16:] == 0).all(axis=(1, 2))
    assert 0.3 < (share == 0).mean() < 0.5
    assert 0.2 < soprano.mean() < 0.35
    assert 0.08 < begun.mean() < 0.3
    bars = known.reshape(400, 4, 16, 4)
    assert (bars == bars[:, :, :1]).all()
    one, _ = rows.given(x[:7], tf.range(7, dtype=tf.int64))  # whatever is beside it in the batch
    np.testing.assert_array_equal(one, given[:7])


def test_transposed_pieces_are_the_same_elsewhere():
    raw = pieces(300, 64, lowest=50, highest=70)
    augmentation = MusicAugmentation()
    changes = augmentation.choose(tf.range(300, dtype=tf.int64), 1.0)
    moved = rows.decode(augmentation.apply(rows.encode(raw, 49), changes)).numpy()
    np.testing.assert_array_equal(np.unique(changes), np.arange(-6, 7))
    np.testing.assert_array_equal(moved, np.where(raw == REST, REST, raw + changes[:, None, None]))


def test_no_note_is_transposed_out_of_the_rows():
    raw = pieces(50, lowest=38, highest=84)
    x = MusicAugmentation().apply(rows.encode(raw, 49), tf.tile([-6, 6], [25]))
    np.testing.assert_array_equal(tf.reduce_sum(x, axis=2), 1)
    moves = rows.decode(x).numpy() - raw
    for piece, move in zip(raw, moves):
        [own] = np.unique(move[piece != REST])
        assert -6 <= own <= 6 and (move[piece == REST] == 0).all()


def test_few_are_transposed_where_that_is_improbable():
    seeds = tf.range(1000, dtype=tf.int64)
    changed = (MusicAugmentation().choose(seeds, 0.2).numpy() != 0).mean()
    assert 0.1 < changed < 0.25
    assert not MusicAugmentation().choose(seeds, 0.0).numpy().any()
