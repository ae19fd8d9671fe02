"""What a person sees of a run: TensorBoard, sheets, scores and a progress bar or lines."""

import dataclasses
import functools
import sys

import numpy as np
import tensorflow as tf
import tqdm

from tfgan import errors, latents, provenance, storage
from tfgan.config import table
from tfgan.evaluation import advice
from tfgan.evaluation.evaluator import Evaluator
from tfgan.evaluation.extractor import extractor_of
from tfgan.forms import pictures
from tfgan.gan.sampling import COLUMNS, ROWS
from tfgan.training import curves as curve_pictures
from tfgan.training.event_files import Events

SCORE_IMAGES = 2000
HEARD = 2  # examples
WALKERS, WALK_FRAMES = 16, 60
WALK_COLUMNS, WALK_PIXELS = 4, 320  # of each frame of the GIF


def ornament(what: str):
    """Makes a method one of which no run ends: its failure is told in a line, once.

    Images that cannot be read still end it, and so does a disk that takes no more.
    """

    def decorated(method):
        @functools.wraps(method)
        def tried(self, *arguments, **keywords):
            try:
                return method(self, *arguments, **keywords)
            except (errors.SourceError, errors.StorageError):
                raise
            except Exception as error:  # whatever drawing, plotting and scoring raise
                self.tell_failure(what, error)

        return tried

    return decorated


