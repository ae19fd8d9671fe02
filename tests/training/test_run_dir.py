"""A directory holds one run: it is continued by the same settings and by one process at a time."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tfgan import config, storage
from tfgan.errors import RunError
from tfgan.training import run_dir
from tfgan.training.run_dir import RunDir

ROOT = pathlib.Path(__file__).parents[2]
SETTINGS = config.make(steps=5)
DATA = {'dataset': 'doodles', 'count': 60, 'shape': [28, 28, 1], 'class_names': ['cat', 'naïve']}

HOLD = """
import sys
from tfgan import config, runs
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
    assert found == {'format': run_dir.FORMAT, 'config': vars(SETTINGS), 'data': DATA}
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
        '  count: 60 there, 61 now',
    ]
    assert str(directory) in message
    assert f'--run_dir={directory}-2' in message
    (tmp_path / 'mine-2').mkdir()
    assert f'--run_dir={directory}-3' in refusal(RunDir, directory, other, DATA)


def test_a_run_in_the_present_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start('.')
    assert f'--run_dir={tmp_path}-2' in refusal(RunDir, '.', config.make(steps=6), DATA)


def test_settings_that_came_or_went_since(tmp_path):
    start(tmp_path)
    identity = run_dir.read(tmp_path)
    del identity['config']['width']
    identity['config']['girth'] = 3
    storage.write_bytes(tmp_path / 'config.json', json.dumps(identity).encode())
    message = refusal(start, tmp_path)
    assert 'width: absent there, 512 now' in message
    assert 'girth: 3 there, absent now' in message


def test_a_run_of_before_there_were_splits_goes_on(tmp_path):
    start(tmp_path)
    identity = run_dir.read(tmp_path)
    del identity['config']['split']
    storage.write_bytes(tmp_path / 'config.json', json.dumps(identity).encode())
    start(tmp_path)
    assert 'split: None there, test now' in refusal(
        start, tmp_path, config.make(steps=5, split='test')
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
    start(tmp_path, config.make(steps=6))
    assert 'steps: 6 there, 5 now' in refusal(run.__enter__)
    assert run_dir.read(tmp_path)['config']['steps'] == 6
    start(tmp_path, config.make(steps=6))


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
