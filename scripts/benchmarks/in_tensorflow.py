"""Training steps in TensorFlow: this package's, and what a user would write without it."""

import functools
import tempfile
import time

import floor
import keras
import numpy as np
import tensorflow as tf
from workers import secs_each

from tfgan import config, latents
from tfgan.data import pipeline
from tfgan.distributed import strategies
from tfgan.forms.drawing import FORM
from tfgan.forms.drawing.drawings import Drawings
from tfgan.forms.drawing.pixels import to_float
from tfgan.gan.gan import Gan
from tfgan.gan.step import Step
from tfgan.objectives import OBJECTIVES
from tfgan.training import compilation


def source_of(path):
    """The drawings of an npz file with images uint8 [n, h, w, c] and labels int32 [n]."""
    with np.load(path) as arrays:
        pixels, labels = arrays['images'], arrays['labels']
    names = tuple(str(label) for label in range(labels.max() + 1))
    return Drawings('npz:drawings.npz', pixels.shape[1:], labels, names, lambda i: pixels[i])


def tfgan(path, preset, jit=None, augmented=False, **changes):
    """The compiled inner loop of `tfgan`, with its own input pipeline.

    Without `jit` it chooses between XLA and none as a run does, by measuring.
    """
    source, settings = source_of(path), config.make(preset, **changes)
    augmentation = FORM.augmentation(source) if augmented else None
    gan = Gan(settings, source.shape, source.shares, augmentation=augmentation)
    if jit is None:
        with tempfile.TemporaryDirectory() as folder:
            compilation.settle(gan, source, folder)
    else:
        gan.stepper = Step(gan, xla=jit)
    return turn_of(gan, source)


def turn_of(gan, source):
    """turn(steps) of a Gan on a source: seconds a step."""
    settings = gan.config
    batches = pipeline.batches(source, gan.strategy, settings.batch_size, settings.seed)

    def turn(steps):
        steps = tf.constant(steps, tf.int64)
        began = time.perf_counter()
        gan.train(batches, steps, tf.constant(0.0), tf.constant(0.0))[0].numpy()
        return (time.perf_counter() - began) / int(steps)

    turn(2)
    return turn


