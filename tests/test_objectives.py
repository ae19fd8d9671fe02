"""The games by hand-computed numbers, and their penalties by critics whose slopes are known."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan.objectives import OBJECTIVES, one_centred, zero_centred

ROWS = OBJECTIVES.items()
REAL, FAKE = [2.0, 0.5], [-1.0, 0.25]

# The discriminator's and the generator's loss at these two pairs of logits.
EXPECTED = {
    'minimax': ([0.440190, 1.300016], [-0.313262, -0.825939]),
    'non_saturating': ([0.440190, 1.300016], [1.313262, 0.575939]),
    'least_squares': ([0.5, 0.90625], [2.0, 0.28125]),
    'wasserstein': ([-3.0, -0.25], [1.0, -0.25]),
    'hinge': ([0.0, 1.75], [1.0, -0.25]),
    'relativistic': ([0.048587, 0.575939], [3.048587, 0.825939]),
}


def tensors(*arrays):
    return [tf.constant(array, tf.float32) for array in arrays]


def images(seed, count=3, shape=(2, 3, 2)):
    return tf.constant(np.random.default_rng(seed).normal(size=(count, *shape)), tf.float32)


def norms(images):
    return np.sqrt(np.sum(np.square(images), axis=(1, 2, 3)))


def slopes(loss, real, fake):
    real, fake = tensors(real, fake)
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        total = tf.reduce_sum(loss(real, fake))
    return tape.gradient(total, [real, fake])


def test_every_game_is_expected():
    assert set(EXPECTED) == set(OBJECTIVES)


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_losses_by_hand(name, game):
    for loss, expected in zip((game.discriminator, game.generator), EXPECTED[name], strict=True):
        assert loss(*tensors(REAL, FAKE)).numpy() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_each_player_pulls_its_way(name, game):
    rises_with_real, rises_with_fake = slopes(game.discriminator, [0.5, -0.5], [0.25, -0.75])
    assert np.all(rises_with_real < 0)
    assert np.all(rises_with_fake > 0)
    assert np.all(slopes(game.generator, [0.5, -0.5], [0.25, -0.75])[1] < 0)


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_losses_stay_finite_for_a_sure_discriminator(name, game):
    for loss in game.discriminator, game.generator:
        real, fake = tensors([300.0, -300.0], [-300.0, 300.0])
        assert np.isfinite(loss(real, fake)).all()
        gradients = [g for g in slopes(loss, real, fake) if g is not None]
        assert np.isfinite(gradients).all()


def test_who_learns_from_a_sure_discriminator():
    slope = {name: slopes(game.generator, [9.0], [-9.0])[1].numpy()[0] for name, game in ROWS}
    assert -1e-3 < slope.pop('minimax') < 0
    assert all(value < -0.9 for value in slope.values()), slope


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_real_and_fake_are_mirror_images(name, game):
    real, fake = tensors([2.0, 0.5, -1.0], [-1.5, 0.25, 3.0])
    mirrored = game.discriminator(-fake, -real)
    np.testing.assert_allclose(game.discriminator(real, fake), mirrored, rtol=1e-6)
    assert np.ptp(mirrored) > 0.5


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_anchored_games_put_the_line_at_zero(name, game):
    # Where real and generated are the same, only an anchored game cares for the logit itself.
    low, middle, high = (game.discriminator(*tensors([t], [t])).numpy()[0] for t in (-3, 0, 3))
    assert low == pytest.approx(high)
    if game.anchored:
        assert low - middle > 0.5
    else:
        assert low == pytest.approx(middle)


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_a_weight_comes_with_a_penalty(name, game):
    assert (game.weight > 0) == (game.penalty is not None)


@pytest.mark.parametrize(
    ('penalty', 'of_norm'),
    [(zero_centred, lambda norm: norm**2 / 2), (one_centred, lambda norm: (norm - 1) ** 2)],
)
def test_a_penalty_is_of_each_images_own_norm(penalty, of_norm):
    slopes = images(1)
    np.testing.assert_allclose(penalty(slopes), of_norm(norms(slopes)), rtol=1e-5)
    changed = penalty(tf.concat([slopes[:1], 5 * slopes[1:]], axis=0)).numpy()
    assert changed[0] == penalty(slopes).numpy()[0]
    np.testing.assert_allclose(changed[1:], of_norm(5 * norms(slopes))[1:], rtol=1e-5)


@pytest.mark.parametrize('penalty', [zero_centred, one_centred])
def test_a_penalty_has_a_finite_slope_where_the_critic_is_flat(penalty):
    slopes = tf.zeros([2, 4, 4, 1])
    with tf.GradientTape() as tape:
        tape.watch(slopes)
        values = penalty(slopes)
    assert np.isfinite(tape.gradient(values, slopes)).all()


@pytest.mark.parametrize(('name', 'game'), ROWS)
def test_only_a_penalty_is_between(name, game):
    assert game.between == (game.penalty is one_centred)
