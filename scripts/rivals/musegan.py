"""A GAN of MuseGAN's shape with binary neurons, as its user would write it in Keras.

From Dong et al. 2018 (arXiv:1709.06298) and Dong and Yang 2018 (arXiv:1804.09399), whose smaller
presets for phrases, `proposed_smaller`, the kernels, strides and channels below are; they were made
for bars of 96 steps and 84 pitches, so where these have a factor 6 for steps or 7 octaves, here is
none and what the data has. Also theirs: latents of 128, batches of 32, WGAN-GP with a coefficient
of 10 and five steps of the discriminator to one of the generator, Adam(.002, .5, .9), batch
normalisation and ReLU in the generator and leaky ReLU in the discriminator, residual refiners with
deterministic binary neurons, whose gradient is the sigmoid's, a slope that grows by 1.1 an epoch,
and training in two stages, of equal length: first the generator with real values, then its refiner
alone, while the discriminator learns on. Their kernels within a bar are those of a convolution in
three dimensions that is one bar long; here they are in two, of each bar, as these are the same and
far faster on a processor.

Otherwise than theirs: the 25 first rounds have five steps of the discriminator, too, and not a
hundred, which would be most of ten minutes here; these five see other real pieces each. The
discriminator sees the changes in time, as the paper says, where their code has changes from track
to track. Batch normalisation is on, as the paper says, where their code leaves it off. Binary
neurons are on above one half and a refiner begins by changing nothing. A track that sounds several
pitches has the highest, one of none a rest.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan.forms.music import rows
from tfgan.forms.music.pieces import OCTAVES, REST

LATENTS, BATCH = 128, 32
LEARNING_RATE, BETA_1, BETA_2 = 0.002, 0.5, 0.9
PENALTY, CRITIC_STEPS = 10.0, 5
SLOPE_GROWTH = 1.1  # an epoch of the second stage
LEAK, MOMENTUM = 0.2, 0.9
BAR, BEAT, OCTAVE = rows.BAR_STEPS, 4, 12


@tf.custom_gradient
def binary(x, slope):
    """Deterministic binary neurons of logits, with the gradient of a sigmoid of that slope."""
    soft = tf.sigmoid(slope * x)

    def gradient(upstream):
        return upstream * slope * soft * (1 - soft), None

    return tf.cast(x > 0, tf.float32), gradient


def up(channels, kernel, activation='relu'):
    return [
        layers.Conv2DTranspose(channels, kernel, kernel),
        layers.BatchNormalization(momentum=MOMENTUM),
        layers.Activation(activation),
    ]


def down(channels, kernel):
    return [layers.Conv2D(channels, kernel, kernel), layers.LeakyReLU(LEAK)]


def net(*parts):
    return keras.Sequential([layer for part in parts for layer in part])


class Generator(keras.Model):
    """Latents to probabilities [n, bars, 16, pitches, tracks]: shared layers, then each track's."""

    def __init__(self, bars, octaves, tracks, width):
        super().__init__()
        self.bars, wide, narrow = bars, round(64 * width), round(32 * width)
        self.across = keras.Sequential(
            [
                layers.Dense((bars - 1) * 256),
                layers.BatchNormalization(momentum=MOMENTUM),
                layers.ReLU(),
                layers.Reshape([bars - 1, 256]),
                layers.Conv1DTranspose(256, 2),
                layers.BatchNormalization(momentum=MOMENTUM),
                layers.ReLU(),
            ]
        )
        self.shared = net(up(128, (4, 1)), up(128, (1, octaves)))
        self.pitch_time = [net(up(wide, (1, 12)), up(narrow, (4, 1))) for _ in range(tracks)]
        self.time_pitch = [net(up(wide, (4, 1)), up(narrow, (1, 12))) for _ in range(tracks)]
        self.merged = [net(up(1, (1, 1), 'sigmoid')) for _ in range(tracks)]

    def call(self, latents, training=False):
        bars = tf.reshape(self.across(latents, training=training), [-1, 1, 1, 256])
        shared = self.shared(bars, training=training)
        found = []
        for first, second, last in zip(self.pitch_time, self.time_pitch, self.merged):
            both = [each(shared, training=training) for each in (first, second)]
            found.append(last(tf.concat(both, -1), training=training))
        found = tf.concat(found, -1)
        return tf.reshape(found, [-1, self.bars, *found.shape[1:]])


