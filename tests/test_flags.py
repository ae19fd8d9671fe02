"""Any text for any flag is understood or refused by one message, before anything is written."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from absl import app, flags
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from toys import noise, play

from tfgan import config, errors
from tfgan.config import Config
from tfgan.errors import ConfigError
from tfgan.forms.drawing import FORM
from tfgan.forms.music import FORM as MUSIC
from tfgan.gan.gan import Gan
from tfgan.networks import memory
from tfgan.training import run_dir

ROOT = pathlib.Path(__file__).parents[1]
FIELDS = {field.name: field for field in dataclasses.fields(Config)}
COMMANDS = 'train', 'sample', 'evaluate', 'export', 'query', 'serve'


app.define_help_flags()  # which `app.run` would do at its first call, among a command's own


def examples(few, full):
    return settings(
        max_examples=200 if full else few,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def place():
    """A directory to work in with a file, a folder and a run in it; nothing there may change."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        pathlib.Path('folder').mkdir()
        pathlib.Path('file').write_text('not a folder')
        there = files()
        try:
            yield
            assert files() == there
        finally:
            os.chdir(before)


def files():
    return {path: path.is_file() and path.read_bytes() for path in pathlib.Path().rglob('*')}


def call(command, *words):
    """Runs a command in this process, its flags its own; its exit code, output and message.

    Every error that is not a refusal comes through.
    """
    known, before = set(flags.FLAGS), sys.argv
    sys.argv = [command, *words]
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_module(f'tfgan.{command}', run_name='__main__')
    except SystemExit as end:
        return end.code or 0, out.getvalue(), config.from_flags() if not end.code else None
    finally:
        sys.argv = before
        for name in set(flags.FLAGS) - known:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
    return 0, out.getvalue(), None


NUMBERS = st.one_of(
    st.integers().map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.sampled_from(['nan', 'inf', '-inf', '1e400', '-1e400', '-0', '-0.0', '1e-400', '5e-324']),
    st.sampled_from(['0x10', '0b1', '0o7', '1_000', '1e3', ' 7 ', '\u0667', '9' * 5000]),
    st.sampled_from(['0x' + 'f' * 5000, '9' * 400, '1.5', 'True', 'None', 'none', '[]', '7 8']),
)
# All that can be in a command line: no NUL, and bytes that are not UTF-8 come as surrogates.
WORDS = st.one_of(
    st.text(st.characters(exclude_characters='\0', exclude_categories=[])),
    st.sampled_from(['', ' ', '\n', '--width=3', '-', '--', 'a' * 100_000, '\udcff', '%s', '{}']),
)
DATA = st.one_of(
    st.sampled_from(['doodles', 'doodles:', 'tfds:mnist', 'stacked:doodles', 'npz:file']),
    st.sampled_from(['npy:file', 'folder:folder', 'folder:file', 'npy:', ':', 'stacked:stacked:']),
    WORDS.map('folder:{}'.format),
    WORDS.map('tfds:{}'.format),
)  # fmt: skip
CHOICES = st.sampled_from([
    *(choice for field in FIELDS.values() for choice in field.metadata['accepts'] or ()),
    *config.PRESETS,
])  # fmt: skip
JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([10**400, -(10**400), 2**63, -1, 0, 1, 2]),
    st.floats(),
    st.text() | st.just('\udcff'),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.none(), max_size=2),
)
VALUES = NUMBERS | WORDS | DATA | CHOICES


def values_of(name):
    """Texts for a flag, of which many are near to what it takes."""
    field = FIELDS[name]
    own = {
        'preset': config.PRESETS,
        'dataset': ['doodles', 'folder:folder', 'npy:file'],
        'split': ['train', 'test', 'train+val', 'all'],
    }
    limits = field.metadata['limits'].values()
    if choices := own.get(name) or field.metadata['accepts']:
        near = st.sampled_from(list(choices))
    elif config.field_type(field)[0] is int:
        near = st.integers(min(limits) - 1, max(limits) + 1).map(str)
    else:
        near = st.floats(min(limits), max(limits)).map(repr)
    beyond = [str(limit + way) for limit in limits for way in (-1, -1e-9, 0, 1e-9, 1)]
    return st.one_of(near, near, st.sampled_from(beyond or ['none']), VALUES)


