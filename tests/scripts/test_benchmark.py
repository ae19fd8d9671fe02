"""The benchmark's floor counts what the compiled step really computes; its workers take turns."""

import math
import pathlib
import re
import runpy
import subprocess
import sys

import forks
import numpy as np
import pytest
import tensorflow as tf

from tfgan import config
from tfgan.gan.gan import Gan
from tfgan.gan.step import Batch
from tfgan.networks import pen, strokes
from tfgan.objectives import OBJECTIVES

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / 'scripts' / 'benchmarks'))

import floor
import machine
import quality
import restated
import workers


def products_in(hlo):
    """Operations of all matrix products in a compiled program's text."""
    shape = re.compile(r'%([\w.-]+) = f32\[([\d,]*)\]')
    sizes = {name: [int(n) for n in dims.split(',') if n] for name, dims in shape.findall(hlo)}
    total = 0
    for name, operands, contracted in re.findall(
        r'%([\w.-]+) = f32\[[\d,]*\]\S* dot\(([^)]*)\), .*?lhs_contracting_dims=\{(\d+)\}', hlo
    ):
        left = re.search(r'%([\w.-]+)', operands)[1]
        total += 2 * math.prod(sizes[name]) * sizes[left][int(contracted)]
    return total


@pytest.mark.parametrize(
    ('preset', 'objective'),
    [('dense', 'non_saturating'), ('dense', 'relativistic'), ('default', 'relativistic')],
)
def test_the_floor_is_what_the_step_computes(preset, objective):
    sizes = dict(width=96, depth=3, latent_size=40, batch_size=32)
    settings = config.make(preset, objective=objective, xla='on', **sizes)
    shape = floor.SIDE, floor.SIDE, 1
    gan = Gan(settings, shape, np.full(floor.CLASSES, 1 / floor.CLASSES))
    batch = Batch(
        real=tf.zeros([32, *shape]),
        latents=tf.zeros([32, 40]),
        labels=tf.zeros([32], tf.int32),
        mix=tf.zeros([32]),
        changes=(),
    )
    compiler_ir = gan.stepper.compiled.experimental_get_compiler_ir
    hlo = compiler_ir(batch, tf.constant(0.3), None)(stage='optimized_hlo')
    computed, least = products_in(hlo), floor.operations(settings)
    # Beyond the floor: the scores' few columns and, without a penalty, slopes at real images; of a
    # pen's strokes their curves.
    assert least <= computed < 1.12 * least


def test_operations_are_those_counted_by_hand():
    settings = config.make(
        'dense',
        objective='non_saturating',
        width=10,
        depth=2,
        latent_size=3,
        batch_size=5,
        output='linear',
    )
    generator = 5 * (3 * (6 * 10 + 10 * 10 + 10 * 784) - 6 * 10)
    discriminator = 10 * 3 * (784 * 10 + 10 * 10) - 5 * 784 * 10
    assert floor.operations(settings) == 2 * (generator + discriminator)
    assert floor.moved_bytes(settings) == 4 * (7 * (8000 + 7940) + 3 * 8000)


def test_rates_are_seconds_of_the_parts():
    settings = config.make('default', width=8, depth=1, latent_size=4, batch_size=2, channels=2)
    turn = floor.Rates(settings, floor.NumPy()).turn(2)
    products, exponentials, moved = floor.seconds(settings, [[turn], [turn]])
    assert 0 < exponentials == floor.exponentials(settings) * turn['exp']
    assert 0 < moved == floor.moved_bytes(settings) * turn['add']
    slow = {part: 3 * secs for part, secs in turn.items()}
    assert floor.seconds(settings, [[slow], [turn]]) == (products, exponentials, moved)
    assert floor.seconds(settings, [[slow]])[0] == pytest.approx(3 * products)


def test_what_is_restated_is_what_tfgan_says():
    told = vars(strokes) | vars(pen)
    own = {'WEIGHTS', 'POSE', 'CAPS'}
    names = [name for name in vars(restated) if name.isupper() and name not in own]
    assert {name: getattr(restated, name) for name in names} == {name: told[name] for name in names}
    curve = strokes.curve(restated.POINTS, restated.SAMPLES)
    np.testing.assert_allclose(restated.curve(), curve, atol=1e-6)
    for objective, weight in restated.WEIGHTS.items():
        assert weight == OBJECTIVES[objective].weight


@pytest.mark.parametrize('preset', ['article', 'dense', 'pixels', 'default'])
def test_every_contender_takes_the_penalty_of_the_preset(preset):
    settings = config.make(preset)
    gan = Gan(settings, (12, 12, 1), [1.0])
    assert restated.penalty_weight(settings) == gan.penalty_weight


def test_a_machine_is_described_by_its_processor(tmp_path, monkeypatch):
    cpuinfo = tmp_path / 'cpuinfo'
    monkeypatch.setattr(machine, 'CPUINFO', cpuinfo)
    monkeypatch.setattr(machine.os, 'cpu_count', lambda: 2)
    monkeypatch.setattr(machine.platform, 'processor', lambda: 'arm')
    assert machine.describe() == 'arm, 2 cores'
    cpuinfo.write_text('model name\t: AMD EPYC\nflags\t\t: fpu avx avx2 avx512f avx512bw\n\n' * 2)
    assert machine.describe() == 'AMD EPYC, AVX2, AVX-512, 2 cores'


def test_workers_take_turns_and_tell_what_failed():
    makers = {
        'counter': ('collections', 'Counter', {}),  # no turn(amount) to speak of
        'absent': ('in_nothing', 'step', {}),
    }
    with workers.standing(**makers) as standing:
        assert 'ModuleNotFoundError' in standing['absent'].error
        assert standing['counter'].error is None
        found = workers.interleaved(standing, {'counter': 1, 'absent': 1}, 2)
        assert 'TypeError' in standing['counter'].error
    assert found == {'counter': [], 'absent': []}


@pytest.mark.parametrize('preset', ['default', pytest.param('dense', marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ('function', 'changes'),
    [
        ('tfgan', {}),
        pytest.param('tfgan', {'jit': True}, marks=pytest.mark.long),
        pytest.param('tfgan', {'jit': False}, marks=pytest.mark.long),
        pytest.param('tfgan', {'augmented': True}, marks=pytest.mark.long),
        pytest.param('tutorial', {}, marks=pytest.mark.long),
        pytest.param('keras_fit', {}, marks=pytest.mark.long),
    ],
)
def test_every_contender_trains(function, changes, preset, tmp_path, monkeypatch):
    import in_tensorflow

    small = config.make(preset, width=8, depth=1, latent_size=4, batch_size=4, channels=2)
    monkeypatch.setattr(config, 'make', lambda *_, **__: small)
    path = tmp_path / 'drawings.npz'
    pixels = np.random.default_rng(0).integers(0, 256, (20, 12, 12, 1), np.uint8)
    np.savez(path, images=pixels, labels=np.arange(20, dtype=np.int32) % 3)
    turn = getattr(in_tensorflow, function)(str(path), preset, **changes)
    assert 0 < turn(2) < 60


@pytest.mark.parametrize(
    ('words', 'doing', 'sections'),
    [(['--quality'], 'compare', []), ([], 'speed', []), (['step'], 'speed', ['step'])],
)
def test_its_flags_are_understood(words, doing, sections, monkeypatch):
    path = pathlib.Path(quality.__file__).with_name('__main__.py')
    main = runpy.run_path(str(path), run_name='benchmarks')['main']
    asked = []
    monkeypatch.setitem(main.__globals__, doing, asked.append)
    monkeypatch.setattr(sys, 'argv', ['scripts/benchmark', *words])
    main()
    assert asked[0].sections == sections
    assert set(asked[0].recipes) == {*quality.RECIPES, *quality.COPIED}


FIRST, *OTHERS = quality.RECIPES


@pytest.mark.parametrize(
    'recipe', [FIRST, *(pytest.param(recipe, marks=pytest.mark.long) for recipe in OTHERS)]
)
def test_every_recipe_is_understood(recipe):
    flags = [flag.removeprefix('--').split('=') for flag in quality.RECIPES[recipe]]
    assert {name for name, _ in flags} <= set(vars(config.make()))
    command = [*forks.python(), '-m', 'tfgan.train', '--dry_run', *quality.RECIPES[recipe]]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_the_table_of_recipes_has_means_and_what_real_images_have():
    run = {'steps': 100, 'frechet_distance': 1.0, 'precision': 0.5, 'real': {'precision': 0.9}}
    runs = [run, run | {'frechet_distance': 3.0, 'steps': 200}]
    head, *found = quality.rows({'none that ran': [], 'one': runs})
    cells = dict(zip(head, found[0], strict=True))
    assert cells['steps'] == '150'
    assert cells['frechet distance'] == '2.000 ± 1.414'
    assert cells['precision'] == '0.500'
    assert cells['labels right'] == ''  # of a set without classes
    assert dict(zip(head, found[1], strict=True))['precision'] == '0.900'
