"""Tell what made a picture, and draw it again.

    python -m tfgan.whence cat.png --out=again.png

tells the model, seeds or latents and settings that a file of tfgan has in it: PNG, SVG, GIF, PDF,
JPEG, WebP, of a command, a server or the studio's page. The model is looked for in saved_models by
its hash; it draws the file again, and whether that is the same is told, pixel by pixel. The exit
code is 0 if it is, 1 if it is not, and 2 if that cannot be told.
"""

import pathlib

from absl import flags

from tfgan import cli, client, provenance, storage
from tfgan.errors import ModelError, quoted, shown
from tfgan.saved_model import card, layout

OWN = ['model', 'models', 'out', 'trust_model', 'provenance']
FLAGS = flags.FLAGS
SOURCES = {
    provenance.TRAINED: 'all of it is made by a model',
    provenance.COMPOSITE: 'what a person drew or wrote is in it, beside what a model made',
}
MOST_TOLD = 12  # drawings, each in a line
MOST_NUMBERS = 4  # of latents


def main(*files):
    if not files:
        raise ModelError('which file? Give one, as python -m tfgan.whence cat.png')
    [file] = files
    data = _read(file)
    recipe = provenance.read(data)
    if recipe is None:
        raise ModelError(f'{quoted(file)} does not say what made it: it has no recipe of tfgan')
    ending = _ending(data, recipe)
    if FLAGS.out:
        cli.check_picture('out', FLAGS.out, [ending])
    print('\n'.join(told(file, recipe)))
    _draw_again(file, data, ending, recipe)


def _read(file):
    try:
        with open(file, 'rb') as opened:
            data = opened.read(provenance.MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(f'{quoted(file)}: {error.strerror}') from error
    if len(data) > provenance.MOST_BYTES:
        raise ModelError(f'{quoted(file)} has more than {provenance.MOST_BYTES:,} bytes')
    return data


def _ending(data, recipe):
    ending = provenance.kind_of(data)
    return '.apng' if ending == '.png' and recipe.get('as') == 'walk' else ending


def told(file: str, recipe: dict) -> list[str]:
    """What a recipe says, in lines."""
    drawings = recipe['drawings']
    lines = [
        f'{shown(file)}: made by {quoted(recipe["software"])}',
        f'  {"model":10} {quoted(recipe.get("model") or recipe.get("run") or "not told")}',
        f'  {"SHA-256":10} {quoted(recipe.get("sha256") or "not told")}',
        f'  {"licence":10} {quoted(recipe.get("licence") or "not told")}, of the data learned from',
        f'  {"source":10} {_source(recipe.get("source"))}',
    ]
    known = {'software', 'model', 'run', 'sha256', 'licence', 'source', 'drawings'}
    settings = [f'{name} {_short(value)}' for name, value in recipe.items() if name not in known]
    lines += [f'  {"made":10} {", ".join(settings)}'] if settings else []
    lines += [f'  {"drawing":10} {_drawing(each)}' for each in drawings[:MOST_TOLD]]
    if more := len(drawings) - MOST_TOLD:
        lines += [f'  and {more:,} more drawings'] if more > 0 else []
    return lines


def _source(source):
    return f'{SOURCES.get(source, "not told")} ({quoted(source)})' if source else 'not told'


def _drawing(drawing):
    return ', '.join(f'{name} {_short(value)}' for name, value in drawing.items())


def _short(value):
    if isinstance(value, list) and len(value) > MOST_NUMBERS:
        first = ' '.join(quoted(each) for each in value[:MOST_NUMBERS])
        return f'{first} ... ({len(value)} numbers)'
    return quoted(value)


def _draw_again(file, data, ending, recipe):
    model = _model(recipe)
    found = model.again(recipe, ending)
    if found is None:
        print('It cannot be drawn again: more than drawings of the model is in it.')
        raise SystemExit(2)
    try:
        apart = model.form.differ(ending, recipe, data, found)
    except (OSError, ValueError) as error:
        raise ModelError(f'{quoted(file)}: it cannot be looked at: {quoted(error)}') from error
    if FLAGS.out:
        storage.write_bytes(FLAGS.out, provenance.stamped(found, ending, recipe))
        print(f'drawn again: {shown(FLAGS.out)}')
    if not apart:
        print('Drawn again it is the same.')
    elif recipe.get('by') == 'studio':
        print(f'Drawn again by its recipe; a page draws with other programs: {apart}.')
    else:
        print(f'Drawn again it is not the same: {apart}.')
        raise SystemExit(1)


def _model(recipe):
    """The model that a recipe names, by its hash; raises ModelError where it is not there."""
    wanted = recipe.get('sha256')
    if not wanted:
        raise ModelError('it does not say the hash of its model, so it cannot be drawn again')
    if FLAGS.model:
        model = client.load(FLAGS.model, FLAGS.trust_model)
        if model.sha256 != wanted:
            raise ModelError(
                f'--model={quoted(FLAGS.model)}: it has the SHA-256 {model.sha256}; the file was'
                f' drawn by {quoted(wanted)}'
            )
        return model
    for version in _versions(pathlib.Path(FLAGS.models)):
        try:
            if card.read(version).sha256 == wanted:
                return client.load(version, FLAGS.trust_model)
        except ModelError:
            continue  # It is another model, or none.
    raise ModelError(
        f'the model {quoted(recipe.get("model"))} of SHA-256 {quoted(wanted)} is not in'
        f' {quoted(FLAGS.models)}; give --model=DIRECTORY, or --models=DIRECTORY_OF_SEVERAL'
    )


def _versions(models):
    """All versions of all models below a directory, the newest of each first."""
    for directory in sorted(path for path in models.glob('*') if path.is_dir()):
        yield from reversed(layout.versions(directory).values())


if __name__ == '__main__':
    cli.define_place('model', None, "the model's directory, if it is none of --models")
    cli.define_place('models', 'saved_models', 'the directory that models are looked for in')
    cli.define_place('out', None, 'where the file is drawn again')
    cli.define_trust()
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}', refused=2, words=1)
