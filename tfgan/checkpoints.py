"""A run's state on disk: saved, restored, the best kept apart."""

import pathlib

import tensorflow as tf

from tfgan.runs import RunError


class Checkpoints:
    """The checkpoints below one run directory, of a Gan and the time spent on it."""

    def __init__(self, directory, gan):
        self._directory = pathlib.Path(directory)
        self._step = gan.step
        self.secs = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.best_score = tf.Variable(float('inf'), trainable=False)
        # Lists of variables: from a model object, layers that it holds in a list would be left out.
        self._state = tf.train.Checkpoint(**gan.state(), run=[self.secs, self.best_score])
        self._latest = self._manager('checkpoints', 3)
        self._best = self._manager('best', 1)

    def _manager(self, folder, count):
        return tf.train.CheckpointManager(
            self._state, str(self._directory / folder), max_to_keep=count, checkpoint_name='step'
        )

    def save(self, secs: float) -> None:
        """Writes a checkpoint, with the time spent on training so far."""
        self.secs.assign(secs)
        self._latest.save(checkpoint_number=int(self._step.numpy()))

    def save_best(self, score: float) -> bool:
        """Keeps this state apart if its score is lower than every one before; whether it was.

        The best score itself is part of the state, so a `save` should follow.
        """
        better = score < self.best_score.numpy()
        if better:
            self.best_score.assign(score)
            self._best.save(checkpoint_number=int(self._step.numpy()))
        return bool(better)

    def restore(self, folder: str = 'checkpoints') -> bool:
        """Restores the newest readable checkpoint of a folder; False where there is none.

        They are found by their files, not by TensorFlow's note of the latest, whose loss would
        silently restart the run. A damaged one is passed over with a warning; RunError if all are.
        """
        paths = (self._directory / folder).glob('step-*.index')
        steps = sorted((int(path.stem.removeprefix('step-')) for path in paths), reverse=True)
        for step in steps:
            path = str(self._directory / folder / f'step-{step}')
            try:
                self._state.restore(path).assert_consumed()
                return True
            except (IndexError, tf.errors.OpError) as error:
                print(f'passing over the damaged checkpoint {path}: {type(error).__name__}')
        if steps:
            raise RunError(
                f'none of the {len(steps)} checkpoints in {self._directory / folder} can be read; '
                'take another --run_dir'
            )
        return False
