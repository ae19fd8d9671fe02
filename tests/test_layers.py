"""Imports point down: a package sees those of the rows below it, and no modules form a circle."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / 'tfgan'

ROWS = (
    {'train', 'sample', 'redraw', 'learn', 'evaluate', 'export', 'serve', 'query'}
    | {'whence', 'scene', 'fetch', 'compose'},
    {'cli', 'training', 'server', 'hub'},
    {'evaluation', 'client', 'word_learning'},
    {'gan', 'saved_model', 'redrawing', 'remaking', 'composing', 'arranging'},
    {'forms'},
    {'networks', 'data'},
    {'config', 'distributed', 'storage', 'startup', 'words'},
    {'errors', 'latents', 'objectives', 'provenance'},
)
# What a package may see of the rows below it, if not all; and who may see whom in a row.
ONLY = {'server': {'saved_model', 'errors'}, 'words': {'errors'}}
SIDEWAYS = {
    ('distributed', 'config'),
    ('client', 'evaluation'),
    ('client', 'word_learning'),
}
WITHOUT_TENSORFLOW = (
    *('config', 'errors', 'cli', 'client', 'train', 'sample', 'export', 'evaluate', 'serve'),
    *(
        'redraw',
        'learn',
        'redrawing',
        'remaking',
        'provenance',
        'whence',
        'scene',
        'composing',
        'arranging',
        'compose',
        'forms.music',
        'words.lexicon',
        'words.captions',
        'words.layout',
        'fetch',
        'hub',
        'query',
        'forms.base',
        'forms.drawing',
        'training.run_dir',
        'distributed.cluster',
    ),
)
ROW_OF = {package: row for row, packages in enumerate(ROWS) for package in packages}


def module_of(path: pathlib.Path) -> str:
    """The dotted name of a module below the package; that of a package's own file is its own."""
    parts = path.relative_to(PACKAGE).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


MODULES = {module_of(path): path.read_text() for path in sorted(PACKAGE.rglob('*.py'))}


def imports(source: str) -> set[str]:
    """The modules of the package that a source imports, at its top or within a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, 'imports name the whole package'
            found |= {f'{node.module}.{alias.name}' for alias in node.names}
    return {_known(name) for name in found if name.partition('.')[0] == 'tfgan'} - {''}


def _known(name):
    """The longest part of a dotted name that is a module."""
    parts = name.split('.')[1:]
    while parts and '.'.join(parts) not in MODULES:
        parts.pop()
    return '.'.join(parts)


def wrong(graph: dict[str, set[str]]) -> list[str]:
    """The imports that a package may not make."""
    return [
        f'{module} imports {target}'
        for module, targets in graph.items()
        for target in sorted(targets)
        if not _may_import(module, target)
    ]


def _may_import(module, target):
    here, there = (name.partition('.')[0] for name in (module, target))
    if target.startswith('forms.') and target not in ('forms.base', 'forms.pictures'):
        return here == 'forms'  # nobody else imports a particular form
    if here == there or (here, there) in SIDEWAYS:
        return True
    return ROW_OF[here] < ROW_OF[there] and there in ONLY.get(here, {there})


def cycle(graph: dict[str, set[str]]) -> set[str]:
    """The modules of which each imports another one of them."""
    left = dict(graph)
    while done := {module for module, targets in left.items() if not targets & set(left)}:
        left = {module: targets for module, targets in left.items() if module not in done}
    return set(left)


def graph():
    known = {name: imports(text) - {name} for name, text in MODULES.items() if name}
    assert sum(map(len, known.values())) > 100
    return known


def test_every_package_has_its_row():
    assert len(ROW_OF) == sum(map(len, ROWS))
    assert {name.partition('.')[0] for name in MODULES} - {''} == set(ROW_OF)


def test_imports_point_down():
    assert wrong(graph()) == []


def test_no_imports_go_round_in_circles():
    assert cycle(graph()) == set()


def test_every_module_says_what_it_is_in_a_line():
    for name, source in MODULES.items():
        said = ast.get_docstring(ast.parse(source))
        assert said and said.splitlines()[0].endswith('.'), name


def test_the_package_itself_imports_none_of_its_modules_by_itself():
    whole = ast.parse(MODULES[''])
    at_once = [node for node in whole.body if not isinstance(node, ast.FunctionDef)]
    assert imports(ast.unparse(ast.Module(at_once, []))) == set()


@pytest.mark.parametrize(
    'source',
    [
        'import tfgan.training.loop',
        'import os, tfgan.training.loop as l',
        'from tfgan.training import checkpoints, loop',
        'from tfgan.training.loop import Stop',
        'def f():\n    if True:\n        from tfgan.training import loop',
    ],
)
def test_no_import_is_overlooked(source):
    assert 'training.loop' in imports(source)
    assert 'gan.gan imports training.loop' in wrong({'gan.gan': imports(source)})


@pytest.mark.parametrize(
    ('module', 'target'),
    [
        ('gan.gan', 'forms.drawing.ink'),
        ('server.rest', 'config'),
        ('sample', 'train'),
        ('networks.mlp', 'data.source'),
    ],
)
def test_what_may_not_be_imported_is_seen(module, target):
    assert wrong({module: {target}}) == [f'{module} imports {target}']


def test_circles_are_seen():
    assert cycle({'a': {'b'}, 'b': {'c', 'd'}, 'c': {'a'}, 'd': set(), 'e': {'d'}}) == set('abc')


def test_what_runs_before_tensorflow_does_not_import_it():
    program = (
        'import importlib, sys\n'
        f'for name in {WITHOUT_TENSORFLOW}:\n'
        '    importlib.import_module(f"tfgan.{name}")\n'
        '    slow = {"tensorflow", "keras"} & set(sys.modules)\n'
        '    assert not slow, f"{name} imports {slow}"\n'
    )
    environment = os.environ | {'PYTHONPATH': str(ROOT)}
    result = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr
