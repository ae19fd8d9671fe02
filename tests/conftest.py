"""What tests share: their own cache, a small exported model, and a server of it."""

import ctypes
import gc
import os
import shutil
import subprocess
import sys

import pytest
from browser import browser  # noqa: F401
from servers import LIMITS, Server
from toy_models import export_busy, export_toy, toy_gan, toy_pen


def pytest_addoption(parser):
    parser.addoption('--all', action='store_true', help='in full what else runs at a small size')
    parser.addoption('--pictures', metavar='MODEL', help='draw docs/studio-*.png with a model')


# Files that take longest come first, so that no process is left alone with one at the end.
LONG = (
    'test_cli',
    'test_conformance',
    'test_coordination',
    'test_chaos',
    'test_serve',
    'test_readme',
)


def pytest_collection_modifyitems(config, items):
    if not config.getoption('--all'):
        for item in items:
            if item.get_closest_marker('long'):
                item.add_marker(pytest.mark.skip('it takes --all'))
    items.sort(key=lambda item: item.path.stem not in LONG)


def pytest_collection_finish():
    # What was imported stays, so that later collections need not go through it.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session')
def full(request) -> bool:
    """Whether long tests run in full: `scripts/test --all`."""
    return request.config.getoption('--all')


def pytest_configure(config):
    # In the environment, because commands run as processes of their own.
    os.environ['XDG_CACHE_HOME'] = str(config.rootpath / '.pytest_cache' / 'xdg')


@pytest.fixture(scope='module')
def unjudged():
    """What judges drawings learns next to nothing, where it does not matter what it says."""
    from tfgan.evaluation import feature_learning

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_learning, 'LEAST_STEPS', 30)
        patch.setattr(feature_learning, 'PASSES', 0.05)
        patch.setattr(feature_learning, 'MOST', 2000)
        yield


@pytest.fixture(scope='module', autouse=True)
def forgotten():
    """Lets go of a module's networks and graphs when it is done, of which Keras keeps a hold."""
    yield
    if 'keras' in sys.modules:
        sys.modules['keras'].backend.clear_session()
    gc.collect()
    if sys.platform == 'linux':
        ctypes.CDLL(None).malloc_trim(0)  # else what was freed stays with the process


@pytest.fixture
def mount():
    """Mounts small file systems of their own, until the test is over."""
    mounted = []

    def mount(place, *options):
        place.mkdir(parents=True, exist_ok=True)
        command = ['mount', '-t', 'tmpfs', '-o', ','.join(['size=8m', *options]), 'none', place]
        if not shutil.which('mount') or subprocess.run(command, capture_output=True).returncode:
            pytest.skip('mounting a small disk is not permitted here: it takes root')
        mounted.append(place)

    yield mount
    for place in mounted:
        subprocess.run(['umount', '--lazy', place], check=True)


@pytest.fixture
def full_disk(mount):
    """Makes a place one that has so many bytes left; returns the file to remove for more room."""

    def full_disk(place, left=0):
        mount(place)
        filler = place / 'filler'
        with open(filler, 'wb') as file:
            free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
            file.write(bytes(free - left))
        return filler

    return full_disk


@pytest.fixture(scope='session')
def toy():
    return toy_gan()


@pytest.fixture(scope='session')
def exported(toy, tmp_path_factory):
    """The directory of a model with one version."""
    directory = tmp_path_factory.mktemp('models') / 'toy'
    export_toy(toy, directory)
    return directory


@pytest.fixture(scope='session')
def pen_version(tmp_path_factory):
    """The folder of a version of a pen's model that has an encoder; neither has learned."""
    return toy_pen(tmp_path_factory.mktemp('pens') / 'toy', reads=True).version


@pytest.fixture(scope='session')
def pen_bundle(pen_version) -> bytes:
    """What the studio's page needs of that model."""
    from tfgan.saved_model import bundle

    return bundle.bundle(pen_version)


@pytest.fixture(scope='session')
def both(exported, tmp_path_factory):
    """A directory of two models: `toy`, and `busy` as `export_busy` has it."""
    directory = tmp_path_factory.mktemp('both')
    shutil.copytree(exported, directory / 'toy')
    export_busy(directory / 'busy')
    return directory


@pytest.fixture(scope='session')
def served(exported):
    """A server of the exported model, with small limits."""
    with Server(exported.parent, *LIMITS) as server:
        yield server
        assert server.end() == (0, '')  # no fault was logged either
