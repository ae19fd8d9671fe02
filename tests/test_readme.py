"""The commands and the Python of README and docs/ work as they stand there; tables are the code's.

Commands are indented lines, lines of sh fences, and code in a line that begins like one.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib
import types

import numpy as np
import pytest
import test_layers
import yaml
from commands import run
from forks import Forks
from PIL import Image
from servers import Server
from toy_models import NAMES
from toy_pieces import chorale
from toys import ARCHITECTURES, noise, play, settings

from tfgan import config, hub
from tfgan.data.doodles import render
from tfgan.distributed import strategies
from tfgan.evaluation.evaluator import FIGURES
from tfgan.forms import base as forms
from tfgan.forms.drawing import FORM
from tfgan.forms.drawing.sources import SOURCES
from tfgan.forms.music import midi_file
from tfgan.gan.encoding import Encoding
from tfgan.gan.gan import Gan
from tfgan.objectives import OBJECTIVES
from tfgan.saved_model import warmup
from tfgan.saved_model.signatures import Servable
from tfgan.training import encoder_loop
from tfgan.training.run import Run

ROOT = pathlib.Path(__file__).parents[1]
SCRIPTS = pathlib.Path(sys.executable).parent
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')))
}
TOY = dict(steps=3, width=8, depth=1, channels=2, latent_size=4, batch_size=8)
CLASSES = 'cat', 'fish'
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def fenced(text, language):
    return [content for kind, content in FENCE.findall(text) if kind == language]


def commands(text):
    """The commands of a page, in the order of their kinds of place."""
    prose = FENCE.sub('', text)
    inline = re.findall(r'`([^`\n]+)`', prose)
    yield from (line.strip() for line in prose.splitlines() if line.startswith('    '))
    yield from (line for block in fenced(text, 'sh') for line in block.splitlines())
    yield from (
        code for code in inline if re.fullmatch(r'(scripts/\w+|python -\w|pip install)( .*)?', code)
    )


COMMANDS = list(dict.fromkeys(c for text in PAGES.values() for c in commands(text)))
KINDS = {
    'train': r'scripts/train|python -m tfgan\.train|sbatch \S+ scripts/slurm/train\.sbatch',
    'draw': r'python -m tfgan\.(sample|redraw|learn|export|evaluate|compose)',
    'whence': r'python -m tfgan\.whence',
    'scene': r'python -m tfgan\.scene',
    'ask': r'python -m tfgan\.query|curl',
    'serve': r'python -m tfgan\.serve',
    'fetch': r'python -m tfgan\.fetch',
    'call': 'python -c',
    'benchmark': 'scripts/benchmark',
    'serving script': 'scripts/serve',
    'other script': 'scripts/(test|check|music|presets|redrawings|sliders|studio|tensorboard|draw|'
    'ready)',
    'pytest': 'python -m pytest',
    'kubectl': 'kubectl apply -f',
    'shell': r'git clone URL tfgan|cd tfgan|\. \.venv/bin/activate',
    'pip': 'pip install',
    'plotter': 'vpype',
}


def kinds_of(command):
    return [kind for kind, form in KINDS.items() if re.match(rf'({form})(?!\S)', command)]


def each(*kinds, quick=COMMANDS):
    """A test for each command of some kinds; those that are not in `quick` take --all."""
    chosen = [command for command in COMMANDS if set(kinds_of(command)) & set(kinds)]
    assert set(chosen) & set(quick), kinds
    long = {command: [] if command in quick else [pytest.mark.long] for command in chosen}
    return pytest.mark.parametrize(
        'command', [pytest.param(command, marks=marks) for command, marks in long.items()]
    )


def flags_of(command):
    """The words of a command that are flags."""
    return [word for word in shlex.split(command) if word.startswith('--')]


@pytest.fixture(scope='module')
def forks():
    return Forks()


@pytest.fixture(scope='module')
def place(forks, tmp_path_factory):
    """Where a person stands: drawings of their own, and a finished toy run named doodles."""
    place = tmp_path_factory.mktemp('place')
    for name in CLASSES:
        (place / 'my-drawings' / name).mkdir(parents=True)
    labels = render.labels(1000)
    for name in CLASSES:
        chosen = np.flatnonzero(labels == list(render.KINDS).index(name))[:40]
        for number, pixels in zip(chosen, render.draw(chosen), strict=True):
            Image.fromarray(pixels).save(place / 'my-drawings' / name / f'{number}.png')
    (place / 'doodles').symlink_to('my-drawings')
    (place / 'my-sketches').mkdir()
    cat = json.dumps({'word': 'cat', 'drawing': [[[0, 9, 9], [0, 9, 0]]]})
    (place / 'my-sketches/cat.ndjson').write_text(f'{cat}\n')
    np.savez(place / 'mnist.npz', x_train=np.zeros((40, 28, 28), np.uint8), y_train=np.arange(40))
    toy = [f'--{name}={value}' for name, value in TOY.items()]
    ran(forks, place, 'train', '--dataset=folder:doodles', *toy)
    own = sorted((place / 'my-drawings' / 'cat').iterdir())
    for name, path in zip(('mine.png', 'other.png'), own):
        Image.open(path).resize((200, 200)).save(place / name)
    (place / 'owls').mkdir()
    for path in own[:5]:
        (place / 'owls' / path.name).write_bytes(path.read_bytes())
    music_of_a_person(place)
    # Longer runs end with an encoder.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_loop, 'LEAST_STEPS', 1)
        patch.chdir(place)
        run = Run('runs/doodles')
        run.train()
        run.export('saved_models/doodles')
    return place


def music_of_a_person(place):
    """A melody, a piece and where they are learned from, beside the model that is ready."""
    piece = chorale(np.random.default_rng(0), 'major', beats=32)
    (place / 'mine.mid').write_bytes(midi_file.as_bytes(piece[:, :1]))
    for name in ('begun', 'whole'):
        (place / f'{name}.mid').write_bytes(midi_file.as_bytes(piece))
    (place / 'my-midi').mkdir()
    (place / 'my-midi' / 'whole.mid').symlink_to(place / 'whole.mid')
    splits = {split: [piece.tolist()] for split in ('train', 'test')}
    (place / 'jsb16.json').write_text(json.dumps(splits))
    (place / 'saved_models').mkdir(exist_ok=True)
    (place / 'saved_models' / 'chorales').symlink_to(ROOT / 'saved_models' / 'chorales')


def ran(forks, place, module, *flags):
    """What a command of the package says, which has to end well."""
    code, said = forks.run(place, f'tfgan.{module}', *flags)
    assert code == 0, said
    return said


@pytest.fixture(scope='module')
def server(place):
    with Server(place / 'saved_models') as server:
        yield server


def test_commands_are_found():
    assert len(COMMANDS) > 40
    assert [command for command in COMMANDS if len(kinds_of(command)) != 1] == []


@each('train')
def test_training_commands_are_understood(command, forks, place):
    said = ran(forks, place, 'train', *flags_of(command.partition('train.sbatch')[2] or command),
               '--dry_run')  # fmt: skip
    assert ('flags of the configuration' if '--help' in command else 'run_dir         ') in said


WRITTEN = {
    'export': 'saved_models/doodles/*/sheet.png',
    'evaluate': 'reports/doodles/*/*.png',
    'learn': 'saved_models/mine/*/sheet.png',
}


@each('draw', quick=[*commands(PAGES['README.md']), *commands(PAGES['docs/evaluation.md'])])
def test_drawing_and_exporting_commands_work_after_training(command, forks, place):
    module, *flags = shlex.split(command.removeprefix('python -m tfgan.'))
    before = set(place.glob('saved_models/doodles/*'))
    if module == 'redraw':  # with a label, as the toy's drawings are like nobody's
        flags.append('--label=cat')
    if module == 'learn':
        flags.append('--secs=1')
    ran(forks, place, module, *flags)
    places = [value_of(flags, name) for name in ('--out', '--walk')]
    found = [path for name in filter(None, places) for path in pictures(place / name)]
    found += place.glob(WRITTEN[module]) if module in WRITTEN else []
    assert found
    assert all(path.stat().st_size > 100 for path in found)
    exports = module == 'export' and '--format=html' not in flags
    assert exports == (set(place.glob('saved_models/doodles/*')) > before)


@each('whence')
def test_what_made_a_file_is_told(command, forks, place):
    _, file, *flags = shlex.split(command.removeprefix('python -m tfgan.'))
    name = 'chorales' if file.endswith('.mid') else 'doodles'
    ran(forks, place, 'sample', f'--model=saved_models/{name}', '--num=4', f'--out={file}')
    assert 'seed' in ran(forks, place, 'whence', file, *flags)


def pictures(path):
    """A file, or the pictures of a folder."""
    return sorted(path.glob('*.[psm]*')) if path.is_dir() else [path]


def value_of(flags, name):
    return dict(flag.partition('=')[::2] for flag in flags).get(name, '')


@each('scene', quick=[command for command in COMMANDS if 'tfgan.scene' in command][:1])
def test_scenes_are_drawn(command, forks, place):
    flags = [flag for flag in flags_of(command) if not flag.startswith('--words=')]
    ran(forks, place, 'scene', '--words=two cats left of a fish', *flags)
    assert (place / value_of(flags, '--out')).stat().st_size > 1000


@each('plotter', quick=[command for command in COMMANDS if command.endswith('.hpgl')])
def test_a_plotters_commands_work_after_drawing(command, forks, place):
    source, target = (next(w for w in shlex.split(command) if w.endswith(e)) for e in
                      ('.svg', ('.hpgl', '.gcode')))  # fmt: skip
    [drawing] = [each for each in COMMANDS if each.endswith(f'--out={source}')]
    ran(forks, place, *shlex.split(drawing.removeprefix('python -m tfgan.')))
    subprocess.check_call([SCRIPTS / 'vpype', *shlex.split(command)[1:]], cwd=place)
    assert (place / target).stat().st_size > 1000


@each('ask')
def test_asking_commands_work_at_a_server(command, server, place):
    if command.startswith('curl'):
        words = shlex.split(command.replace('localhost:8501', server.rest))
        assert subprocess.check_output(words).startswith(b'{"predictions"')
        return
    flags = shlex.split(command)[3:]
    address = server.grpc if 'grpc' in command else server.rest
    said, _ = run(place, 'query', *flags, f'--server={address}')  # gRPC outlives no fork
    if '--status' in flags:
        assert re.match(r'doodles version \d: AVAILABLE\n', said)
    if out := value_of(flags, '--out'):
        assert (place / out).stat().st_size > 100


@each('fetch')
def test_what_is_fetched_has_an_address(command):
    *_, address = shlex.split(command)
    assert hub.repository(address).name


@each('call')
def test_calls_from_the_command_line_work(command, place, monkeypatch):
    monkeypatch.chdir(place)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(shlex.split(command)[2], {})
    assert f'`{said.getvalue().strip()}`' in PAGES['README.md']


@pytest.fixture(scope='module')
def help_of(forks, place):
    """The help of each command of the package, and of the benchmark."""
    modules = 'train', 'sample', 'redraw', 'learn', 'evaluate', 'export', 'serve', 'query', 'scene'
    modules += ('compose',)
    found = {module: ran(forks, place, module, '--help') for module in modules}
    benchmark = [sys.executable, ROOT / 'scripts/benchmarks', '--help']
    paths = os.environ | {'PYTHONPATH': str(ROOT)}
    return found | {'benchmark': subprocess.check_output(benchmark, text=True, env=paths)}


@each('serve', 'benchmark')
def test_serving_and_measuring_commands_are_understood(command, help_of):
    told = help_of['serve' if 'serve' in kinds_of(command) else 'benchmark']
    words = [word.partition('=')[0] for word in shlex.split(command)]
    own = words[3:] if words[0] == 'python' else words[1:]
    assert [word for word in own if not re.search(rf'(?<![\w-]){word}\b', told)] == []


OTHERS_FLAGS = {'all', 'fix', 'show', 'nodes'}  # of scripts/test, check and serve, and of sbatch
OTHERS_FLAGS |= {'device', 'page-size', 'profile', 'cases'}  # of vpype and scripts/redrawings
OTHERS_FLAGS |= {'check'}  # of sha256sum
OTHERS_FLAGS |= {'map-root-user', 'net', 'exclusive'}  # of unshare and sbatch
OTHERS_FLAGS |= {'universal', 'generate-hashes', 'no-annotate', 'no-header', 'extra'}  # of uv


def test_every_flag_that_is_named_is_one(help_of):
    known = OTHERS_FLAGS.union(*(re.findall(r'--(\w+)', told) for told in help_of.values()))
    named = {flag for text in PAGES.values() for flag in re.findall(r'--(\w[\w-]*)', text)}
    assert len(named) > 30
    assert named - known == set()


@pytest.mark.parametrize(
    'name', sorted({command.split()[0] for command in COMMANDS if command.startswith('scripts/')})
)
def test_scripts_are_there_and_can_be_run(name):
    script = ROOT / name
    assert script.stat().st_mode & 0o111
    subprocess.check_call(['sh', '-n', script])


@each('other script', 'pytest')
def test_scripts_and_tests_are_given_what_they_take(command):
    *_, first = command.partition('pytest') if 'pytest' in command else command.partition(' ')
    for word in shlex.split(first):
        taken = word in ('--all', '--fix', '--num=1000', 'saved_models/doodles')
        taken = taken or word.split()[0] in config.PRESETS
        assert taken or (word.startswith('tests/') and (ROOT / word).exists()), word


@each('serving script')
def test_the_serving_script_shows_what_it_would_do(command, place):
    (place / 'scripts').mkdir(exist_ok=True)
    script = place / 'scripts/serve'
    script.write_text((ROOT / 'scripts/serve').read_text())
    said = subprocess.check_output(['sh', script, '--show', *flags_of(command)[1:]], text=True)
    assert 'config { name: "doodles"' in said


@each('kubectl')
def test_what_kubernetes_is_given_is_there(command):
    parts = list(yaml.safe_load_all((ROOT / command.split()[-1]).read_text()))
    assert all(part['kind'] for part in parts)


@each('pip')
def test_what_is_installed_is_offered(command):
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    [extra] = re.findall(r"'\.\[(\w+)\]'", command)
    assert extra in project['optional-dependencies']


# Python


def blocks(page):
    return fenced(PAGES[f'docs/{page}.md'], 'python')


def test_every_page_with_python_is_run_here():
    assert {page for page, text in PAGES.items() if fenced(text, 'python')} == {
        f'docs/{page}.md'
        for page in (
            'add-a-loss-or-source',
            'add-an-art-form',
            'drawing-and-export',
            'python',
            'serving',
        )
    }


def test_an_export_is_drawn_from_by_tensorflow_alone(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    [block] = blocks('drawing-and-export')
    exec(block, {})
    assert capsys.readouterr().out == block.rpartition('# ')[2]


def test_models_here_and_at_a_server_are_asked_alike(place, server, monkeypatch):
    monkeypatch.chdir(place)
    [block] = blocks('serving')
    start, first, second = (
        block.replace('http://127.0.0.1:8501', server.rest).strip().rsplit('\n', 2)
    )
    exec(start, names := {})
    near = np.abs(eval(first, names).astype(int) - eval(second, names))
    assert near.shape == (3, 28, 28, 1)
    assert near.max() <= 1


@pytest.mark.long
@pytest.mark.usefixtures('unjudged')
def test_the_library_does_what_its_page_says(place, server, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setattr(encoder_loop, 'LEAST_STEPS', 1)
    names = {}
    for block in blocks('python'):
        exec(block.replace('http://127.0.0.1:8501', server.rest), names)
        if list(names) == ['__builtins__', 'tfgan', 'settings']:
            names['settings'] |= TOY
        if 'version' in names and 'model' not in names:
            server.until('mine version 1 is served')
    assert names['run'].train().scores == names['result'].scores  # finished: nothing is left to do
    assert names['drawings'].shape == (3, 28, 28, 1)
    assert (place / 'sheet.png').stat().st_size > 100
    assert set(FIGURES) <= set(names['report'].figures)
    assert len(names['source']) == 80
    assert 'no-such-folder' in capsys.readouterr().out


TABLES = OBJECTIVES, SOURCES, ARCHITECTURES


@pytest.fixture
def tables():
    """Tables to add to: they are as they were after the test."""
    before = [dict(table) for table in TABLES]
    yield
    for table, rows in zip(TABLES, before, strict=True):
        table.clear()
        table.update(rows)


def trained(**changes):
    """A Gan after two steps at toy size."""
    source = noise()
    gan = Gan(settings(**changes), source.shape, source.shares)
    _, skipped = play(gan, source, 2)
    assert not skipped.any()
    return gan


@pytest.mark.usefixtures('tables')
def test_a_loss_is_added_as_the_page_says():
    exec(blocks('add-a-loss-or-source')[0], {})
    OBJECTIVES['hinge'] = OBJECTIVES['exponential']  # whose name the configuration does not know
    gan = trained(objective='hinge')
    assert gan.objective.generator.__name__ == 'exponential_generator'


@pytest.mark.usefixtures('tables')
def test_a_source_is_added_as_the_page_says():
    exec(blocks('add-a-loss-or-source')[1], {})
    source = forms.open_source('checkers:1000', image_size=16)
    assert len(source) == 1000
    images = source.images([0, 1])
    assert images.shape == (2, 16, 16, 1) and images.dtype == np.uint8
    widths = [np.argmax(image[0, :, 0] > 0) for image in images]
    assert dict(zip(source.class_names, widths, strict=True)) == {'fine': 2, 'coarse': 4}


@pytest.mark.usefixtures('tables')
def test_an_architecture_is_added_as_the_page_says(monkeypatch):
    networks, row = blocks('add-a-loss-or-source')[2:]
    monkeypatch.setitem(sys.modules, 'tfgan.networks.linear', types.ModuleType('linear'))
    exec(networks, vars(sys.modules['tfgan.networks.linear']))
    exec(row, {})
    ARCHITECTURES['mlp'] = ARCHITECTURES['linear']  # whose name the configuration does not know
    gan = trained(architecture='mlp')
    assert type(gan.generator).__name__ == 'LinearGenerator'
    assert type(gan.discriminator).__name__ == 'ScoreDiscriminator'


def test_a_form_is_added_as_the_page_says(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tfgan.forms.drums', types.ModuleType('drums'))
    exec(blocks('add-an-art-form')[0], vars(sys.modules['tfgan.forms.drums']))
    monkeypatch.setitem(forms.FORMS, 'drums', 'tfgan.forms.drums')
    source = forms.open_source('beats:300')
    shape = forms.form_named('drums').shape(source.summary())
    gan = Gan(settings(architecture='mlp'), shape, source.shares, form='drums')
    _, skipped = play(gan, source, 2)
    assert not skipped.any()
    patterns = gan.draw([7, 8, 9])
    assert patterns.shape == (3, 16, 4) and patterns.dtype == np.bool_
    assert gan.sheet().shape == (80 * 4, 16, 1)


# Tables


def table(page, column):
    """The cells of the rows of the page's table whose first column is called so."""
    rows = PAGES[page].split(f'\n| {column} |', 1)[1].split('\n\n')[0].splitlines()[2:]
    cells = [re.split(r'(?<!\\)\|', row.strip('|')) for row in rows]
    return [[cell.strip() for cell in row] for row in cells]