def flag(name):
    """One flag in any of the ways in which people write them."""
    one = values_of(name)
    return st.one_of(
        one.map(lambda value: [f'--{name}={value}']),
        one.map(lambda value: [f'-{name}', value]),
        st.tuples(one, one).map(lambda both: [f'--{name}={value}' for value in both]),
        st.just([f'--{name}']),
        st.just([f'--no{name}']),
        st.just([f'--{name}=']),
    )


def refused(code, name, *others):
    """Whether an exit is a refusal as it should be, which tells of one of these flags."""
    assert isinstance(code, str), code
    assert code.startswith('error: ')
    assert len(code) < 2000
    assert any(word in code for word in (name, *others)), code
    code.encode()
    return True


def tried(make, *arguments, **settings):
    """What came of it, and the refusal if it was one."""
    try:
        return make(*arguments, **settings), None
    except ConfigError as error:
        return None, f'error: {error}'


@pytest.mark.parametrize('name', FIELDS)
def test_a_setting_is_understood_and_survives_or_is_refused(name, full):
    seen = set()

    @examples(25, full)
    @given(flag(name))
    @example([f'--no{name}'])  # What is drawn beside it depends on all modules that are imported.
    def check(words):
        with place():
            code, out, found = call('train', '--dry_run', *words)
        seen.add(found is None)
        if found is None:
            # What comes after a flag without a value is a word of its own, or taken for the value.
            others = ['--dry_run', *words[1:]] if name not in words[0][2:] else words
            assert refused(code, name, '--steps', *map(errors.quoted, others))
            return
        assert out.startswith(config.describe(found) + '\n')
        text = json.dumps(vars(found))
        assert Config(**json.loads(text)) == found
        assert config.make(**json.loads(text)) == found

    check()
    assert seen == {True, False}


@pytest.mark.parametrize('name', FIELDS)
def test_it_is_refused_by_a_library_too(name, full):
    """As in a config.json that somebody has changed."""

    @examples(25, full)
    @given(JSON)
    def check(value):
        changed = vars(config.make()) | {name: value}
        found, error = tried(Config, **changed)
        if error:
            assert refused(error, f'--{name}')
        else:
            assert Config(**json.loads(json.dumps(vars(found)))) == found
            config.describe(found).encode()  # it can be told

    check()


PLACES = st.one_of(
    st.sampled_from(['file', 'file/below', 'folder', 'folder/below/it', '.', '/', '', ' ', '~']),
    st.sampled_from(['/proc/none', '/dev/null', '/dev/null/below', 'a' * 300, 'a/' * 3000]),
    st.sampled_from(['runs/x', 'runs/x/', './runs//x', '../../nowhere', '-', 'a\nb', '\udcff']),
    WORDS,
)  # fmt: skip


# What follows the places in order is refused too, and also before the first file.
NEVER = '--strategy=nobody'


def test_a_place_that_cannot_be_written_is_refused_before_training(full):
    seen = set()

    @examples(40, full)
    @given(st.sampled_from(['run_dir', 'export_dir']), PLACES)
    def check(name, value):
        with place():
            code, _, _ = call('train', NEVER, f'--{name}={value}')
        seen.add('strategy' in code)
        assert refused(code, f'--{name}=', '--strategy=nobody')

    check()
    assert seen == {True, False}


@pytest.mark.parametrize(
    ('words', 'why'),
    [
        (['--run_dir=file'], '--run_dir=file: file is a file; give'),
        (['--run_dir=file/below'], '--run_dir=file/below: Not a directory'),
        (['--run_dir=' + 'a' * 300], 'File name too long'),
        (['--export_dir=file'], '--export_dir=file: file is a file'),
        (['--export_dir=/dev/null/x'], '--export_dir=/dev/null/x: Not a directory'),
        (['--run_dir=x', '--export_dir=./x'], '--export_dir=x is the run'),
        (['--checkpoint_secs=nan'], '--checkpoint_secs=nan: expected a finite number'),
        (['--checkpoint_secs=inf'], '--checkpoint_secs=inf: expected a finite number'),
        (['--checkpoint_secs=-1'], '--checkpoint_secs=-1: expected a non-negative number'),
        (['--dry_run=perhaps'], '--dry_run=perhaps: expected true or false'),
        (['--width'], 'Missing value for flag --width (flags are written --name=value)'),
        (['--nowidth'], "Unknown command line flag 'nowidth'. Did you mean: width ?"),
        (['--width=1e3'], '--width=1e3: expected an integer'),
        (['--flagfile=nowhere'], 'nowhere'),
        (['7'], "'7' is not a flag; flags are written --name=value"),
        (['--width=65536', '--depth=9'], '--width=65536 --depth=9'),
        (['--batch_size=1048576', '--channels=4096'], '--channels=4096'),
        (['--image_size=1024', '--batch_size=99999'], 'images of 1024x1024x1'),
    ],
)
def test_refusals_name_the_flag_and_the_reason(words, why):
    with place():
        code, _, _ = call('train', *words)
    assert refused(code, why)


