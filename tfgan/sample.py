"""Draw with an exported model: a sheet, single pictures, or a walk.

    python -m tfgan.sample --model=saved_models/doodles --num=64 --seed=7 --out=sheet.png

writes one sheet of the drawings of the seeds 7 to 70. With --out=FOLDER/ each drawing becomes a
file named by its seed; --walk=walk.gif writes an animated walk from drawing to drawing. It needs
the exported model and nothing else of the run.
"""

import json
import pathlib

import numpy as np
from absl import flags

from tfgan import commands, images, startup
from tfgan.commands import ModelError

OWN = ['model', 'num', 'seed', 'label', 'out', 'walk', 'frames']
FLAGS = flags.FLAGS


def main():
    version = commands.newest(pathlib.Path(FLAGS.model))
    facts = json.loads((version / 'model.json').read_text())
    label = label_number(FLAGS.label, facts['data']['class_names'])
    if not FLAGS.out and not FLAGS.walk:
        raise ModelError('nothing to write: give --out=sheet.png, --out=FOLDER/ or --walk=walk.gif')
    model = startup.import_tensorflow().saved_model.load(str(version)).signatures
    seeds = FLAGS.seed + np.arange(FLAGS.num)
    if FLAGS.out:
        write(draw(model, seeds, label), seeds, FLAGS.out)
    if FLAGS.walk:
        classes = label if label is not None else seeds % len(facts['data']['class_names'])
        write_walk(walk(model, seeds, classes, FLAGS.frames), FLAGS.walk)


def label_number(label: str | None, class_names: list[str]) -> int | None:
    """The number of a class given by name or number."""
    if label is None:
        return None
    if label in class_names:
        return class_names.index(label)
    if label.isdecimal() and int(label) < len(class_names):
        return int(label)
    raise ModelError(f'--label={label}: the model draws {", ".join(class_names)}')


def draw(model, seeds, label=None) -> np.ndarray:
    """Drawings uint8 [n, h, w, c] of seeds [n], of one class or as the seeds have it."""
    import tensorflow as tf

    blocks = []
    for some in np.split(seeds, range(256, len(seeds), 256)):
        inputs = {'seed': tf.constant(some, tf.int64)}
        if label is not None:
            inputs['label'] = tf.fill([len(some)], label)
        blocks.append(model['serving_default' if label is None else 'labelled'](**inputs)['image'])
    return np.concatenate(blocks)


def write(drawings, seeds, out) -> None:
    """A sheet if `out` is named like a PNG, else a folder of single pictures."""
    if out.lower().endswith('.png'):
        images.write_png(out, images.enlarge(images.sheet(drawings)))
    else:
        for seed, drawing in zip(seeds, drawings, strict=True):
            images.write_png(pathlib.Path(out) / f'{seed}.png', drawing)
    print(f'{len(seeds)} drawings, seeds {seeds[0]} to {seeds[-1]}: {out}')


def walk(model, seeds, classes, count) -> list[np.ndarray]:
    """Sheets of drawings that each walk by way of two other seeds and back, `count` in all."""
    import tensorflow as tf

    labels = tf.constant(np.broadcast_to(classes, len(seeds)), tf.int32)
    sheets = []
    for place in np.arange(count) * 3 / count:
        leg, share = int(place), place % 1
        ends = [seeds + len(seeds) * corner for corner in (leg, (leg + 1) % 3)]
        drawings = model['interpolate'](
            seed=tf.constant(ends[0], tf.int64),
            to_seed=tf.constant(ends[1], tf.int64),
            share=tf.fill([len(seeds)], np.float32(share)),
            label=labels,
        )['image']
        sheets.append(images.sheet(drawings.numpy()))
    return sheets


def write_walk(sheets, path) -> None:
    """An animation of three seconds a leg at most."""
    images.write_gif(path, [images.enlarge(sheet, 480) for sheet in sheets])
    print(f'a walk of {len(sheets)} frames: {path}')


if __name__ == '__main__':
    flags.DEFINE_string(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    flags.DEFINE_integer('num', 64, 'how many drawings', lower_bound=1)
    flags.DEFINE_integer('seed', 0, 'the first seed')
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as the seeds have it')
    flags.DEFINE_string('out', None, 'a .png for a sheet, else a folder for single pictures')
    flags.DEFINE_string('walk', None, 'a .gif of walks between drawings')
    flags.DEFINE_integer('frames', 90, "the walk's frames", lower_bound=1)
    commands.run(main, f'{__doc__}\nflags:\n{commands.listed(OWN)}')