def named(page, column):
    """The names in code in the first column of a table."""
    return [name for row in table(page, column) for name in re.findall(r'`(\w+)`', row[0])]


@pytest.mark.parametrize(
    ('page', 'column', 'names'),
    [
        ('README.md', 'preset', config.PRESETS),
        ('docs/results.md', 'preset', config.PRESETS),
        ('docs/article.md', '`--objective=`', OBJECTIVES),
        ('docs/data.md', '`--labels=`', config.LABELS),
        ('docs/data.md', '`--augment=`', config.AUGMENT),
        ('docs/distributed.md', '`--strategy=`', ['auto', *strategies.MAKERS]),
        ('docs/evaluation.md', 'figure', FIGURES | FORM.figures),
    ],
)
def test_tables_have_a_row_for_each(page, column, names):
    assert named(page, column) == list(names)


def test_every_kind_of_data_set_is_told():
    told = [[kind, takes, example] for kind, takes, example, _ in table('docs/data.md', 'kind')]
    assert told == [
        [f'`{kind}`', row.takes, f'`--dataset={row.example}`']
        for kind, row in forms.source_kinds().items()
    ]


def test_every_figure_says_which_way_is_better():
    for row in table('docs/evaluation.md', 'figure'):
        for name in re.findall(r'`(\w+)`', row[0]):
            assert row[1].split()[0] == (FIGURES | FORM.figures)[name].better


