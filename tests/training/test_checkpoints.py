"""A run's whole state comes back from its files, from the newest that can be read."""

import itertools
import os

import numpy as np
import pytest
import tensorflow as tf

from tfgan import config, storage
from tfgan.errors import RunError, StorageError
from tfgan.gan.gan import Gan
from tfgan.training.checkpoints import Checkpoints, reached


def make_gan(seed=0):
    settings = config.make(steps=9, batch_size=2, width=8, depth=2, latent_size=3, seed=seed)
    return Gan(settings, (4, 4, 1), [0.5, 0.5])


@pytest.fixture(scope='module')
def gan():
    return make_gan()


def variables(gan):
    return list(itertools.chain(*gan.state().values()))


def values(gan):
    return [variable.numpy() for variable in variables(gan)]


def move(gan, step):
    """A state that no other step has."""
    for place, variable in enumerate(variables(gan)):
        variable.assign(tf.cast(tf.fill(variable.shape, 100 * step + place), variable.dtype))
    gan.step.assign(step)


def saved(directory, gan, *steps):
    checkpoints = Checkpoints(directory, gan)
    for step in steps:
        move(gan, step)
        checkpoints.save(10.0 * step)
    return checkpoints


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_an_empty_directory_has_nothing_to_restore(tmp_path, gan):
    before = values(gan)
    assert not Checkpoints(tmp_path, gan).restore()
    assert not Checkpoints(tmp_path, gan).restore('best')
    assert same(before, values(gan))


def test_every_variable_and_the_time_come_back(tmp_path, gan):
    checkpoints = saved(tmp_path, gan, 4)
    move(gan, 5)
    checkpoints.save_best(0.25)
    checkpoints.save(51.5)
    other = make_gan(seed=1)
    assert not same(values(other), values(gan))
    restored = Checkpoints(tmp_path, other)
    assert restored.restore()
    assert same(values(other), values(gan))
    assert len(values(gan)) > 40
    assert (float(restored.secs), float(restored.best_score)) == (51.5, 0.25)


def test_the_state_is_all_that_a_gan_holds(gan):
    held = {id(variable) for variable in variables(gan)}
    models = gan.generator, gan.average, gan.discriminator
    assert all(id(v) in held for model in models for v in model.variables)
    own = [value for value in vars(gan).values() if isinstance(value, tf.Variable)]
    assert len(own) >= 4
    assert all(id(variable) in held for variable in own)


def test_the_last_three_are_kept(tmp_path, gan):
    saved(tmp_path, gan, 2, 9, 10, 100)
    names = {path.name for path in (tmp_path / 'checkpoints').glob('*.index')}
    assert names == {'step-9.index', 'step-10.index', 'step-100.index'}
    assert Checkpoints(tmp_path, gan).restore()
    assert int(gan.step) == 100


def test_data_that_a_kill_left_alone_goes(tmp_path, gan):
    saved(tmp_path, gan, 8)
    (tmp_path / 'checkpoints' / 'step-8.index').unlink()
    own = tmp_path / 'checkpoints' / 'step-mine.data-of-others'
    own.touch()
    saved(tmp_path, gan, 9)
    names = {path.name for path in (tmp_path / 'checkpoints').iterdir()}
    assert names == {'checkpoint', own.name, 'step-9.index', 'step-9.data-00000-of-00001'}


def test_the_note_of_the_latest_is_not_needed(tmp_path, gan):
    saved(tmp_path, gan, 9, 10)
    (tmp_path / 'checkpoints' / 'checkpoint').unlink()
    move(gan, 1)
    checkpoints = Checkpoints(tmp_path, gan)
    assert checkpoints.restore()
    assert int(gan.step) == 10
    checkpoints.save(0.0)


def truncate(path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)


