"""How well a model redraws drawings that it never saw: the figures and pictures of docs/redraw.md.

scripts/redrawings MODEL [--dataset=...] prints the figures. Without --dataset they are of embedded
drawings beyond those that are trained on. With --cases=FOLDER the picture is of that folder's.
"""

import argparse
import itertools
import pathlib
import statistics
import tempfile
import time

import machine
import numpy as np
import tensorflow as tf

import tfgan
from tfgan import redrawing, word_learning
from tfgan.data.doodles import render
from tfgan.evaluation import metrics
from tfgan.evaluation.extractor import extractor_of
from tfgan.forms import pictures
from tfgan.forms.drawing import framing
from tfgan.networks import inversion

TRAINED = 60_000  # embedded drawings; those after them are seen by nobody
NEIGHBOURS = 20_000  # training images among which the nearest is looked for
LONG_STEPS, LONG_COUNT = 1000, 20  # of Adam from the mean latents, and for so many drawings
WORD_COUNT, WORD_DRAWN, WORD_CLASS = 10, 200, 2000
REPEATS = 9


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', nargs='?', default='saved_models/doodles')
    parser.add_argument('--dataset', help='drawings that the model never saw')
    parser.add_argument('--split', help='of that data set, as test')
    parser.add_argument('--data_dir', help='where tensorflow-datasets keeps its sets')
    parser.add_argument('--num', type=int, default=1000)
    parser.add_argument('--word', help='an npy file of drawings of a kind that the model has not')
    parser.add_argument('--cases', type=pathlib.Path, help='a folder of pictures of any kind')
    parser.add_argument('--out', default='redrawn.png', help='the picture of the cases')
    arguments = parser.parse_args()
    model = tfgan.load(arguments.model)
    images, labels = held_out(arguments)
    print(f'{machine.describe()}; {len(images):,} drawings that the model never saw\n')
    print('| figure | value |\n|---|---|')
    judge = None
    if arguments.dataset is None:
        judge = extractor_of(tfgan.open_source('doodles'))
    found = reconstructed(model, images, labels, judge)
    timed(model, images)
    if judge:
        nearest(images)
        long_way(model, images, labels)
        mended(model, images, labels, judge)
        walked(model, found, labels, judge)
    if arguments.word:
        learned(model, arguments.word)
    if arguments.cases:
        cases(model, sorted(arguments.cases.iterdir()), arguments.out)


def held_out(arguments):
    count = arguments.num
    if arguments.dataset is None:
        indices = np.arange(TRAINED, TRAINED + count)
        return render.draw(indices, size=28)[..., None], render.labels(TRAINED + count)[TRAINED:]
    where = arguments.dataset, arguments.data_dir
    source = tfgan.open_source(*where, split=arguments.split)
    indices = np.random.default_rng(0).permutation(len(source))[:count]
    return source.images(indices), source.labels[indices]


def row(name, value):
    print(f'| {name} | {value} |', flush=True)


def reconstructed(model, images, labels, judge):
    for steps in (0, 10, 30):
        found = model.redraw(list(images), steps=steps)
        row(f'ink IoU, {steps} steps', f'{found.likeness.mean():.3f}')
        row(f'class guessed right, {steps} steps', f'{np.mean(found.labels == labels):.1%}')
        if judge:
            kept = np.mean(judge.classify(found.images) == labels)
            row(f'class kept, to the classifier, {steps} steps', f'{kept:.1%}')
    return found


def timed(model, images):
    """A single drawing as the signatures answer it, framed already."""
    own = model.framed([images[0]])
    for steps in (0, 30):
        model.redraw_framed(own, steps=steps)
        secs = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            model.redraw_framed(own, steps=steps)
            secs.append(time.perf_counter() - began)
        row(f'a single drawing, {steps} steps', f'{1e3 * statistics.median(secs):.0f} ms')


def nearest(images):
    """The ink IoU of the training image that has the highest."""
    training = (255 - render.draw(np.arange(NEIGHBOURS), size=28).astype(np.float32)) / 255
    training = training.reshape(NEIGHBOURS, -1)
    best = []
    for image in images[:200]:
        own = (255 - image.astype(np.float32).ravel()) / 255
        both = np.minimum(training, own).sum(axis=1)
        best.append((both / np.maximum(training, own).sum(axis=1)).max())
    row(f'ink IoU of the most alike of {NEIGHBOURS:,} training images', f'{np.mean(best):.3f}')


