"""Imports point down, no two modules import each other, and what must be quick stays so."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / 'tfgan'

LAYERS = {
    'commands': {'train', 'sample', 'export', 'evaluate', 'serve', 'query', 'commands'},
    'loop': {'loop', 'rest', 'rpc'},
    'files and peers': {
        *('runs', 'checkpoints', 'report', 'serving', 'versions', 'evaluator', 'hosting'),
        *('peers', 'strategies', 'events'),
    },
    'gan and data': {'gan', 'data', 'sources', 'prepared', 'pictures', 'arrays', 'features'},
    'nouns': {
        *('config', 'losses', 'models', 'ema', 'adam', 'latents', 'doodles', 'images', 'metrics'),
        *('clock', 'startup', 'cluster', 'curves', 'backprop', 'augment', 'ink', 'advice'),
        *('client', 'warmup', 'batching', 'bodies', 'refusal', 'monitoring', 'disk'),
    },
}
SIDEWAYS = {
    'loop',
    'files and peers',
    'gan and data',
    'nouns',
}  # layers whose modules may import each other
SHARED = {'commands'}  # and what its layer's other modules may import
WITHOUT_TENSORFLOW = (
    *('config', 'runs', 'sources', 'commands', 'train', 'sample', 'export', 'evaluate', 'serve'),
    *('query', 'client', 'cluster'),
)

ORDER = list(LAYERS)
LAYER_OF = {module: layer for layer, modules in LAYERS.items() for module in modules}
MODULES = {path.stem: path.read_text() for path in sorted(PACKAGE.glob('*.py'))}


def imports(source: str) -> set[str]:
    """The modules of the package that a source imports, at its top or within a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = 'tfgan' if node.level else ''
            module = '.'.join(part for part in (base, node.module) if part)
            names = [f'{module}.{alias.name}' for alias in node.names]
        else:
            continue
        parts = [name.split('.') for name in names]
        found |= {part[1] for part in parts if part[0] == 'tfgan' and len(part) > 1}
    return found


def upward(graph: dict[str, set[str]]) -> list[str]:
    """The imports that a layer may not make."""
    return [
        f'{module} imports {target}'
        for module, targets in graph.items()
        for target in targets
        if not _may_import(module, target)
    ]


def _may_import(module, target):
    here, there = (LAYER_OF[name] for name in (module, target))
    if here == there:
        return here in SIDEWAYS or target in SHARED
    return ORDER.index(here) < ORDER.index(there)


def cycle(graph: dict[str, set[str]]) -> set[str]:
    """The modules of which each imports another one of them."""
    left = dict(graph)
    while done := {module for module, targets in left.items() if not targets & set(left)}:
        left = {module: targets for module, targets in left.items() if module not in done}
    return set(left)


def graph():
    known = {m: imports(text) & set(MODULES) for m, text in MODULES.items() if m != '__init__'}
    assert sum(map(len, known.values())) > 30
    return known


def test_every_module_has_its_layer():
    assert len(LAYER_OF) == sum(map(len, LAYERS.values()))
    assert set(MODULES) - {'__init__'} == set(LAYER_OF), 'a module without a layer, or gone'


def test_imports_point_down():
    assert upward(graph()) == []


def test_no_imports_go_round_in_circles():
    assert cycle(graph()) == set()


def test_the_package_itself_imports_none_of_its_modules_by_itself():
    whole = ast.parse(MODULES['__init__'])
    at_once = [node for node in whole.body if not isinstance(node, ast.FunctionDef)]
    assert imports(ast.unparse(ast.Module(at_once, []))) & set(MODULES) == set()


@pytest.mark.parametrize(
    'source',
    [
        'import tfgan.loop',
        'import os, tfgan.loop as l',
        'from tfgan import gan, loop',
        'from tfgan.loop import Stop',
        'from . import loop',
        'from .loop import Stop',
        'def f():\n    if True:\n        from tfgan import loop',
    ],
)
def test_no_import_is_overlooked(source):
    assert 'loop' in imports(source)
    assert upward({'gan': imports(source)} | {'loop': set()}) == ['gan imports loop']


def test_circles_are_seen():
    assert cycle({'a': {'b'}, 'b': {'c', 'd'}, 'c': {'a'}, 'd': set(), 'e': {'d'}}) == set('abc')
    assert upward({'sample': {'commands'}, 'train': {'sample'}}) == ['train imports sample']


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
