"""A run that is killed over and over ends with the very weights of one that was left alone."""

import collections
import contextlib
import os
import signal
import time

import numpy as np
import pytest
import tensorflow as tf
from forks import Forks
from PIL import Image

FLAGS = [
    *('--dataset=npy:8.npy', '--steps=300', '--checkpoint_secs=0.2', '--strategy=single'),
    *('--width=16', '--depth=1', '--latent_size=8', '--batch_size=16', '--architecture=mlp'),
]
EVENTS = 'tensorboard'
# Where a write shows, of a run and of its model.
PLACES = {
    **{name: '{run}/' + name for name in ('checkpoints', 'best', 'samples', EVENTS)},
    'export': '{model}',
}
KILLS = 100

pytestmark = pytest.mark.long


@pytest.fixture(scope='module')
def forks(tmp_path_factory):
    return Forks(XDG_CACHE_HOME=str(tmp_path_factory.mktemp('cache')))


@pytest.fixture(scope='module')
def cwd(tmp_path_factory):
    """A place with a small data set."""
    cwd = tmp_path_factory.mktemp('chaos')
    np.save(cwd / '8.npy', np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8))
    return cwd


def argv(name):
    return ['tfgan.train', *FLAGS, f'--run_dir={name}/run', f'--export_dir={name}/model']


@pytest.fixture(scope='module')
def whole(forks, cwd):
    """The run that nobody disturbs, and how long it took."""
    began = time.monotonic()
    code, said = forks.run(cwd, *argv('whole'))
    assert code == 0, said
    return cwd / 'whole', time.monotonic() - began


def newest(run):
    """The last state, which was saved in several turns if the run was ended in one."""
    paths = run.glob('checkpoints/step-*.index')
    return max(paths, key=lambda path: [int(number) for number in path.stem.split('-')[1:]])


def values(index):
    """All of a checkpoint but the times spent and saved; reads every byte that has a check."""
    reader = tf.train.load_checkpoint(str(index.with_suffix('')))
    found = {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}
    return {key: each for key, each in found.items() if not key.startswith(('run/', 'save_c', '_'))}


def same(first, second):
    assert len(first) > 20
    return sorted(first) == sorted(second) and all(
        np.array_equal(first[key], second[key]) for key in first
    )


def ended_alike(run, other):
    """Whether two runs came to the same state, and what is drawn of it is the same."""
    sheets = [(each / 'samples/step-00000300.png').read_bytes() for each in (run, other)]
    return sheets[0] == sheets[1] and same(values(newest(run)), values(newest(other)))


def contents(version):
    return sorted(str(path.relative_to(version)) for path in version.rglob('*'))


def check_exports(model, like, known):
    """Every numbered one is whole; those that are known have been looked at."""
    for version in set(model.glob('[0-9]*')) - known:
        known.add(version)
        assert contents(version) == like, version
        image = tf.saved_model.load(str(version)).signatures['serving_default'](
            seed=tf.constant([1], tf.int64)
        )['image']
        assert image.shape == [1, 8, 8, 1]


def check_files(run):
    """What has its name is whole, whenever the run was killed."""
    for index in run.glob('*/step-*.index'):
        assert values(index)
    for picture in (*run.glob('samples/*.png'), *run.glob('samples/*.gif')):
        with Image.open(picture) as opened:
            opened.load()


def sizes(place):
    return {path: path.stat().st_size for path in place.glob('events.*')}


def in_the_middle(kind, place):
    """A question to be asked again and again: is there a write of a kind at this moment?"""
    before = sizes(place)
    if kind == EVENTS:
        return lambda: sizes(place) != before
    return lambda: any(place.glob('.tmp-*'))