def test_a_place_of_somebody_else_is_refused(monkeypatch):
    with place():
        # Root may write to anything but what is mounted for reading.
        monkeypatch.setattr(os, 'access', lambda place, mode: str(place) != 'folder')
        code, _, _ = call('train', NEVER, '--run_dir=folder/below')
    assert refused(code, '--run_dir=folder/below: folder is not for you to write to')


OTHERS = [
    ('sample', ['--model=folder', '--out=x.png'], ['num', 'seed', 'label', 'truncation', 'frames']),
    ('sample', ['--out=x.png'], ['model']),
    ('sample', ['--model=folder'], ['out', 'walk']),
    ('evaluate', ['--model=folder'], ['num', 'features', 'inception_weights', 'seed', 'out']),
    ('evaluate', ['--model=folder'], ['dataset', 'data_dir', 'truncation', 'cache_dir']),
    ('export', ['--run_dir=folder'], ['export_dir', 'checkpoint']),
    ('export', [], ['run_dir', 'out']),
    ('export', ['--format=html'], ['model', 'out']),
    ('query', ['--server=x'], ['model', 'version', 'num', 'seed', 'seeds', 'label', 'out']),
    ('query', [], ['server']),
    ('serve', ['--models=file'], ['host', 'port', 'grpc_port', 'poll_secs', 'max_rows']),
    ('serve', [], ['models']),
]  # fmt: skip


@pytest.mark.parametrize(('command', 'words', 'names'), OTHERS)
def test_the_other_commands_refuse_too(command, words, names, full):
    """Whatever is right of a flag: the model, run or server asked for is not there."""
    missing = [word.partition('=')[0] for word in words] or ['--model', '--run_dir']

    @examples(25, full)
    @given(st.sampled_from(names), NUMBERS | PLACES | VALUES)
    def check(name, value):
        # Nobody listens at these, but to ask takes time.
        assume(name != 'server' or '://' not in value)
        with place():
            code, _, _ = call(command, *words, f'--{name}={value}')
        assert refused(code, f'--{name}', 'which run?', 'nothing to', *missing, '--models')

    check()


TINY = dict(steps=1, width=2, depth=1, latent_size=2, channels=1, batch_size=2)
DATA_OF_RUN = dict(
    dataset='doodles', name='doodles', count=6, shape=[8, 8, 1], licence='none',
    class_names=['a', 'b'], class_counts=[4, 2],
)  # fmt: skip


@st.composite
def runs_changed(draw):
    """A run's config.json in which one thing is not as it was written; it, and what that is."""
    run = json.loads(json.dumps(run_dir.identity(config.make(**TINY), DATA_OF_RUN)))
    part = draw(st.sampled_from([run, run['config'], run['data']]))
    name = draw(st.sampled_from(sorted(part)))
    way = draw(st.sampled_from(['gone', 'other', 'added']))
    before = part.pop(name)
    if way == 'other':
        part[name] = draw(JSON)
        assume(part[name] != before)
    if way == 'added':
        part |= {name: before, 'new': draw(JSON)}
    return run, name if way != 'added' else 'new'


@pytest.mark.parametrize('command', ['train', 'export'])
def test_a_run_that_was_tampered_with_is_refused_and_left_alone(command, full):
    @examples(30 if command == 'train' else 10, full)
    @given(runs_changed())
    def check(changed):
        run, name = changed
        with place(), contextlib.ExitStack() as stack:
            written = json.dumps(run)
            write(written, stack)
            flags = [NEVER, *(f'--{key}={value}' for key, value in TINY.items())]
            code, _, _ = call(command, '--run_dir=run', *(flags if command == 'train' else []))
        # The data is looked at later, and what is well formed but another run has no checkpoint.
        differs = 'holds a run with other settings'
        assert refused(code, name, NEVER, 'has no checkpoint', 'config.json', differs)

    check()


