"""Judge an exported model's drawings against a data set.

    python -m tfgan.evaluate --model=saved_models/doodles --dataset=doodles --num=10000

prints a table of figures, each beside the same figure of real images, and writes it with the
drawings that lie closest to training images to reports/doodles/VERSION. A feature extractor is
trained on the data set first, once, in a quarter of a minute. It needs the exported model and the
data, and nothing else of the run.
"""

import json
import math
import pathlib
import time

import numpy as np
from absl import flags

from tfgan import cli, client, startup, storage
from tfgan.errors import ModelError, quoted
from tfgan.forms import base as forms
from tfgan.forms.drawing import sheets
from tfgan.saved_model import layout

OWN = ['model', 'dataset', 'data_dir', 'num', 'features', 'inception_weights', 'seed', 'out']
OWN += ['truncation', 'cache_dir']
NEEDED = {'name', 'step', 'dataset', 'shape', 'class_names', 'class_counts'}  # of model.json
FLAGS = flags.FLAGS


def main():
    began = time.monotonic()
    if FLAGS.inception_weights and FLAGS.features != 'inception':
        weights = f'--inception_weights={quoted(FLAGS.inception_weights)}'
        raise ModelError(f'{weights} is of use with --features=inception only')
    version = layout.newest(pathlib.Path(FLAGS.model))
    facts = facts_of(version)
    dataset = FLAGS.dataset or facts['data']['dataset']
    forms.check_source(dataset)
    out = pathlib.Path(FLAGS.out or pathlib.Path('reports', *version.resolve().parts[-2:]))
    cli.check_folder('out', out)
    startup.import_tensorflow()
    source = open_data(dataset, facts['data']['shape'])
    by_class = tuple(facts['data']['class_names']) == source.class_names
    print('\n'.join(settings(version, facts, source, out)), flush=True)
    if not by_class:
        print(class_note(facts['data']['class_names'], source.class_names), flush=True)
    quality, sheet, evaluator = judged(version, facts, source, by_class)
    said = headline(evaluator)
    print('\n'.join(['', said, '', *table(quality.rows)]))
    report = {
        'about': said,
        'model': {'directory': str(version), 'name': facts['name'], 'version': version.name},
        'step': facts['step'],
        'data': source.summary(),
        'extractor': evaluator.extractor.name,
        'accuracy': evaluator.extractor.accuracy,
        'seed': FLAGS.seed,
        'truncation': FLAGS.truncation,
        'training_images': len(evaluator.training),
        'figures': {row.name: row._asdict() for row in quality.rows},
        'class_shares': quality.class_shares,
    }
    write(out, report, quality, sheet, began)


def open_data(dataset: str, shape: list[int]):
    """The data set at the size that the model draws."""
    source = forms.open_source(dataset, FLAGS.data_dir)
    if list(source.shape[:2]) != shape[:2]:
        source = forms.open_source(dataset, FLAGS.data_dir, image_size=shape[0])
    if list(source.shape) != shape:
        raise ModelError(
            f'--model={FLAGS.model} draws images of {shape} (height, width, channels),'
            f' {dataset} has {list(source.shape)}: these cannot be compared'
        )
    return source


def facts_of(version: pathlib.Path) -> dict:
    """What an export says of itself; raises ModelError where it does not."""
    path = version / 'model.json'
    try:
        facts = json.loads(path.read_text())
        known = {**facts, **facts['data']}
        if missing := sorted(NEEDED - known.keys()):
            raise KeyError(*missing)
    except (OSError, KeyError, TypeError, ValueError) as error:
        why = f'{error} is missing' if isinstance(error, KeyError) else error
        said = f'{path} does not say what the model learned from ({why}); export the run once more'
        raise ModelError(said) from error
    return facts


def settings(version, facts, source, out) -> list[str]:
    """What is compared to what, in lines."""
    told = {
        'model': f'{version}, step {facts["step"]:,}',
        'dataset': f'{source.dataset}, {len(source):,} images of {list(source.shape)}',
        'num': FLAGS.num,
        'features': FLAGS.features,
        'seed': FLAGS.seed,
        'truncation': 'none' if FLAGS.truncation is None else FLAGS.truncation,
        'out': out,
    }
    return [f'  {name:15} {value}' for name, value in told.items()]


