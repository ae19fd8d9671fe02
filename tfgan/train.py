"""Train a GAN on drawings and export it.

    python -m tfgan.train --minutes=5 --dataset=folder:my-drawings

prints its settings, then a line or a bar of progress; sheets of drawings appear in
runs/NAME/samples from the first seconds on, and the finished model is saved_models/NAME/1.
The same command goes on where a stopped one was.
"""

import contextlib
import pathlib
import signal

from absl import flags

from tfgan import cli, config, errors, startup
from tfgan.forms import base as forms
from tfgan.training import run_dir as runs

OWN = [
    *('data_dir', 'run_dir', 'export_dir', 'checkpoint_secs', 'strategy', 'virtual_devices'),
    *('accumulate', 'peer_secs', 'dry_run'),
]
MOST_CLASSES = 100
FLAGS = flags.FLAGS


def main():
    settings = config.from_flags()
    forms.check_source(settings.dataset)
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
    runs.check(run_dir, {'format': runs.FORMAT, 'config': vars(settings)})
    if export_dir.resolve() == run_dir.resolve():
        raise errors.ConfigError(f'--export_dir={export_dir} is the run: give a folder of its own')
    startup.import_tensorflow()
    train(settings, run_dir, export_dir)


def train(settings, run_dir, export_dir):
    """Data, Gan, run, export: what is left once the flags are read."""
    from tfgan.distributed import coordination, strategies
    from tfgan.gan.gan import Gan
    from tfgan.networks import architectures
    from tfgan.saved_model import writer
    from tfgan.training import loop

    strategy, why = strategies.make(FLAGS.strategy, FLAGS.virtual_devices, FLAGS.peer_secs)
    print(f'  strategy        {why}', flush=True)
    source = forms.open_source(settings.dataset, FLAGS.data_dir, settings.image_size)
    if not uses_labels(settings, source):
        source = source.unlabelled()
    data = source.summary()
    print('\n'.join(f'  {key:15} {value}' for key, value in data.items()), flush=True)
    parts = strategy.num_replicas_in_sync * FLAGS.accumulate
    architectures.check_room(settings, source.shape, len(source.class_names), parts)
    paper = source.paper if augments(settings, source) else None
    gan = Gan(settings, source.shape, source.shares, strategy, paper, FLAGS.accumulate)
    chief = coordination.is_chief(strategy)  # which alone may write
    learned = data | {runs.FINGERPRINT: source.fingerprint}
    run = runs.Run(run_dir, settings, learned) if chief else contextlib.nullcontext()
    with run, loop.Stop() as stop:
        facts = loop.train(gan, source, run_dir, stop, FLAGS.checkpoint_secs, FLAGS.peer_secs)
        if facts and chief:
            facts |= {'name': pathlib.Path(export_dir).name, 'data': data}
            best = facts.pop('best_score')
            version = writer.write(gan, export_dir, facts)
            cli.farewell(version, run_dir, facts['scores'], best)
        with coordination.Patience(coordination.processes(strategy), FLAGS.peer_secs):
            coordination.wait_for_all(strategy)
    if not facts:
        place = errors.shown(str(run_dir))
        print(f'stopped and saved in {place}; the same command goes on from there')
        raise SystemExit(128 + (stop.signal or signal.SIGTERM))


def uses_labels(settings, source):
    """Whether the networks are told the classes: a thousand of them would be learned one by one."""
    return settings.labels == 'use' or (
        settings.labels == 'auto' and len(source.class_names) <= MOST_CLASSES
    )


def augments(settings, source):
    """Whether the discriminator sees augmented images."""
    from tfgan.forms.drawing import augment

    return settings.augment == 'on' or (settings.augment == 'auto' and augment.wanted(len(source)))


if __name__ == '__main__':
    flags.DEFINE_string('data_dir', None, 'where tensorflow-datasets keeps its sets')
    cli.define_place('run_dir', None, 'where the run lives; default runs/NAME')
    cli.define_place('export_dir', None, "the model's directory; default saved_models/NAME")
    flags.DEFINE_float('checkpoint_secs', 60.0, 'seconds between checkpoints', lower_bound=0)
    flags.DEFINE_string('strategy', 'auto', 'auto | single | mirrored | multi_worker | tpu')
    flags.DEFINE_integer('virtual_devices', 1, 'make the CPU look like so many', lower_bound=1)
    flags.DEFINE_integer('accumulate', 1, "parts of a device's share of a batch", lower_bound=1)
    flags.DEFINE_float('peer_secs', 600.0, 'longest wait for another process', lower_bound=1)
    flags.DEFINE_bool('dry_run', False, 'print the settings and stop')
    config.define_flags()
    cli.run(
        main,
        f'{__doc__}\nflags:\n{cli.listed(OWN)}\n\nflags of the configuration '
        f'(presets change some):\n{config.help_text()}',
    )
