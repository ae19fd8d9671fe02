"""Networks of music: what is given stays, pieces of any length, and what is heard of intervals."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan import config, latents
from tfgan.networks import music, windows
from tfgan.networks.backward import DoubleBackward, Forward, SharedBackward

GENERATORS = music.RecurrentGenerator, music.DenseGenerator
SMALL = config.make('music', width=16, channels=1, latent_size=6)
STEPS, ROWS, VOICES = 32, 49, 4


def generator(kind, rows=ROWS, voices=VOICES):
    tf.keras.utils.set_random_seed(1)
    return kind(SMALL, (STEPS, rows, voices), 2)


def inputs(count=3, size=SMALL.latent_size):
    return latents.normal(tf.range(count, dtype=tf.int64), size), tf.range(count) % 2


def pieces(count=3, rows=ROWS, voices=VOICES, steps=STEPS):
    chosen = np.random.default_rng(0).integers(rows, size=[count, steps, voices])
    return tf.one_hot(chosen, rows, axis=2)


@pytest.mark.parametrize('kind', GENERATORS)
@pytest.mark.parametrize(('rows', 'voices'), [(49, 4), (25, 1), (26, 2), (74, 3)])
def test_each_step_of_each_voice_is_one_row(kind, rows, voices):
    x = generator(kind, rows, voices)(*inputs()).numpy()
    assert x.shape == (3, STEPS, rows, voices)
    notes = rows // 24 * 24 + 1
    np.testing.assert_allclose(
        np.sort(x[:, :, :notes], axis=2)[:, :, -2:].sum(axis=2), 1, atol=1e-5
    )
    np.testing.assert_allclose(x[:, :, :notes].max(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize('kind', GENERATORS)
def test_what_is_given_is_kept_and_changes_what_is_not(kind):
    network, (normal, labels), given = generator(kind), inputs(), pieces()
    known = np.zeros([3, STEPS, VOICES], np.float32)
    known[:, :, 0] = 1
    known[0, 8:16, 2] = 1
    x = network(normal, labels, given * known[:, :, None], known).numpy()
    kept = np.broadcast_to(known[:, :, None], x.shape) == 1
    np.testing.assert_allclose(x[kept], given.numpy()[kept], atol=1e-5)
    alone = network(normal, labels).numpy()
    assert (np.abs(x - alone)[:, :, :, 1] > 0.5).any()


def test_nothing_given_is_as_if_nothing_were_said():
    network, (normal, labels) = generator(music.RecurrentGenerator), inputs()
    nothing = tf.zeros([3, STEPS, ROWS, VOICES]), tf.zeros([3, STEPS, VOICES])
    np.testing.assert_array_equal(network(normal, labels), network(normal, labels, *nothing))


def test_a_longer_piece_begins_as_the_shorter_one():
    network, (normal, labels) = generator(music.RecurrentGenerator), inputs()
    longer = tf.function(network).get_concrete_function(
        tf.TensorSpec([None, SMALL.latent_size]),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, None, ROWS, VOICES]),
        tf.TensorSpec([None, None, VOICES]),
    )
    nothing = tf.zeros([3, 4 * STEPS, ROWS, VOICES]), tf.zeros([3, 4 * STEPS, VOICES])
    x, short = longer(normal, labels, *nothing).numpy(), network(normal, labels).numpy()
    assert x.shape[1] == 4 * STEPS
    # The last beat leads elsewhere, and what is given is looked at up to four beats ahead.
    np.testing.assert_allclose(x[:, : STEPS - 4], short[:, : STEPS - 4], atol=1e-5)
    bars = x.reshape(3, -1, STEPS, ROWS, VOICES)
    assert (np.abs(np.diff(bars, axis=1)).max(axis=(2, 3, 4)) > 0.5).all()


def test_a_note_is_struck_again_only_where_it_sounded():
    network, (normal, labels) = generator(music.RecurrentGenerator, rows=50), inputs()
    network(normal, labels)
    network.struck.bias.assign(tf.fill(network.struck.bias.shape, 100.0))
    x = network(normal, labels).numpy()
    held = (x[:, 1:, :48] * x[:, :-1, :48]).sum(axis=2)
    np.testing.assert_allclose(x[:, 1:, 49], held, atol=1e-4)
    assert (x[:, 0, 49] == 0).all() and held.any()


@pytest.mark.parametrize('kind', GENERATORS)
def test_every_weight_of_a_generator_is_learned(kind):
    network, (normal, labels) = generator(kind), inputs()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(normal, labels)[:, :, ::3] * np.arange(4.0, dtype=np.float32))
    assert all(each is not None for each in tape.gradient(loss, network.trainable_variables))


def test_xla_compiles_the_gradients_of_its_loop():
    network, (normal, labels) = generator(music.RecurrentGenerator, rows=25, voices=2), inputs()
    weights = np.random.default_rng(0).normal(size=network(normal, labels).shape)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(network(normal, labels) * weights.astype(np.float32))
        return tape.gradient(loss, network.trainable_variables)

    with windows.for_xla():
        compiled = tf.function(gradients, jit_compile=True, autograph=False)()
    for ours, plain in zip(compiled, gradients()):
        ours, plain = tf.convert_to_tensor(ours), tf.convert_to_tensor(plain)
        np.testing.assert_allclose(ours, plain, rtol=1e-3, atol=1e-3)


def test_latents_of_a_beat_stay_as_long_and_are_hardly_those_of_another():
    normal = latents.normal(tf.range(200, dtype=tf.int64), 64)
    beats = np.stack([music.turned(normal, beat).numpy() for beat in range(16)])
    lengths = np.linalg.norm(beats, axis=2)
    np.testing.assert_allclose(lengths, lengths[:1].repeat(16, axis=0), rtol=1e-4)
    np.testing.assert_allclose(beats[0], normal, atol=1e-6)
    directions = beats / lengths[:, :, None]
    alike = np.einsum('and,bnd->abn', directions, directions).mean(axis=2)
    assert np.abs(alike - np.eye(16)).max() < 0.25


def test_intervals_by_hand():
    first, second = np.zeros([2, 1, 4, 12, 1], np.float32)
    first[0, [0, 1, 2], [2, 9, 5]] = 1  # D, A, F, a rest
    second[0, [0, 1, 3], [9, 2, 5]] = 1  # A, D, a rest, F
    found = music.intervals(tf.constant(first), tf.constant(second), Forward()).numpy()[0, :, :, 0]
    expected = np.zeros([4, 12])
    expected[0, 7] = expected[1, 5] = 1  # A is seven semitones above D, D five above A.
    np.testing.assert_allclose(found, expected * (1 - music.MARGIN), atol=1e-6)


def test_moves_and_turns_by_hand():
    row = tf.one_hot([3, 24], 25)  # E flat of the lowest octave, and a rest
    moves = music.reachable(row).numpy()
    assert moves.shape == (2, 15, 25) and not moves[1].any()
    assert [*moves[0].argmax(axis=1)] == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [*moves[0].sum(axis=1)] == [0] * 4 + [1] * 11
    classes = music.classes_of(row)
    np.testing.assert_array_equal(classes[0], np.eye(12)[3])
    assert not classes[1].numpy().any()
    up, down = music.above(classes).numpy()[0], music.up_to(classes).numpy()[0]
    assert up[7].argmax() == 10  # B flat lies seven semitones above E flat.
    assert down[10].argmax() == 5  # From B flat it is five semitones up to E flat.


def test_a_voice_that_passes_hears_the_others_move():
    network = generator(music.RecurrentGenerator, rows=25, voices=2)
    network(*inputs())
    for layer in network.leading:
        layer.kernel.assign(-np.concatenate([np.eye(12)] * 2))
    # A fifth goes up by two semitones, and by two again.
    before, now, following = (tf.one_hot([rows], 25) for rows in ([7, 0], [9, 2], [11, 4]))
    wanted = tf.zeros([1, 12])

    def among(voice, *steps):
        return network.among(voice, wanted, *(tf.unstack(x, axis=1) for x in steps)).numpy()[0]

    # The upper voice is told of A over D, and the lower one of D under A.
    fifths = np.zeros([2, 25])
    fifths[0, [9, 21]] = fifths[1, [2, 14]] = -2 * music.MOVED
    for voice in (0, 1):
        told = among(voice, before, now, following)
        np.testing.assert_allclose(told, fifths[voice], atol=1e-4)
        # Where the other moves only now, or only then, it is told of one of them, and else of none.
        held = among(voice, before, before, following), among(voice, before, following, following)
        np.testing.assert_allclose(held[0].min(), -music.MOVED, atol=1e-4)
        np.testing.assert_allclose(held[1].min(), -music.MOVED, atol=1e-4)
        np.testing.assert_allclose(among(voice, *[before] * 3), 0, atol=1e-4)


def test_voices_that_pass_hear_those_that_are_chosen():
    network = generator(music.RecurrentGenerator, rows=25, voices=2)
    network(*inputs())
    before, following = tf.one_hot([[7, 0]], 25), tf.one_hot([[9, 5]], 25)
    # The upper voice goes to A for sure, and the lower one to D a little rather than to E.
    logits = 9 * tf.one_hot([[9, 2]], 25) * [[[9], [1]]] + 8 * tf.one_hot([[9, 4]], 25)
    given, known = tf.zeros([1, 2, 25]), tf.zeros([1, 2, 1])
    then = tf.unstack(following, axis=1)

    def lower():
        rows = network.passed(logits, [tf.zeros([1, 12])] * 2, before, then, given, known)
        return int(tf.argmax(rows[0, 1]))

    assert lower() == 2
    network.leading[1].kernel.assign(-np.concatenate([np.eye(12)] * 2))
    assert lower() == 4


def test_pitch_classes_leave_out_rests():
    x = tf.one_hot([[[0], [13], [24]]], 25, axis=2)  # C, the C sharp above the next C, a rest
    expected = np.zeros([1, 3, 12, 1])
    expected[0, 0, 0] = expected[0, 1, 1] = 1
    np.testing.assert_array_equal(music.pitch_classes(x), expected)


@pytest.mark.parametrize('voices', [1, 2, 4])
def test_the_shared_backward_pass_is_right(voices):
    network = music.MusicDiscriminator(SMALL, (STEPS, ROWS, voices), 2)
    x, labels = pieces(5, voices=voices), tf.constant([0, 1, 0, 1, 1])
    network(x, labels)
    network.tally.kernel.assign(tf.random.stateless_normal(network.tally.kernel.shape, [0, 1]))
    shared, double = SharedBackward(network, x, labels), DoubleBackward(network, x, labels)
    np.testing.assert_allclose(shared.slopes, double.slopes, atol=1e-6)
    arguments = network.trainable_variables, tf.constant([0.1, 0.2, -0.3, 0.4, 0.5]), shared.slopes
    for one, other in zip(shared.gradients(*arguments), double.gradients(*arguments)):
        one, other = tf.convert_to_tensor(one), tf.convert_to_tensor(other)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_what_is_counted_is_the_same_in_another_key():
    x, network = pieces(), music.MusicDiscriminator(SMALL, (STEPS, ROWS, VOICES), 2)
    counts = [
        network.counts(tf.roll(music.pitch_classes(x), semitones, axis=2), Forward())
        for semitones in (0, 1, 7)
    ]
    assert counts[0].shape == (3, 4 * 4 + 12 * (4 + 6 + 6 + 1))
    np.testing.assert_allclose(counts[1], counts[0], atol=1e-4)
    np.testing.assert_allclose(counts[2], counts[0], atol=1e-4)


def test_parallel_fifths_are_counted_and_held_ones_are_not():
    network = music.MusicDiscriminator(SMALL, (8, 25, 2), 1)

    def fifths(first, second):
        """What is counted of moving fifths, of two voices in four halves of a beat."""
        x = tf.one_hot(np.repeat(np.stack([second, first], axis=1), 2, axis=0)[None], 25, axis=2)
        return network.counts(music.pitch_classes(x), Forward()).numpy()[0, 2 * 4 + 12 * 3 + 5]

    # From the upper voice up to the lower one, five semitones, as from D up to the G below it.
    parallel = fifths([0, 2, 4, 4], [7, 9, 11, 11])
    held = fifths([0, 0, 0, 0], [7, 7, 7, 7])
    others = fifths([0, 2, 4, 4], [4, 5, 7, 7])
    assert parallel == pytest.approx(2 * (1 - 3 * music.MARGIN) * music.COUNTED_MOVING)
    assert held == others == 0