class Pair:
    """The networks of a preset with Keras's Adam, and their losses as formulas have them."""

    def __init__(self, path, preset):
        self.settings, self.source = config.make(preset), source_of(path)
        shape, count = self.source.shape, len(self.source.class_names)
        pair = FORM.architectures[self.settings.architecture]
        self.generator, self.average = (
            pair.make_generator(self.settings, shape, count) for _ in '12'
        )
        self.discriminator = pair.make_discriminator(self.settings, shape, count)
        label = tf.zeros([1], tf.int32)
        for generator in (self.generator, self.average):
            generator(tf.zeros([1, self.settings.latent_size]), label)
        self.discriminator(tf.zeros([1, *shape]), label)
        rate, betas = self.settings.learning_rate, (self.settings.beta_1, self.settings.beta_2)
        self.d_adam, self.g_adam = (
            keras.optimizers.Adam(share * rate, *betas)
            for share in (1.0, self.settings.generator_rate)
        )
        self.game = OBJECTIVES[self.settings.objective]
        own, asked = self.game.weight, self.settings.penalty_weight
        self.penalty_weight = own if asked is None else asked

    def batches(self):
        """Random batches from memory, as a tutorial has them: shuffled, repeated, prefetched."""
        everything = self.source.images(np.arange(len(self.source))), self.source.labels
        return (
            tf.data.Dataset.from_tensor_slices(everything)
            .shuffle(len(self.source))
            .repeat()
            .batch(self.settings.batch_size, drop_remainder=True)
            .map(lambda pixels, labels: (to_float(pixels), labels))
            .prefetch(2)
        )

    def d_loss(self, real, fake, labels):
        """With the penalty, if the game has one: R1 and R2, differentiated twice."""
        logits = [self.discriminator(real, labels), self.discriminator(fake, labels)]
        loss = tf.reduce_mean(self.game.discriminator(*logits))
        if self.penalty_weight:
            loss += self.penalty_weight * (self._slope(real, labels) + self._slope(fake, labels))
        return loss

    def _slope(self, images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = self.discriminator(images, labels)
        return tf.reduce_mean(self.game.penalty(tape.gradient(logits, images)))

    def g_loss(self, real, fake, labels):
        """The real images only count where the game compares."""
        fake_logits = self.discriminator(fake, labels)
        real_logits = fake_logits if self.game.anchored else self.discriminator(real, labels)
        return tf.reduce_mean(self.game.generator(real_logits, fake_logits))

    def points(self):
        return tf.random.normal([self.settings.batch_size, self.settings.latent_size])

    def follow(self):
        """The generator's moving average."""
        for average, variable in zip(self.average.variables, self.generator.variables):
            average.assign_add(0.01 * (variable - average))


def tutorial(path, preset):
    """One call of a tf.function a step, both losses on two tapes, as TensorFlow's tutorials do."""
    pair = Pair(path, preset)
    batches = iter(pair.batches())

    @tf.function
    def step(real, labels):
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = pair.generator(pair.points(), labels)
            g_loss = pair.g_loss(real, fake, labels)
            d_loss = pair.d_loss(real, fake, labels)
        for adam, tape, loss, network in (
            (pair.g_adam, g_tape, g_loss, pair.generator),
            (pair.d_adam, d_tape, d_loss, pair.discriminator),
        ):
            variables = network.trainable_variables
            adam.apply_gradients(zip(tape.gradient(loss, variables), variables))
        pair.follow()
        return g_loss

    def turn(steps):
        return secs_each(lambda: step(*next(batches)).numpy(), steps)

    pair.d_adam.build(pair.discriminator.trainable_variables)
    pair.g_adam.build(pair.generator.trainable_variables)
    turn(2)
    return turn


def keras_fit(path, preset):
    """`fit` of a keras.Model that overrides `train_step`, one player after the other."""
    pair = Pair(path, preset)

    class Model(keras.Model):
        def train_step(self, batch):
            real, labels = batch
            fake = pair.generator(pair.points(), labels)
            with tf.GradientTape() as tape:
                d_loss = pair.d_loss(real, fake, labels)
            variables = pair.discriminator.trainable_variables
            pair.d_adam.apply_gradients(zip(tape.gradient(d_loss, variables), variables))
            with tf.GradientTape() as tape:
                g_loss = pair.g_loss(real, pair.generator(pair.points(), labels), labels)
            variables = pair.generator.trainable_variables
            pair.g_adam.apply_gradients(zip(tape.gradient(g_loss, variables), variables))
            pair.follow()
            return {'d_loss': d_loss, 'g_loss': g_loss}

    model = Model()
    model.compile()
    pair.d_adam.build(pair.discriminator.trainable_variables)
    pair.g_adam.build(pair.generator.trainable_variables)
    batches = pair.batches()

    def turn(steps):
        began = time.perf_counter()
        model.fit(batches, steps_per_epoch=steps, verbose=0)
        return (time.perf_counter() - began) / steps

    turn(2)
    return turn


def drawing(directory):
    """turn([signature, batch, count]) of an exported model: seconds of each of `count` calls."""
    model = tf.saved_model.load(directory)
    rng = np.random.default_rng(0)

    def turn(order):
        signature, batch, count = order
        function = model.signatures[signature]

        def call():
            seeds = tf.constant(rng.integers(0, 2**31, batch))
            [drawn] = function(seed=seeds).values()
            return drawn.numpy()

        call()
        return [secs_each(call, 1) for _ in range(count)]

    return turn


def call_parts(preset):
    """turn(repeats): {part: seconds} of drawing one example, each part as a call of its own."""
    from tfgan.saved_model.signatures import SEED, Servable

    gan = Gan(config.make(preset), (28, 28, 1), [0.1] * 10)
    servable = Servable(gan, [str(label) for label in range(10)])
    seed, label = tf.constant([7], tf.int64), tf.constant([3])
    normal = servable.asked(seed, label)[0]
    drawn = gan.average(normal, label)
    parts = {
        'a call that does nothing': (tf.identity, [seed]),
        'latents of a seed': (lambda x: servable.asked(x, label)[0], [seed]),
        'a label of a seed': (lambda x: latents.classes(x, gan.class_shares), [seed]),
        'the generator': (gan.average, [normal, label]),
        'levels of 0 to 255': (FORM.decode, [drawn]),
        'all in one': (servable.serving_default, [seed]),
    }
    calls = {
        part: functools.partial(tf.function(function, autograph=False), *inputs)
        for part, (function, inputs) in parts.items()
    }
    signature = tf.function(servable.serving_default, autograph=False)
    calls['all in one, as a signature'] = functools.partial(
        signature.get_concrete_function(SEED), seed=seed
    )

    def turn(repeats):
        return {part: secs_each(call, repeats) for part, call in calls.items()}

    turn(20)
    return turn


def export(path, directory):
    """A model of the dense preset, untrained, as a directory of SavedModels; turn() is idle."""
    from tfgan.saved_model import writer
    from tfgan.saved_model.card import ModelCard

    source = source_of(path)
    gan = Gan(config.make('dense'), source.shape, source.shares)
    facts = {'name': 'benchmark', 'data': source.summary(), 'step': 0, 'images_seen': 0}
    facts |= {'secs': 0.0, 'scores': {'none': 0.0, 'floor': 0.0}, 'config': vars(gan.config)}
    writer.write(gan, directory, ModelCard(**facts))
    return lambda amount: amount


def growth(
    shape=(28, 28, 1), batch_size=64, count=10_000, replicas=1, preset='dense', accumulate=1
):
    """turn(steps) of a preset on `count` made-up images: its seconds and peak bytes."""
    strategy, _ = strategies.make('auto', replicas)
    source = _made_up(shape, count)
    settings = config.make(preset, batch_size=batch_size)
    gan = Gan(settings, shape, [1.0], strategy, accumulate=accumulate)
    train = turn_of(gan, source)

    def turn(steps):
        secs = train(steps)
        return {'secs': secs, 'bytes': peak_bytes()}

    return turn


def peak_bytes():
    """The most memory that this process held; `getrusage` knows its parent's, too."""
    with open('/proc/self/status') as lines:
        [line] = [line for line in lines if line.startswith('VmHWM:')]
    return 1024 * int(line.split()[1])


def _made_up(shape, count):
    some = np.random.default_rng(0).integers(0, 256, (1000, *shape), np.uint8)
    labels = np.zeros(count, np.int32)
    return Drawings('npy:made-up', tuple(shape), labels, ('a',), lambda i: some[i % 1000])


def together(preset, share):
    """turn(steps) of processes with `share` images each a step: seconds of a step and of its sums
    alone, the sums' bytes, and the bytes that went over the loopback device for a step."""
    # The processes' ports are open to the network for as long as they work.
    strategy, _ = strategies.make('multi_worker', trusted_network=True)
    source = _made_up((28, 28, 1), 10_000)
    settings = config.make(preset, batch_size=share * strategy.num_replicas_in_sync)
    gan = Gan(settings, source.shape, [1.0], strategy)
    train = turn_of(gan, source)
    sizes = [
        variable.shape
        for network in (gan.generator, gan.discriminator)
        for variable in network.trainable_variables
    ]

    @tf.function
    def sums(steps):
        for _ in tf.range(steps):
            strategy.run(
                lambda: tf.distribute.get_replica_context().all_reduce(
                    tf.distribute.ReduceOp.SUM, [tf.ones(size) for size in sizes]
                )
            )

    def turn(steps):
        before = _loopback_bytes()
        secs = train(steps)
        sent = (_loopback_bytes() - before) / steps
        began = time.perf_counter()
        sums(tf.constant(steps))
        reduce_secs = (time.perf_counter() - began) / steps
        size = 4 * sum(size.num_elements() for size in sizes)
        return {'secs': secs, 'reduce_secs': reduce_secs, 'bytes': size, 'sent': sent}

    turn(2)
    return turn


def _loopback_bytes():
    with open('/proc/net/dev') as table:
        [line] = [line for line in table if line.strip().startswith('lo:')]
    return int(line.split()[1])


class Library:
    """TensorFlow's arrays, as floor.py asks for them; with `xla` compiled by it."""

    def __init__(self, xla):
        self._products, self._exp = (
            tf.function(function, jit_compile=xla, autograph=False)
            for function in (_all_products, tf.exp)
        )
        self._add = tf.function(lambda x, y: x.assign_add(y), autograph=False)
        self._long = None

    def array(self, shape):
        return tf.random.normal(shape)

    def products(self, left, right, transpose_left, transpose_right):
        self._products(left, right, transpose_left, transpose_right)[-1].numpy()

    def exp(self, x):
        self._exp(x).numpy()

    def add(self, x, y):
        if self._long is None:
            self._long = tf.Variable(x)
        self._add(self._long, y)


def _all_products(left, right, transpose_left, transpose_right):
    how = {'transpose_a': transpose_left, 'transpose_b': transpose_right}
    return [tf.matmul(a, b, **how) for a, b in zip(left, right)]


def rates(preset, xla):
    """turn(repeats) of the parts of one step's floor: see floor.py."""
    return floor.Rates(config.make(preset), Library(xla)).turn
