"""A game: seeds, labels, penalties, augmentation, learning rates, refusals."""

import numpy as np
import pytest
import tensorflow as tf
from toys import augmented, noise, play, same, settings, weights

from tfgan import config, errors, latents
from tfgan.data import pipeline
from tfgan.forms.drawing.augment import DrawingAugmentation
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.pixels import to_float, to_uint8
from tfgan.gan import adaptive_augmentation
from tfgan.gan.gan import METRICS, Gan
from tfgan.gan.optimizers import learning_rate
from tfgan.gan.step import Batch
from tfgan.networks.conv import pyramid


def test_the_seed_decides_everything():
    source = noise()
    first, second, other = (
        Gan(settings(seed=seed), source.shape, source.shares) for seed in (1, 1, 2)
    )
    starts = [weights(gan)[:2] for gan in (first, other)]
    assert not any(same([a], [b]) for a, b in zip(*starts, strict=True))
    for gan in (first, second):
        play(gan, source, 5)
    assert same(weights(first), weights(second))


def test_the_generators_gradient_is_the_loss_slope():
    source = noise()
    # In a new hybrid every unit stands at its kink, where slopes say little of a step.
    gan = Gan(settings(architecture='mlp', objective='hinge'), source.shape, source.shares)
    real = to_float(tf.constant(source.images(np.arange(8))))
    points = latents.normal(tf.range(8, dtype=tf.int64), 6)
    labels = tf.constant(source.labels[:8])
    batch = Batch(real, points, labels, tf.fill([8], 0.5), ())
    call = lambda: gan.stepper.gradients(batch, 0.0)  # noqa: E731
    gradients, metrics = call()
    for player, model in (('generator', gan.generator), ('discriminator', gan.discriminator)):
        kernel, slope = model.trainable_variables[-1], gradients[player][-1]
        model_slope = tf.convert_to_tensor(slope)
        length = 1e-2 / float(tf.norm(model_slope))
        kernel.assign_add(length * model_slope)
        rise = float(call()[1][f'loss/{player}'] - metrics[f'loss/{player}'])
        kernel.assign_sub(length * model_slope)
        assert rise == pytest.approx(length * float(tf.norm(model_slope)) ** 2, rel=0.05)


def test_a_bad_update_is_skipped_counted_and_named():
    source = noise()
    gan = Gan(settings(objective='wasserstein', penalty_weight=0.0), source.shape, source.shares)
    play(gan, source, 2)
    kernel = gan.discriminator.trainable_variables[0]
    good = kernel.numpy()
    kernel.assign(tf.fill(kernel.shape, 3e38))
    before = weights(gan)
    _, bad = play(gan, source, 3, first_step=2)
    assert int(gan.step) == 5
    assert int(gan.skipped) == 3
    assert int(gan.streak) == 3
    assert dict(zip(METRICS, bad, strict=True))['loss/discriminator'] == 3
    counters = len(gan.state()['counters'])
    assert same(before[:-counters], weights(gan)[:-counters])
    kernel.assign(good)
    play(gan, source, 1, first_step=5)
    assert int(gan.streak) == 0
    assert int(gan.skipped) == 3


