"""Export a run's checkpoint as the next version of a model.

    python -m tfgan.export --run_dir=runs/doodles

writes saved_models/doodles/2 if there is a 1: the newest checkpoint, or with --checkpoint=best the
one with the best score. The run may be stopped, finished or still training.
"""

import math
import pathlib

import numpy as np
from absl import flags

from tfgan import cli, errors, startup
from tfgan.training import run_dir

OWN = ['run_dir', 'export_dir', 'checkpoint']
FLAGS = flags.FLAGS


def main():
    if not FLAGS.run_dir:
        raise errors.RunError('which run? Give --run_dir=runs/NAME')
    run = run_dir.read(FLAGS.run_dir)
    if run is None:
        raise errors.RunError(
            f'--run_dir={FLAGS.run_dir}: there is no run, for it has no config.json'
        )
    run_dir.check(FLAGS.run_dir, {'format': run_dir.FORMAT})
    settings = run_dir.settings(FLAGS.run_dir, run)
    export_dir = FLAGS.export_dir or f'saved_models/{pathlib.Path(FLAGS.run_dir).resolve().name}'
    cli.check_folder('export_dir', export_dir)
    startup.import_tensorflow()
    cli.farewell(*export(settings, run['data'], export_dir))


def export(settings, data, export_dir):
    """Rebuilds the Gan from its run's config.json alone, restores and writes it."""
    from tfgan.gan.gan import Gan
    from tfgan.saved_model import writer
    from tfgan.training.checkpoints import Checkpoints

    counts = np.array(data['class_counts'])
    gan = Gan(settings, data['shape'], counts / counts.sum())
    checkpoints = Checkpoints(FLAGS.run_dir, gan)
    folder = {'latest': 'checkpoints', 'best': 'best'}[FLAGS.checkpoint]
    if not checkpoints.restore(folder):
        raise errors.RunError(f'--run_dir={FLAGS.run_dir} has no checkpoint in {folder} yet')
    # The last state was scored only if it is the best.
    best = float(checkpoints.best_score.numpy()) if FLAGS.checkpoint == 'best' else math.inf
    step = int(gan.step.numpy())
    facts = {
        'name': pathlib.Path(export_dir).name,
        'data': data,
        'step': step,
        'images_seen': step * gan.config.batch_size,
        'secs': float(checkpoints.secs.numpy()),
        'scores': {'frechet_distance': best} if math.isfinite(best) else {},
    }
    return writer.write(gan, export_dir, facts), FLAGS.run_dir, facts['scores']


if __name__ == '__main__':
    cli.define_place('run_dir', None, 'the run to export')
    cli.define_place('export_dir', None, "the model's directory; default saved_models/NAME")
    flags.DEFINE_enum('checkpoint', 'latest', ['latest', 'best'], 'latest | best')
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