class Refiner(keras.Model):
    """Probabilities to zeros and ones: two residual units of each track, and binary neurons."""

    def __init__(self, tracks, width):
        super().__init__()
        self.units = [[self._unit(width) for _ in range(tracks)] for _ in range(2)]

    def _unit(self, width):
        found = []
        for channels, kernel in (64, (1, 12)), (32, (3, 1)):
            found += [
                layers.Conv2D(round(width * channels), kernel, padding='same'),
                layers.BatchNormalization(momentum=MOMENTUM),
                layers.ReLU(),
            ]
        found.append(layers.Conv2D(1, (3, 12), padding='same'))
        found.append(layers.BatchNormalization(momentum=MOMENTUM, gamma_initializer='zeros'))
        return net(found)

    def call(self, x, slope, training=False):
        bars = x.shape[1:]
        x = tf.reshape(x, [-1, *bars[1:]])
        for last, units in enumerate(self.units):
            tracks = tf.split(x, len(units), -1)
            added = [unit(track, training=training) for unit, track in zip(units, tracks)]
            x = x + tf.concat(added, -1)
            x = binary(x - 0.5, slope) if last else tf.nn.relu(x)
        return tf.reshape(x, [-1, *bars])


class Discriminator(keras.Model):
    """Rolls [n, bars, 16, pitches, tracks] to scores [n, 1], by three streams."""

    def __init__(self, bars, octaves, tracks):
        super().__init__()
        self.bars, self.octaves, self.tracks = bars, octaves, tracks
        self.pitch_time = [net(down(16, (1, 12)), down(32, (4, 1))) for _ in range(tracks)]
        self.time_pitch = [net(down(16, (4, 1)), down(32, (1, 12))) for _ in range(tracks)]
        self.merged = [net(down(32, (1, 1))) for _ in range(tracks)]
        self.shared = net(down(128, (2, 2)), down(256, (2, max(1, octaves // 2))))
        self.onset = net(down(16, (4, 1)), down(32, (2, 1)), down(64, (2, 1)))
        self.chroma = net(down(32, (1, 12)), down(64, (4, 1)))
        self.last = keras.Sequential(
            [layers.Conv1D(512, 2), layers.LeakyReLU(LEAK), layers.Flatten(), layers.Dense(1)]
        )

    def call(self, x):
        x = tf.reshape(x, [-1, *x.shape[2:]])
        found = []
        for track, first, second, last in zip(
            tf.split(x, self.tracks, -1), self.pitch_time, self.time_pitch, self.merged
        ):
            found.append(last(tf.concat([first(track), second(track)], -1)))
        before = tf.pad(x[:, :-1], [[0, 0], [1, 0], [0, 0], [0, 0]])
        onset = tf.reduce_sum(x - before, 2, keepdims=True)
        split = [-1, BAR // BEAT, BEAT, self.octaves, OCTAVE, self.tracks]
        chroma = tf.reduce_sum(tf.reshape(x, split), [2, 3])
        streams = self.shared(tf.concat(found, -1)), self.chroma(chroma), self.onset(onset)
        streams = tf.concat(streams, -1)
        return self.last(tf.reshape(streams, [-1, self.bars, streams.shape[-1]]))


class MuseGAN:
    """What `train` gives; `steps` are those of the generator and of its refiner.

    Each track's own layers have a share `width` of the published channels, less in tests.
    """

    harmonise = None  # This GAN has no way to be given a voice.

    def __init__(self, source, seed, width=1.0):
        steps, self.voices = source.shape
        self.pitches = source.notes['rows'] // OCTAVES * OCTAVES
        sizes = steps // BAR, self.pitches // OCTAVE, self.voices
        self.shape = *sizes[:1], BAR, self.pitches, self.voices
        keras.utils.set_random_seed(seed)
        self.generator, self.discriminator = Generator(*sizes, width), Discriminator(*sizes)
        self.refiner, self.slope = Refiner(self.voices, width), tf.Variable(1.0)
        raw = source.images(np.arange(len(source)))
        rolls = rows.encode(raw, source.notes['rows'])[:, :, : self.pitches]
        self.rolls = tf.cast(tf.reshape(rolls, [-1, *self.shape]), tf.bool)
        self._made(tf.zeros([1, LATENTS]), True, False)  # This makes the weights.
        self.discriminator(tf.zeros([1, *self.shape]))
        self.stages = [self._stage(False), self._stage(True)]
        self.steps, self.told = 0, ''

    def _made(self, latents, refined, training):
        """What is made of latents: in the second stage the generator learns no more."""
        found = self.generator(latents, training=training and not refined)
        return self.refiner(found, self.slope, training=training) if refined else found

    def _stage(self, refined):
        """A round of a stage, compiled: steps of the discriminator and one of what makes pieces."""
        maker = self.refiner if refined else self.generator
        optimizers = [keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2) for _ in range(2)]
        for optimizer, network in zip(optimizers, (maker, self.discriminator)):
            optimizer.build(network.trainable_variables)

        def latents():
            return tf.random.normal([BATCH, LATENTS])

        def real():
            chosen = tf.random.uniform([BATCH], 0, len(self.rolls), tf.int32)
            return tf.cast(tf.gather(self.rolls, chosen), tf.float32)

        def criticise(made):
            x = real()
            share = tf.random.uniform([BATCH, 1, 1, 1, 1])
            between = share * x + (1 - share) * made
            variables = self.discriminator.trainable_variables
            with tf.GradientTape() as tape:
                scores = self.discriminator(tf.concat([x, made], 0))
                with tf.GradientTape() as inner:
                    inner.watch(between)
                    score = self.discriminator(between)
                slopes = tf.reduce_sum(inner.gradient(score, between) ** 2, [1, 2, 3, 4])
                penalty = tf.reduce_mean((tf.sqrt(slopes + 1e-8) - 1) ** 2)
                loss = tf.reduce_mean(scores[BATCH:]) - tf.reduce_mean(scores[:BATCH])
                loss += PENALTY * penalty
            optimizers[1].apply_gradients(zip(tape.gradient(loss, variables), variables))
            return loss

        @tf.function
        def stage():
            loss, made = 0.0, self._made(latents(), refined, True)
            for _ in tf.range(CRITIC_STEPS):
                loss = criticise(made)
            variables = maker.trainable_variables
            with tf.GradientTape() as tape:
                score = -tf.reduce_mean(self.discriminator(self._made(latents(), refined, True)))
            optimizers[0].apply_gradients(zip(tape.gradient(score, variables), variables))
            return loss, score

        return stage

    def learn(self, minutes, steps=None):
        """For so many minutes in all, or so many steps of each stage."""
        epoch = max(1, len(self.rolls) // BATCH)
        counts, losses, began = [], [], time.monotonic()
        for number, stage in enumerate(self.stages):
            until, count = began + 30 * minutes * (number + 1), 0
            while count < steps if steps else time.monotonic() < until:
                losses = stage()
                count += 1
                if number and count % epoch == 0:
                    self.slope.assign(SLOPE_GROWTH * self.slope)
            counts.append(count)
        self.steps = sum(counts)
        told = ', '.join(f'{float(loss):.2f}' for loss in losses)
        self.told = f'{counts[0]:,} and {counts[1]:,} steps of two stages; losses at the end {told}'
        return self

    def sample(self, n, seed):
        """Pieces int32 [n, steps, voices]."""
        latents = tf.random.stateless_normal([n, LATENTS], [seed, 0])
        blocks = [self._drawn(latents[i : i + BATCH]) for i in range(0, n, BATCH)]
        rolls = np.concatenate(blocks).reshape(n, -1, self.pitches, self.voices)
        highest = rows.lowest(self.pitches) + self.pitches - 1 - rolls[:, :, ::-1].argmax(axis=2)
        return np.where(rolls.any(axis=2), highest, REST).astype(np.int32)

    @tf.function(reduce_retracing=True)
    def _drawn(self, latents):
        return self._made(latents, True, False) > 0.5


def train(source, valid, minutes, seed, steps=None, width=1.0) -> MuseGAN:
    """One that has learned from a source for so many minutes, or so many steps of each stage."""
    return MuseGAN(source, seed, width).learn(minutes, steps)
