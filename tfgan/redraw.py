"""Redraw your own drawing with a model: as it would draw it, varied, mended, or led into another.

    python -m tfgan.redraw --model=saved_models/doodles --image=mine.png --out=redrawn.svg

finds the drawing of the model that is nearest to yours, puts it where yours is on its page, in your
paper and ink, and says how near it came. Your drawing is any picture: a scan, a photograph, ink of
any colour, transparent paper. Other flags make other things of it:

    --vary=16 --out=near.svg                sixteen drawings near yours; --distance=0.6 is further
    --to=other.png --walk=walk.gif          a walk from yours to another one; the ends are yours
    --mend --out=whole.png                  what is transparent, or --mask=mask.png, is drawn in
    --label=cat --out=cat.svg               the same latents as another kind
    --images=folder --out=theirs/           all of a folder, and a sheet of yours beside theirs

It needs the exported model and nothing else of the run. Without --out= it writes redrawn.png.
"""

import pathlib
import sys

import numpy as np
import tqdm
from absl import flags

from tfgan import cli, client, provenance, redrawing
from tfgan.errors import MOST_TOLD, ConfigError, ModelError, quoted, shown, typed
from tfgan.forms import pictures

OWN = [
    *('model', 'image', 'images', 'label', 'vary', 'distance', 'seed', 'mend', 'mask', 'to'),
    *('walk', 'steps', *cli.DRAWINGS, 'trust_model', 'provenance'),
]
FLAGS = flags.FLAGS
SHEET = 'sheet.png'  # of a folder: yours beside theirs
BLOCK, COLUMNS = 64, 10  # pictures at a time, and of the sheet
NOT_KNOWN = 'it is nothing that the model draws'


def main():
    _check()
    model = client.load(FLAGS.model, FLAGS.trust_model)
    if FLAGS.walk:
        _walk(model)
    elif FLAGS.mend:
        _mend(model)
    elif FLAGS.images:
        _redraw_all(model)
    else:
        _redraw(model)


def _check():
    """Refuses flags that do not go together, before anything is loaded."""
    given = [name for name in ('image', 'images') if FLAGS[name].value]
    if len(given) != 1:
        raise ModelError('which drawing? Give --image=mine.png, or --images=FOLDER for all of one')
    if bool(FLAGS.to) != bool(FLAGS.walk):
        raise ModelError('a walk takes both ends and a place: --to=other.png --walk=walk.gif')
    ways = {'vary': FLAGS.vary, 'mend': FLAGS.mend, 'to': FLAGS.to, 'images': FLAGS.images}
    if len(several := [f'--{name}' for name, value in ways.items() if value]) > 1:
        raise ConfigError(f'{" and ".join(several)}: one of them at a time')
    if FLAGS.mask and not FLAGS.mend:
        raise ConfigError('--mask is what --mend draws in; add --mend, or leave --mask out')
    if FLAGS.walk:
        cli.check_picture('walk', FLAGS.walk, pictures.ANIMATIONS)
        return
    FLAGS.out = FLAGS.out or ('redrawn/' if FLAGS.images else 'redrawn.png')
    if FLAGS.mend:
        cli.check_picture('out', FLAGS.out, pictures.SHEETS)
    if FLAGS.images and pictures.ending(FLAGS.out):
        raise ConfigError(f'--out={quoted(FLAGS.out)}: --images take a folder, as --out=theirs/')


def _redraw(model):
    """One drawing, or so many near it."""
    how = cli.check_drawings()
    found = model.redraw([FLAGS.image], label=FLAGS.label, steps=FLAGS.steps, seed=FLAGS.seed)
    _tell(model, [FLAGS.image], found)
    if FLAGS.vary:
        near = redrawing.varied(found.latents[0], FLAGS.vary, FLAGS.distance, FLAGS.seed)
        found = found._replace(latents=near, labels=np.repeat(found.labels, FLAGS.vary))
    own = found.own * len(found.latents)
    _write(model, own, found.latents, found.labels, FLAGS.seed + np.arange(len(own)), how)


def _write(model, own, latents, labels, names, how):
    """Writes drawings, each on its picture's page, as --out= says."""
    how = dict(how)
    drawings = model.drawings(latents, labels)
    told = model.recipe(model.given(latents, labels, own))
    ending = f'.{how.pop("file_format")}'
    ending = pictures.ending(FLAGS.out) or ending
    is_pixels = not isinstance(drawings[0], str)
    if ending in pictures.SHEETS and is_pixels and 'size' not in how:
        model.form.write_placed(FLAGS.out, own, drawings, names, told)
        return
    if is_pixels:
        drawings = model.form.outlines(np.stack(drawings))
    if ending in pictures.SHEETS:
        how = {'size': max(own[0].picture.shape[:2])} | how
    svgs = [model.form.as_svg(*pair) for pair in zip(own, drawings, strict=True)]
    model.form.write_svgs(FLAGS.out, ending, svgs, names, told, **how)


def _walk(model):
    found = model.redraw([FLAGS.image, FLAGS.to], label=FLAGS.label, steps=FLAGS.steps)
    _tell(model, [FLAGS.image, FLAGS.to], found)
    frames = model.walk_between(found, FLAGS.frames)
    told = _with_own(model, found, 'walk of my own', frames=FLAGS.frames)
    pictures.write_animation(FLAGS.walk, frames, recipe=told)
    print(f'a walk of {len(frames)} frames: {shown(FLAGS.walk)}')


