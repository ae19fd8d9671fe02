"""What recipes make of the same minutes: `tfgan.evaluate`'s figures over several seeds."""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from workers import Worker

from tfgan import startup

COPIED = {'copied script, dense': 'dense', 'copied script, DCGAN': 'convolutional'}
# fmt: off
RECIPES = {
    'default':                       [],
    'dense layers':                  ['--preset=dense'],
    'convolutions':                  ['--preset=conv'],
    'penalty of weight 0.6':         ['--penalty_weight=0.6'],
    'penalty of weight 6':           ['--penalty_weight=6'],
    'no fading of the penalty':      ['--penalty_decay=1'],
    'learning rate 2e-4':            ['--learning_rate=2e-4'],
    'learning rate 7e-4':            ['--learning_rate=7e-4'],
    'learning rate never falls':     ['--decay_from=1'],
    'maps of 32':                    ['--channels=32'],
    'batches of 32':                 ['--batch_size=32'],
    'non-saturating, no penalty':    ['--objective=non_saturating'],
    'hinge, no penalty':             ['--objective=hinge'],
    'Wasserstein, gradient penalty': ['--objective=wasserstein'],
}
# fmt: on
FIGURES = {
    'frechet_distance': '{:.3f}',
    'precision': '{:.3f}',
    'recall': '{:.3f}',
    'coverage': '{:.3f}',
    'labels_right': '{:.3f}',
    'copies': '{:.3f}',
    'haze_share': '{:.4f}',
    'specks': '{:.2f}',
}


def measure(dataset, data_dir, minutes, seeds, recipes):
    """{recipe: [figures of each seed]}, one run after the other, so that each has the machine.

    A copied script that cannot run here, or not on such images, has no figures.
    """
    data = [f'--dataset={dataset}', *([f'--data_dir={data_dir}'] if data_dir else [])]
    found = {name: [] for name in recipes}
    for seed in range(seeds):
        for name in recipes:
            with tempfile.TemporaryDirectory() as folder:
                if name in COPIED:
                    run = _copied(folder, dataset, data_dir, minutes, seed, COPIED[name])
                else:
                    flags = [f'--minutes={minutes}', f'--seed={seed}', *RECIPES[name]]
                    run = _run(folder, data, flags)
            if 'fails' not in run:
                found[name].append(run)
            print(f'seed {seed}, {name}: {run}', file=sys.stderr, flush=True)
    return found


def _run(folder, data, flags):
    model, report = f'{folder}/model', f'{folder}/report'
    _python('train', *data, *flags, f'--run_dir={folder}/run', f'--export_dir={model}')
    _python('evaluate', f'--model={model}', *data, f'--out={report}')
    said = json.loads(pathlib.Path(report, 'metrics.json').read_text())
    generated, real = (
        {name: row[of] for name, row in said['figures'].items()} for of in ('generated', 'real')
    )
    return {'steps': said['step'], **generated, 'real': real}


def _copied(folder, dataset, data_dir, minutes, seed, kind, count=10_000):
    """The figures of one of `copied`'s pairs, which know no classes."""
    startup.import_tensorflow()
    from tfgan.evaluation import evaluator, extractor
    from tfgan.forms import base as forms

    source = forms.open_source(dataset, data_dir)
    images = f'{folder}/images.npz'
    np.savez(images, images=source.images(np.arange(len(source))))
    worker = Worker('copied', 'train', kind=kind, path=images, seed=seed, count=count)
    made = worker.turn(minutes)
    worker.close()
    if worker.error:
        return {'fails': worker.error}
    with np.load(made['drawings']) as arrays:
        drawings = arrays['images']
    judge = evaluator.Evaluator(source, extractor.extractor_of(source), count)
    quality = judge.evaluate(lambda seeds: (drawings[seeds - evaluator.SEED], None))
    generated, real = (
        {row.name: getattr(row, of) for row in quality.rows} for of in ('generated', 'real')
    )
    return {'steps': made['steps'], **generated, 'real': real}


def _python(module, *flags):
    done = subprocess.run([sys.executable, '-m', f'tfgan.{module}', *flags], capture_output=True)
    if done.returncode:
        raise RuntimeError(f'tfgan.{module} {flags} failed:\n{done.stderr.decode()[-2000:]}')


def rows(found):
    """The table: means over the seeds, and the standard deviation of the distance."""
    yield ['recipe', 'steps', *(name.replace('_', ' ') for name in FIGURES)]
    measured = {name: runs for name, runs in found.items() if runs}
    for name, runs in measured.items():
        steps = statistics.mean(run['steps'] for run in runs)
        yield [name, f'{steps:,.0f}', *(_cell(figure, runs) for figure in FIGURES)]
    if measured:
        real = next(iter(measured.values()))[0]['real']
        yield ['other real images', '', *(_form(figure, real.get(figure)) for figure in FIGURES)]


def _cell(figure, runs):
    values = [run.get(figure) for run in runs]
    if None in values:
        return ''
    spread = statistics.stdev(values) if len(values) > 1 and figure == 'frechet_distance' else None
    beside = '' if spread is None else f' ± {_form(figure, spread)}'
    return _form(figure, statistics.mean(values)) + beside


def _form(figure, value):
    return '' if value is None else FIGURES[figure].format(value)