class Report:
    """Writes of one Gan below its run's directory; real images are looked at once, here."""

    def __init__(self, gan, source, directory):
        self._gan, self._directory = gan, directory
        is_new = not any((directory / 'tensorboard').glob('events.*'))
        self._writer = Events(directory / 'tensorboard')
        self._bar = tqdm.tqdm(
            total=1.0,
            bar_format='{percentage:3.0f}% |{bar}| {desc}',
            disable=not sys.stderr.isatty(),
        )
        self._source, self._evaluator = source, None
        self._nouns = gan.form.nouns  # of what is made, and of what is real
        self._scores, self._told, self._failed = [], set(), set()
        if is_new or self._step() == 0:  # a run that is resumed often is introduced but once
            self._introduce(gan.config)

    def tell_failure(self, what: str, error: Exception) -> None:
        """Says once that the run goes on without something."""
        if what not in self._failed:
            self._failed.add(what)
            why = f'{type(error).__name__}: {errors.reason(error)}'
            print(f'going on without {what}: {why}', file=sys.stderr, flush=True)

    @ornament('the first page of TensorBoard')
    def _introduce(self, config):
        from tensorboard.plugins.hparams import api as hparams

        real = self._source.images(_showcase(self._source, ROWS, COLUMNS))
        real_sheet = self._gan.form.sheet(real, COLUMNS)
        settings = {k: 'none' if v is None else v for k, v in dataclasses.asdict(config).items()}
        with self._writer.as_default(step=self._step()):
            tf.summary.text('configuration', table(config))
            hparams.hparams(settings)
        self._image('real', real_sheet)
        self._sound('real', real[:HEARD])
        told = self._recipe(f'real {self._nouns[1]}s', source=None)
        pictures.write_png(self._directory / 'samples' / 'real.png', real_sheet, told)
        self._writer.flush()  # before the first checkpoint: then it has been introduced

    def _step(self):
        return int(self._gan.step.numpy())

    def _recipe(self, made_as, **more):
        """What files of a run tell: no model has a hash before it is exported."""
        facts = {'run': self._directory.resolve().name, 'licence': self._source.licence}
        return provenance.recipe(facts, [], **{'as': made_as}, step=self._step(), **more)

    def _image(self, name, sheet):
        with self._writer.as_default(step=self._step()):
            tf.summary.image(name, sheet[None])

    @ornament('sounds')
    def _sound(self, name, raw):
        """What examples sound like on TensorBoard, if they do."""
        if found := self._gan.form.sounds(raw):
            samples, rate = found
            # As tf.summary.audio has them, which says of its graph that oneDNN knows no strings.
            waves = [tf.audio.encode_wav(each[:, None], rate) for each in samples]
            labelled = tf.stack([tf.stack(waves), tf.fill([len(waves)], '')], axis=1)
            with self._writer.as_default(step=self._step()):
                tf.summary.write(f'sound/{name}', labelled, metadata=_of_waves())

    @ornament('points of curves')
    def scalars(self, values: dict[str, float]) -> None:
        """One point of each TensorBoard curve."""
        with self._writer.as_default(step=self._step()):
            for name, value in values.items():
                tf.summary.scalar(name, value)

    @ornament('lines of progress')
    def progress(self, clock, metrics: dict[str, float], rate: float, line: bool) -> None:
        """Moves the bar; where there is none, prints a line if it is time for one."""
        step = self._step()
        interval = tqdm.tqdm.format_interval
        text = (
            f'step {step:,}, {rate * self._gan.config.batch_size:,.0f} {self._nouns[1]}s/s, '
            f'{interval(clock.left_secs(step, rate))} left, '
            f'loss D {metrics["loss/discriminator"]:.3f} G {metrics["loss/generator"]:.3f}'
        )
        if skipped := int(self._gan.skipped.numpy()):
            text += f', {skipped} updates skipped: not finite'
        self._bar.n = clock.spent(step)
        self._bar.set_description_str(text)
        if self._bar.disable and line:
            print(f'{interval(clock.secs())} {100 * clock.spent(step):3.0f}% {text}', flush=True)

    @ornament('sheets')
    def sheet(self) -> None:
        """What the fixed seeds make, as PNG and on TensorBoard."""
        sheet = self._gan.sheet()
        self._image(f'{self._nouns[0]}s', sheet)
        path = self._directory / 'samples' / f'step-{self._step():08}.png'
        pictures.write_png(path, sheet, self._recipe('sheet of a run'))

    @ornament('scores')
    def look(self) -> None:
        """Gets ready to score: on a data set not seen before, features are learned.

        Labels that the networks are not told are told to the judge.
        """
        source = self._source.labelled or self._source
        try:
            self._evaluator = Evaluator(source, extractor_of(source), SCORE_IMAGES, thorough=False)
        except errors.FeatureError as error:
            print(f'without scores: {error}', flush=True)

    @ornament('scores')
    def score(self, metrics: dict[str, float], progress: float) -> dict[str, float]:
        """The figures of the present drawings, each beside that of real images; {} without any.

        Tells in plain words what they and the last metrics mean, where that is new.
        """
        if not self._evaluator:
            return {}
        scores = self._evaluator.evaluate(self._draw).as_dict()
        self.scalars({f'score/{name}': value for name, value in scores.items()})
        self._scores.append(metrics | scores | {'progress': progress})
        self._advise(advice.advice(self._scores, self._gan.form.nouns))
        return scores

    def sounds(self) -> None:
        """What the first of the fixed seeds make on TensorBoard, where one can hear it."""
        self._sound(f'{self._nouns[0]}s', self._gan.draw(np.arange(HEARD)))

    def _draw(self, seeds):
        labels = latents.classes(tf.constant(seeds), self._gan.class_shares).numpy()
        return self._gan.draw(seeds, labels), labels if len(self._gan.class_shares) > 1 else None

    def _advise(self, found):
        for about in set(found) - self._told:
            self._bar.write(found[about])
            with self._writer.as_default(step=self._step()):
                tf.summary.text(f'advice/{about}', found[about])
        self._told = set(found)

    @ornament('a walk')
    def walk(self) -> None:
        """A walk through the latents, as GIF, and as a sheet on TensorBoard with a row for each."""
        frames = self._gan.walk(WALKERS, WALK_FRAMES)
        some = frames[:: WALK_FRAMES // COLUMNS, :ROWS].swapaxes(0, 1)
        self._image('walk', self._gan.form.sheet(some.reshape(-1, *some.shape[2:]), COLUMNS))
        pages = [self._gan.form.sheet(frame, WALK_COLUMNS, WALK_PIXELS) for frame in frames]
        told = self._recipe('walk of a run')
        pictures.write_animation(self._directory / 'samples' / 'walk.gif', pages, recipe=told)

    @ornament('a picture of the curves')
    def curves(self) -> None:
        """The curves so far as PNG, for those without TensorBoard."""
        self._writer.flush()
        data = curve_pictures.picture(self._directory / 'tensorboard')
        told = self._recipe('curves', source='dataDrivenMedia')
        data = provenance.stamped(data, '.png', told)
        storage.write_bytes(self._directory / 'samples' / 'curves.png', data)

    def flush(self) -> None:
        """Puts the curves on the disk; raises StorageError if they are not there."""
        self._writer.flush()

    def close(self) -> None:
        self._bar.close()
        self._writer.close()


def _of_waves():
    """What TensorBoard must be told of a summary of waves."""
    from tensorboard.plugins.audio import metadata

    encoding = metadata.Encoding.Value('WAV')
    return metadata.create_summary_metadata(display_name='', description='', encoding=encoding)


def _showcase(source, rows: int, columns: int):
    """Indices of a sheet of real images whose columns are classes, as in the drawings'."""
    rng = np.random.default_rng(1)
    picks = np.zeros([rows, columns], int)
    for column in range(columns):
        members = np.flatnonzero(source.labels == column % len(source.class_names))
        # Part of a data set may lack a class; any image will do in its place.
        picks[:, column] = rng.choice(members if len(members) else len(source), rows)
    return picks.ravel()