def write(text, stack):
    """A run with this as its config.json, until the stack is closed."""
    directory = pathlib.Path('run')
    directory.mkdir()
    stack.callback(directory.rmdir)
    stack.callback((directory / 'config.json').unlink)
    (directory / 'config.json').write_text(text)


@pytest.mark.parametrize('command', ['train', 'export'])
@pytest.mark.parametrize(
    'text',
    [
        *('', 'null', '[]', '[1]', '{}', '7', '"text"', '{', 'NaN', '[["format", 4]]', '\x00'),
        *('{"format": 4}', '{"format": 4, "config": []}', '{"format": 4, "config": null}'),
        *('{"format": 4, "config": {}, "data": {}}', '{"format": 3}', '[' * 100_000),
    ],
)
def test_a_run_that_is_no_run_is_refused_and_left_alone(command, text):
    with place(), contextlib.ExitStack() as stack:
        write(text, stack)
        code, _, _ = call(command, '--run_dir=run', *([NEVER] if command == 'train' else []))
    assert refused(code, 'run/config.json', 'holds a run with other settings')


@st.composite
def any_settings(draw):
    """Settings that are right one by one, of every field, at sizes that a test can train."""
    small = dict(width=6, depth=2, channels=3, latent_size=5, batch_size=5, steps=100, image_size=9)
    found = {}
    for name, field in FIELDS.items():
        limits, accepts = field.metadata['limits'], field.metadata['accepts']
        if name in ('preset', 'dataset', 'split', 'ink_width', 'minutes'):
            continue
        if accepts:
            found[name] = draw(st.sampled_from(accepts))
        elif name in small:
            found[name] = draw(st.integers(limits.get('least', 1), max(small[name], 8)))
        elif config.field_type(field)[0] is int:
            found[name] = draw(st.integers(limits['least'], limits['most']))
        else:
            least = limits.get('least', limits.get('above'))
            found[name] = draw(st.floats(least, limits['most'], exclude_min='above' in limits))
    return found


def test_what_is_accepted_trains_or_its_updates_are_skipped(full):
    """Every setting at once; a Gan either refuses them or keeps its weights finite."""
    trained = set()

    @examples(4, full)
    @given(any_settings(), st.sampled_from([1, 3]), st.sampled_from([1, 4]))
    def check(found, channels, classes):
        chosen = config.make(**found)
        source = noise((chosen.image_size, chosen.image_size + 2, channels), 20, classes)
        changes = FORM.augmentation(source) if chosen.augment == 'on' else None
        gan, error = tried(Gan, chosen, source.shape, source.shares, augmentation=changes)
        if error:
            assert refused(error, '--penalty_weight')
            return
        play(gan, source, 3)
        state = [variable for group in gan.state().values() for variable in group]
        assert all(np.isfinite(variable.numpy()).all() for variable in state)
        assert int(gan.step) == 3
        trained.add(int(gan.skipped) < 3)
        assert gan.draw([1, 2]).dtype == np.uint8

    check()
    assert True in trained


@pytest.mark.parametrize('architecture', config.ARCHITECTURES)
def test_the_room_that_a_step_needs_is_counted_and_not_taken(architecture):
    chosen = config.make(architecture=architecture, **(TINY | dict(width=9, channels=3)))
    is_music = architecture in MUSIC.architectures
    form, shape = (MUSIC, (16, 25, 2)) if is_music else (FORM, (12, 10, 3))
    pair = form.architectures[architecture]
    weights, hidden = memory.needs(pair, chosen, shape, 4, batch=2)
    gan = Gan(chosen, shape, [0.25] * 4, form=form.name)
    sizes = {
        name: sum(np.prod(variable.shape) for variable in variables)
        for name, variables in gan.state().items()
        if name != 'counters'
    }
    # Adam keeps two moments of what has a gradient.
    gradients = (sizes['generator_adam'] + sizes['discriminator_adam']) // 2
    assert weights == sum(sizes.values()) + gradients
    assert gan.draw([1]).shape == (1, *form.decode(np.zeros([1, *shape], np.float32)).shape[1:])
    assert memory.needs(pair, chosen, shape, 4, batch=6) == (
        weights,
        3 * hidden,
    )
    assert hidden >= 2 * 12 * 10 * 3  # the drawings at least


