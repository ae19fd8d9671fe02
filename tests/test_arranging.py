"""What a model of music makes of a person's: of any length, in windows, with what is known kept."""

import itertools

import numpy as np
import pytest
from music_stub import MusicStub

from tfgan import arranging, client
from tfgan.errors import ModelError
from tfgan.forms.base import Given


@pytest.fixture
def model():
    return MusicStub()


@pytest.mark.parametrize('bar_steps', [6, 12, 16, 24, 40])
@pytest.mark.parametrize('steps', [1, 63, 64, 65, 96, 200])
def test_windows_begin_with_bars_and_reach_the_end(steps, bar_steps):
    starts = arranging.windows(steps, 64, bar_steps)
    assert starts[0] == 0 and starts[-1] + 64 >= steps
    assert len(starts) == 1 or starts[-2] + 64 < steps  # none is for nothing
    assert {start % bar_steps for start in starts} == {0}
    assert all(0 < b - a <= max(32, bar_steps) for a, b in itertools.pairwise(starts))


def test_parts_have_seeds_of_their_own():
    seeds = np.array([0, 1, -(2**63), 2**63 - 1])
    found = [arranging.another(seeds, number) for number in range(50)]
    assert (found[0] == seeds).all()
    assert len(np.unique(found)) == 200


def test_what_is_known_stays_and_one_seed_is_one_piece(model):
    rng = np.random.default_rng(0)
    pitch = rng.integers(48, 72, [2, 100, 4])
    known = rng.random([2, 100, 4]) < 0.3
    found = model.fill(pitch, known, [5, 6])
    assert found.shape == (2, 100, 4) and found.dtype == np.int32
    assert (found[known] == pitch[known]).all()
    assert (found[~known] != pitch[~known]).mean() > 0.5
    assert (model.fill(pitch[1:], known[1:], 6)[0] == found[1]).all()
    assert (model.fill(pitch, known, [5, 7])[1] != found[1]).any()


def test_pieces_are_as_long_as_they_are_asked_to_be(model):
    found = model.long([3, 4], bars=9)
    assert found.shape == (2, 9 * 16, 4)
    assert (found[0] != found[1]).any()
    assert (found[:, :64] == model.draw([3, 4])).all()  # They begin as shorter ones.
    assert (model.long([4], bars=9)[0] == found[1]).all()


def test_an_upbeat_comes_before_the_first_bar(model):
    pitch = np.full([20, 4], 60, np.int32)
    known = np.zeros([20, 4], bool)
    known[:, 0] = True
    given = Given(pitch, known, 16, 12, 'minor', {}, '')
    found = model.compose(given, [1, 2])
    assert found.shape == (2, 20, 4)
    assert (found[:, :, 0] == 60).all()


def test_a_mode_that_the_model_knows_is_that_of_what_is_given(model):
    given = Given(np.zeros([64, 4], np.int32), np.zeros([64, 4], bool), 16, 0, 'minor', {}, '')
    assert (model.compose(given, [1]) == model.draw([1], 'minor')).all()
    assert (model.compose(given, [1], 'major') == model.draw([1], 'major')).all()


def test_pieces_of_other_shapes_are_refused(model):
    with pytest.raises(ModelError, match=r'expected \[n, steps, 4\] twice'):
        model.fill(np.zeros([1, 64, 3]), np.zeros([1, 64, 3]))


def test_what_drawings_have_is_refused_with_a_way_on(model):
    for ask in (
        lambda: model.svg([1]),
        lambda: model.encode(['x.png']),
        lambda: model.understood('a cat'),
        lambda: model.walk([1]),
    ):
        with pytest.raises(ModelError, match=r'python -m tfgan\.compose'):
            ask()


def test_a_model_that_draws_composes_nothing(exported):
    with pytest.raises(ModelError, match=r'writes no music.*python -m tfgan.redraw'):
        client.load(exported).fill(np.zeros([1, 64, 4]), np.zeros([1, 64, 4]))
