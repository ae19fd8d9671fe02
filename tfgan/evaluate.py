"""Judge what an exported model makes against a data set.

    python -m tfgan.evaluate --model=saved_models/doodles --dataset=doodles --num=10000

prints a table of figures, each beside the same figure of real images or pieces, and writes it to
reports/doodles/VERSION, with what lies closest to training data and the real data that are the
least like anything the model makes. A feature extractor is trained on the data set first, once, in
a quarter of a minute. It needs the exported model and the data, and nothing else of the run.
"""

import json
import pathlib
import time

from absl import flags

from tfgan import cli, client, provenance, startup, storage
from tfgan.errors import FeatureError, ModelError, quoted
from tfgan.forms import base as forms
from tfgan.forms import pictures
from tfgan.saved_model import card, layout

OWN = [
    'model',
    'dataset',
    'split',
    'data_dir',
    'num',
    'features',
    'inception_weights',
    'seed',
    'out',
]
OWN += ['truncation', 'cache_dir', 'trust_model', 'provenance']
FLAGS = flags.FLAGS


def main():
    began = time.monotonic()
    if FLAGS.inception_weights and FLAGS.features != 'inception':
        weights = f'--inception_weights={quoted(FLAGS.inception_weights)}'
        raise ModelError(f'{weights} is of use with --features=inception only')
    version = layout.newest(FLAGS.model)
    forms.check_source(FLAGS.dataset or card.read(version).data['dataset'])
    out = pathlib.Path(FLAGS.out or pathlib.Path('reports', *version.resolve().parts[-2:]))
    cli.check_folder('out', out)
    startup.import_tensorflow()
    print(f'  {"out":15} {quoted(out)}')
    model = client.load(version, FLAGS.trust_model)
    report = judged(model)
    print(f'\n{report}')
    # Beside the model's drawings there are images of the data set.
    told = model.recipe([], **{'source': provenance.COMPOSITE, 'as': 'pairs'})
    write(out, report, began, told, model.form.nouns)


def judged(model):
    """The report that the flags ask for."""
    try:
        return model.evaluate(
            FLAGS.dataset,
            num=FLAGS.num,
            features=FLAGS.features,
            inception_weights=FLAGS.inception_weights,
            seed=FLAGS.seed,
            truncation=FLAGS.truncation,
            split=FLAGS.split,
            data_dir=FLAGS.data_dir,
            cache_dir=FLAGS.cache_dir,
        )
    except FeatureError as error:
        raise ModelError(error) from error


def write(
    out: pathlib.Path, report, began: float, recipe: dict | None = None, nouns=('drawing', 'image')
) -> None:
    """Everything at once, when all is known; `nouns` are a form's."""
    made, real = nouns
    pictures.write_png(out / 'neighbours.png', report.neighbours, recipe)
    pictures.write_png(out / 'missed.png', report.missed, recipe)
    scalars(out / 'tensorboard', report.figures, report.facts['step'])
    facts = report.as_json() | {'secs': time.monotonic() - began}
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    storage.write_bytes(out / 'metrics.json', text.encode())
    print(f'\nwritten to {quoted(out)}: metrics.json, tensorboard and pictures of pairs:')
    print(f'neighbours.png  a {made} and its nearest training {real}; on the left, the closest')
    print(f'missed.png      a real {real} and its nearest {made}; on the left, the furthest')


def scalars(directory, values: dict[str, float], step: int) -> None:
    """The figures as TensorBoard shows them, at the model's step."""
    import tensorflow as tf

    from tfgan.training.event_files import Events

    events = Events(directory)
    with events.as_default(step=step):
        for name, value in values.items():
            tf.summary.scalar(f'report/{name}', value)
    events.close()


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    flags.DEFINE_string('dataset', None, "what to compare with; default: the model's own")
    flags.DEFINE_string('split', None, 'train | test | ... | all, of a data set that has splits')
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    flags.DEFINE_integer('num', 10_000, 'how many of both', lower_bound=20, upper_bound=10**7)
    flags.DEFINE_enum(
        'features', 'own', ['own', 'inception'], 'of the data set itself, or slow Inception'
    )
    cli.define_place('inception_weights', None, 'their file; default: download those of ImageNet')
    flags.DEFINE_integer(
        'seed', 0, 'which real ones are chosen', lower_bound=0, upper_bound=2**31 - 1
    )
    cli.define_truncation()
    cli.define_place('out', None, 'a folder; default reports/NAME/VERSION')
    cli.define_place('cache_dir', None, "for what is known of the data; default the user's")
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
