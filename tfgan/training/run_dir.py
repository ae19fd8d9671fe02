"""A run directory: what it trains on what, and its lock; imports no TensorFlow."""

import fcntl
import json
import pathlib

from tfgan import storage
from tfgan.config import LATER, Config, differences
from tfgan.data.source import short_name
from tfgan.errors import ConfigError, RunError, quoted

FORMAT = 4  # raised when an older run can no longer be continued
PARTS = 'config', 'data'
FOLDERS = 'checkpoints', 'best', 'samples', 'tensorboard'


class RunDir:
    """A run's files, open for one process. Use it as a context manager.

    directory/config.json  what it trains on what
              checkpoints/ the last three, one a minute
              best/        the one with the best score
              samples/     sheets as PNG
              tensorboard/ event files
    """

    def __init__(self, directory, config: Config, data: dict):
        self.directory = pathlib.Path(directory)
        self.identity = identity(config, data)
        check(self.directory, self.identity)

    def __enter__(self):
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.directory / 'lock', 'w')
        except OSError as error:
            raise RunError(f'--run_dir={self.directory}: {error}; take another') from error
        try:
            self._claim()
        except BaseException:
            self._lock.close()
            raise
        return self

    def _claim(self):
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f'{self.directory} is in use by another process') from error
        check(self.directory, self.identity)  # again: it may have been another's since
        text = json.dumps(self.identity, indent=2)
        storage.write_bytes(self.directory / 'config.json', text.encode())
        for place in (self.directory, *(self.directory / name for name in FOLDERS)):
            storage.sweep(place)
        for folder in ('checkpoints', 'best'):  # an older version's drafts
            for leftover in (self.directory / folder).glob('*_temp'):
                storage.discard(leftover)

    def __exit__(self, *_):
        self._lock.close()


def default_name(config: Config) -> str:
    """Of a run and its model: the data set's name, after the preset's unless it is the default."""
    name = short_name(config.dataset)
    return name if config.preset == 'default' else f'{config.preset}-{name}'


def identity(config: Config, data: dict | None = None) -> dict:
    """What must not change in the life of a run, as it stands in config.json.

    Without the data, which takes a while to open, it is what can be known at once.
    """
    known = {'format': FORMAT, 'config': dict(vars(config))}
    return known if data is None else known | {'data': data}


def read(directory) -> dict | None:
    """What config.json of a run says; None where there is no run; raises RunError."""
    path = pathlib.Path(directory) / 'config.json'
    try:
        found = json.loads(path.read_text())
        found = {key: dict(part) if key in PARTS else part for key, part in dict(found).items()}
        return found | ({'config': LATER | found['config']} if 'config' in found else {})
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValueError, RecursionError) as error:
        said = f'{quoted(path)} cannot be read ({quoted(error)}); take another --run_dir'
        raise RunError(said) from error


def settings(directory, run: dict) -> Config:
    """The configuration in what `read` gave; raises RunError if that cannot be trained."""
    path = pathlib.Path(directory) / 'config.json'
    try:
        config, data = Config(**run['config']), run['data']
        if missing := set(vars(config)) - set(run['config']):
            raise KeyError(*sorted(missing))
        for name in ('dataset', 'count', 'licence'):
            data[name]
        if not _is_of_images(data['shape'], data['class_names'], data['class_counts']):
            raise TypeError('shape, class_names and class_counts are not those of images')
    except (KeyError, TypeError, ConfigError) as error:
        why = f'{error} is missing' if isinstance(error, KeyError) else error
        raise RunError(f'{path} is not as training wrote it: {why}; take another run') from error
    return config


def _is_of_images(shape, names, counts):
    sizes = [*shape, *counts]
    whole = all(isinstance(size, int) and size >= 0 for size in sizes)
    return whole and len(shape) == 3 and all(shape) and len(names) == len(counts) and any(counts)


def check(directory, new: dict) -> None:
    """Raises RunError with every difference if another run lives in the directory."""
    old = read(directory)
    if old is None:
        if any(pathlib.Path(directory).glob('checkpoints/*.index')):
            raise RunError(
                f'{directory} has checkpoints but no config.json; take another --run_dir'
            )
        return
    lines = [
        f'  {line}'
        for part in PARTS
        if part in new
        for line in differences(old.get(part, {}), new[part])
    ]
    if old.get('format') != new['format']:
        lines.append(f'  format of the run: {quoted(old.get("format"))} there, {new["format"]} now')
    if lines:
        raise RunError(
            f'{directory} holds a run with other settings, which was left as it is:\n'
            + '\n'.join(lines)
            + f'\nGive the same settings to continue it, or start another, e.g. with '
            f'--run_dir={_free_name(directory)}'
        )


def _free_name(directory):
    directory = pathlib.Path(directory)
    if not directory.name:  # '.' has none to add a number to
        directory = directory.resolve()
    number = 2
    while (name := directory.with_name(f'{directory.name}-{number}')).exists():
        number += 1
    return name
