"""A small Gan and its export, with strokes to see."""

import numpy as np

NAMES = ['cat', 'dog', 'fish']


def toy_gan(seed=0):
    """A Gan of three classes, random and small but with strokes to see."""
    from tfgan import config
    from tfgan.gan.gan import Gan

    settings = config.make(
        steps=1,
        width=16,
        depth=1,
        latent_size=6,
        batch_size=8,
        channels=4,
        seed=seed,
        architecture='hybrid',
    )
    gan = Gan(settings, (12, 10, 1), [0.5, 0.3, 0.2])
    rng = np.random.default_rng(seed)
    for variable in gan.average.variables:
        variable.assign(variable + rng.normal(size=variable.shape, scale=0.3))
    return gan


def export_toy(gan, directory):
    """Exports a toy Gan as the next version below a directory."""
    from tfgan.saved_model import writer
    from tfgan.saved_model.card import ModelCard

    data = dict(dataset='noise', count=5, shape=[12, 10, 1], class_names=NAMES, licence='none')
    facts = dict(name=directory.name, data=data, step=1, images_seen=8, secs=2.0, scores={})
    return writer.write(gan, directory, ModelCard(**facts, config=vars(gan.config)))


def toy_pen(directory, shape=(28, 28, 1), ground=(1.0,), reads=False, architecture='pen'):
    """The loaded export of a Gan that draws with a pen, after no training.

    One that `reads` has an encoder, which is not trained either.
    """
    from tfgan import client, config
    from tfgan.gan.gan import Gan
    from tfgan.saved_model import writer
    from tfgan.saved_model.card import ModelCard

    settings = config.make(steps=1, width=16, depth=1, latent_size=6, architecture=architecture)
    gan = Gan(settings, shape, [0.5, 0.3, 0.2], ground=ground)
    encoder = None
    if reads:
        from tfgan.gan.encoding import Encoding

        encoder = Encoding(gan).encoder
        encoder.ground.assign(ground)
    data = dict(dataset='noise', count=5, shape=shape, class_names=NAMES, licence='none')
    data['class_counts'] = [5, 3, 2]
    facts = dict(name=directory.name, data=data, step=1, images_seen=8, secs=2.0, scores={})
    writer.write(gan, directory, ModelCard(**facts, config=vars(settings)), encoder)
    return client.load(directory)


def toy_music(directory, architecture='bars', rows=49, steps=64):
    """The folder of an export of a Gan that writes music for four voices, after no training."""
    from tfgan import config
    from tfgan.forms.base import MUSIC, form_named
    from tfgan.gan.gan import Gan
    from tfgan.saved_model import writer
    from tfgan.saved_model.card import ModelCard

    small = dict(steps=1, width=16, depth=1, latent_size=6, channels=2, architecture=architecture)
    settings = config.make('music', **small)
    data = dict(dataset='noise', count=5, shape=[steps, 4], rows=rows, licence='none')
    data |= dict(class_names=['major', 'minor'], class_counts=[3, 2])
    gan = Gan(settings, form_named(MUSIC).shape(data), [0.6, 0.4], form=MUSIC)
    rng = np.random.default_rng(0)
    for variable in gan.average.variables:
        variable.assign(variable + rng.normal(size=variable.shape, scale=0.3))
    facts = dict(name=directory.name, data=data, step=1, images_seen=8, secs=2.0, scores={})
    facts |= dict(config=vars(settings), form=MUSIC)
    return writer.write(gan, directory, ModelCard(**facts))


BLOB_BYTES = 1 << 20


def export_busy(directory):
    """Exports a model that is no Gan of ours: it sleeps, gives much, or finds a row bad.

    A batch sleeps as many microseconds as its largest seed says. `blobs` gives 1 MiB a row, and
    `picky` raises InvalidArgumentError for a batch with a negative seed.
    """
    import tensorflow as tf

    seed = tf.TensorSpec([None], tf.int64, name='seed')

    def signature(answer):
        return tf.function(answer, input_signature=[seed])

    def sleepy(seed):
        one = tf.data.Dataset.range(1)
        sleeping = tf.raw_ops.SleepDataset(
            input_dataset=one._variant_tensor,
            sleep_microseconds=tf.reduce_max(seed) // 2,  # It sleeps again to find the end.
            output_types=[tf.int64],
            output_shapes=[[]],
        )
        slept = tf.raw_ops.DatasetToSingleElement(
            dataset=sleeping, output_types=[tf.int64], output_shapes=[[]]
        )
        return {'image': seed + slept[0]}

    def picky(seed):
        with tf.control_dependencies([tf.debugging.assert_non_negative(seed, 'seed: negative')]):
            return {'image': tf.identity(seed)}

    def blobs(seed):
        return {'blob_bytes': tf.fill(tf.shape(seed), tf.constant(b'x' * BLOB_BYTES))}

    module = tf.Module()
    signatures = {
        'serving_default': signature(sleepy),
        'also': signature(sleepy),
        'picky': signature(picky),
        'blobs': signature(blobs),
    }
    tf.saved_model.save(module, str(directory / '1'), signatures=signatures)