DAMAGE = {
    'half the data': ('data-00000-of-00001', lambda path: truncate(path, 0.5)),
    'no data': ('data-00000-of-00001', lambda path: truncate(path, 0)),
    'data gone': ('data-00000-of-00001', lambda path: path.unlink()),
    'data flipped': ('data-00000-of-00001', flip),
    'half the index': ('index', lambda path: truncate(path, 0.5)),
    'no index': ('index', lambda path: truncate(path, 0)),
    'index flipped': ('index', flip),
    'another index': ('index', lambda path: path.write_bytes(b'not an index' * 99)),
}


def spoil(directory, step, damage):
    suffix, change = DAMAGE[damage]
    change(directory / 'checkpoints' / f'step-{step}.{suffix}')


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_damaged_one_is_passed_over(tmp_path, gan, damage, capfd):
    saved(tmp_path, gan, 8, 9)
    expected = values(gan)
    saved(tmp_path, gan, 10)
    spoil(tmp_path, 10, damage)
    checkpoints = Checkpoints(tmp_path, gan)
    assert checkpoints.restore()
    assert same(values(gan), expected)
    assert float(checkpoints.secs) == 90
    assert f'{tmp_path}/checkpoints/step-10' in capfd.readouterr().out
    # and the way on is free
    saved(tmp_path, gan, 10)
    move(gan, 1)
    assert Checkpoints(tmp_path, gan).restore()
    assert int(gan.step) == 10


@pytest.mark.parametrize('damage', ['half the data', 'no index'])
def test_all_damaged_is_an_error(tmp_path, gan, damage):
    saved(tmp_path, gan, 8, 9)
    for step in 8, 9:
        spoil(tmp_path, step, damage)
    with pytest.raises(RunError) as refusal:
        Checkpoints(tmp_path, gan).restore()
    for words in ('2 checkpoints', f'{tmp_path}/checkpoints', '--run_dir'):
        assert words in str(refusal.value)


def others(path, change):
    """Replaces a checkpoint by one of other variables."""
    reader = tf.train.load_checkpoint(str(path))
    state = {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}
    graph = state.pop('_CHECKPOINTABLE_OBJECT_GRAPH')
    changed = change(state) | {'_CHECKPOINTABLE_OBJECT_GRAPH': graph}
    tf.raw_ops.SaveV2(
        prefix=str(path),
        tensor_names=list(changed),
        shape_and_slices=[''] * len(changed),
        tensors=list(changed.values()),
    )


def first_of_many(state):
    """The first of the variables that have several numbers."""
    return next(k for k in sorted(state) if k.startswith('generator') and state[k].size > 1)


def with_first(change):
    """A change of that one."""
    return lambda state: state | {(key := first_of_many(state)): change(state[key])}


STRANGE = {
    'a number that is none': with_first(lambda value: value * np.float32('nan')),
    'infinity': with_first(lambda value: value + np.float32('inf')),
    'another shape': with_first(lambda value: np.zeros([7, 7], np.float32)),
    'one variable less': lambda s: {k: s[k] for k in s if k != first_of_many(s)},
}


@pytest.mark.parametrize('change', STRANGE)
def test_one_of_a_strange_content_is_passed_over(tmp_path, gan, change, capfd):
    saved(tmp_path, gan, 9)
    expected = values(gan)
    saved(tmp_path, gan, 10)
    others(tmp_path / 'checkpoints/step-10', STRANGE[change])
    assert Checkpoints(tmp_path, gan).restore()
    assert same(values(gan), expected)
    assert f'passing over the checkpoint {tmp_path}/checkpoints/step-10' in capfd.readouterr().out


def test_one_of_a_network_of_another_depth_is_refused(tmp_path, gan, capfd):
    saved(tmp_path, gan, 9)
    settings = config.make(steps=9, batch_size=2, width=8, depth=3, latent_size=3)
    with pytest.raises(RunError, match='none of the 1 checkpoints'):
        Checkpoints(tmp_path, Gan(settings, (4, 4, 1), [0.5, 0.5])).restore()
    assert 'step-9: ValueError: its networks are not those of today' in capfd.readouterr().out


