"""What every command does alike: help, flags, refusals."""

import contextlib
import functools
import io
import os
import pathlib
import re
import sys

from absl import app, flags, logging

from tfgan import provenance, startup
from tfgan.config import is_finite, is_text
from tfgan.errors import (
    MOST_QUOTED,
    ConfigError,
    ModelError,
    RunError,
    SourceError,
    StorageError,
    cut,
    printable,
    quoted,
    shown,
    typed,
)
from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, MOST_BARS, form_named

REFUSALS = ConfigError, SourceError, RunError, ModelError, StorageError
MOST_REFUSED = 10_000  # characters of a refusal, of which the longest are commands to type


def run(main, help_text: str, refused: int = 1, words: int = 0) -> None:
    """Parses the flags and calls `main`, or answers --help; a refusal is one message.

    The exit code is then `refused`. Ctrl-C ends it with the line `startup.STOPPED`. `main` is
    called with so many `words` that are no flags, or fewer.
    """
    startup.tolerate_closed_output()
    with startup.command():
        _run(main, help_text, refused, words)


def _run(main, help_text, refused, words):
    if {'--help', '-h', '-help', '--helpshort', '--helpfull'} & set(sys.argv[1:]):
        print(help_text)
        return

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')  # a terminal may lack a name's letters

    def checked(argv):
        logging.set_verbosity(logging.WARNING)  # TensorFlow tells of each file it writes
        is_off = flags.FLAGS.flag_values_dict().get('provenance') == 'off'
        try:
            with provenance.switched_off() if is_off else contextlib.nullcontext():
                main(*argv[1:])
        except REFUSALS as error:
            _refuse(f'error: {error}', refused, error)

    app.run(checked, flags_parser=functools.partial(parse, refused=refused, most=words))


def _refuse(message, code, error):
    text = printable(cut(message, MOST_REFUSED))
    if code == 1:
        raise SystemExit(text) from error
    print(text, file=sys.stderr)
    raise SystemExit(code) from error


def parse(argv: list[str], refused: int = 1, most: int = 0) -> list[str]:
    """Reads the flags; one that is wrong is refused by one message and that exit code.

    Returns the command's name and its words that are no flags, of which there are so many at most.
    """
    try:
        for word in argv:
            if not is_text(word):
                raise ConfigError(f'{quoted(word, ascii)}: expected a text in UTF-8')
        words = flags.FLAGS(argv)
        if len(words) > most + 1:
            raise ConfigError(f'{quoted(words[most + 1], repr)} is not a flag; {HOW}')
        for name, value in flags.FLAGS.flag_values_dict().items():
            if isinstance(value, float) and not is_finite(value):
                raise ConfigError(f'--{name}={value}: expected a finite number')
        return words
    except (ConfigError, flags.Error) as error:
        _refuse(f'error: {_in_short(error)}', refused, error)


HOW = 'flags are written --name=value'
ENDINGS = *pictures.SHEETS, *pictures.VECTORS
READ = '.png', '.jpg', '.jpeg', '.webp', '.gif', '.bmp', '.tif', '.tiff', '.avif'
DRAWINGS = ['out', 'format', 'size', 'paper', 'plotter', 'frames']
PIECES = ['bars', 'key', 'bpm', 'notation']
PIECE_ENDINGS = '.mid', '.musicxml', '.wav', '.png', '.svg'


def _in_short(error):
    """A refusal as a person reads it, absl's too."""
    text, why = str(error), str(error.__context__)
    wrong = re.match(r'flag --(\w+)=', text)
    if not wrong or not text.endswith(why):
        return f'{text} ({HOW})' if isinstance(error, flags.Error) else text
    value = text[wrong.end() :].removesuffix(f': {why}')
    flag = flags.FLAGS[wrong[1]]
    expected = 'true or false' if flag.boolean else flag.parser.syntactic_help
    return f'--{flag.name}={quoted(value)}: ' + (f'expected {expected}' if expected else why)


def define_drawings(folders: bool = True) -> None:
    """The flags of the commands that write drawings: where, and as what."""
    folder = '; else a folder with a file for each' if folders else ''
    define_place('out', None, f'a file, {" ".join(ENDINGS)}{folder}')
    if folders:
        formats = ['png', *(each[1:] for each in pictures.VECTORS)]
        formats += [each[1:] for each in PIECE_ENDINGS[:3]]
        flags.DEFINE_enum('format', None, formats, 'of a folder; none: png, or mid of music')
    flags.DEFINE_integer(
        'size',
        None,
        "pixels of a drawing's longer side, drawn from its strokes",
        lower_bound=8,
        upper_bound=8192,
    )
    flags.DEFINE_enum('paper', None, [*pictures.PAPERS_MM], 'of .pdf and --plotter; none: a4')
    flags.DEFINE_bool('plotter', False, '.svg of centre lines in millimetres, for a pen plotter')
    flags.DEFINE_integer('frames', 90, 'of a .gif or walk', lower_bound=1, upper_bound=10_000)


