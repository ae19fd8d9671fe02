"""Teach a model a new word from a few drawings of yours.

    python -m tfgan.learn --model=saved_models/doodles --images=owls --word=owl --out=models/mine

learns from five to twenty drawings, in half a minute, a kind that the model never saw, and writes a
model that draws it too: python -m tfgan.sample --model=models/mine --label=owl. All other
kinds stay as they are, pixel by pixel.
"""

from absl import flags

from tfgan import cli, client
from tfgan.errors import ModelError, shown, typed

OWN = ['model', 'images', 'word', 'out', 'secs', 'trust_model', 'provenance']
FLAGS = flags.FLAGS


def main():
    if not FLAGS.images or not FLAGS.word:
        raise ModelError('what is to be learned? Give --images=my-owls --word=owl')
    if not FLAGS.out:
        raise ModelError('where to? Give --out=models/mine, a folder of its own')
    cli.check_folder('out', FLAGS.out)
    files = cli.picture_files('images', FLAGS.images)
    model = client.load(FLAGS.model, FLAGS.trust_model)
    version = model.learn(files, FLAGS.word, FLAGS.out, secs=FLAGS.secs)
    print(f'{shown(FLAGS.word)} from {len(files)} drawings: {shown(str(version))}. Next:')
    words = f'--model={typed(FLAGS.out)} --label={typed(FLAGS.word)}'
    print(f'  python -m tfgan.sample {words} --out=sheet.png')


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    cli.define_place('images', None, 'a folder with drawings of one kind')
    flags.DEFINE_string('word', None, 'what the kind is called')
    cli.define_place('out', None, "the new model's directory")
    flags.DEFINE_float('secs', 15.0, 'of learning', lower_bound=1)
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}', refused=2)
