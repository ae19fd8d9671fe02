"""Draw with an exported model, or write music: a sheet, single files, or a walk.

    python -m tfgan.sample --model=saved_models/doodles --num=64 --seed=7 --out=sheet.png

writes one sheet of the drawings of the seeds 7 to 70. With --out=FOLDER/ each drawing becomes a
file named by its seed, in the format that --format names. Other endings make other things:

    --num=1 --size=2048 --out=cat.png       pixels, as many as you like, drawn from the strokes
    --out=sheet.svg                         paths for a drawing program
    --paper=a3 --out=sheet.pdf              paper, to print
    --out=sheet.gif                         drawings that draw themselves, stroke by stroke
    --plotter --paper=a4 --out=sheet.svg    centre lines in millimetres, for a pen plotter
    --walk=walk.gif                         an animated walk from drawing to drawing, of any --size

A model of music writes pieces, one after the other in one file, or a folder with a file for each:

    --num=4 --out=pieces.mid                MIDI; .musicxml for a notation program, .wav to hear
    --key="e minor" --bars=16 --bpm=100 --out=long.mid
    --num=4 --out=rolls.png                 piano rolls; --notation --out=score.svg is the score

It needs the exported model and nothing else of the run.
"""

import numpy as np
from absl import flags

from tfgan import cli, client
from tfgan.errors import ConfigError, ModelError, shown
from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, form_named

OWN = [
    *('model', 'num', 'seed', 'label', 'truncation', *cli.DRAWINGS, 'walk', *cli.PIECES),
    *('trust_model', 'provenance'),
]
FLAGS = flags.FLAGS


def main():
    if not FLAGS.out and not FLAGS.walk:
        raise ModelError('nothing to write: give --out=sheet.png, --out=FOLDER/ or --walk=walk.gif')
    how = cli.check_files(_form()) if FLAGS.out else {}
    if FLAGS.walk:
        cli.check_picture('walk', FLAGS.walk, pictures.ANIMATIONS)
        if not FLAGS.out and (FLAGS.paper or FLAGS.plotter):
            raise ConfigError('--paper and --plotter: a walk has none; they are for --out=')
    model = client.load(FLAGS.model, FLAGS.trust_model)
    seeds = FLAGS.seed + np.arange(FLAGS.num)
    if FLAGS.out:
        model.write(FLAGS.out, seeds, FLAGS.label, FLAGS.truncation, **how)
    if FLAGS.walk:
        _walk(model, seeds)


def _form():
    """The model's art form; what no model of any form writes is refused before it is looked for."""
    try:
        return client.form_of(FLAGS.model)
    except ModelError:
        if pictures.ending(FLAGS.out) in cli.PIECE_ENDINGS:
            raise
        return form_named(DRAWING)


def _walk(model, seeds):
    """An animation of three seconds a leg at most."""
    label = FLAGS.label
    if label is None:
        label = seeds % len(model.class_names())
    frames = model.walk(seeds, label, FLAGS.frames, FLAGS.size)
    how = {'as': 'walk', 'frames': FLAGS.frames, 'size': FLAGS.size}
    told = model.recipe(model.seeded(seeds, label), **how)
    pictures.write_animation(FLAGS.walk, frames, recipe=told)
    print(f'a walk of {len(frames)} frames: {shown(FLAGS.walk)}')


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    cli.define_seeds()
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as the seeds have it')
    cli.define_truncation()
    cli.define_provenance()
    cli.define_drawings()
    cli.define_pieces()
    cli.define_place('walk', None, 'a .gif, .webp or .apng of walks between drawings')
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
