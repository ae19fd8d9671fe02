"""What every command does alike: help, flags, refusals."""

import os
import pathlib
import sys

from absl import app, flags, logging

from tfgan.client import ModelError
from tfgan.config import ConfigError
from tfgan.pictures import SourceError
from tfgan.runs import RunError

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


def define_truncation() -> None:
    """The flag of the commands that draw."""
    flags.DEFINE_float(
        'truncation',
        None,
        'less than 1: more typical drawings, of less variety',
        lower_bound=0,
        upper_bound=1,
    )


BETTER = 0.9  # of a distance: less than that is no accident of the drawings that were looked at


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
  {python} -m tfgan.serve --models={version.parent}""")
