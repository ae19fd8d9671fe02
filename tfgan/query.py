"""Draw with a model server, TensorFlow Serving or tfgan.serve, and ask how it is.

    python -m tfgan.query --label=cat --num=64 --seed=7 --out=cats.png

writes a sheet of the drawings of the seeds 7 to 70 by the model `doodles` of the server on this
machine; with --out=FOLDER/ each drawing becomes a file named by its seed. .svg, .pdf, .gif and the
flags beside them are as tfgan.sample has them. --status and --metadata print what the server says
of the model. --server=grpc://127.0.0.1:8500 speaks gRPC instead of REST.
"""

import json
import zipfile

import numpy as np
from absl import flags

from tfgan import cli, client
from tfgan.errors import ModelError, quoted, shown
from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, form_named
from tfgan.saved_model import layout

OWN = [
    *('server', 'model', 'version', 'status', 'metadata'),
    *('num', 'seed', 'seeds', 'label', 'truncation', 'latents'),
    *cli.DRAWINGS,
    *cli.PIECES,
    'provenance',
]
FLAGS = flags.FLAGS


def main():
    # What only drawings have needs no server's word.
    is_drawing = FLAGS.out and pictures.ending(FLAGS.out) not in ('', *cli.PIECE_ENDINGS)
    how = cli.check_files(form_named(DRAWING)) if is_drawing else {}
    model = client.connect(FLAGS.server, FLAGS.model, FLAGS.version)
    if FLAGS.out and not is_drawing:
        how = cli.check_files(model.form)
    if FLAGS.status:
        for number, state in model.status().items():
            print(f'{shown(FLAGS.model)} version {number}: {state}')
    if FLAGS.metadata:
        print(json.dumps(model.metadata(), indent=1))
    if FLAGS.out:
        draw(model, how)
    elif not FLAGS.status and not FLAGS.metadata:
        raise ModelError('nothing to do: give --out=sheet.png, --out=FOLDER/, --status, --metadata')


def draw(model, how):
    """Writes the drawings of latents, named by their rows, or else of seeds."""
    if not FLAGS.latents:
        seeds = _numbers(FLAGS.seeds) if FLAGS.seeds else FLAGS.seed + np.arange(FLAGS.num)
        model.write(FLAGS.out, seeds, FLAGS.label, FLAGS.truncation, **how)
        return
    latents = _array(FLAGS.latents)
    if (
        pictures.ending(FLAGS.out) in pictures.VECTORS
        or FLAGS.format not in (None, 'png')
        or FLAGS.size
    ):
        raise ModelError('--latents: only the pixels of latents are served; give --out=sheet.png')
    drawings = model.draw_latents(latents, FLAGS.label or 0)
    labels = model.labels(FLAGS.label or 0, len(latents))
    told = model.recipe(model.given(latents, labels))
    how = how if model.form.arranges else {}
    model.form.write(FLAGS.out, drawings, np.arange(len(latents)), told, **how)


def _array(path):
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f'--latents={quoted(path)}: {quoted(error)}') from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in 'fiu':
        raise ModelError(
            f'--latents={quoted(path)}: expected one array [n, latent_size] of numbers'
        )
    return array


def _numbers(words):
    try:
        return np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError) as error:
        raise ModelError(f'--seeds={quoted(",".join(words))}: {quoted(error)}') from error


if __name__ == '__main__':
    flags.DEFINE_string(
        'server', 'http://127.0.0.1:8501', 'http://HOST:PORT for REST or grpc://HOST:PORT'
    )
    flags.DEFINE_string('model', 'doodles', "the model's name")
    flags.DEFINE_integer(
        'version',
        None,
        'which of its versions; default the newest',
        lower_bound=0,
        upper_bound=layout.LARGEST,
    )
    flags.DEFINE_bool('status', False, "print its versions' states")
    flags.DEFINE_bool('metadata', False, 'print its signatures')
    cli.define_seeds()
    flags.DEFINE_list('seeds', None, 'seeds, by commas, instead of --seed and --num')
    flags.DEFINE_string('label', None, 'a class, by name or number; default: as the seeds have it')
    cli.define_truncation()
    cli.define_place('latents', None, 'a .npy file [n, latent_size] instead of seeds')
    cli.define_drawings()
    cli.define_pieces()
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
