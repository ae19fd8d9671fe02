"""Export a run's checkpoint as the next version of a model.

    python -m tfgan.export --run_dir=runs/doodles

writes saved_models/doodles/2 if there is a 1: the newest checkpoint, or with --checkpoint=best the
one with the best score. The run may be stopped, finished or still training. A finished run that
has no encoder, which reads drawings of yours, gets one first, for which its data must be there.

    python -m tfgan.export --format=html --model=saved_models/doodles --out=doodles.html

writes the studio with a model in it as one HTML file: a page to draw with, or to hear music on,
which a browser opens without a server and without a network. With --run_dir in place of --model it
exports the run first.
"""

import pathlib

from absl import flags

from tfgan import cli, errors, startup, storage
from tfgan.errors import ModelError, shown
from tfgan.forms.base import form_named
from tfgan.saved_model import card, layout
from tfgan.training.run import Run

OWN = [
    *('run_dir', 'export_dir', 'checkpoint', 'encoder', 'compact', 'licence', 'data_dir'),
    *('format', 'model', 'out', 'trust_model', 'provenance'),
]
PAGE = 'html'
FLAGS = flags.FLAGS


def main():
    _check()
    version = layout.newest(FLAGS.model) if FLAGS.model else export()
    if FLAGS.format == PAGE:
        write_page(version, FLAGS.out or f'{version.resolve().parent.name}.html', FLAGS.trust_model)


def _check():
    if FLAGS.model and FLAGS.format != PAGE:
        raise ModelError(f'--model={FLAGS.model}: it is exported; give --format={PAGE} too')
    if FLAGS.model and FLAGS.run_dir:
        raise ModelError('--model and --run_dir: give one of the two')
    if not FLAGS.model and not FLAGS.run_dir:
        raise errors.RunError('which run? Give --run_dir=runs/NAME')
    if FLAGS.out:
        cli.check_picture('out', FLAGS.out, ['.html'])


def write_page(version: pathlib.Path, out: str, trust_model: bool = False) -> None:
    """The studio with a version in it, as one HTML file; raises ModelError."""
    startup.import_tensorflow()
    from tfgan.saved_model import bundle
    from tfgan.server import page

    redraws = form_named(card.read(version).form).redraws
    data = page.html(bundle.bundle(version, trust_model), with_words=redraws)
    storage.write_bytes(out, data)
    print(f'a page of {len(data) / 1e6:.1f} MB, which a browser opens: {shown(out)}')


def export() -> pathlib.Path:
    """The next version of the model that the flags tell."""
    run = Run(FLAGS.run_dir, data_dir=FLAGS.data_dir)
    export_dir = FLAGS.export_dir or f'saved_models/{run.directory.resolve().name}'
    cli.check_folder('export_dir', export_dir)
    startup.import_tensorflow()
    version = run.export(export_dir, FLAGS.checkpoint, FLAGS.encoder, FLAGS.compact, FLAGS.licence)
    facts = card.read(version)
    cli.farewell(version, FLAGS.run_dir, facts.scores, reads=run.reads, form=facts.form)
    return version


if __name__ == '__main__':
    cli.define_place('run_dir', None, 'the run to export')
    cli.define_place('export_dir', None, "the model's directory; default saved_models/NAME")
    flags.DEFINE_enum('checkpoint', 'latest', ['latest', 'best'], 'latest | best')
    flags.DEFINE_enum(
        'encoder', 'auto', ['auto', 'off'], 'auto: trained if a finished run has none'
    )
    flags.DEFINE_bool('compact', False, 'a quarter of the bytes, without the discriminator')
    flags.DEFINE_string('licence', None, 'of the data, if you know it better than they do')
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    flags.DEFINE_enum('format', 'saved_model', ['saved_model', PAGE], 'html: the studio, one file')
    cli.define_place('model', None, 'an exported model, for --format=html')
    cli.define_place('out', None, 'the .html file; default NAME.html')
    cli.define_trust()
    cli.define_provenance()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
