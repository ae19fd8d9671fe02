"""A run does not depend on how it is spread over devices, processes and parts of a batch."""

import itertools
import pathlib
import re
import subprocess

import forks
import numpy as np
import pytest
import tensorflow as tf
from loopback import environments
from toys import ARCHITECTURES

from tfgan.objectives import OBJECTIVES

HERE = pathlib.Path(__file__).parents[1]
STEPS = 200
SPREADS = {  # devices of a process, parts of a device's share, processes
    'two devices': (2, 1, 1),
    'four devices': (4, 1, 1),
    'three parts': (1, 3, 1),
    'two devices in two parts': (2, 2, 1),
    'two processes': (1, 1, 2),
    'three processes in two parts': (1, 2, 3),
}
FEW = ('two processes',)  # what is not left to --all
ROUTES = [('two devices', 'two processes'), ('one', 'two processes'), ('two processes', 'one')]


def played(directory, games, spread, last=STEPS):
    """Plays games to a step; the state of each, by key."""
    devices, parts, processes = SPREADS.get(spread, (1, 1, 1))
    command = [*forks.python(), HERE / 'spread.py', directory, last, devices, parts, *games]
    started = [
        subprocess.Popen([*map(str, command)], env=env, stdout=subprocess.PIPE, text=True)
        for env in environments(processes)
    ]
    try:
        said = [process.communicate(timeout=1500)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    waiting = r'  waiting for .* \(--peer_secs\)\n' if processes > 1 else ''
    expected = re.compile(f'{waiting}{devices * processes}\n')
    assert [text for text in said if not expected.fullmatch(text)] == []
    return {game: state(directory / game, last) for game in games}


def state(directory, step):
    reader = tf.train.load_checkpoint(str(directory / 'checkpoints' / f'step-{step}'))
    keys = [key for key in reader.get_variable_to_shape_map() if 'VARIABLE_VALUE' in key]
    return {
        key: reader.get_tensor(key) for key in keys if not key.startswith(('run/', 'save_counter'))
    }


@pytest.fixture(scope='module')
def games(full):
    if not full:
        return ['hybrid:relativistic']
    # Each in turn; tests/gan/test_conformance.py has all pairs of them on two replicas. A pen's
    # strokes are there or not: after some dozens of steps rounding has turned one of them over,
    # and from then on the games differ.
    pairs = [name for name in ARCHITECTURES if not name.startswith('pen')]
    turns = zip(itertools.cycle(pairs), itertools.cycle(OBJECTIVES))
    return [f'{pair}:{objective}' for pair, objective in itertools.islice(turns, len(OBJECTIVES))]


@pytest.fixture(scope='module')
def alone(tmp_path_factory, games):
    """What one process with one device comes to."""
    return played(tmp_path_factory.mktemp('alone'), games, 'one')


def far(one, other):
    """The largest difference of any number of a state, in the largest number of its variable."""
    return max(
        np.abs(other[key].astype(np.float64) - value).max() / (np.abs(value).max() + 1e-3)
        for key, value in one.items()
    )


def apart(games, alone, found):
    """How far games are from each other that are not the same to within rounding."""
    distances = {game: float(far(alone[game], found[game])) for game in games}
    print(f'at most {max(distances.values()):.1e}:', distances)
    return {game: distance for game, distance in distances.items() if not distance < 1e-3}


@pytest.mark.parametrize('spread', SPREADS)
def test_every_spread_comes_to_the_same(alone, games, spread, full, tmp_path):
    if not (full or spread in FEW):
        pytest.skip('it takes --all')
    assert apart(games, alone, played(tmp_path, games, spread)) == {}


@pytest.mark.long
@pytest.mark.parametrize(('first', 'second'), ROUTES)
def test_a_checkpoint_of_one_spread_goes_on_in_another(alone, games, first, second, tmp_path):
    half = played(tmp_path, games, first, STEPS // 2)
    found = played(tmp_path, games, second)
    assert min(far(half[game], found[game]) for game in games) > 0.1
    assert apart(games, alone, found) == {}