def test_what_tensorflows_manager_wrote_is_still_read(tmp_path, gan):
    move(gan, 9)
    run = [tf.Variable(90.0, dtype=tf.float64), tf.Variable(0.5)]
    folder = str(tmp_path / 'checkpoints')
    state = tf.train.Checkpoint(**gan.state(), run=run)
    tf.train.CheckpointManager(state, folder, 3, checkpoint_name='step').save(9)
    expected = values(gan)
    move(gan, 1)
    checkpoints = Checkpoints(tmp_path, gan)
    assert checkpoints.restore() and same(values(gan), expected)
    assert float(checkpoints.secs) == 90


def names(folder):
    return sorted(path.name for path in folder.glob('*.index'))


def test_a_step_that_is_saved_again_is_never_missing(tmp_path, gan):
    saved(tmp_path, gan, 8, 9, 9, 9)
    folder = tmp_path / 'checkpoints'
    assert names(folder) == ['step-8.index', 'step-9-2.index', 'step-9-3.index']
    spoil(tmp_path, '9-3', 'half the data')
    move(gan, 1)
    assert Checkpoints(tmp_path, gan).restore()
    assert int(gan.step) == 9
    assert tf.train.latest_checkpoint(str(folder)) == f'{folder}/step-9-3'


def test_a_disk_that_gets_full_takes_nothing_away(tmp_path, gan, full_disk):
    folder = tmp_path / 'checkpoints'
    filler = full_disk(folder, 4 * 2**20)
    checkpoints = saved(tmp_path, gan, 7, 8, 9)
    expected, before = values(gan), sorted(folder.iterdir())
    with open(folder / 'rest', 'wb') as rest, pytest.raises(OSError, match='No space'):
        rest.write(bytes(8 * 2**20))
    move(gan, 10)
    with pytest.raises(StorageError, match=f'{folder} cannot be written: No space left on device'):
        checkpoints.save(100.0)
    (folder / 'rest').unlink()
    assert sorted(folder.iterdir()) == before
    assert Checkpoints(tmp_path, gan).restore() and same(values(gan), expected)
    filler.unlink()
    saved(tmp_path, gan, 10)
    assert names(folder) == ['step-10.index', 'step-8.index', 'step-9.index']


def test_it_is_on_the_disk_before_an_older_one_goes(tmp_path, gan, monkeypatch):
    saved(tmp_path, gan, 7, 8, 9)
    folder, safe, there, real = tmp_path / 'checkpoints', [], [], storage.sync

    def sync(path):
        safe.append(os.path.basename(path))
        there.append(names(folder))
        real(path)

    monkeypatch.setattr(storage, 'sync', sync)
    saved(tmp_path, gan, 10)
    first = safe.index('checkpoints')
    assert {'state.index', 'state.data-00000-of-00001'} <= set(safe[:first])
    assert 'step-7.index' in there[first] and 'step-10.index' in there[first]
    assert 'step-10.index' not in there[first - 1]
    assert 'step-7.index' not in names(folder)


def test_clocks_that_jump_do_not_change_which_is_the_newest(tmp_path, gan):
    saved(tmp_path, gan, 8, 9, 10)
    for path in (tmp_path / 'checkpoints').iterdir():
        day = 86_400 * (-1 if '10' in path.name else 1)
        os.utime(path, (path.stat().st_mtime + day,) * 2)
    assert Checkpoints(tmp_path, gan).restore()
    assert int(gan.step) == 10
    saved(tmp_path, gan, 11)
    assert names(tmp_path / 'checkpoints') == ['step-10.index', 'step-11.index', 'step-9.index']


