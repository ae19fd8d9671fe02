"""Measures the speed of training, starting and drawing beside what a user would pick instead,
or with --quality what different recipes make of the same minutes.

    scripts/benchmark --json=speed.json step products start run drawing growth serving scaling

prints a Markdown table for each section named, all of them if none is, and writes every figure to
the JSON file.

    scripts/benchmark --quality --dataset=npz:mnist.npz --minutes=2 --seeds=3

trains and evaluates recipes, one after the other, and prints their table.

Figures of speed are medians, with the lowest and highest of the rounds in brackets; ratios
are medians of the rounds' own, whose parts were measured one after the other.
"""

import argparse
import datetime
import functools
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import floor
import machine
import numpy as np
import quality
import serving as serve_load
from workers import Group, Worker, interleaved, standing, summary

from tfgan import config
from tfgan.data.doodles import render
from tfgan.startup import import_tensorflow

STEPS = {
    'tfgan': ('in_tensorflow', 'tfgan', {}),
    'tfgan, no penalty': ('in_tensorflow', 'tfgan', {'penalty_weight': 0.0}),
    'tfgan, augmented': ('in_tensorflow', 'tfgan', {'augmented': True}),
    'tfgan, XLA': ('in_tensorflow', 'tfgan', {'jit': True}),
    'tfgan, no XLA': ('in_tensorflow', 'tfgan', {'jit': False}),
    'tfgan, bfloat16': ('in_tensorflow', 'tfgan', {'precision': 'bfloat16'}),
    'TensorFlow tutorial loop': ('in_tensorflow', 'tutorial', {}),
    'Keras fit, own train_step': ('in_tensorflow', 'keras_fit', {}),
    'PyTorch': ('in_torch', 'step', {}),
    'PyTorch, fused Adam': ('in_torch', 'step', {'fused': True}),
    'PyTorch, torch.compile': ('in_torch', 'step', {'fused': True, 'compiled': True}),
    'JAX, jit and optax': ('in_jax', 'step', {}),
    'JAX, many steps a call': ('in_jax', 'step', {'looped': True}),
}
LIBRARIES = {  # whose products the floor is made of
    'NumPy': ('floor', {}),
    'TensorFlow': ('in_tensorflow', {'xla': False}),
    'XLA': ('in_tensorflow', {'xla': True}),
    'PyTorch': ('in_torch', {}),
}
STEP_PRESETS = 'article', 'dense', 'pixels', 'default'
TURN_SECS = 1.0
MACHINE, TODAY = machine.describe(), datetime.date.today().isoformat()


