"""What a model's sliders change: Spearman, cross-talk, and how many drawings keep their class.

scripts/sliders MODEL prints a row for each slider of the version's sliders.json, or of those that
are found now where it has none. Drawings are of all classes alike, and of seeds by which no slider
was found. Two classifiers of the data set tell a drawing's class: the judge of tfgan.evaluate,
which has seen each image at its own size, and one that has learned from images of other sizes and
slants too. A class is kept where a classifier tells the same one as with the slider at its default;
the share is that of the value of the range at which it is least.
"""

import argparse
import math
import pathlib
import time

import machine
import numpy as np
import tensorflow as tf

import tfgan
from tfgan.evaluation.extractor import extractor_of
from tfgan.evaluation.feature_learning import Learner
from tfgan.forms import pictures
from tfgan.forms.base import form_named
from tfgan.saved_model import identity, sliders

FIRST = 1 << 42  # of the seeds
SIZES, SLANT = (0.5, 1.3), 0.45  # that the second classifier learns from
HELD = 2000  # images that it is tried on
SHOWN = 10  # drawings a slider, of the picture


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', nargs='?', default='saved_models/doodles')
    parser.add_argument('--num', type=int, default=500, help='drawings')
    parser.add_argument('--find', action='store_true', help='sliders anew, whatever the file has')
    parser.add_argument('--out', type=pathlib.Path, help='a picture of all values of each slider')
    arguments = parser.parse_args()
    model = tfgan.load(arguments.model)
    generator = identity.generator_of(model.card)
    for variable, value in zip(generator.variables, model.weights()):
        variable.assign(value)
    found = [] if arguments.find else sliders.read(model.version)
    print(f'{machine.describe()}; {arguments.num:,} drawings')
    if not found:
        began = time.monotonic()
        found = sliders.found(generator, model.form)
        print(f'found in {time.monotonic() - began:.1f} s')
    if not found:
        print('no slider is good enough to be offered')
        return
    sweeps = sliders.Model(generator, model.form).swept(found, arguments.num, FIRST)
    told = table(found, sweeps, judges(model.card))
    print('\n'.join(told))
    if arguments.out:
        rows = [sweep.images[: SHOWN * sliders.VALUES] for sweep in sweeps]
        picture = pictures.sheet(np.concatenate(rows), sliders.VALUES)
        pictures.write_png(arguments.out, picture)


def table(found, sweeps, classifiers):
    titles = [f'class kept, {name}' for name in classifiers]
    yield f'\n| slider | range | Spearman | over all | most cross-talk | {" | ".join(titles)} |'
    yield f'|---|---|---|---|---|{"---|" * len(classifiers)}'
    scores = sliders.judged(found, sweeps)
    for slider, score, sweep in zip(found, scores, sweeps, strict=True):
        way = f'{slider["low"]:g} to {slider["high"]:g}'
        most = max(score.cross_talk, key=score.cross_talk.get, default=None)
        told = f'{score.cross_talk[most]:.2f} ({most})' if most else '-'
        kept = (f'{kept_share(classify, sweep, slider):.1%}' for classify in classifiers.values())
        figures = f'{score.spearman:.3f} | {score.pooled:.2f} | {told} | {" | ".join(kept)}'
        yield f'| {slider["name"]} | {way} | {figures} |'


def kept_share(classify, sweep, slider):
    """The least share of drawings, over the values, whose class is that of the default."""
    told = classify(sweep.images).reshape(-1, len(sweep.way))
    nearest = np.abs(sweep.way - slider['default']).argmin()
    return (told == told[:, [nearest]]).mean(axis=0).min()


def judges(card):
    """The classifiers of a model's data set by name; none without classes to tell apart."""
    config = card.config
    source = tfgan.open_source(card.data['dataset'], image_size=config['image_size'])
    judge, other = extractor_of(source), Tolerant(source, seed=1)
    if judge.head is None:
        return {}
    learned = other.learned()
    print(f'right of the tenth they have not seen: {judge.accuracy:.1%}, {learned["accuracy"]:.1%}')
    return {'judge': judge.classify, 'at any size': other.classify}


class Tolerant(Learner):
    """A classifier that has seen images at other sizes and slants than their own."""

    def __init__(self, source, seed):
        super().__init__(source, seed)
        self._ground = form_named(source.form).ground(source)

    def classify(self, images):
        blocks = self._blocks(self.views.small(images))
        return np.concatenate([self.content(self.network(x)).numpy().argmax(1) for x in blocks])

    def _classify(self, images, labels, seed):
        return super()._classify(moved(images, self._ground, seed), labels, seed)


def moved(images, ground, seed):
    """Images float32 [n, h, w, c] grown or shrunk, and slanted, about their middles."""
    height, width = images.shape[1:3]
    u = tf.random.stateless_uniform([2, tf.shape(images)[0]], tf.stack(seed) + 7)
    low, high = map(math.log, SIZES)
    growth, slant = tf.exp(low + (high - low) * u[0]), SLANT * (2 * u[1] - 1)
    across, down, zero = (width - 1) / 2, (height - 1) / 2, tf.zeros_like(slant)
    # Each place is read at its own, seen from the middle, over the growth.
    rows = [1 / growth, slant / growth, across - (across + slant * down) / growth]
    rows += [zero, 1 / growth, down - down / growth, zero, zero]
    return ground + tf.raw_ops.ImageProjectiveTransformV3(
        images=images - ground,
        transforms=tf.stack(rows, axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation='BILINEAR',
        fill_mode='CONSTANT',
    )


if __name__ == '__main__':
    main()
