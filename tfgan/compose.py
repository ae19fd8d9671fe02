"""Compose with a model of music: harmonise a melody of yours, go on with a piece, fill its voices.

    python -m tfgan.compose --model=saved_models/chorales --melody=mine.mid --out=harmonised.mid

writes your melody with the model's other voices below it. The melody stays as it is, note by note;
its key and metre are found, and what is written is in them and in its tempo. Other flags:

    --begin=mine.mid --bars=8               goes on with yours for so many bars
    --piece=mine.mid --open=alto,tenor      writes these voices anew, the others stay
    --piece=mine.mid --open=3-4             writes these bars anew; alto,3-4 alto in them
    --num=4 --seed=7 --out=ways/            other ways, one for each seed, each in a file
    --notation --out=score.svg              the score; .musicxml for a program, .wav to hear

Yours is a MIDI file (.mid) or ABC (.abc) of any length. It needs the exported model and nothing
else of the run. Without --out= it writes composed.mid.
"""

import numpy as np
from absl import flags

from tfgan import cli, client, provenance
from tfgan.errors import ConfigError, ModelError, quoted, shown

OWN = [
    *('model', 'melody', 'begin', 'bars', 'piece', 'open', 'label', 'num', 'seed'),
    *('out', 'format', 'bpm', 'notation', 'trust_model', 'provenance'),
]
FLAGS = flags.FLAGS
WAYS = 'melody', 'begin', 'piece'
BARS = 8  # that a piece goes on for
DONE = {'melody': 'harmonised', 'begin': 'went on with', 'piece': 'filled'}


def main():
    what = _check()
    form = client.form_of(FLAGS.model)
    how = cli.check_pieces()
    how.pop('bars', None)  # Here they are not the length of all.
    if not form.arranges:
        raise ModelError(f'--model={quoted(FLAGS.model)} writes no music: {form.instead}')
    model = client.load(FLAGS.model, FLAGS.trust_model)
    path = FLAGS[what].value
    given = model.read(what, path, FLAGS.bars or BARS, FLAGS.open or '')
    print(f'{shown(path)}: {given.told}')
    seeds = FLAGS.seed + np.arange(FLAGS.num)
    pieces = model.compose(given, seeds, FLAGS.label)
    label = given.label if given.label in model.class_names() else None
    told = model.recipe(
        model.seeded(seeds, FLAGS.label or label),
        **{'source': provenance.COMPOSITE, 'as': 'composed'},
    )
    model.form.write(FLAGS.out, pieces, seeds, told, **given.how | how)
    print(f'{DONE[what]} {shown(path)}: {np.sum(given.known):,} sixteenths of it are as they were')


def _check():
    """Which of the ways it is; refuses flags that do not go together, before anything is loaded."""
    given = [name for name in WAYS if FLAGS[name].value]
    if len(given) != 1:
        told = f'{" and ".join(f"--{name}" for name in given)}: one of them at a time. ' * bool(
            given
        )
        raise ModelError(
            f'{told}What is given? --melody=mine.mid is harmonised, --begin=mine.mid gone on with,'
            ' --piece=mine.mid --open=alto,tenor filled'
        )
    [what] = given
    if FLAGS.bars and what != 'begin':
        raise ConfigError(
            f'--bars is how long --begin goes on; --{what} has its length: leave it out'
        )
    if bool(FLAGS.open) != (what == 'piece'):
        raise ConfigError(
            '--piece takes what is written anew, as --open=alto,tenor or --open=3-4'
            if what == 'piece'
            else f'--open is for --piece; leave it out with --{what}'
        )
    FLAGS.out = FLAGS.out or 'composed.mid'
    return what


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    cli.define_place('melody', None, 'one voice of yours, which is harmonised')
    cli.define_place('begin', None, 'the beginning of a piece, which is gone on with')
    flags.DEFINE_integer(
        'bars',
        None,
        f'that --begin goes on for; none: {BARS}',
        lower_bound=1,
        upper_bound=cli.MOST_BARS,
    )
    cli.define_place('piece', None, 'a whole piece, of which something is written anew')
    flags.DEFINE_string('open', None, 'what of --piece is: voices, bars or both, as alto,3-4')
    flags.DEFINE_string('label', None, 'a class, by name or number; default: the mode of yours')
    cli.define_seeds(1)
    cli.define_place('out', None, f'a file, {" ".join(cli.PIECE_ENDINGS)}; else a folder')
    formats = [each[1:] for each in cli.PIECE_ENDINGS]
    flags.DEFINE_enum('format', None, formats, 'of a folder; none: mid')
    cli.define_playing()
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
