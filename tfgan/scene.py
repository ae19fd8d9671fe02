"""Draw a scene of what words name.

    python -m tfgan.scene --words="two cats and a house under a sun" --out=scene.svg

draws each thing by the model and puts it where the words have it: left of, right of, above, under,
between, in front of, behind or beside another. "a" to "nine" and "some" tell how many. A word means
a class if it is the class's name, a synonym or a kind of it: a kitten is a cat, and a dog is none.
One seed is one scene. The ending of --out= says what is made:

    .svg                  paths for a drawing program, in a group for each thing
    .png .jpg .webp       pixels, drawn from the paths, --size=1024 of them wide
    .pdf                  --paper=a4, to print
    .gif                  a scene that draws itself, stroke by stroke
    .svg with --plotter   centre lines in millimetres, for a pen plotter
"""

from absl import flags

from tfgan import cli, client
from tfgan.errors import ModelError

OWN = [
    'model',
    'words',
    'seed',
    'out',
    'size',
    'paper',
    'plotter',
    'frames',
    'trust_model',
    'provenance',
]
FLAGS = flags.FLAGS


def main():
    if not FLAGS.out:
        raise ModelError('nothing to write: give --out=scene.svg')
    how = cli.check_drawings(folders=False)
    model = client.load(FLAGS.model, FLAGS.trust_model)
    model.write_scene(FLAGS.out, FLAGS.words, FLAGS.seed, **how)


if __name__ == '__main__':
    cli.define_place(
        'model', 'saved_models/doodles', "an exported model's directory, or one version's"
    )
    flags.DEFINE_string('words', None, 'what to draw, and where it is', required=True)
    cli.define_trust()
    flags.DEFINE_integer('seed', 0, 'of the scene', lower_bound=-(2**62), upper_bound=2**62)
    cli.define_drawings(folders=False)
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