def test_real_processes_refuse_in_one_line_with_exit_1(tmp_path, full):
    (tmp_path / 'file').write_text('')
    rows = [
        ('train', [b'--dataset=folder:\xff'], 'expected a text in UTF-8'),
        ('train', ['--width=7', '--width=x'], '--width=x: expected an integer'),
        ('train', ['--steps=1', '--run_dir=/proc/none'], '--run_dir=/proc/none'),
        ('sample', ['--num=1'], 'flag --model=None'),
        ('query', ['--seed=99999999999999999999', '--out=x'], '--seed=99999999999999999999'),
    ]
    for command, words, why in rows if full else rows[:2]:
        result = subprocess.run(
            [sys.executable, '-m', f'tfgan.{command}', *words],
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | {'PYTHONPATH': str(ROOT)},
            timeout=120,
        )
        said = result.stderr.decode().splitlines()
        assert result.returncode == 1, said
        assert len(said) == 1 and said[0].startswith('error: ') and why in said[0], said
        assert os.listdir(tmp_path) == ['file']


def test_a_terminal_that_lacks_letters_shows_their_numbers(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'tfgan.train', '--dry_run', '--run_dir=größe'],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'PYTHONIOENCODING': 'ascii'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'run_dir         gr\\xf6\\xdfe' in done.stdout


@pytest.mark.parametrize(
    ('word', 'known', 'better'),
    [
        ('--out=sheet.eps', '.webp, .svg, .pdf, .gif', '--out=sheet.png, or --out=sheet.eps/ for'),
        ('--out=v1.5', '.png', '--out=v1.png, or --out=v1.5/ for'),
        ('--out=my sheet.', '.png', "--out='my sheet.png', or --out='my sheet./' for"),
        ('--walk=x.mp4', '.gif, .webp, .apng', '--walk=x.gif'),
        ('--walk=x', '.gif', '--walk=x.gif'),
        ('--walk=folder/', '.gif', '--walk=folder.gif'),
        (f'--walk={1000 * "x"}', '.gif', '--walk=drawings.gif'),
        (f'--out={1000 * "x"}.eps', '.png', '--out=drawings.png, or --out=drawings/ for'),
    ],
)
def test_an_ending_that_nobody_writes_is_refused_with_those_known(word, known, better):
    for command, other in (('sample', '--model=nowhere'), ('query', '--server=nowhere')):
        if command == 'query' and word.startswith('--walk'):  # which is not its flag
            continue
        with place():
            code, _, _ = call(command, other, word)
        assert refused(code, word[:200]) and known in code and f'type {better}' in code


@pytest.mark.parametrize('flag', ['--paper=a3', '--plotter'])
def test_a_walk_has_no_paper(flag):
    with place():
        code, _, _ = call('sample', '--model=nowhere', '--walk=w.gif', flag)
    assert refused(code, '--paper and --plotter: a walk has none')


@pytest.mark.parametrize('name', ['a.png', 'a.JPG', 'a.webp', 'a', 'a.b/', '.hidden', 'folder'])
def test_known_endings_and_folders_are_places_for_drawings(name):
    with place():
        code, _, _ = call('sample', '--model=nowhere', f'--out={name}')
    assert refused(code, '--model=nowhere')


PLACES_OF = [
    *(('train', name) for name in ('run_dir', 'export_dir')),
    *(('sample', name) for name in ('model', 'out', 'walk')),
    *(('export', name) for name in ('run_dir', 'export_dir', 'model', 'out')),
    *(('evaluate', name) for name in ('model', 'out', 'cache_dir', 'inception_weights')),
    *(('query', name) for name in ('latents', 'out')),
    ('serve', 'models'),
]


@pytest.mark.parametrize(
    'address', ['gs://bucket/run', 's3://b/x.png', 'file:///tmp/x', 'C+1.-://']
)
@pytest.mark.parametrize(('command', 'name'), PLACES_OF)
def test_what_is_no_place_of_this_machine_is_refused(command, name, address):
    with place():
        code, _, _ = call(command, f'--{name}={address}')
    assert refused(code, f'--{name}={address}: expected a path on this machine')
    assert 'mounted first' in code