def long_way(model, images, labels):
    """Many steps of Adam from the mean latents, of the right class; and 30 from the guess."""
    images, labels = images[:LONG_COUNT], labels[:LONG_COUNT]
    gan, encoder = word_learning.parts(model)
    encoder_of_nothing = _Mean(encoder, gan.config.latent_size)
    x, known = gan.form.encode(tf.constant(images)), tf.ones(images.shape[:3])
    many = tf.fill([len(images)], LONG_STEPS)
    noise = tf.random.stateless_normal(
        [len(images) * inversion.CANDIDATES, gan.config.latent_size], [0, 1]
    )
    invert = tf.function(inversion.invert, autograph=False)
    work = x, known, tf.constant(labels), many, noise
    invert(gan.average, encoder_of_nothing, *work[:3], tf.fill([len(images)], 1), noise)
    began = time.perf_counter()
    latents, _ = invert(gan.average, encoder_of_nothing, *work)
    secs = time.perf_counter() - began
    own = model.framed(list(images))
    long = framing.likeness(own, model.draw_latents(latents.numpy(), labels)).mean()
    began = time.perf_counter()
    short = model.redraw_framed(own, labels).likeness.mean()
    short_secs = time.perf_counter() - began
    row(f'ink IoU of {LONG_COUNT}, {LONG_STEPS:,} steps from the mean latents', f'{long:.3f}')
    row('ink IoU of the same, 30 steps from the guess', f'{short:.3f}')
    row('time of the one over that of the other', f'{secs / short_secs:.0f}')


class _Mean:
    """In the place of an encoder: it has no idea."""

    def __init__(self, encoder, size):
        self.ground, self._encoder, self._size = encoder.ground, encoder, size

    def __call__(self, images, known):
        found, logits = self._encoder(images, known)
        return tf.zeros_like(found), logits


def mended(model, images, labels, judge):
    """With the quarter that has the most ink hidden."""
    masks = []
    for image in images:
        levels = 255 - image[..., 0].astype(int)
        quarters = [(rows, columns) for rows in (0, 14) for columns in (0, 14)]
        row_, column = max(quarters, key=lambda q: levels[q[0] : q[0] + 14, q[1] : q[1] + 14].sum())
        mask = np.zeros(image.shape[:2], bool)
        mask[row_ : row_ + 14, column : column + 14] = True
        masks.append(mask)
    found = model.redraw(list(images), masks)
    whole = np.where(np.stack(masks)[..., None], found.images, images)
    holes = np.where(np.stack(masks)[..., None], np.uint8(255), images)
    row(
        'class kept of drawings with a quarter hidden',
        f'{np.mean(judge.classify(holes) == labels):.1%}',
    )
    row('class kept of those drawings, mended', f'{np.mean(judge.classify(whole) == labels):.1%}')
    same = np.array_equal(whole[~np.stack(masks)], images[~np.stack(masks)])
    row('what was there is as it was', 'yes' if same else 'no')


def walked(model, found, labels, judge):
    """Middles of walks between drawings of one class, beside the model's own drawings."""
    ways = []
    for label in np.unique(labels):
        members = np.flatnonzero(found.labels == label)
        for pair in itertools.pairwise(members):
            ends = found.latents[list(pair)], found.labels[list(pair)]
            ways.append(redrawing.on_the_way(*ends, np.float32([0.5])))
    asked = {name: np.concatenate([way[name] for way in ways]) for name in ways[0]}
    middle = model.predict('between', asked)
    source = tfgan.open_source('doodles')
    real = judge.features(source.images(np.arange(10_000)))
    for name, drawn in (
        ('middles of walks', middle),
        ("the model's own drawings", model.draw(np.arange(len(middle)))),
    ):
        precision = metrics.precision_recall(real, judge.features(drawn))['precision']
        row(f'precision of {len(drawn):,} {name}', f'{precision:.3f}')


def learned(model, file):
    """A new word from ten drawings, told by a classifier that learned from real ones of it."""
    kind = np.load(file)
    kind = 255 - kind.reshape(-1, 28, 28, 1)
    with tempfile.TemporaryDirectory() as folder:
        count = 10 * WORD_CLASS
        images = np.concatenate(
            [render.draw(np.arange(count), size=28)[..., None], kind[:WORD_CLASS]]
        )
        labels = np.concatenate([render.labels(count), np.full(WORD_CLASS, 10)])
        np.savez(f'{folder}/both.npz', images=images, labels=labels)
        judge = extractor_of(tfgan.open_source(f'npz:{folder}/both.npz'), folder)
        began = time.perf_counter()
        version = model.learn(list(kind[-WORD_COUNT:]), 'word', f'{folder}/mine')
        secs = time.perf_counter() - began
        drawn = tfgan.load(version).draw(np.arange(WORD_DRAWN), 'word')
    right = np.mean(judge.classify(drawn) == 10)
    real = np.mean(judge.classify(kind[WORD_CLASS : WORD_CLASS + WORD_DRAWN]) == 10)
    name = pathlib.Path(file).stem
    row(f'{name}, learned from {WORD_COUNT} drawings, taken for it', f'{right:.1%}')
    row('real ones taken for it', f'{real:.1%}')
    row('time to learn it and to write the model', f'{secs:.0f} s')


def cases(model, files, out):
    """A picture: each file as the model is given it, redrawn, and varied three times."""
    names, cells = model.class_names(), []
    for file in files:
        found = model.redraw([file])
        near = model.vary(file, 3)
        cells += [found.own[0].image, found.images[0], *near.images]
        row(file.stem, f'{names[found.labels[0]]}, ink IoU {found.likeness[0]:.2f}')
    sheet = pictures.enlarge(pictures.sheet(np.stack(cells), 15), 1200)
    pictures.write_png(out, sheet)


main()