def _mend(model):
    [own] = model.framed([FLAGS.image], [FLAGS.mask])
    if not own.hidden.any():
        raise ModelError(
            f'{quoted(FLAGS.image)} has no hole: make what is to be drawn transparent, or paint it'
            ' on an empty sheet of the same size and give that as --mask=mask.png'
        )
    found = model.redraw_framed([own], FLAGS.label, FLAGS.steps, FLAGS.seed)
    _tell(model, [FLAGS.image], found)
    [drawing] = model.drawings(found.latents, found.labels)
    told = _with_own(model, found, 'mended')
    pictures.write_picture(FLAGS.out, model.form.mended(own, drawing), told)
    print(f'mended: {shown(FLAGS.out)}')


def _redraw_all(model):
    """All of a folder, without those that it cannot, and a sheet of yours beside theirs."""
    how = cli.check_drawings()
    own, names = [], []
    files = cli.picture_files('images', FLAGS.images)
    for file in tqdm.tqdm(files, 'reading', unit='picture', delay=1, disable=None):
        try:
            own += model.framed([file])
            names.append(file.stem)
        except ModelError as error:
            print(f'left out: {quoted(error, most=MOST_TOLD)}', file=sys.stderr)
    if not own:
        raise ModelError(f'--images={quoted(FLAGS.images)}: none of its pictures can be redrawn')
    parts = [
        model.redraw_framed(own[i : i + BLOCK], FLAGS.label, FLAGS.steps, FLAGS.seed)
        for i in tqdm.trange(0, len(own), BLOCK, desc='redrawing', delay=1, disable=None)
    ]
    found = redrawing.joined(parts)
    known = np.ones(len(own), bool)
    if FLAGS.label is None:
        known = found.likeness >= redrawing.LEAST_LIKENESS
    names_of = model.class_names()
    for name, label, likeness, is_known in zip(names, found.labels, found.likeness, known):
        said = '' if is_known else f'; left out: {NOT_KNOWN}'
        print(f'{shown(name)}: {quoted(names_of[label])}, ink IoU {likeness:.2f}{said}')
    kept = np.flatnonzero(known)
    if not len(kept):
        raise ModelError(f'--images={quoted(FLAGS.images)}: {NOT_KNOWN}')
    own = [own[i] for i in kept]
    _write(model, own, found.latents[kept], found.labels[kept], [names[i] for i in kept], how)
    pairs = np.stack([np.stack([each.image for each in own]), found.images[kept]], axis=1)
    sheet = model.form.sheet(pairs.reshape(-1, *pairs.shape[2:]), COLUMNS)
    kept = redrawing.Redrawn(own, *(each[kept] for each in found[1:]))
    told = _with_own(model, kept, 'pairs')
    pictures.write_png(pathlib.Path(FLAGS.out) / SHEET, sheet, told)


def _with_own(model, found, made_as, **more):
    """The recipe of a file in which a person's drawings are beside the model's."""
    source = {'source': provenance.COMPOSITE, 'as': made_as}
    return model.recipe(model.given(found.latents, found.labels, found.own), **source, **more)


def _tell(model, files, found):
    """What each picture is, and how near it came; refuses those of nothing that the model draws.

    With --label= a person has said what it is to be, so nothing is refused.
    """
    names = model.class_names()
    for file, label, likeness in zip(files, found.labels, found.likeness, strict=True):
        if likeness < redrawing.LEAST_LIKENESS and FLAGS.label is None:
            raise ModelError(
                f'{quoted(file)}: {NOT_KNOWN}; nearest is {quoted(names[label])}, ink IoU'
                f' {likeness:.2f}. Type --label={typed(names[label])} to have that drawn, and see'
                ' --help for a new word'
            )
        print(f'{shown(file)}: {quoted(names[label])}, ink IoU {likeness:.2f}')


if __name__ == '__main__':
    cli.define_place(
        'model', None, "an exported model's directory, or one version's", required=True
    )
    cli.define_trust()
    cli.define_place('image', None, 'your drawing: a picture of any size')
    cli.define_place('images', None, 'a folder of drawings of yours')
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as it looks')
    flags.DEFINE_integer('vary', None, 'so many drawings near it', lower_bound=1, upper_bound=10**4)
    flags.DEFINE_float(
        'distance',
        redrawing.DISTANCE,
        'of --vary: 0 is the drawing, 1 any other',
        lower_bound=0,
        upper_bound=1,
    )
    flags.DEFINE_integer('seed', 0, 'of --vary: the first one', lower_bound=0, upper_bound=2**62)
    flags.DEFINE_bool('mend', False, 'draws in what is hidden; all else stays')
    cli.define_place('mask', None, 'a picture of the same size, painted where --mend draws')
    cli.define_place('to', None, 'another drawing, which --walk leads to')
    cli.define_place('walk', None, 'a .gif, .webp or .apng from --image to --to')
    flags.DEFINE_integer(
        'steps',
        redrawing.STEPS,
        'that come nearer to your drawing; 0: a guess',
        lower_bound=0,
        upper_bound=1000,
    )
    cli.define_drawings()
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}', refused=2)
