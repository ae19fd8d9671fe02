"""What tests share: their own cache, a small exported model, and a server of it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest


def pytest_addoption(parser):
    parser.addoption('--all', action='store_true', help='in full what else runs at a small size')


@pytest.fixture(scope='session')
def full(request) -> bool:
    """Whether long tests run in full: `scripts/test --all`."""
    return request.config.getoption('--all')


def pytest_configure(config):
    # In the environment, because commands run as processes of their own.
    os.environ['XDG_CACHE_HOME'] = str(config.rootpath / '.pytest_cache' / 'xdg')


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


NAMES = ['cat', 'dog', 'fish']


def toy_gan(seed=0):
    """A Gan of three classes, random and small but with strokes to see."""
    from tfgan import config
    from tfgan.gan import Gan

    settings = config.make(
        steps=1, width=16, depth=1, latent_size=6, batch_size=8, channels=4, seed=seed
    )
    gan = Gan(settings, (12, 10, 1), [0.5, 0.3, 0.2])
    rng = np.random.default_rng(seed)
    for variable in gan.average.variables:
        variable.assign(variable + rng.normal(size=variable.shape, scale=0.3))
    return gan


def export_toy(gan, directory):
    """Exports a toy Gan as the next version below a directory."""
    from tfgan import versions

    data = dict(dataset='noise', count=5, shape=[12, 10, 1], class_names=NAMES, licence='none')
    facts = dict(name=directory.name, data=data, step=1, images_seen=8, secs=2.0, scores={})
    return versions.write(gan, directory, facts)


@pytest.fixture(scope='session')
def toy():
    return toy_gan()


@pytest.fixture(scope='session')
def exported(toy, tmp_path_factory):
    """The directory of a model with one version."""
    directory = tmp_path_factory.mktemp('models') / 'toy'
    export_toy(toy, directory)
    return directory


ANYWHERE = '--port=0', '--grpc_port=0', '--poll_secs=0.1'


class Server:
    """A tfgan.serve process and where it listens; it ends with its block at the latest."""

    def __init__(self, models, *flags):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'tfgan.serve', f'--models={models}', *ANYWHERE, *flags],
            env=os.environ | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ''
        while not (places := re.search(r'REST at (\S+)/v1.* gRPC at (\S+);', self.said)):
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line
        self.rest, self.grpc = places[1], f'grpc://{places[2]}'

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.returncode is None:
            self.end()

    def end(self):
        """Asks it to end; its exit code and the rest of what it said."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def until(self, words):
        """Reads what it says until there are these words in it."""
        while words not in self.said:
            self.said += self.process.stdout.readline()


LIMITS = '--max_rows=256', '--max_bytes=100000', '--max_secs=3'


@pytest.fixture(scope='session')
def served(exported):
    """A server of the exported model, with small limits."""
    with Server(exported.parent, *LIMITS) as server:
        yield server
        assert server.end()[0] == 0
