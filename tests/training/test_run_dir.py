"""A directory holds one run: it is continued by the same settings and by one process at a time."""

import dataclasses
import errno
import fcntl
import json
import os
import pathlib
import shlex
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfgan import config, storage
from tfgan.errors import RunError
from tfgan.training import run_dir
from tfgan.training.run_dir import RunDir

ROOT = pathlib.Path(__file__).parents[2]
SETTINGS = config.make(steps=5)
DATA = {'dataset': 'doodles', 'count': 60, 'shape': [28, 28, 1], 'class_names': ['cat', 'naïve']}

HOLD = """
import sys
from tfgan import config
from tfgan.training import run_dir
with run_dir.RunDir(sys.argv[1], config.make(steps=5), {data}):
    print('held', flush=True)
    sys.stdin.read()
"""


def start(directory, settings=SETTINGS, data=DATA):
    with RunDir(directory, settings, data):
        pass


def snapshot(directory):
    """Every file's bytes and every path's time of change."""
    return {
        path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in [directory, *directory.rglob('*')]
    }


def refusal(call, *arguments):
    with pytest.raises(RunError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_new_run_says_what_it_is(tmp_path):
    directory = tmp_path / 'runs' / 'new'
    assert run_dir.read(directory) is None
    run = RunDir(directory, SETTINGS, DATA)
    assert not directory.exists()
    with run as entered:
        assert entered is run
        assert run.directory == directory
    found = run_dir.read(directory)
    known = {'format': run_dir.FORMAT, 'form': 'drawing', 'config': vars(SETTINGS)}
    assert found == known | {'data': DATA}
    assert config.Config(**found['config']) == SETTINGS
    assert sorted(os.listdir(directory)) == ['config.json', 'lock']


def test_the_same_settings_continue_it(tmp_path):
    start(tmp_path)
    (tmp_path / 'kept').write_text('kept')
    before = run_dir.read(tmp_path)
    run_dir.check(tmp_path, run_dir.identity(SETTINGS, DATA))
    run_dir.check(tmp_path, {'format': run_dir.FORMAT, 'config': vars(SETTINGS)})
    start(tmp_path)
    assert run_dir.read(tmp_path) == before
    assert (tmp_path / 'kept').read_text() == 'kept'


def test_other_settings_are_all_listed_and_nothing_is_touched(tmp_path):
    directory = tmp_path / 'mine'
    start(directory)
    (directory / 'checkpoints' / 'step-3_temp').mkdir(parents=True)
    before = snapshot(directory)
    other = config.make('quick', steps=6, seed=1)
    message = refusal(RunDir, directory, other, DATA | {'count': 61})
    assert snapshot(directory) == before
    lines = [line for line in message.splitlines() if line.startswith('  ')]
    assert lines == [
        '  preset: default there, quick now',
        '  seed: 0 there, 1 now',
        '  steps: 5 there, 6 now',
        '  generator_rate: 0.25 there, 0.8 now',
        '  count: 60 there, 61 now',
    ]
    assert str(directory) in message
    assert f'--run_dir={directory}-2' in message
    (tmp_path / 'mine-2').mkdir()
    assert f'--run_dir={directory}-3' in refusal(RunDir, directory, other, DATA)


@pytest.mark.parametrize('number', [errno.ENOTSUP, errno.EAGAIN])
def test_without_locks_a_run_goes_on_and_says_what_two_would_do(
    tmp_path, monkeypatch, capsys, number
):
    def flock(*_):
        raise OSError(number, 'no locks here')

    monkeypatch.setattr(fcntl, 'flock', flock)
    start(tmp_path)
    said = capsys.readouterr().out
    assert said.startswith(f'{tmp_path} cannot be locked (no locks here): see to it')
    assert "each other's checkpoints" in said and said.count('\n') == 1
    assert run_dir.read(tmp_path)['data'] == DATA


def test_a_run_in_the_present_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start('.')
    assert f'--run_dir={tmp_path}-2' in refusal(RunDir, '.', config.make(steps=5, seed=6), DATA)


def test_what_is_beside_the_data_does_not_matter(tmp_path):
    first = config.make(steps=5, dataset='folder:cats')
    data = DATA | {'name': 'cats', 'left_out': 0, 'licence': 'x', run_dir.FINGERPRINT: '12ab'}
    start(tmp_path, first, data)
    moved = config.make(steps=5, dataset='folder:/elsewhere/cats/')
    beside = {'dataset': moved.dataset, 'name': 'other', 'left_out': 1, 'licence': 'y'}
    run_dir.check(tmp_path, {'format': run_dir.FORMAT, 'config': vars(moved)})
    start(tmp_path, moved, data | beside)
    assert run_dir.read(tmp_path)['data']['left_out'] == 1
    message = refusal(start, tmp_path, moved, data | {run_dir.FINGERPRINT: '34cd'})
    assert 'fingerprint_of_images: 12ab there, 34cd now' in message and 'left_out' not in message


def test_a_name_for_the_same_settings_does_not_matter(tmp_path):
    start(tmp_path, config.make('quick', seed=3))
    start(tmp_path, config.make(minutes=1.0, generator_rate=0.8, seed=3))


def test_a_run_of_before_has_no_fingerprint_to_differ_from(tmp_path):
    start(tmp_path)
    start(tmp_path, SETTINGS, DATA | {run_dir.FINGERPRINT: '12ab'})
    assert 'fingerprint' in refusal(start, tmp_path, SETTINGS, DATA | {run_dir.FINGERPRINT: '34cd'})


@pytest.mark.parametrize(
    'settings',
    [
        config.make(),
        config.make('article', seed=4, objective='hinge', dataset="folder:it's [1]"),
        config.make('conv', steps=7, penalty_weight=0.5, labels='use'),
        config.make('conv', objective='hinge', minutes=0.5),
    ],
)
def test_the_command_of_a_run_gives_its_settings_again(tmp_path, monkeypatch, settings):
    start(tmp_path / 'v[2]', settings)
    monkeypatch.chdir(tmp_path)
    other = dataclasses.replace(settings, width=3)
    line = refusal(start, 'v[2]', other).splitlines()[-2]
    assert line.startswith("python -m tfgan.train --run_dir='v[2]'")
    given = dict(word[2:].split('=', 1) for word in shlex.split(line)[3:])
    assert given.pop('run_dir') == 'v[2]'
    kinds = {field.name: config.field_type(field)[0] for field in dataclasses.fields(settings)}
    preset = given.pop('preset', 'default')
    made = config.make(preset, **{name: kinds[name](value) for name, value in given.items()})
    assert made == settings


def reached(directory, settings, step, secs=0.0):
    """A run that has come so far."""
    start(directory, settings)
    secs, best = tf.Variable(secs, dtype=tf.float64), tf.Variable(np.inf)
    (directory / 'checkpoints').mkdir()
    tf.train.Checkpoint(run=[secs, best]).write(f'{directory}/checkpoints/step-{step}')


@pytest.mark.parametrize(
    ('before', 'now', 'told'),
    [
        (dict(steps=40), dict(steps=60), '--steps=40. At step 40 it has had 40 of now 60 steps'),
        (dict(steps=90), dict(steps=40), '--steps=90. At step 40 it has had 40 of now 40 steps'),
        (dict(minutes=2), dict(minutes=4), '--minutes=2. At step 40 it has had 1.5 of now 4 min'),
        (dict(minutes=2), dict(steps=80), '--minutes=2. At step 40 it has had 40 of now 80 steps'),
        (dict(steps=40), dict(minutes=3), '--steps=40. At step 40 it has had 1.5 of now 3 minutes'),
    ],
)
def test_another_budget_is_told_and_taken(tmp_path, capsys, before, now, told):
    reached(tmp_path, config.make(**before), 40, 90.0)
    start(tmp_path, config.make(**now))
    assert f'was to train for {told}' in (said := capsys.readouterr().out)
    assert 'the learning rate and the penalty are those of that share' in said
    start(tmp_path, config.make(**now))
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize(
    ('now', 'told', 'typed'),
    [
        (dict(steps=39), '--steps=39: the run in ', '--steps=40'),
        (dict(minutes=1), 'has had 1.5 minutes', '--minutes=2'),
    ],
)
def test_a_budget_that_is_spent_is_refused(tmp_path, now, told, typed):
    reached(tmp_path, config.make(steps=80, seed=3), 40, 90.0)
    before = snapshot(tmp_path)
    message = refusal(RunDir, tmp_path, config.make(seed=3, **now), DATA)
    assert told in message
    assert message.splitlines()[1] == (
        f'python -m tfgan.train --run_dir={tmp_path} --seed=3 {typed}'
    )
    assert snapshot(tmp_path) == before


def test_settings_that_came_or_went_since(tmp_path):
    start(tmp_path)
    identity = run_dir.read(tmp_path)
    del identity['config']['width']
    identity['config']['girth'] = 3
    storage.write_bytes(tmp_path / 'config.json', json.dumps(identity).encode())
    message = refusal(start, tmp_path)
    assert 'width: absent there, 400 now' in message
    assert 'girth: 3 there, absent now' in message


def test_a_run_of_before_there_were_splits_goes_on(tmp_path):
    start(tmp_path, config.make('pixels', steps=5))
    identity = run_dir.read(tmp_path)
    del identity['config']['split'], identity['config']['generator_rate']
    storage.write_bytes(tmp_path / 'config.json', json.dumps(identity).encode())
    start(tmp_path, config.make('pixels', steps=5))
    assert 'split: None there, test now' in refusal(
        start, tmp_path, config.make('pixels', steps=5, split='test')
    )


def test_a_run_of_another_format(tmp_path, monkeypatch):
    start(tmp_path)
    monkeypatch.setattr(run_dir, 'FORMAT', run_dir.FORMAT + 1)
    message = refusal(start, tmp_path)
    assert f'format of the run: {run_dir.FORMAT - 1} there, {run_dir.FORMAT} now' in message
    message = refusal(run_dir.check, tmp_path, {'format': run_dir.FORMAT})
    assert message.count(' there, ') == 1


def test_it_may_become_anothers_between_making_and_entering(tmp_path):
    run = RunDir(tmp_path, SETTINGS, DATA)
    other = config.make(steps=5, seed=6)
    start(tmp_path, other)
    assert 'seed: 6 there, 0 now' in refusal(run.__enter__)
    assert run_dir.read(tmp_path)['config']['seed'] == 6
    start(tmp_path, other)


def test_one_process_at_a_time(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, '-c', HOLD.format(data=DATA), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )
    with holder:
        assert holder.stdout.readline() == b'held\n'
        before = (tmp_path / 'config.json').stat().st_mtime_ns
        assert refusal(start, tmp_path) == f'{tmp_path} is in use by another process'
        assert (tmp_path / 'config.json').stat().st_mtime_ns == before
        holder.kill()  # a killed process leaves no lock behind
    start(tmp_path)


@pytest.mark.parametrize('text', [b'', b'{"config": {', b'null', b'3', b'\xff\xfe'])
def test_a_damaged_config_is_left_alone(tmp_path, text):
    (tmp_path / 'config.json').write_bytes(text)
    message = refusal(RunDir, tmp_path, SETTINGS, DATA)
    assert f'{tmp_path}/config.json cannot be read' in message
    assert '--run_dir' in message
    assert (tmp_path / 'config.json').read_bytes() == text


def test_checkpoints_without_a_config(tmp_path):
    (tmp_path / 'checkpoints').mkdir()
    start(tmp_path)
    (tmp_path / 'config.json').unlink()
    (tmp_path / 'checkpoints' / 'step-7.index').touch()
    message = refusal(RunDir, tmp_path, SETTINGS, DATA)
    assert str(tmp_path) in message and 'no config.json' in message and '--run_dir' in message
    assert not (tmp_path / 'config.json').exists()


def test_what_a_kill_left_half_written_goes(tmp_path):
    for folder in 'checkpoints', 'best':
        (tmp_path / folder / 'step-7_temp').mkdir(parents=True)
        (tmp_path / folder / 'step-7_temp' / 'part').touch()
        (tmp_path / folder / 'step-6.index').touch()
        (tmp_path / folder / '.tmp-x').mkdir()
    (tmp_path / 'samples').mkdir()
    (tmp_path / 'samples/.tmp-x').touch()
    (tmp_path / '.tmp-x').touch()
    storage.write_bytes(
        tmp_path / 'config.json', json.dumps(run_dir.identity(SETTINGS, DATA)).encode()
    )
    start(tmp_path)
    for folder in 'checkpoints', 'best':
        assert os.listdir(tmp_path / folder) == ['step-6.index']
    assert not any(tmp_path.rglob('.tmp-*'))


@pytest.mark.parametrize(
    ('settings', 'name'),
    [
        ({}, 'doodles'),
        (dict(preset='article'), 'article-doodles'),
        (dict(dataset='npy:drawings/cats.npy'), 'cats'),
        (dict(preset='quick', dataset='folder:drawings/cats', width=3), 'quick-cats'),
    ],
)
def test_default_name(settings, name):
    assert run_dir.default_name(config.make(**settings)) == name
