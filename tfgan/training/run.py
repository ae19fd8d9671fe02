"""A run from end to end: its data, its training, which goes on where it stopped, its exports."""

import contextlib
import dataclasses
import functools
import math
import pathlib
import signal

import numpy as np

from tfgan import startup
from tfgan.config import Config
from tfgan.errors import MOST_TOLD, RunError, quoted
from tfgan.forms import base as forms
from tfgan.training import run_dir

LEAST_STEPS_FOR_SLIDERS = 1000  # of a game: before, nothing is drawn that could be changed
MOST_CLASSES = 100  # a thousand of them would be learned one by one
CHECKPOINTS = {'latest': 'checkpoints', 'best': 'best'}  # and the folders that have them
ENCODERS = {'latest': 'encoder', 'best': 'encoder-best'}  # and those of their encoders


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where a run is worked on, which does not change what it learns."""

    strategy: str = 'auto'
    virtual_devices: int = 1
    accumulate: int = 1
    peer_secs: float = 600.0
    trusted_network: bool = False


class Run:
    """A run in a directory: trained, gone on with after a stop, and exported.

    In a notebook it shows its newest sheet.
    """

    def __init__(
        self,
        directory,
        config: Config | None = None,
        *,
        data_dir: str | None = None,
        checkpoint_secs: float = 60.0,
        placement: Placement | None = None,
    ):
        """A new run of a configuration, or with None the run that is there.

        `data_dir` is where tensorflow-datasets keeps its sets. Raises RunError where there is no
        run, or one of another configuration; and SourceError for a data set that cannot be.
        """
        self.directory = pathlib.Path(directory)
        self._data_dir, self._checkpoint_secs = data_dir, checkpoint_secs
        self._placement = placement or Placement()
        if config is None:
            config = run_dir.settings(self.directory, self._found())
        else:
            forms.check_architecture(config.architecture, config.dataset)
            run_dir.check(self.directory, run_dir.identity(config))
        self.config = config
        self._gan = self._outcome = self._encoder = None
        self.reads = False  # whether what was exported last has an encoder

    def _found(self) -> dict:
        """What config.json says; raises RunError where there is no run that can be gone on with."""
        found = run_dir.read(self.directory)
        if found is None:
            said = 'there is no run, for it has no config.json'
            raise RunError(f'--run_dir={quoted(self.directory)}: {said}')
        run_dir.check(self.directory, {'format': run_dir.FORMAT})
        return found

    @functools.cached_property
    def source(self):
        """The data set that is learned from; raises SourceError."""
        config = self.config
        size, split, ink = config.image_size, config.split, config.ink_width
        source = forms.open_source(config.dataset, self._data_dir, size, split=split, ink_width=ink)
        return source if uses_labels(self.config, source) else source.unlabelled()

    def train(self):
        """Trains to the end of the budget, from the newest checkpoint if there is one.

        Progress is printed. It takes the main thread, which alone hears signals. Returns a
        `loop.Outcome`; Ctrl-C or SIGTERM ends it early, saved, and the same call goes on. Raises
        RunError, SourceError, StorageError and ConfigError.
        """
        startup.import_tensorflow()
        from tfgan.distributed import coordination, strategies
        from tfgan.training import encoder_loop, loop

        place = self._placement
        strategy, why = strategies.make(
            place.strategy, place.virtual_devices, place.peer_secs, place.trusted_network
        )
        print(f'  strategy        {why}', flush=True)
        data = self.source.summary()
        print(
            '\n'.join(f'  {key:15} {quoted(value, most=MOST_TOLD)}' for key, value in data.items()),
            flush=True,
        )
        self._gan = self._new_gan(strategy)
        chief = coordination.is_chief(strategy)  # which alone may write
        run = contextlib.nullcontext()
        if chief:
            learned = data | {run_dir.FINGERPRINT: self.source.fingerprint}
            run = run_dir.RunDir(self.directory, self.config, learned, self.source.form)
        with run, loop.Stop() as stop:
            self._outcome = loop.train(
                self._gan, self.source, self.directory, stop, self._checkpoint_secs, place.peer_secs
            )
            is_over = self._gan.form.redraws and not self._outcome.stopped
            if is_over and encoder_loop.is_wanted(self.config, self._outcome.step):
                self._encoder = self._trained_encoder(stop)
        if self._outcome.stopped:
            self._wait_for_all()
        return self._outcome

    def _trained_encoder(self, stop):
        """The encoder of a game that is over; without it the run is stopped."""
        from tfgan.training import encoder_loop

        secs = self._checkpoint_secs, self._placement.peer_secs
        folder = self.directory / ENCODERS['latest']
        found = encoder_loop.train(self._gan, self.source, folder, stop, *secs)
        if found is None:
            self._outcome = dataclasses.replace(
                self._outcome, stopped=stop.signal or signal.SIGTERM
            )
        return found

    def _wait_for_all(self):
        """Returns once every process of the run is here: one that leaves early ends the others."""
        from tfgan.distributed import coordination

        strategy = self._gan.strategy
        with coordination.Patience(coordination.processes(strategy), self._placement.peer_secs):
            coordination.wait_for_all(strategy)

    def _new_gan(self, strategy):
        from tfgan.gan.gan import Gan
        from tfgan.networks import memory

        config, source, accumulate = self.config, self.source, self._placement.accumulate
        form = forms.form_named(source.form)
        parts = strategy.num_replicas_in_sync * accumulate
        architecture = form.architectures[config.architecture]
        shape = form.shape(source.summary())
        memory.check_memory(architecture, config, shape, len(source.class_names), parts)
        augmentation = form.augmentation(source) if augments(config, source) else None
        place = strategy, augmentation, accumulate, source.form, form.ground(source)
        return Gan(config, shape, source.shares, *place)

    def export(
        self,
        directory=None,
        checkpoint: str = 'latest',
        encoder: str = 'auto',
        compact: bool = False,
        licence: str | None = None,
    ) -> pathlib.Path:
        """Writes the next version of a model, by default in saved_models/NAME; returns its folder.

        `checkpoint` is 'latest' or 'best'. Where `encoder` is 'auto' and a run that is over has
        none, one is trained; for that alone the data are needed. A `compact` model takes a quarter
        of the bytes and has no discriminator. `licence` is that of the data, where a person knows
        it better than the data set does. Of processes that train together the first one writes and
        the others wait. Raises RunError, SourceError and StorageError.
        """
        startup.import_tensorflow()
        from tfgan.distributed import coordination

        directory = pathlib.Path(directory or f'saved_models/{self.directory.resolve().name}')
        if self._outcome is None or checkpoint != 'latest':
            gan, card = self._restored(checkpoint, directory)
            card = _licensed(card, licence)
            found = self._encoder_of(gan, card, checkpoint) if encoder == 'auto' else None
            self.reads = found is not None
            return _written(gan, directory, card, found, compact)
        version = None
        if coordination.is_chief(self._gan.strategy):
            card = self._card(directory.name, self.source.summary(), self._outcome)
            card = _licensed(card, licence)
            found = self._encoder if encoder == 'auto' else None
            self.reads = found is not None
            version = _written(self._gan, directory, card, found, compact)
        self._wait_for_all()
        return version

    def _restored(self, checkpoint, directory):
        """(Gan, card) of a checkpoint, by config.json alone."""
        from tfgan.gan.gan import Gan
        from tfgan.training.checkpoints import Checkpoints
        from tfgan.training.loop import Outcome

        found = self._found()
        counts = np.array(found['data']['class_counts'])
        form = found.get('form', forms.DRAWING)
        shape = forms.form_named(form).shape(found['data'])
        gan = Gan(self.config, shape, counts / counts.sum(), form=form)
        checkpoints = Checkpoints(self.directory, gan)
        if not checkpoints.restore(CHECKPOINTS[checkpoint]):
            folder = CHECKPOINTS[checkpoint]
            raise RunError(f'--run_dir={quoted(self.directory)} has no checkpoint in {folder} yet')
        # The last state was scored only if it is the best.
        best = float(checkpoints.best_score.numpy()) if checkpoint == 'best' else math.inf
        scores = {'frechet_distance': best} if math.isfinite(best) else {}
        step, secs = int(gan.step.numpy()), float(checkpoints.secs.numpy())
        outcome = Outcome(step, step * self.config.batch_size, secs, scores)
        return gan, self._card(directory.name, found['data'], outcome, form)

    def _encoder_of(self, gan, card, checkpoint):
        """The encoder of a restored Gan, trained now if the run is over and has none."""
        from tfgan.training import encoder_loop, loop

        if not gan.form.redraws:
            return None
        folder = self.directory / ENCODERS[checkpoint]
        found = encoder_loop.finished(gan, folder)
        if found or not encoder_loop.is_over(self.config, card.step, card.secs):
            return found
        with loop.Stop() as stop:
            found = encoder_loop.train(gan, self.source, folder, stop, self._checkpoint_secs)
        if found is None:
            raise RunError(
                f'--run_dir={quoted(self.directory)}: stopped while its encoder was trained, as'
                ' far as it came; the same command goes on, and with --encoder=off exports'
                ' without one'
            )
        return found

    def _card(self, name, data, outcome, form=None):
        from tfgan.saved_model.card import ModelCard

        return ModelCard(
            name=name,
            data=data,
            step=outcome.step,
            images_seen=outcome.images_seen,
            secs=outcome.secs,
            scores=outcome.scores,
            config=dict(vars(self.config)),
            form=form or self.source.form,
        )

    def sheets(self) -> list[pathlib.Path]:
        """The sheets so far, oldest first."""
        return sorted(self.directory.glob('samples/step-*.png'))

    def _repr_png_(self) -> bytes | None:
        return self.sheets()[-1].read_bytes() if self.sheets() else None


def _written(gan, directory, card, encoder, compact):
    """The next version, whose generator is rounded and whose sliders are looked for."""
    from tfgan.saved_model import identity, sliders, writer

    identity.round_weights(gan.average)
    learned = gan.form.redraws and card.step >= LEAST_STEPS_FOR_SLIDERS
    found = sliders.found(gan.average, gan.form, encoder) if learned else []
    return writer.write(gan, directory, card, encoder, compact, found)


def _licensed(card, licence):
    """A card with another licence of the data, if one is given."""
    return dataclasses.replace(card, data=card.data | ({'licence': licence} if licence else {}))


def uses_labels(config: Config, source) -> bool:
    """Whether the networks are told the classes; says so if there are too many for that."""
    classes = len(source.class_names)
    if config.labels == 'auto' and classes > MOST_CLASSES:
        print(f'  {classes:,} classes are more than {MOST_CLASSES}: labels are not used')
        print('  and there is no --label= to draw by; --labels=use learns them all the same')
        return False
    return config.labels != 'ignore'


def augments(config: Config, source) -> bool:
    """Whether the discriminator sees augmented examples."""
    from tfgan.gan import adaptive_augmentation

    return config.augment == 'on' or (
        config.augment == 'auto' and adaptive_augmentation.wanted(len(source))
    )
