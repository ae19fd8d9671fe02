"""The README's commands work as they stand there, and its tables are the code's."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from tfgan import config
from tfgan.forms import base as forms
from tfgan.objectives import OBJECTIVES

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
COMMANDS = [line.strip() for line in README.splitlines() if line.startswith('    ')]


def python_of(command):
    """The Python command behind a line of the README, which `scripts/train` is too."""
    words = shlex.split(command.replace('scripts/train', 'python -m tfgan.train'))
    return [sys.executable, *words[1:]]


@pytest.mark.parametrize(
    'command', [c for c in COMMANDS if re.search(r'tfgan\.train|scripts/train', c)]
)
def test_training_commands_are_understood(command, tmp_path):
    (tmp_path / 'my-drawings').mkdir()
    out = subprocess.check_output([*python_of(command), '--dry_run'], cwd=tmp_path, text=True)
    assert 'run_dir         runs/' in out


def test_drawing_and_exporting_commands_work_after_training(tmp_path):
    toy = '--steps=3 --width=8 --depth=1 --batch_size=8'
    commands = [c for c in COMMANDS if re.search(r'tfgan\.(sample|export|evaluate)', c)]
    assert len(commands) == 4
    for command in [f'python -m tfgan.train {toy}', *commands]:
        few = ['--num=200'] if 'evaluate' in command else []
        subprocess.check_call([*python_of(command), *few], cwd=tmp_path)
    for written in ('sheet.png', 'cats/0.png', 'cats.gif', 'saved_models/doodles/2/sheet.png'):
        assert (tmp_path / written).stat().st_size > 100
    assert (tmp_path / 'reports/doodles/1/neighbours.png').stat().st_size > 100


def test_asking_commands_work_at_a_server(served, tmp_path):
    commands = [c for c in COMMANDS if 'tfgan.query' in c]
    assert len(commands) == 2
    for command in commands:
        server = served.grpc if 'grpc' in command else served.rest
        subprocess.check_call(
            [*python_of(command), f'--server={server}', '--model=toy'], cwd=tmp_path
        )
    for command in (c for c in COMMANDS if c.startswith('curl')):
        words = [word.replace('localhost:8501', served.rest) for word in shlex.split(command)]
        answer = subprocess.check_output([word.replace('doodles', 'toy') for word in words])
        assert answer.startswith(b'{"predictions"')
    assert (tmp_path / 'cats.png').stat().st_size > 100


@pytest.mark.parametrize('command', [c for c in COMMANDS if c.startswith('scripts/')])
def test_scripts_are_there_and_can_be_run(command):
    script = ROOT / command.split()[0]
    assert script.stat().st_mode & 0o111
    subprocess.check_call(['sh', '-n', script])


@pytest.mark.parametrize(
    ('column', 'names'),
    [('preset', config.PRESETS), ('`--objective=`', OBJECTIVES)],
)
def test_tables_have_a_row_for_each(column, names):
    table = README[README.index(f'| {column} |') :].split('\n\n')[0]
    rows = re.findall(r'^\| `(\w+)` \|', table, re.MULTILINE)
    assert sorted(rows) == sorted(names)


def test_every_kind_of_data_set_is_told():
    table = README[README.index('| `--dataset=` |') :].split('\n\n')[0]
    assert re.findall(r'^\| `(\w+)', table, re.MULTILINE) == [
        'doodles',
        'folder',
        'npy',
        'npz',
        'stacked',
        'tfds',
    ]
    assert sorted(forms.source_kinds()) == ['doodles', 'folder', 'npy', 'npz', 'stacked', 'tfds']
