"""A run directory: what it trains on what, and its lock; imports no TensorFlow."""

import json
import math
import pathlib

from tfgan import storage
from tfgan.config import LATER, Config, differences, make
from tfgan.data.source import LEARNED, short_name
from tfgan.errors import ConfigError, RunError, quoted, shown, typed
from tfgan.forms.base import DRAWING, form_named
from tfgan.saved_model.card import is_of_examples

FORMAT = 4  # raised when an older run can no longer be continued
PARTS = 'config', 'data'
BUDGET = 'steps', 'minutes'
NAMES = 'preset', 'dataset'  # settings of which nothing is learned: others say what they meant
MISSING = object()
FINGERPRINT = 'fingerprint_of_images'
FOLDERS = 'checkpoints', 'best', 'samples', 'tensorboard'


class RunDir:
    """A run's files, open for one process. Use it as a context manager.

    directory/config.json  what it trains on what
              checkpoints/ the last three, one a minute
              best/        the one with the best score
              samples/     sheets as PNG
              tensorboard/ event files
    """

    def __init__(self, directory, config: Config, data: dict, form: str = DRAWING):
        self.directory = pathlib.Path(directory)
        self.config = config
        self.identity = identity(config, data, form)
        self._check()

    def _check(self):
        check(self.directory, self.identity)
        return budget_note(self.directory, self.config)

    def __enter__(self):
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.directory / 'lock', 'w')
        except OSError as error:
            said = f'{quoted(error)}; take another'
            raise RunError(f'--run_dir={quoted(self.directory)}: {said}') from error
        try:
            self._claim()
        except BaseException:
            self._lock.close()
            raise
        return self

    def _claim(self):
        try:
            if not storage.lock(self._lock, self.directory):
                raise RunError(f'{shown(str(self.directory))} is in use by another process')
        except OSError as error:
            print(f'{shown(str(self.directory))} cannot be locked ({error.strerror}): see to it '
                  'that no other process trains there. Two would take the place of each '
                  "other's checkpoints, and remove what the other is writing",
                  flush=True)  # fmt: skip
        if note := self._check():  # again: it may have been another's since
            print(note, flush=True)
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


def identity(config: Config, data: dict | None = None, form: str = DRAWING) -> dict:
    """What a run is, as it stands in config.json.

    Without the data, which takes a while to open, it is what can be known at once.
    """
    known = {'format': FORMAT, 'config': dict(vars(config))}
    return known if data is None else known | {'form': form, 'data': data}


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
        form = form_named(run.get('form', DRAWING))
        if not is_of_examples(form, data['shape'], data['class_names'], data['class_counts']):
            raise TypeError('shape, class_names and class_counts are not those of examples')
    except (KeyError, TypeError, ConfigError) as error:
        why = f'{error} is missing' if isinstance(error, KeyError) else error
        said = 'is not as training wrote it'
        raise RunError(f'{quoted(path)} {said}: {quoted(why)}; take another run') from error
    return config


def check(directory, new: dict) -> None:
    """Raises RunError with every difference if a run that learns otherwise is in the directory."""
    old = read(directory)
    if old is None:
        if any(pathlib.Path(directory).glob('checkpoints/*.index')):
            raise RunError(
                f'{shown(str(directory))} has checkpoints but no config.json; take another '
                f'--run_dir, e.g. --run_dir={typed(_free_name(directory))}'
            )
        return
    lines = _config_differences(old, new) + _data_differences(old, new)
    if old.get('format') != new['format']:
        lines.append(f'format of the run: {quoted(old.get("format"))} there, {new["format"]} now')
    if lines:
        raise RunError(
            f'{shown(str(directory))} holds a run with other settings, which was left as it is:\n'
            + ''.join(f'  {line}\n' for line in lines)
            + _way_on(directory, old)
        )


def _config_differences(old, new):
    """All of them, if any matters."""
    there, now = old.get('config', {}), new.get('config', old.get('config', {}))
    settings = {*there, *now} - {*BUDGET, *NAMES}
    differ = any(there.get(name, MISSING) != now.get(name, MISSING) for name in settings)
    return differences(there, now) if differ else []


def _data_differences(old, new):
    there = old.get('data', {})
    now = new.get('data', there)
    names = [*LEARNED, FINGERPRINT] if FINGERPRINT in there else LEARNED  # older runs have none
    return differences(*({k: v for k, v in data.items() if k in names} for data in (there, now)))


def _way_on(directory, old):
    other = f'start another, e.g. with --run_dir={typed(_free_name(directory))}'
    if old.get('format') != FORMAT:
        return f'This program cannot continue it: {other}'
    try:
        return f'It goes on, with the data that it had, by\n{_command(directory, old)}\nor {other}'
    except (ConfigError, TypeError, KeyError):  # somebody changed it
        return f'Give the same settings to continue it, or {other}'


def _command(directory, run):
    """What is typed to go on with a run: the settings in which it differs from its preset."""
    config = Config(**run['config'])
    usual = vars(make(config.preset)) | {'preset': 'default'}
    given = {
        name: value for name, value in vars(config).items() if value not in (None, usual[name])
    }
    words = {'run_dir': directory} | given
    return ' '.join(
        ['python -m tfgan.train', *(f'--{name}={typed(value)}' for name, value in words.items())]
    )


def budget_note(directory, config: Config) -> str | None:
    """In a sentence what another budget than before means for a run; None without one.

    Raises RunError if the run has come further than the budget goes.
    """
    run = read(directory)
    if run is None or {**vars(config), **_budget(run['config'])} == vars(config):
        return None
    from tfgan.training import checkpoints  # imports TensorFlow, which a refusal need not await

    step, secs = checkpoints.reached(directory)
    if not step:
        return None
    name, done = ('steps', step) if config.steps else ('minutes', secs / 60)
    total = getattr(config, name)
    told = f'{done:,}' if config.steps else f'{done:,.1f}'
    if done > total:
        least = math.ceil(done)
        enough = run | {'config': run['config'] | dict.fromkeys(BUDGET) | {name: least}}
        raise RunError(
            f'--{name}={total}: the run in {shown(str(directory))} has had {told} {name}, and was '
            f'left as it is. Give as many or more:\n{_command(directory, enough)}'
        )
    before = ' '.join(f'--{key}={value}' for key, value in _budget(run['config']).items() if value)
    return (
        f'{shown(str(directory))} was to train for {before}. At step {step:,} it has had '
        f'{told} of now {total:,} {name}, and goes on from {done / total:.0%} of its way: '
        'the learning rate and the penalty are those of that share'
    )


def _budget(settings):
    return {name: settings.get(name) for name in BUDGET}


def _free_name(directory):
    directory = pathlib.Path(directory)
    if not directory.name:  # '.' has none to add a number to
        directory = directory.resolve()
    number = 2
    while (name := directory.with_name(f'{directory.name}-{number}')).exists():
        number += 1
    return name