def define_pieces() -> None:
    """The flags of the commands that write music: how long, and how it is played and written."""
    flags.DEFINE_integer(
        'bars', None, 'of music: how long, in 4/4', lower_bound=1, upper_bound=MOST_BARS
    )
    flags.DEFINE_string('key', None, 'of music: what it is written in, as G or "e minor"')
    define_playing()


def define_playing() -> None:
    """Those of them that a command has which is given a piece."""
    flags.DEFINE_float(
        'bpm',
        None,
        'of music: quarters a minute; none: 80, or as yours',
        lower_bound=4,
        upper_bound=1000,
    )
    flags.DEFINE_bool('notation', False, 'of music: .svg is a score, not a piano roll')


def check_files(form) -> dict:
    """What flags say of the files of a form's examples, as `Model.write` takes it.

    Refuses a place for them as `check_drawings` does, and flags that are another form's.
    """
    others = PIECES if form.redraws else ['size', 'paper', 'plotter', 'frames']
    for name in others:
        if flags.FLAGS[name].present:
            raise ConfigError(f'--{name}: the model has none, for {form.instead}; leave it out')
    return check_drawings() if form.redraws else check_pieces()


def check_pieces() -> dict:
    """The same of music: a place, and how it is played and written."""
    path, values = flags.FLAGS.out, flags.FLAGS.flag_values_dict()
    ending = pictures.ending(path)
    if not ending or (os.path.isdir(path) and ending not in PIECE_ENDINGS):
        check_folder('out', path)
        ending = f'.{values["format"] or "mid"}'
        if ending not in PIECE_ENDINGS:
            formats = ', '.join(each[1:] for each in PIECE_ENDINGS)
            raise ConfigError(f'--format={values["format"]}: music is written as {formats}')
    else:
        folder = f', or --out={_to_type(path + "/", "pieces/")} for a folder of single pieces'
        check_picture('out', path, PIECE_ENDINGS, folder)
    if values['notation'] and ending != '.svg':
        raise ConfigError(f'--notation is for .svg; {ending} has none: leave it out')
    how = {name: values.get(name) for name in PIECES} | {'file_format': ending[1:]}
    return {name: value for name, value in how.items() if value}


def check_drawings(folders: bool = True) -> dict:
    """Refuses a place for drawings, named like a file or else a folder, as `check_folder`.

    Gives what the other flags say of the files, as `Model.write` takes it; raises ConfigError for
    one that says nothing of such files.
    """
    path, values = flags.FLAGS.out, flags.FLAGS
    ending = pictures.ending(path)
    if folders and (not ending or (os.path.isdir(path) and ending not in ENDINGS)):
        check_folder('out', path)
        ending = f'.{values.format or "png"}'
        if ending in PIECE_ENDINGS[:3]:
            raise ConfigError(f'--format={values.format} is for music; leave it out')
    else:
        folder = f', or --out={_to_type(path + "/", "drawings/")} for a folder of single pictures'
        check_picture('out', path, ENDINGS, folder if folders else '')
    told = {
        '--size': (values.size, (*pictures.SHEETS, '.gif')),
        '--paper': (values.paper, ('.pdf', '.svg') if values.plotter else ('.pdf',)),
        '--plotter': (values.plotter, ('.svg',)),
    }
    for flag, (value, endings) in told.items():
        if value and ending not in endings:
            raise ConfigError(f'{flag} is for {" ".join(endings)}; {ending} has none: leave it out')
    how = {'size': values.size, 'paper': values.paper, 'for_plotter': values.plotter or None}
    how |= {'frames': values.frames, 'file_format': (values.format or 'png') if folders else None}
    return {name: value for name, value in how.items() if value is not None}


def check_picture(flag: str, path: str, endings, otherwise: str = '') -> None:
    """Refuses a file of none of these endings, or where none can be written."""
    if pictures.ending(path) not in endings:
        ending = next(iter(endings))
        better = os.path.splitext(path.rstrip('/'))[0] + ending
        raise ConfigError(
            f'--{flag}={quoted(path)}: it can be written as {", ".join(endings)}; '
            f'type --{flag}={_to_type(better, f"drawings{ending}")}{otherwise}'
        )
    if os.path.isdir(path):
        raise _no_place(flag, path, 'a folder is there')
    check_folder(flag, pathlib.Path(path).parent)


def _to_type(path: str, otherwise: str) -> str:
    """A path as it is typed, or another one for a path that is too long to be."""
    return typed(path if len(path) <= MOST_QUOTED else otherwise)


def check_folder(flag: str, folder) -> None:
    """Refuses a folder that cannot be made or written to, while there is nothing to lose."""
    folder = pathlib.Path(folder)
    for place in (folder, *folder.parents):
        try:
            place.stat()
            break
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _no_place(flag, folder, error.strerror) from error
    if not place.is_dir():
        raise _no_place(flag, folder, f'{quoted(place)} is a file')
    if not os.access(place, os.W_OK | os.X_OK):
        raise _no_place(flag, folder, f'{quoted(place)} is not for you to write to')