def test_a_label_changes_the_drawing_and_the_judgement():
    source = noise()
    gan = Gan(settings(), source.shape, source.shares)
    play(gan, source, 5)
    first, second = (gan.draw(np.arange(4), np.full(4, label, np.int32)) for label in (0, 1))
    assert (first != second).mean() > 0.3
    logits = [gan.discriminator(to_float(tf.constant(first)), tf.fill([4], k)) for k in (0, 1)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_one_seed_is_one_drawing():
    source = noise()
    gan = Gan(settings(), source.shape, source.shares)
    together = gan.draw(np.arange(300))
    assert together.shape == (300, *source.shape)
    assert len(np.unique(together.reshape(300, -1), axis=0)) == 300
    backwards = gan.draw(np.arange(300)[::-1])[::-1]
    alone = np.concatenate([gan.draw([seed]) for seed in (0, 7, 299)])
    for other, part in ((backwards, together), (alone, together[[0, 7, 299]])):
        assert np.abs(other.astype(int) - part).max() <= 1


def test_the_average_trails_the_generator():
    source = noise()
    gan = Gan(settings(ema_share=1.0, ema_images=16), source.shape, source.shares)
    start = gan.average.variables[2].numpy()
    play(gan, source, 1)
    # Step 1: 8 images seen, the half-life is 8, so half of the start is left.
    expected = 0.5 * start + 0.5 * gan.generator.variables[2].numpy()
    np.testing.assert_allclose(gan.average.variables[2].numpy(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.long
def test_the_penalty_fades_with_the_run():
    source = noise()
    played = []
    for decay in (1.0, 1e-9):
        gan = Gan(settings(penalty_decay=decay), source.shape, source.shares)
        play(gan, source, 1)  # at the start its weight is whole
        played.append(weights(gan))
        play(gan, source, 20, first_step=1)
        played.append(weights(gan))
    assert same(played[0], played[2])
    assert not same(played[1], played[3])


@pytest.mark.long
def test_augmentation_follows_what_the_discriminator_knows_by_heart():
    source = noise()
    gan = augmented(settings(), source)
    play(gan, source, 4)
    before = float(gan.change_probability)
    assert round((before - 0.3) / 8e-5) in (-4, -2, 0, 2, 4)  # four steps up or down
    gan.decision_threshold.assign(-1e3)  # now every real image is on the right side of it
    play(gan, source, 1, first_step=4)
    assert float(gan.change_probability) - before == pytest.approx(8e-5, abs=1e-7)
    plain = Gan(settings(), source.shape, source.shares)
    play(plain, source, 4)
    assert float(plain.change_probability) == 0


@pytest.mark.long
def test_changes_that_the_discriminator_sees_are_not_drawn(monkeypatch):
    monkeypatch.setattr(
        adaptive_augmentation, 'step_probability', lambda probability, *_: probability
    )
    pixels = np.zeros([16, 16, 16, 1], np.uint8)
    pixels[:, 6:10, 6:10] = 255  # a square that never moves
    labels = np.zeros(16, np.int32)
    source = Drawings('square', (16, 16, 1), labels, ('a',), read=lambda rows: pixels[rows])
    small = settings(steps=300, batch_size=32, width=64, latent_size=8, learning_rate=2e-3)
    gan = Gan(
        small, source.shape, source.shares, augmentation=DrawingAugmentation(source.shape, [0])
    )
    gan.change_probability.assign(adaptive_augmentation.CAP)
    play(gan, source, 300)
    changes = gan.augmentation.choose(tf.range(16, dtype=tf.int64), adaptive_augmentation.CAP)
    shown = gan.augmentation.apply(to_float(pixels), changes)
    assert np.mean(moved(to_uint8(shown).numpy()) > 0.5) > 0.5
    assert moved(gan.draw(np.arange(200))).max() < 0.5


def moved(pixels):
    """How many pixels the middle of the ink lies from that of the page: [n]."""
    ink = pixels[..., 0] / pixels.sum((1, 2, 3))[:, None, None]
    place = np.arange(pixels.shape[1]) - (pixels.shape[1] - 1) / 2
    return np.hypot((ink.sum(2) * place).sum(1), (ink.sum(1) * place).sum(1))


def test_the_learning_rate_falls_at_the_end():
    falling = settings(learning_rate=0.1, decay_from=0.5)
    rates = [float(learning_rate(falling, tf.constant(p), 0.02)) for p in (0.0, 0.5, 0.75, 1.0)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.051, 0.002], rtol=1e-5)
    flat = settings(learning_rate=0.1, decay_from=1.0)
    assert float(learning_rate(flat, tf.constant(1.0), 0.02)) == pytest.approx(0.1)


def test_at_the_end_the_discriminator_is_the_faster():
    source = noise()
    changed = settings(learning_rate=0.01, generator_rate=0.5)
    gan = Gan(changed, source.shape, source.shares)
    networks = gan.discriminator, gan.generator
    before = [network.get_weights() for network in networks]
    gan.train(pipeline.batches(source, gan.strategy, 8, 0), tf.constant(1, tf.int64), 1.0, 0.0)
    for network, old, share in zip(networks, before, (0.1, 0.5 * 0.02), strict=True):
        pairs = zip(network.get_weights(), old, strict=True)
        # Adam's first step is as long as the rate, for each weight.
        assert max(np.abs(a - b).max() for a, b in pairs) == pytest.approx(0.01 * share, rel=1e-2)


def test_article_is_as_printed():
    gan = Gan(config.make('article'), (28, 28, 1), [1.0])
    dense = [v.shape for v in gan.generator.variables if v.path.endswith('kernel')]
    assert dense == [(200, 1024), (1024, 1024), (1024, 1024), (1024, 784)]
    dense = [v.shape for v in gan.discriminator.variables if v.path.endswith('kernel')]
    # The last one is the fit to a class, of which an unlabelled source has one.
    assert dense == [(784, 1024), (1024, 1024), (1024, 1024), (1024, 1), (1024, 1)]
    drawn = gan.average(1e3 * tf.ones([1, 100]), tf.zeros([1], tf.int32))
    assert float(tf.reduce_max(tf.abs(drawn))) > 1  # nothing squashes the output


@pytest.mark.parametrize(
    ('shape', 'coarsest', 'channels'),
    [
        ((28, 28, 1), (7, 7), [32, 64]),
        ((32, 32, 3), (4, 4), [32, 64, 128]),
        ((96, 64, 1), (6, 4), [32, 64, 128, 256]),
        ((256, 256, 3), (4, 4), [32, 64, 128, 256, 512, 512]),
        ((29, 75, 1), (4, 10), [32, 64, 128]),
        ((5, 30, 1), (3, 15), [32]),
    ],
)
def test_convolutions_halve_an_image_to_a_small_map(shape, coarsest, channels):
    assert pyramid(shape, 32) == (coarsest, channels)
    assert all(side << len(channels) >= whole for side, whole in zip(coarsest, shape))


@pytest.mark.long
def test_convolutions_grow_to_large_images():
    shape = (256, 256, 3)
    source = noise(shape, count=6)
    gan = Gan(settings(architecture='conv', batch_size=2), shape, source.shares)
    _, bad = play(gan, source, 2)
    assert not bad.any()
    assert gan.draw([1]).shape == (1, *shape)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        (dict(objective='hinge', penalty_weight=1.0), ['1.0', 'hinge', 'relativistic']),
    ],
)
def test_refusals_say_what_would_do(changes, words):
    with pytest.raises(errors.ConfigError) as refusal:
        Gan(settings(**changes), (8, 8, 1), [1.0])
    assert all(word in str(refusal.value) for word in words)


@pytest.mark.parametrize(
    ('objective', 'given', 'sides', 'weight'),
    [
        ('relativistic', None, (28, 28), 2.0),
        ('relativistic', None, (32, 32), 2.0),
        ('relativistic', None, (64, 64), 8.0),
        ('relativistic', None, (128, 64), 16.0),
        ('relativistic', 0.5, (64, 64), 0.5),
        ('wasserstein', None, (64, 64), 10.0),  # of all pixels together
    ],
)
def test_a_penalty_towards_no_slope_grows_with_the_pixels(objective, given, sides, weight):
    small = settings(objective=objective, penalty_weight=given, architecture='mlp', width=2)
    assert Gan(small, (*sides, 1), [1.0]).penalty_weight == weight