def test_every_signature_is_told_with_what_it_takes_and_gives():
    pen = Gan(config.make(architecture='pen'), (8, 8, 1), [0.5, 0.3, 0.2])
    facts = dict.fromkeys(('software', 'model', 'sha256', 'licence'), 'any')
    servable = Servable(pen, NAMES, Encoding(pen).encoder, provenance=facts)
    told = {
        name.strip('`'): [set(re.findall(r'`(\w+)`', cell)) for cell in (takes, gives)]
        for name, takes, gives in table('docs/drawing-and-export.md', 'signature')
    }
    assert told == {
        name: [set(warmup.specs(function)), set(function.structured_outputs)]
        for name, function in servable.signatures().items()
    }


def test_every_flag_of_the_server_is_told_with_its_default(help_of):
    told = [(flag.strip('`'), default) for flag, default, _ in table('docs/serving.md', 'flag')]
    assert told == re.findall(r'^  (--\w+) +(\S+)', help_of['serve'], re.MULTILINE)


# Architecture

ARCHITECTURE = 'docs/architecture.md'


def test_every_module_has_its_line():
    told = {}
    for folder, line, modules in table(ARCHITECTURE, 'folder'):
        assert line
        told.setdefault(folder.strip('`'), []).extend(re.findall(r'`(\w+)`', modules))
    there = {}
    for path in (ROOT / 'tfgan').rglob('*.py'):
        folder = str(path.parent.relative_to(ROOT))
        there.setdefault(folder, set()).add(path.stem)
    assert {folder: sorted(modules) for folder, modules in told.items()} == {
        folder: sorted(modules - {'__init__'}) for folder, modules in there.items()
    }