def _no_place(flag, folder, why):
    return ConfigError(
        f'--{flag}={quoted(folder)}: {why}; give a place that can be made and written to'
    )


def picture_files(flag: str, folder: str) -> list[pathlib.Path]:
    """The files of a folder that are named like pictures, sorted; raises ModelError for none."""
    found = sorted(pathlib.Path(folder).iterdir()) if os.path.isdir(folder) else []
    found = [file for file in found if pictures.ending(file) in READ and file.is_file()]
    if not found:
        raise ModelError(
            f'--{flag}={quoted(folder)}: expected a folder with pictures: {" ".join(READ)}'
        )
    return found


class _PlaceParser(flags.ArgumentParser):
    """Takes any path of this machine, and no address such as gs://bucket/run."""

    syntactic_help = (
        'a path on this machine, as runs/NAME; what is elsewhere is mounted first, as by gcsfuse '
        'or rclone, and given by the path where it then is'
    )

    def parse(self, argument):
        if re.match(r'[A-Za-z][A-Za-z0-9+.-]*://', argument):
            raise ValueError(self.syntactic_help)
        return argument


def define_place(name: str, default: str | None, text: str, **keywords) -> None:
    """A flag that is a file or folder."""
    flags.DEFINE(_PlaceParser(), name, default, text, **keywords)


def listed(names: list[str]) -> str:
    """Flags defined by the caller as aligned lines of help."""
    lines = []
    for name in names:
        flag = flags.FLAGS[name]
        default = 'none' if flag.default is None else flag.default
        lines.append(f'  --{name:15} {default!s:12} {flag.help}')
    return '\n'.join(lines)


def define_seeds(num: int = 64) -> None:
    """The flags of the commands that draw, for which seeds."""
    most = 2**62  # what comes after it is a seed too
    flags.DEFINE_integer('num', num, 'how many', lower_bound=1, upper_bound=10**6)
    flags.DEFINE_integer('seed', 0, 'the first seed', lower_bound=-most, upper_bound=most)


def define_truncation() -> None:
    """The flag of the commands that draw."""
    flags.DEFINE_float(
        'truncation',
        None,
        'less than 1: more typical drawings, of less variety',
        lower_bound=0,
        upper_bound=1,
    )


def define_trust() -> None:
    """The flag of the commands that load a model, which is a program of whoever made it."""
    flags.DEFINE_bool('trust_model', False, 'run a model that can do more than compute')


def define_provenance() -> None:
    """The flag of the commands that write pictures, which say what made them."""
    flags.DEFINE_enum('provenance', 'on', ['on', 'off'], 'off: files do not say what made them')


BETTER = 0.9  # of a distance: less than that is no accident of the drawings that were looked at


def _python() -> str:
    """How a person types this Python."""
    executable = pathlib.Path(sys.executable)
    try:
        return typed(executable.relative_to(os.getcwd()))
    except ValueError:
        return 'python' if os.environ.get('VIRTUAL_ENV') else typed(executable)


def scored(scores: dict[str, float], real_ones: str) -> list[str]:
    """A line for each score, with that of real examples where it is known."""
    lines = []
    for name, value in scores.items():
        real = scores.get(f'{name}_of_real')
        beside = '' if real is None else f'  (real {real_ones}: {real:.4g})'
        if not name.endswith('_of_real'):
            lines.append(f'  {name:22} {value:.4g}{beside}')
    return lines


def farewell(
    version: pathlib.Path,
    run_dir,
    scores: dict,
    best: float | None = None,
    reads: bool = False,
    form: str = DRAWING,
) -> None:
    """What came of it, and what a person wants next.

    `best` is the lowest Fréchet distance that the run had, if it may have ended with another. A
    model that `reads` has an encoder.
    """
    python, run, model = _python(), typed(run_dir), typed(version.parent)
    logs = f'./{run}' if str(run_dir).startswith('-') else run  # a word, not a flag
    form = form_named(form)
    made, real = (f'{noun}s' for noun in form.nouns)
    commands = [each.format(model=model) for each in form.commands(reads)]
    commands = '\n  '.join(f'{python} -m tfgan.{command}' for command in commands)
    print('\n'.join(scored(scores, real)))
    if best is not None and best < BETTER * scores['frechet_distance']:
        print(f"""
It was better before: the state of Fréchet distance {best:.4g} is kept, and exported by
  {python} -m tfgan.export --run_dir={run} --checkpoint=best --export_dir={model}""")
    print(f"""
The model is {shown(str(version))}, its {made} {shown(f'{version}/sheet.png')}. Next:
  {commands}
  {python} -m tfgan.evaluate --model={model}
  scripts/tensorboard {logs}
  {python} -m tfgan.serve --models={model}""")
