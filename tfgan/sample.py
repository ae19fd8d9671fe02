"""Draw with an exported model: a sheet, single pictures, or a walk.

    python -m tfgan.sample --model=saved_models/doodles --num=64 --seed=7 --out=sheet.png

writes one sheet of the drawings of the seeds 7 to 70. With --out=FOLDER/ each drawing becomes a
file named by its seed, and --format=svg makes them vectors, as --out=sheet.svg does a sheet, if the
model draws with a pen. --walk=walk.gif writes an animated walk from drawing to drawing. It needs
the exported model and nothing else of the run.
"""

import numpy as np
from absl import flags

from tfgan import cli, client
from tfgan.errors import ModelError, shown
from tfgan.forms import pictures

OWN = ['model', 'num', 'seed', 'label', 'truncation', 'out', 'format', 'walk', 'frames']
FLAGS = flags.FLAGS
WALK_PIXELS = 480  # wide


def main():
    if not FLAGS.out and not FLAGS.walk:
        raise ModelError('nothing to write: give --out=sheet.png, --out=FOLDER/ or --walk=walk.gif')
    if FLAGS.out:
        cli.check_drawings('out', FLAGS.out, vectors=('.svg',))
    if FLAGS.walk:
        cli.check_picture('walk', FLAGS.walk, pictures.ANIMATIONS)
    model = client.load(FLAGS.model)
    seeds = FLAGS.seed + np.arange(FLAGS.num)
    if FLAGS.out and '.svg' in (pictures.ending(FLAGS.out), f'.{FLAGS.format}'):
        if FLAGS.truncation is not None:
            raise ModelError(f'--truncation={FLAGS.truncation}: SVG has none; leave it out')
        model.form.write_svg(FLAGS.out, model.svg(seeds, FLAGS.label), seeds)
    elif FLAGS.out:
        model.form.write(FLAGS.out, model.draw(seeds, FLAGS.label, FLAGS.truncation), seeds)
    if FLAGS.walk:
        write_walk(walk(model, seeds, FLAGS.label, FLAGS.frames), FLAGS.walk)


def walk(model, seeds, label, count) -> list[np.ndarray]:
    """Sheets of drawings that each walk by way of two other seeds and back, `count` in all."""
    names = model.class_names()
    label = client.label_number(label, names) if label else seeds % len(names)
    labels = np.broadcast_to(np.asarray(label, np.int32), len(seeds))
    frames = []
    for place in np.arange(count) * 3 / count:
        leg, share = int(place), place % 1
        ends = [seeds + len(seeds) * corner for corner in (leg, (leg + 1) % 3)]
        inputs = {'seed': ends[0], 'to_seed': ends[1], 'label': labels}
        shares = np.full(len(seeds), share, np.float32)
        frames.append(
            model.form.sheet(
                model.predict('interpolate', inputs | {'share': shares}), pixels=WALK_PIXELS
            )
        )
    return frames


def write_walk(frames, path) -> None:
    """An animation of three seconds a leg at most."""
    pictures.write_animation(path, frames)
    print(f'a walk of {len(frames)} frames: {shown(path)}')


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_seeds()
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as the seeds have it')
    cli.define_truncation()
    cli.define_place('out', None, 'a sheet: .png, .jpg, .webp or .svg; else a folder for pictures')
    flags.DEFINE_enum('format', 'png', ['png', 'svg'], 'of the pictures in a folder')
    cli.define_place('walk', None, 'a .gif, .webp or .apng of walks between drawings')
    flags.DEFINE_integer('frames', 90, "the walk's frames", lower_bound=1, upper_bound=10_000)
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
