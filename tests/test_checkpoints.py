"""A run's whole state comes back from its files, from the newest that can be read."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfgan import config
from tfgan.checkpoints import Checkpoints
from tfgan.gan import Gan
from tfgan.runs import RunError


def make_gan(seed=0):
    settings = config.make(steps=9, batch_size=2, width=8, depth=2, latent_size=3, seed=seed)
    return Gan(settings, (4, 4, 1), [0.5, 0.5])


@pytest.fixture
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