def is_over(pid):
    """Whether a process, somebody else's child, has ended."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:  # whose parent knows already
        return True


def kill(pid, condition, secs, pause):
    """Kills a process `pause` seconds after the condition holds, or `secs` have gone; False if it
    ended before."""
    ends = time.monotonic() + secs
    while time.monotonic() < ends and not condition():
        if is_over(pid):
            return False
        time.sleep(0.0003)
    time.sleep(pause)
    with contextlib.suppress(ProcessLookupError):  # It may have ended since.
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def hit(places):
    """The kinds of write that a kill left in the middle."""
    return [kind for kind, place in places.items() if any(place.glob('.tmp-*'))]


def test_a_hundred_kills(forks, cwd, whole):
    undisturbed, secs = whole
    like = contents(undisturbed / 'model/1')
    rng = np.random.default_rng(7)
    hits, known, runs, kills, said = collections.Counter(), set(), 0, 0, cwd / 'chaos.txt'
    kinds = ['checkpoints', 'export', 'best', EVENTS, 'samples']
    number, done = 0, True
    while kills < KILLS or not done:
        if done:
            runs += 1
            broken = cwd / f'broken-{runs}'
        places = {
            kind: cwd / place.format(run=broken / 'run', model=broken / 'model')
            for kind, place in PLACES.items()
        }
        pid = forks.start(cwd, said, *argv(broken.name))
        if kills < KILLS:
            number += 1
            if number % 2:
                kind = kinds[number // 2 % len(kinds)]
                aim = in_the_middle(kind, places[kind]), 60, rng.exponential(0.002)
                time.sleep(0 if kind in ('export', 'best') else rng.uniform(0, secs / 2))
            else:
                kind, aim = 'any time', (lambda: False, rng.uniform(0, 1.2 * secs), 0)
            kill(pid, *aim)
        code = forks.wait(pid)
        assert code in (0, -signal.SIGKILL), said.read_text()
        done = code == 0
        kills += not done
        if not done:
            hits.update([f'aimed at {kind}', *hit(places)])
            check_files(broken / 'run')
        check_exports(broken / 'model', like, known)
        if done:
            assert ended_alike(broken / 'run', undisturbed / 'run')
            assert not any(broken.rglob('.tmp-*'))
    told = said.read_text()
    assert 'passing over' not in told and 'Traceback' not in told
    print(f'{kills} kills, {runs} runs: {dict(sorted(hits.items()))}')
    assert all(hits[kind] for kind in ('checkpoints', 'best', 'samples', 'export'))
    assert hits[f'aimed at {EVENTS}'] > 3


def refused(forks, cwd, command, place):
    """What a command says that ends because a place is full."""
    code, said = forks.run(cwd, *command)
    errors = [line for line in said.splitlines() if line.startswith('error: ')]
    assert code == 1 and len(errors) == 1 and 'Traceback' not in said, said
    assert 'cannot be written: No space left on device' in errors[0]
    assert str(place) in errors[0] and 'make room' in errors[0]
    return said


def steps(run):
    """Of the whole checkpoints there are."""
    check_files(run)
    return [int(path.stem.split('-')[1]) for path in run.glob('checkpoints/step-*.index')]


def test_disks_that_get_full(forks, cwd, whole, full_disk):
    undisturbed, _ = whole
    name, left = cwd / 'full', 20_000
    places = {
        kind: place.format(run='full/run', model='full/model') for kind, place in PLACES.items()
    }
    fillers = {kind: full_disk(cwd / place, left) for kind, place in places.items()}
    for kind in ('samples', EVENTS, 'best', 'checkpoints', 'export'):  # as they come in a run
        before = steps(name / 'run')
        refused(forks, cwd, argv('full'), places[kind])
        assert max(steps(name / 'run'), default=0) >= max(before, default=0)
        fillers[kind].unlink()
    code, said = forks.run(cwd, *argv('full'))
    assert code == 0 and 'passing over' not in said, said
    assert ended_alike(name / 'run', undisturbed / 'run')
    check_exports(name / 'model', contents(undisturbed / 'model/1'), set())


def test_a_full_disk_in_the_middle_of_training(forks, cwd, whole, full_disk):
    undisturbed, _ = whole
    run = cwd / 'middle/run'
    taken = sum(path.stat().st_size for path in (undisturbed / 'run').rglob('*') if path.is_file())
    filler = full_disk(run, taken // 2)  # how many sheets a run writes depends on the machine
    refused(forks, cwd, argv('middle'), 'middle/run')
    kept = steps(run)
    assert kept
    refused(forks, cwd, argv('middle'), 'middle/run')
    assert max(steps(run)) >= max(kept)
    filler.unlink()
    code, said = forks.run(cwd, *argv('middle'))
    assert code == 0 and 'passing over' not in said, said
    assert ended_alike(run, undisturbed / 'run')


def test_drawings_and_reports_for_a_full_disk(forks, cwd, whole, full_disk):
    full_disk(cwd / 'small', 4096)
    model = f'--model={whole[0]}/model'
    commands = [
        ['tfgan.sample', model, '--out=small/a.png'],
        ['tfgan.sample', model, '--out=small/many'],
        ['tfgan.sample', model, '--walk=small/a.gif'],
        ['tfgan.evaluate', model, '--num=100', '--out=small/report'],
    ]
    for command in commands:
        refused(forks, cwd, command, 'small')
    kept = [path for path in (cwd / 'small').rglob('*') if path.is_file()]
    assert not [path for path in kept if path.name.startswith('.tmp-')]
