"""Export a run's checkpoint as the next version of a model.

    python -m tfgan.export --run_dir=runs/doodles

writes saved_models/doodles/2 if there is a 1: the newest checkpoint, or with --checkpoint=best the
one with the best score. The run may be stopped, finished or still training. A finished run that
has no encoder, which reads drawings of yours, gets one first, for which its data must be there.
"""

from absl import flags

from tfgan import cli, errors, startup
from tfgan.saved_model import card
from tfgan.training.run import Run

OWN = ['run_dir', 'export_dir', 'checkpoint', 'encoder', 'compact', 'data_dir']
FLAGS = flags.FLAGS


def main():
    if not FLAGS.run_dir:
        raise errors.RunError('which run? Give --run_dir=runs/NAME')
    run = Run(FLAGS.run_dir, data_dir=FLAGS.data_dir)
    export_dir = FLAGS.export_dir or f'saved_models/{run.directory.resolve().name}'
    cli.check_folder('export_dir', export_dir)
    startup.import_tensorflow()
    version = run.export(export_dir, FLAGS.checkpoint, FLAGS.encoder, FLAGS.compact)
    cli.farewell(version, FLAGS.run_dir, card.read(version).scores, reads=run.reads)


if __name__ == '__main__':
    cli.define_place('run_dir', None, 'the run to export')
    cli.define_place('export_dir', None, "the model's directory; default saved_models/NAME")
    flags.DEFINE_enum('checkpoint', 'latest', ['latest', 'best'], 'latest | best')
    flags.DEFINE_enum(
        'encoder', 'auto', ['auto', 'off'], 'auto: trained if a finished run has none'
    )
    flags.DEFINE_bool('compact', False, 'a quarter of the bytes, without the discriminator')
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
