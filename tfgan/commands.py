"""What every command does alike: help, flags, refusals."""

import os
import pathlib
import sys

from absl import app, flags, logging

from tfgan.config import ConfigError
from tfgan.pictures import SourceError
from tfgan.runs import RunError


class ModelError(ValueError):
    """An exported model that is not there, or cannot do what was asked."""


REFUSALS = ConfigError, SourceError, RunError, ModelError


def run(main, help_text: str) -> None:
    """Parses the flags and calls `main`, or answers --help; a refusal is one message and exit 1."""
    if {'--help', '-h', '-help', '--helpshort', '--helpfull'} & set(sys.argv[1:]):
        print(help_text)
        return

    def checked(argv):
        if len(argv) > 1:
            raise SystemExit(f'error: {argv[1]!r} is not a flag; flags are written --name=value')
        logging.set_verbosity(logging.WARNING)  # TensorFlow tells of each file it writes
        try:
            main()
        except REFUSALS as error:
            raise SystemExit(f'error: {error}') from error

    app.run(checked)


def listed(names: list[str]) -> str:
    """Flags defined by the caller as aligned lines of help."""
    lines = []
    for name in names:
        flag = flags.FLAGS[name]
        default = 'none' if flag.default is None else flag.default
        lines.append(f'  --{name:15} {default!s:12} {flag.help}')
    return '\n'.join(lines)


BETTER = 0.9  # of a distance: less than that is no accident of the drawings that were looked at


def newest(directory: pathlib.Path) -> pathlib.Path:
    """A model's newest version, or the directory itself if it is a version."""
    if (directory / 'saved_model.pb').exists():
        return directory
    numbers = [int(path.parent.name) for path in directory.glob('[0-9]*/saved_model.pb')]
    if not numbers:
        raise ModelError(
            f'--model={directory}: no exported model there; python -m tfgan.train writes one'
        )
    return directory / str(max(numbers))


def _python() -> str:
    """How a person types this Python."""
    executable = pathlib.Path(sys.executable)
    try:
        return str(executable.relative_to(os.getcwd()))
    except ValueError:
        return 'python' if os.environ.get('VIRTUAL_ENV') else str(executable)


def scored(scores: dict[str, float]) -> list[str]:
    """A line for each score, with that of real images where it is known."""
    lines = []
    for name, value in scores.items():
        real = scores.get(f'{name}_of_real')
        beside = '' if real is None else f'  (real images: {real:.4g})'
        if not name.endswith('_of_real'):
            lines.append(f'  {name:22} {value:.4g}{beside}')
    return lines


def farewell(version: pathlib.Path, run_dir, scores: dict, best: float | None = None) -> None:
    """What came of it, and what a person wants next.

    `best` is the lowest Fréchet distance that the run had, if it may have ended with another.
    """
    python = _python()
    print('\n'.join(scored(scores)))
    if best is not None and best < BETTER * scores['frechet_distance']:
        print(f"""
It was better before: the state of Fréchet distance {best:.4g} is kept, and exported by
  {python} -m tfgan.export --run_dir={run_dir} --checkpoint=best --export_dir={version.parent}""")
    print(f"""
The model is {version}, its drawings {version}/sheet.png. Next:
  {python} -m tfgan.sample --model={version.parent} --num=64 --seed=7 --out=sheet.png
  {python} -m tfgan.evaluate --model={version.parent}
  scripts/tensorboard {run_dir}
  tensorflow_model_server --model_name={version.parent.name} \
--model_base_path={version.parent.resolve()} --rest_api_port=8501""")
