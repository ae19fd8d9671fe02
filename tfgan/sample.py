"""Draw with an exported model: a sheet, single pictures, or a walk.

    python -m tfgan.sample --model=saved_models/doodles --num=64 --seed=7 --out=sheet.png

writes one sheet of the drawings of the seeds 7 to 70. With --out=FOLDER/ each drawing becomes a
file named by its seed, in the format that --format names. Other endings make other things:

    --num=1 --size=2048 --out=cat.png       pixels, as many as you like, drawn from the strokes
    --out=sheet.svg                         paths for a drawing program
    --paper=a3 --out=sheet.pdf              paper, to print
    --out=sheet.gif                         drawings that draw themselves, stroke by stroke
    --plotter --paper=a4 --out=sheet.svg    centre lines in millimetres, for a pen plotter
    --walk=walk.gif                         an animated walk from drawing to drawing, of any --size

It needs the exported model and nothing else of the run.
"""

import numpy as np
import tqdm
from absl import flags

from tfgan import cli, client
from tfgan.errors import ConfigError, ModelError, shown
from tfgan.forms import pictures

OWN = ['model', 'num', 'seed', 'label', 'truncation', *cli.DRAWINGS, 'walk', 'trust_model']
FLAGS = flags.FLAGS
WALK_PIXELS = 480  # wide, of a model without strokes


def main():
    if not FLAGS.out and not FLAGS.walk:
        raise ModelError('nothing to write: give --out=sheet.png, --out=FOLDER/ or --walk=walk.gif')
    how = cli.check_drawings() if FLAGS.out else {}
    if FLAGS.walk:
        cli.check_picture('walk', FLAGS.walk, pictures.ANIMATIONS)
        if not FLAGS.out and (FLAGS.paper or FLAGS.plotter):
            raise ConfigError('--paper and --plotter: a walk has none; they are for --out=')
    model = client.load(FLAGS.model, FLAGS.trust_model)
    seeds = FLAGS.seed + np.arange(FLAGS.num)
    if FLAGS.out:
        model.write(FLAGS.out, seeds, FLAGS.label, FLAGS.truncation, **how)
    if FLAGS.walk:
        write_walk(walk(model, seeds, FLAGS.label, FLAGS.frames, FLAGS.size), FLAGS.walk)


def walk(model, seeds, label, count, size=None) -> list[np.ndarray]:
    """Sheets of drawings that each walk by way of two other seeds and back, `count` in all.

    With strokes, the longer side of a drawing can have `size` pixels. Raises ModelError.
    """
    drawn = 'interpolate_svg' in model.signatures()
    if size and not drawn:
        raise ModelError(
            f'--size={size}: the model has no strokes to draw a walk from; leave it out'
        )
    names = model.class_names()
    label = client.label_number(label, names) if label else seeds % len(names)
    labels = np.broadcast_to(np.asarray(label, np.int32), len(seeds))
    frames = []
    for place in tqdm.tqdm(np.arange(count) * 3 / count, 'walking', delay=1, disable=None):
        leg, share = int(place), place % 1
        ends = [seeds + len(seeds) * corner for corner in (leg, (leg + 1) % 3)]
        shares = np.full(len(seeds), share, np.float32)
        way = {'seed': ends[0], 'to_seed': ends[1], 'share': shares, 'label': labels}
        if drawn:
            svgs = model.predict('interpolate_svg', way)
            frames.append(model.form.frame(svgs, size, count))
        else:
            frames.append(model.form.sheet(model.predict('interpolate', way), pixels=WALK_PIXELS))
    return frames


def write_walk(frames, path) -> None:
    """An animation of three seconds a leg at most."""
    pictures.write_animation(path, frames)
    print(f'a walk of {len(frames)} frames: {shown(path)}')


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    cli.define_seeds()
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as the seeds have it')
    cli.define_truncation()
    cli.define_drawings()
    cli.define_place('walk', None, 'a .gif, .webp or .apng of walks between drawings')
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