def test_damaged_ones_go_first(tmp_path, gan):
    saved(tmp_path, gan, 80, 90, 100)
    spoil(tmp_path, 100, 'no data')
    spoil(tmp_path, 90, 'no data')
    checkpoints = Checkpoints(tmp_path, gan)
    assert checkpoints.restore()
    for step, left in ((85, ['step-100', 'step-80', 'step-85']), (86, ['step-80', 'step-85'])):
        move(gan, step)
        checkpoints.save(0.0)
        assert set(names(tmp_path / 'checkpoints')) >= {f'{name}.index' for name in left}
    assert len(names(tmp_path / 'checkpoints')) == 3


def with_best(directory, gan):
    """A run at step 4 whose best state, of step 5, was saved just before it was killed."""
    checkpoints = saved(directory, gan, 4)
    move(gan, 5)
    assert checkpoints.save_best(0.2)
    return Checkpoints(directory, gan)


def test_the_score_to_beat_is_that_of_the_best_there_is(tmp_path, gan):
    checkpoints = with_best(tmp_path, gan)
    assert checkpoints.restore()
    assert int(gan.step) == 4
    assert float(checkpoints.best_score) == pytest.approx(0.2)
    assert not checkpoints.save_best(0.3)


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_damaged_best_is_told_and_replaced(tmp_path, gan, damage, capfd):
    checkpoints = with_best(tmp_path, gan)
    suffix, change = DAMAGE[damage]
    change(tmp_path / 'best' / f'step-5.{suffix}')
    with pytest.raises(RunError, match='--checkpoint=latest'):
        Checkpoints(tmp_path, gan).restore('best')
    capfd.readouterr()
    assert checkpoints.restore()
    assert f'passing over the checkpoint {tmp_path}/best/step-5' in capfd.readouterr().out
    assert float(checkpoints.best_score) == np.inf
    move(gan, 5)
    assert checkpoints.save_best(0.3)
    assert names(tmp_path / 'best') == ['step-5-2.index']


def test_only_the_best_is_kept_apart(tmp_path, gan):
    checkpoints = Checkpoints(tmp_path, gan)
    scores = [0.5, 0.3, float('nan'), 0.4, 0.3, 0.2, float('inf')]
    for step, (score, kept) in enumerate(zip(scores, [0, 1, 1, 1, 1, 5, 5], strict=True)):
        move(gan, step)
        checkpoints.save_best(score)
        assert [path.stem for path in (tmp_path / 'best').glob('*.index')] == [f'step-{kept}']
    assert not list((tmp_path / 'checkpoints').glob('*'))
    other = make_gan(seed=1)
    restored = Checkpoints(tmp_path, other)
    assert not restored.restore()
    assert restored.restore('best')
    assert int(other.step) == 5
    assert float(restored.best_score) == pytest.approx(0.2)
    restored.save_best(0.25)
    assert [path.name for path in (tmp_path / 'best').glob('*.index')] == ['step-5.index']


NAMES = '[', 'a*b', 'a?b', 'back\\slash', "it's", 'a "b"', '%41', '$HOME', '~', '-dash', ' '


@pytest.mark.parametrize(
    'name',
    [
        *('v[2]', '{a,b}', 'new\nline', 'ü'),
        *(pytest.param(name, marks=pytest.mark.long) for name in NAMES),
    ],
)
def test_any_name_is_a_runs(tmp_path, gan, name):
    saved(tmp_path / 'v2', gan, 77)  # which a shell would find by v[2]
    checkpoints = saved(tmp_path / name, gan, 4, 5)
    assert checkpoints.save_best(0.25)
    expected = values(gan)
    move(gan, 1)
    restored = Checkpoints(tmp_path / name, gan)
    assert restored.restore() and same(values(gan), expected)
    assert float(restored.best_score) == 0.25
    assert reached(tmp_path / name) == (5, 50.0)


def test_how_far_a_run_has_come(tmp_path, gan):
    assert reached(tmp_path) == (0, 0.0)
    saved(tmp_path, gan, 8, 9)
    spoil(tmp_path, 9, 'half the data')
    assert reached(tmp_path) == (8, 80.0)