def main():
    parser = argparse.ArgumentParser(
        prog='scripts/benchmark',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--json', type=pathlib.Path, help='where all figures go')
    parser.add_argument('--rounds', type=int, default=11)
    parser.add_argument('--presets', nargs='+', choices=STEP_PRESETS, default=STEP_PRESETS,
                        help='whose steps are measured')  # fmt: skip
    parser.add_argument('--run_minutes', type=float, default=5.0, help='of each whole run')
    parser.add_argument('--quality', action='store_true', help='recipes instead of speed')
    parser.add_argument('--dataset', default='doodles')
    parser.add_argument('--data_dir')
    parser.add_argument('--minutes', type=float, default=2.0)
    parser.add_argument('--seeds', type=int, default=3)
    recipes = [*quality.RECIPES, *quality.COPIED]
    parser.add_argument('--recipes', nargs='+', choices=recipes, metavar='RECIPE',
                        default=recipes, help='; '.join(recipes))  # fmt: skip
    parser.add_argument('sections', nargs='*', choices=[*SECTIONS, []], default=[])
    arguments = parser.parse_args()
    (compare if arguments.quality else speed)(arguments)


def speed(arguments):
    """The sections asked for."""
    figures = {'machine': MACHINE, 'date': TODAY}
    print(f'{arguments.rounds} rounds', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        drawings = pathlib.Path(folder) / 'drawings.npz'
        indices = np.arange(10_000)
        np.savez(
            drawings, images=render.draw(indices)[..., None], labels=render.labels(len(indices))
        )
        sections = SECTIONS | {
            'step': functools.partial(step, presets=arguments.presets),
            'run': functools.partial(run, minutes=arguments.run_minutes),
        }
        for section in arguments.sections or sections:
            print(flush=True)
            figures[section] = sections[section](str(drawings), arguments.rounds)
            if arguments.json:
                arguments.json.write_text(json.dumps(figures, indent=1) + '\n')


def compare(arguments):
    """The table of recipes."""
    asked = arguments.dataset, arguments.data_dir, arguments.minutes, arguments.seeds
    found = quality.measure(*asked, arguments.recipes)
    table(*quality.rows(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + '\n')


def table(*rows):
    """Prints rows as Markdown, the first as the head, below a line that says where and when."""
    print(f'{MACHINE}, {TODAY}\n')
    for number, row in enumerate(rows):
        print(f'| {" | ".join(map(str, row))} |')
        if number == 0:
            print(f'|{"---|" * len(row)}')
    print(flush=True)


def text(values, form='{:,.0f}'):
    """The median of values, the lowest and highest in brackets."""
    median, low, high = (form.format(value) for value in summary(values).values())
    return f'{median} ({low} to {high})'


def ratio(first, second):
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def step(drawings, rounds, presets=STEP_PRESETS):
    """Images/s of the inner loop, and the floor under it, for each preset's networks."""
    return {preset: _step(drawings, rounds, preset) for preset in presets}


def _step(drawings, rounds, preset):
    settings = config.make(preset)
    makers = {
        name: (module, function, {'path': drawings, 'preset': preset} | changes)
        for name, (module, function, changes) in STEPS.items()
    }
    has_floor = settings.architecture in ('mlp', 'pen')
    rates = _rates(preset) if has_floor else {}
    with standing(**makers, **rates) as workers:
        amounts = {name: _amount(worker, TURN_SECS) for name, worker in workers.items()
                   if name not in rates}  # fmt: skip
        secs = interleaved(workers, amounts | dict.fromkeys(rates, 3), rounds)
        errors = {name: worker.error for name, worker in workers.items() if worker.error}
    turns, ours = [secs.pop(name) for name in rates], secs['tfgan']
    rows = [['`' + preset + '`', 'images/s', 'ms a step', 'its time over ours']]
    for name, found in secs.items():
        if name in errors:
            rows.append([name, 'fails: ' + errors[name], '', ''])
        else:
            rows.append(_step_row(name, found, ours, settings))
    least = has_floor and _floor(settings, turns)
    if least:
        rows.append(_step_row('floor', least, ours, settings))
    table(*rows)
    return {'secs': secs, 'floor': least, 'errors': errors}


def _rates(preset):
    """What measures each library's products of a preset's step, as `standing` takes it."""
    return {
        f'{name} products': (module, 'rates', {'preset': preset} | changes)
        for name, (module, changes) in LIBRARIES.items()
    }


def products(drawings, rounds):
    """How fast each library makes the products of a step, one by one."""
    return {preset: _products(preset, rounds) for preset in ('article', 'default')}


def _products(preset, rounds):
    settings, names = config.make(preset), _rates(preset)
    with standing(**names) as workers:
        found = interleaved(workers, dict.fromkeys(names, 3), rounds)
    found = {name: turns for name, turns in found.items() if turns}
    libraries = (name.removesuffix(' products') for name in found)
    rows = [[f"a step's products, `{preset}`", 'times', *libraries]]
    totals = dict.fromkeys(found, 0.0)
    for product, times in floor.products(settings).items():
        cells = []
        for name, turns in found.items():
            secs = statistics.median(turn[floor.named(product)] for turn in turns)
            totals[name] += times * secs
            cells.append(f'{2e-9 * math.prod(product[1:]) / secs:.0f} G/s')
        kind, many, *sizes = product
        sizes = ' x '.join(f'{size:,}' for size in ([many] if many > 1 else []) + sizes)
        rows.append([f'{kind} {sizes}', times, *cells])
    rows.append(['all, ms', '', *(f'{1e3 * secs:.1f}' for secs in totals.values())])
    table(*rows)
    return found


def _floor(settings, libraries):
    """Seconds of one step at least, as each turn found them; says what it is made of."""
    libraries = [turns for turns in libraries if turns]  # those that can be had
    rounds = [floor.seconds(settings, [[turn] for turn in turns]) for turns in zip(*libraries)]
    computing, exponentials, moved = (1e3 * statistics.median(part) for part in zip(*rounds))
    operations = floor.operations(settings)
    print(
        f'{operations / 1e9:.2f} billion operations a step in products: {computing:.1f} ms at the'
        f' rates of the fastest library, {operations / computing / 1e6:.0f} billion a second;'
        f' exponentials {exponentials:.1f} ms, bytes {moved:.1f} ms',
        flush=True,
    )
    return [sum(parts) for parts in rounds]


def _step_row(name, found, ours, settings):
    images = text([settings.batch_size / each for each in found])
    times = text([1e3 * each for each in found], '{:.1f}')
    return [name, images, times, f'{ratio(found, ours):.2f}']


def _amount(worker, secs):
    """How many steps a worker takes in so many seconds."""
    worker.turn(3)
    once = worker.turn(3)
    if isinstance(once, dict):
        once = once.get('secs')
    return max(3, round(secs / once)) if once else 3  # a failed worker takes no turns anyway


def start(drawings, rounds):
    """Seconds from the start of a process."""
    rows, figures = [['from process start', 'seconds']], {}
    for package in ('numpy', 'absl', 'matplotlib', 'tensorflow_datasets', 'tensorflow', 'keras'):
        command = [sys.executable, '-c', f'import {package}']
        figures[f'import {package}'] = [_secs(command) for _ in range(3)]
    figures['`python -m tfgan.train --help`'] = [
        _secs([sys.executable, '-m', 'tfgan.train', '--help']) for _ in range(3)
    ]
    for _ in range(5):
        for name, secs in _first_sheet_and_step().items():
            figures.setdefault(name, []).append(secs)
    table(*rows, *([name, text(found, '{:.1f}')] for name, found in figures.items()))
    return figures


def _secs(command):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_sheet_and_step():
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = _train(folder, '--steps=2')
        samples = pathlib.Path(folder, 'run/samples')
        sheet = _until(lambda: [*samples.glob('step-*.png')], process) - began
        for line in process.stdout:
            if ' step ' in line:
                break
        found = {'first sheet on disk': sheet, 'first step': time.perf_counter() - began}
        process.communicate()
        return found


def _train(folder, *flags):
    command = [sys.executable, '-m', 'tfgan.train', f'--run_dir={folder}/run']
    return subprocess.Popen(
        [*command, f'--export_dir={folder}/model', *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _until(condition, process):
    """The time when a condition holds that a process brings about."""
    while not condition():
        if process.poll() is not None:
            raise RuntimeError(f'training ended early with {process.returncode}')
        time.sleep(0.02)
    return time.perf_counter()


# What is trained on: the embedded drawings, or as few that they are augmented.
WHOLE_RUNS = {
    'article': ('article', 'doodles', {}),
    'default': ('default', 'doodles', {}),
    'default, augmented': ('default', 'npz:{drawings}', {'augmented': True}),
}
SCORES = 'frechet_distance', 'precision', 'recall'  # of a whole run's drawings


def run(drawings, rounds, minutes=5.0):
    """Where the seconds of whole runs go, each beside turns of the bare loop."""
    figures = {}
    for name, (preset, dataset, changes) in WHOLE_RUNS.items():
        worker = Worker(
            'accounts',
            'whole',
            path=drawings,
            preset=preset,
            dataset=dataset.format(drawings=drawings),
            **changes,
        )
        found = figures[name] = worker.turn(60 * minutes)
        worker.close()
        if worker.error:
            table([f'`{name}`', ''], ['fails', worker.error])
            continue
        total = sum(found['secs'].values())
        bare = found['steps'] * statistics.median(found['turns'])
        rows = sorted(found['secs'].items(), key=lambda row: -row[1])
        table(
            [f'whole run of `{name}`', 'seconds', 'share'],
            *([part, f'{secs:.1f}', f'{secs / total:.1%}'] for part, secs in rows),
            ['all', f'{total:.1f}', ''],
            [
                f'the same {found["steps"]:,} steps of the bare loop',
                f'{bare:.1f}',
                f'{bare / total:.1%}',
            ],
            ['peak memory, MiB', f'{found["MiB"]:,.0f}', ''],
            *([key, f'{found["scores"][key]:.2f}', ''] for key in SCORES if key in found['scores']),
        )
    return figures


def drawing(drawings, rounds):
    """Images/s and the time of a call, from an exported model, and where a call's time goes."""
    parts = {preset: _call_parts(preset, rounds) for preset in ('dense', 'default')}
    with tempfile.TemporaryDirectory() as folder:
        exporter = Worker('in_tensorflow', 'export', path=drawings, directory=folder)
        exporter.close()
        makers = {
            'tfgan': ('in_tensorflow', 'drawing', {'directory': f'{folder}/1'}),
            'PyTorch': ('in_torch', 'drawing', {'classes': 10}),
        }
        rows = [
            ['signature', 'batch', 'of', 'images/s', 'p50, ms', 'p99, ms', 'its time over ours']
        ]
        figures = {}
        with standing(**makers) as workers:
            for signature in ('serving_default', 'png'):
                for batch in (1, 16, 256, 4096):
                    order = [signature, batch, max(5, min(100, 20_000 // batch))]
                    found = interleaved(workers, dict.fromkeys(workers, order), rounds)
                    figures[f'{signature} {batch}'] = found
                    rows += _drawing_rows(signature, batch, found)
    table(*rows)
    return figures | {'parts': parts}


def _call_parts(preset, rounds):
    worker = Worker('in_tensorflow', 'call_parts', preset=preset)
    turns = [worker.turn(200) for _ in range(rounds)]
    worker.close()
    found = {part: [turn[part] for turn in turns] for part in turns[0]}
    rows = [[part, text([1e6 * each for each in secs])] for part, secs in found.items()]
    table([f'a drawing of `{preset}`', 'microseconds'], *rows)
    return found


def _drawing_rows(signature, batch, found):
    medians = {name: [statistics.median(turn) for turn in turns] for name, turns in found.items()}
    for name, turns in found.items():
        if not turns:
            continue
        p50, p99 = 1e3 * np.percentile(np.concatenate(turns), [50, 99])
        over = f'{ratio(medians[name], medians["tfgan"]):.2f}'
        images = text([batch / each for each in medians[name]])
        yield [signature, batch, name, images, f'{p50:.2f}', f'{p99:.2f}', over]


def growth(drawings, rounds):
    """Time of a step and peak memory as one thing at a time grows."""
    points = [
        *({'shape': (side, side, 1)} for side in (28, 64, 128)),
        *({'batch_size': size} for size in (32, 128, 256, 1024)),
        *({'count': 10**power} for power in (4, 5, 6, 7)),
        *({'replicas': replicas} for replicas in (1, 2)),
    ]
    rows, figures = [['what grows', 'ms a step', 'peak memory, MiB']], {}
    for point in points:
        worker = Worker('in_tensorflow', 'growth', **point)
        amount = _amount(worker, TURN_SECS)
        turns = [worker.turn(amount) for _ in range(rounds)]
        worker.close()
        [(name, value)] = point.items()
        secs = [turn['secs'] for turn in turns]
        memory = turns[-1]['bytes'] / 2**20
        label = 'x'.join(map(str, value)) if name == 'shape' else f'{value:,}'
        figures[f'{name} {label}'] = {'secs': secs, 'MiB': memory}
        rows.append([f'{name} {label}', text([1e3 * s for s in secs], '{:.1f}'), f'{memory:,.0f}'])
    table(*rows)
    return figures


WORKERS, EFFICIENCY, HOP_SECS = (8, 64, 256), 0.9, 50e-6


def scaling(drawings, rounds):
    """What many machines need of their network, and what processes of this one show of it."""
    return {
        'on paper': _on_paper(min(rounds, 3)),
        'on loopback': _on_loopback(rounds),
        'in parts': _in_parts(min(rounds, 3)),
    }


def _on_paper(rounds):
    """The network that keeps machines like this one at work for nine tenths of the time."""
    head = ['64 images a machine', 'MB of gradients', 's a step']
    rows, figures = [[*head, *(f'Gbit/s for {n}' for n in WORKERS)]], {}
    for preset in ('article', 'conv'):
        for side in (28, 64, 256):
            shape = (side, side, 1)
            worker = Worker('in_tensorflow', 'growth', shape=shape, preset=preset)
            amount = _steps_in(worker, TURN_SECS)
            secs = statistics.median(worker.turn(amount)['secs'] for _ in range(rounds))
            worker.close()
            size = _gradient_bytes(preset, shape)
            rates = [_gigabits(size, secs, workers) for workers in WORKERS]
            figures[f'{preset} {side}'] = {'bytes': size, 'secs': secs, 'Gbit/s': rates}
            row = [f'`{preset}`, {side} x {side}', f'{size / 1e6:.1f}', f'{secs:.3f}']
            rows.append(
                [*row, *('none: the hops' if rate == math.inf else f'{rate:.1f}' for rate in rates)]
            )
    table(*rows)
    return figures


def _gigabits(size, secs, workers):
    """What a ring of so many needs to add up `size` bytes in the time that efficiency leaves.

    Each machine sends, and receives, each byte twice but for its own share; a sum also has to go
    round the ring twice, hop by hop.
    """
    left = secs * (1 / EFFICIENCY - 1) - 2 * (workers - 1) * HOP_SECS
    return 8e-9 * 2 * (workers - 1) / workers * size / left if left > 0 else math.inf


def _gradient_bytes(preset, shape):
    import_tensorflow()
    from tfgan.gan.gan import Gan

    gan = Gan(config.make(preset), shape, [1.0])
    networks = gan.generator, gan.discriminator
    return 4 * sum(v.shape.num_elements() for n in networks for v in n.trainable_variables)


def _steps_in(worker, secs):
    return max(1, round(secs / worker.turn(2)['secs']))


def _on_loopback(rounds):
    """Groups of one, two and three processes with the same work each, in turns."""
    head = ['`article`, 32 images a process', 's a step', 'bytes sent', 'by the formula']
    rows = [[*head, "the sums' s", 'one process, times as many, and the sums']]
    groups = {count: Group(count, 'in_tensorflow', 'together', preset='article', share=32)
              for count in (1, 2, 3)}  # fmt: skip
    try:
        found = interleaved(groups, dict.fromkeys(groups, 10), rounds)
    finally:
        for group in groups.values():
            group.close()
    median = {
        count: {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
        for count, turns in found.items()
    }
    for count, figures in median.items():
        formula = 2 * (count - 1) * figures['bytes']
        expected = count * median[1]['secs'] + figures['reduce_secs'] * (count > 1)
        rows.append([
            f'{count} on the same cores', f'{figures["secs"]:.3f}', f'{figures["sent"]:,.0f}',
            f'{formula:,.0f}', f'{figures["reduce_secs"]:.3f}', f'{expected:.3f}',
        ])  # fmt: skip
    table(*rows)
    return found


def _in_parts(rounds):
    """Memory and time of a batch of large images as a whole and in parts."""
    rows, figures = [['`conv`, 64 images of 256 x 256', 's a step', 'peak memory, MiB']], {}
    for parts in (1, 4, 16):
        worker = Worker(
            'in_tensorflow', 'growth', shape=(256, 256, 1), preset='conv', accumulate=parts
        )
        turns = [worker.turn(1) for _ in range(rounds)]
        worker.close()
        figures[parts] = turns
        secs, memory = [turn['secs'] for turn in turns], turns[-1]['bytes'] / 2**20
        rows.append([f'`--accumulate={parts}`', text(secs, '{:.1f}'), f'{memory:,.0f}'])
    table(*rows)
    return figures


TURNS, LOAD_SECS, CONNECTIONS = 6, 10.0, 32


def serving(drawings, rounds):
    """Requests/s of tfgan.serve for PNGs, of one connection and of many, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        process = _train(folder, '--steps=1', f'--export_dir={folder}/models/doodles')
        process.communicate()
        began = time.perf_counter()
        server = _serve(folder)
        try:
            url, requests = server.url, _pngs()
            first = serve_load.load(url, requests, 1, 0.0)
            figures = {'cold start to first answer, s': time.perf_counter() - began}
            serve_load.load(url, requests, CONNECTIONS, 2.0)  # neither side is measured cold
            alone, many = [], []
            for turn in range(TURNS):
                alone.append(serve_load.load(url, requests, 1, LOAD_SECS / 2))
                if turn == TURNS - 1:  # the last turn sees a new version take over
                    threading.Timer(LOAD_SECS / 3, _next_version, [folder]).start()
                many.append(serve_load.load(url, requests, CONNECTIONS, LOAD_SECS))
            swapped = '"version": "2"' in _get(f'{url}/v1/models/doodles/metadata')
        finally:
            server.terminate()
            server.wait()
    secs = [each for turn in many for each in turn.secs]
    p50, p99, worst = 1e3 * np.percentile(secs, [50, 99, 100])
    ratios = [m.rate() / a.rate() for m, a in zip(many, alone, strict=True)]
    figures |= {
        'one connection, requests/s': statistics.median(turn.rate() for turn in alone),
        f'{CONNECTIONS} connections, requests/s': statistics.median(turn.rate() for turn in many),
        'their ratio': statistics.median(ratios),
        'p50, ms': p50,
        'p99, ms': p99,
        'longest, ms': worst,
        'requests': len(secs),
        'failed': sum(turn.failed for turn in [first, *alone, *many]),
        'versions swapped under load': int(swapped),
    }
    table(['`tfgan.serve`, PNGs of `default`', ''], *([k, f'{v:,.1f}'] for k, v in figures.items()))
    return figures


def _pngs():
    return [serve_load.predict('doodles', 'png', [seed]) for seed in range(CONNECTIONS)]


_ANY_PORTS = '--port=0', '--grpc_port=0'


def _serve(folder):
    """A server of the folder's models, with its `url`."""
    server = subprocess.Popen(
        [sys.executable, '-m', 'tfgan.serve', f'--models={folder}/models', *_ANY_PORTS],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in server.stdout:
        if line.startswith('REST at '):
            server.url = line.split()[2].split('/v1')[0]
            return server
    raise RuntimeError('tfgan.serve ended early')


def _next_version(folder):
    """A copy of the model's version as its next one."""
    model = pathlib.Path(folder, 'models/doodles')
    shutil.copytree(model / '1', model / '.tmp')
    (model / '.tmp').rename(model / '2')


def _get(url):
    return urllib.request.urlopen(url).read().decode()


SECTIONS = {
    section.__name__: section
    for section in (step, products, start, run, drawing, growth, serving, scaling)
}

if __name__ == '__main__':
    main()