def test_the_diagrams_arrows_are_imports():
    [diagram] = fenced(PAGES[ARCHITECTURE], 'mermaid')
    arrows = re.findall(r'^  (.+) --> (.+)$', diagram, re.MULTILINE)
    drawn = {
        (a, b) for left, right in arrows for a in left.split(' & ') for b in right.split(' & ')
    }
    assert len(drawn) > 40
    packages = {
        (module.partition('.')[0], target.partition('.')[0])
        for module, targets in test_layers.graph().items()
        for target in targets
    }
    assert drawn - packages == set()
    assert {each for arrow in drawn for each in arrow} == set(test_layers.ROW_OF)


# Pages


def test_the_front_page_is_short():
    assert len(PAGES['README.md'].splitlines()) <= 130


def test_every_page_is_in_the_index():
    index = PAGES['README.md'].split('\n## Documentation\n')[1].split('\n## ')[0]
    assert set(re.findall(r'\]\((docs/[^)]+)\)', index)) == set(PAGES) - {'README.md'}


def anchors(text):
    """The anchors that headings have."""
    heads = re.findall(r'^#+ (.+)$', FENCE.sub('', text), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', head.lower()).replace(' ', '-') for head in heads}


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_somewhere(page):
    for link in re.findall(r'\]\(([^)]+)\)', FENCE.sub('', PAGES[page])):
        if '://' in link:
            continue
        target, _, anchor = link.partition('#')
        path = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text()), link


@pytest.mark.parametrize('page', PAGES)
def test_files_that_are_named_are_there(page):
    for name in re.findall(r'`((?:tfgan|tests|scripts)/[\w/.]+)`', PAGES[page]):
        assert (ROOT / name).exists(), name
