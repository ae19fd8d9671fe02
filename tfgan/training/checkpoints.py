"""A run's state on disk: saved, restored, the best kept apart."""

import contextlib
import math
import pathlib
import re
import tempfile

import numpy as np
import tensorflow as tf

from tfgan import storage
from tfgan.errors import RunError, quoted, shown

KEEP = {'checkpoints': 3, 'best': 1}
INSTEAD = {'checkpoints': 'take another --run_dir', 'best': 'export with --checkpoint=latest'}
NETWORKS = 'generator', 'discriminator', 'encoder'
SECS, BEST_SCORE = (f'run/{place}/.ATTRIBUTES/VARIABLE_VALUE' for place in range(2))  # in a file
DAMAGED = AssertionError, IndexError, ValueError, KeyError, tf.errors.OpError


class Checkpoints:
    """The checkpoints below a directory, of a Gan or an encoder and the time spent on it.

    Each is a pair of files, folder/step-N.data-00000-of-00001 and .index. It is written elsewhere
    and moved in, the index last: what has an index is whole. A step saved once more is step-N-2,
    for two files cannot be replaced at once.
    """

    def __init__(self, directory, gan):
        self._directory = pathlib.Path(directory)
        self._step = gan.step
        self.secs = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.best_score = tf.Variable(float('inf'), trainable=False)
        # Lists of variables: from a model object, layers that it holds in a list would be left out.
        lists = gan.state()
        self._numbers = [variable for group in lists.values() for variable in group] + [self.secs]
        self._shapes = sorted(list(each.shape) for name in NETWORKS for each in lists.get(name, []))
        self._state = tf.train.Checkpoint(**lists, run=[self.secs, self.best_score])
        self._state.save_counter.assign_add(0)  # made here: older checkpoints have one
        self._damaged = set()

    def save(self, secs: float) -> None:
        """Writes a checkpoint, with the time spent on training so far; raises StorageError."""
        self.secs.assign(secs)
        self._save('checkpoints')

    def save_best(self, score: float) -> bool:
        """Keeps this state apart if its score is lower than every one before; whether it was."""
        better = score < self.best_score.numpy()
        if better:
            self.best_score.assign(score)
            self._save('best')
        return bool(better)

    def _save(self, name):
        folder = self._directory / name
        with storage.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            new = _free(folder, int(self._step.numpy()))
            with tempfile.TemporaryDirectory(dir=folder, prefix=storage.DRAFT) as draft:
                # TensorFlow looks for its file by a pattern, and Python keeps each new pattern.
                self._state.write(f'{draft}/state')
                storage.sync_all(draft)
                for path in sorted(pathlib.Path(draft).iterdir()):  # the data, then the index
                    path.rename(folder / f'{new.name}{path.suffix}')
            # For those who ask TensorFlow for the latest. With it all that is new in the folder is
            # safe from a power cut: only then older ones go.
            note = f'model_checkpoint_path: "{new.name}"\n'
            storage.write_bytes(folder / 'checkpoint', note.encode())
            self._drop_old(folder, new)

    def _drop_old(self, folder, new):
        others = [path for path in _newest_first(folder) if path != new]
        step = _place(new)[0]  # of which an older one is of less use than an older step
        others.sort(key=lambda path: path in self._damaged or _place(path)[0] == step)
        kept = {new, *others[: KEEP[folder.name] - 1]}
        for ending in ('index', 'data-*'):  # in this order; a kill may have left data alone
            for path in folder.glob(f'step-*.{ending}'):
                if _place(path) and path.with_suffix('') not in kept:
                    path.unlink()

    def restore(self, folder: str = 'checkpoints') -> bool:
        """Restores the newest readable checkpoint of a folder; False where there is none.

        They are found by their files, not by TensorFlow's note of the latest, whose loss would
        silently restart the run. One that is damaged, or of other networks, is passed over with a
        warning; RunError if all are.
        """
        tried = None
        # Again if there are others by now: a training process replaces them.
        while (paths := _newest_first(self._directory / folder)) != tried:
            if any(self._restored(path) for path in paths):
                if folder == 'checkpoints':
                    self._know_best()
                return True
            tried = paths
        if paths:
            place = shown(str(self._directory / folder))
            raise RunError(
                f'none of the {len(paths)} checkpoints in {place} can be read; {INSTEAD[folder]}'
            )
        return False

    def _restored(self, path):
        try:
            with storage.unglobbed(path.parent) as folder:
                self._check_networks(str(folder / path.name))
                self._state.restore(str(folder / path.name)).assert_consumed()
            if not all(np.isfinite(variable.numpy()).all() for variable in self._numbers):
                raise ValueError('it has numbers that are not finite')
        except DAMAGED as error:
            self._pass_over(path, error)
            return False
        return True

    def _check_networks(self, path):
        """Raises ValueError if the variables of a checkpoint's networks have other shapes."""
        shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        there = [shape for key, shape in shapes.items() if key.partition('/')[0] in NETWORKS]
        if sorted(there) != self._shapes:
            raise ValueError('its networks are not those of today; another version made them')

    def _pass_over(self, path, error):
        why = quoted(str(error).strip().partition('\n')[0])
        name = quoted(path)
        print(f'passing over the checkpoint {name}: {type(error).__name__}: {why}')
        self._damaged.add(path)

    def _know_best(self):
        """The score to beat is that of the state in best/, whatever the restored one knew of it."""
        score = math.inf
        for path in _newest_first(self._directory / 'best'):
            try:
                score = _score_of(path)
                break
            except DAMAGED as error:
                self._pass_over(path, error)
        self.best_score.assign(score)


def reached(directory) -> tuple[int, float]:
    """Step and seconds of training of a run's newest readable checkpoint; noughts without one."""
    for path in _newest_first(pathlib.Path(directory) / 'checkpoints'):
        with contextlib.suppress(*DAMAGED):
            return _place(path)[0], float(_values(path)[SECS])
    return 0, 0.0


def _score_of(path):
    return float(_values(path)[BEST_SCORE])


def _values(path):
    """All that a checkpoint has by key, for one that is damaged anywhere has nothing."""
    with storage.unglobbed(path.parent) as folder:
        reader = tf.train.load_checkpoint(str(folder / path.name))
        return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}


def _place(path):
    """(step, turn) of a checkpoint's path, with or without its files' endings; None of others."""
    numbers = re.fullmatch(r'step-(\d+)(?:-(\d+))?', path.stem)
    return numbers and (int(numbers[1]), int(numbers[2] or 1))


def _newest_first(folder):
    """The checkpoints of a folder, each without its files' endings."""
    paths = (path.with_suffix('') for path in folder.glob('step-*.index'))
    return sorted(filter(_place, paths), key=_place, reverse=True)


def _free(folder, step):
    """A name for a checkpoint that comes after those of the same step."""
    turns = [turn for at, turn in map(_place, _newest_first(folder)) if at == step]
    return folder / (f'step-{step}-{turns[0] + 1}' if turns else f'step-{step}')
