"""Train a GAN on drawings and export it.

    python -m tfgan.train --minutes=5 --dataset=folder:my-drawings

prints its settings, then a line or a bar of progress; sheets of drawings appear in
runs/NAME/samples from the first seconds on, and the finished model is saved_models/NAME/1.
The same command goes on where a stopped one was.
"""

import pathlib

from absl import flags

from tfgan import cli, config, errors, startup
from tfgan.forms import base as forms
from tfgan.training import run_dir as runs

OWN = [
    *('data_dir', 'run_dir', 'export_dir', 'checkpoint_secs', 'strategy', 'virtual_devices'),
    *('accumulate', 'peer_secs', 'trusted_network', 'dry_run', 'provenance'),
]
FLAGS = flags.FLAGS


def main():
    settings = config.from_flags()
    forms.check_architecture(settings.architecture, settings.dataset)
    name = runs.default_name(settings)
    run_dir = pathlib.Path(FLAGS.run_dir or f'runs/{name}')
    print(
        f'{config.describe(settings)}\n  run_dir         {errors.shown(str(run_dir))}', flush=True
    )
    if FLAGS.dry_run:
        return
    export_dir = pathlib.Path(FLAGS.export_dir or f'saved_models/{name}')
    for place in (run_dir, *(run_dir / name for name in runs.FOLDERS)):
        cli.check_folder('run_dir', place)
    cli.check_folder('export_dir', export_dir)
    runs.check(run_dir, runs.identity(settings))
    if export_dir.resolve() == run_dir.resolve():
        raise errors.ConfigError(
            f'--export_dir={errors.quoted(export_dir)} is the run: give a folder of its own'
        )
    startup.import_tensorflow()
    train(settings, run_dir, export_dir)


def train(settings, directory, export_dir):
    """Trains and exports: what is left once the flags are read."""
    from tfgan.training.run import Placement, Run

    place = Placement(
        FLAGS.strategy,
        FLAGS.virtual_devices,
        FLAGS.accumulate,
        FLAGS.peer_secs,
        FLAGS.trusted_network,
    )
    run = Run(
        directory,
        settings,
        data_dir=FLAGS.data_dir,
        checkpoint_secs=FLAGS.checkpoint_secs,
        placement=place,
    )
    outcome = run.train()
    if outcome.stopped:
        place = errors.shown(str(directory))
        print(f'stopped and saved in {place}; the same command goes on from there')
        raise SystemExit(128 + outcome.stopped)
    version = run.export(export_dir)
    if version:  # only the first of several processes has one
        scores = outcome.scores, outcome.best_score
        cli.farewell(version, directory, *scores, run.reads, run.source.form)


if __name__ == '__main__':
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    cli.define_place('run_dir', None, 'where the run lives; default runs/NAME')
    cli.define_place('export_dir', None, "the model's directory; default saved_models/NAME")
    flags.DEFINE_float('checkpoint_secs', 60.0, 'seconds between checkpoints', lower_bound=0)
    flags.DEFINE_string('strategy', 'auto', 'auto | single | mirrored | multi_worker | tpu')
    flags.DEFINE_integer('virtual_devices', 1, 'make the CPU look like so many', lower_bound=1)
    flags.DEFINE_integer('accumulate', 1, "parts of a device's share of a batch", lower_bound=1)
    flags.DEFINE_float('peer_secs', 600.0, 'longest wait for another process', lower_bound=1)
    flags.DEFINE_bool(
        'trusted_network', False, 'no stranger reaches this machine: processes may open a port'
    )
    flags.DEFINE_bool('dry_run', False, 'print the settings and stop')
    cli.define_provenance()
    config.define_flags()
    cli.run(
        main,
        f'{__doc__}\nflags:\n{cli.listed(OWN)}\n\nflags of the configuration '
        f'(presets change some):\n{config.help_text()}',
    )