def class_note(drawn, there) -> str:
    drawn, there = (', '.join(names[:10]) + ', ...' * (len(names) > 10) for names in (drawn, there))
    return (
        f'The model draws the classes {drawn}; the data has {there}. As these differ, no class is'
        ' asked for, and the figures of classes are about those of the data.'
    )


def judged(version, facts, source, by_class: bool):
    """The figures, the sheet of neighbours and what made them."""
    from tfgan import errors
    from tfgan.evaluation.evaluator import Evaluator
    from tfgan.evaluation.extractor import extractor_of
    from tfgan.evaluation.inception import inception

    model = client.load(version)
    counts = np.array(facts['data']['class_counts'])
    draw = drawer(model, counts / counts.sum() if by_class else None)
    try:
        if FLAGS.features == 'inception':
            extractor = inception(FLAGS.inception_weights)
        else:
            extractor = extractor_of(source, FLAGS.cache_dir)
        judge = Evaluator(source, extractor, FLAGS.num, FLAGS.seed, FLAGS.cache_dir)
        quality = judge.evaluate(draw)
    except errors.FeatureError as error:
        raise ModelError(error) from error
    return quality, judge.neighbours_sheet(draw, quality), judge


def drawer(model, shares):
    """Seeds to drawings, with the labels asked for if `shares` says how frequent classes are."""
    from tfgan import latents

    def draw(seeds):
        if shares is None:
            return model.draw(seeds, truncation=FLAGS.truncation), None
        labels = latents.classes(seeds, shares).numpy()
        return model.draw(seeds, labels, FLAGS.truncation), labels

    return draw


def headline(evaluator) -> str:
    """What the Fréchet distance of a report is, and what it is not."""
    name, count = evaluator.extractor.name, f'{evaluator.count:,} drawings and as many real images'
    if FLAGS.features == 'inception':
        return (
            f'Fréchet distance in the features of {name}, of {count}: like FID, but comparable only'
            ' at the same number and with the same weights and resizing'
        )
    accuracy = evaluator.extractor.accuracy
    right = '' if accuracy is None else f' ({accuracy:.1%} right on images it had not seen)'
    return (
        f'Fréchet distance in the features of {name}; not FID, not comparable with other data sets.'
        f'\nOf {count}{right}.'
    )


def table(rows) -> list[str]:
    """The figures in aligned lines."""
    heads = [('figure', 'generated', 'real', 'n', 'better', 'what it means')]
    cells = [
        (row.name, number(row.generated), number(row.real), f'{row.n:,}', row.better, row.meaning)
        for row in rows
    ]
    return [
        f'{name:22}{generated:>10}{real:>10}{n:>8}  {better:7} {meaning}'
        for name, generated, real, n, better, meaning in heads + cells
    ]


def number(value: float) -> str:
    """Four figures, and no exponent where it can be helped."""
    return f'{value:.4g}' if abs(value) < 1e4 else f'{value:.0f}'


def write(out, report, quality, sheet, began) -> None:
    """Everything at once, when all is known."""
    sheets.write_png(out / 'neighbours.png', sheets.enlarge(sheet))
    scalars(out / 'tensorboard', quality.as_dict(), report['step'])
    report['secs'] = time.monotonic() - began
    text = json.dumps(finite(report), indent=2, ensure_ascii=False, allow_nan=False)
    storage.write_bytes(out / 'metrics.json', text.encode())
    print(f'\nwritten to {out}: metrics.json, neighbours.png (pairs of a drawing and the nearest')
    print('training image: on the left the closest, on the right any two) and tensorboard')


def finite(value):
    """The same without NaN and infinity, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


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
    flags.DEFINE_string('dataset', None, "what to compare with; default: the model's own")
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    flags.DEFINE_integer(
        'num', 10_000, 'how many drawings and real images', lower_bound=20, upper_bound=10**7
    )
    flags.DEFINE_enum(
        'features', 'own', ['own', 'inception'], 'of the data set itself, or slow Inception'
    )
    cli.define_place('inception_weights', None, 'their file; default: download those of ImageNet')
    flags.DEFINE_integer(
        'seed', 0, 'which real images are chosen', lower_bound=0, upper_bound=2**31 - 1
    )
    cli.define_truncation()
    cli.define_place('out', None, 'a folder; default reports/NAME/VERSION')
    cli.define_place('cache_dir', None, "for what is known of the data; default the user's")
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
