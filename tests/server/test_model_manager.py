"""Models are found, loaded, swapped, and kept when what comes is broken."""

import asyncio
import concurrent.futures
import shutil

import numpy as np
import pytest
from toy_models import export_toy, toy_gan

from tfgan.errors import RefusedError
from tfgan.saved_model import loading
from tfgan.server.model_manager import Limits, ModelManager
from tfgan.server.monitoring import Metrics

SEEDS = {'seed': np.arange(3)}


@pytest.fixture
def models(exported, tmp_path):
    """A directory of a model that may be changed."""
    shutil.copytree(exported, tmp_path / 'models/toy')
    return tmp_path / 'models'


@pytest.fixture(scope='module')
def executor():
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        yield executor


def managed(models, executor, limits=Limits()):  # noqa: B008, it is frozen
    made = ModelManager(models, executor, limits, Metrics())
    made.refresh()
    return made


def draw(manager, version, signature='serving_default', inputs=SEEDS):
    [output] = asyncio.run(manager.predict(version, signature, inputs)).values()
    return output


def test_a_model_is_loaded_and_draws(models, executor, toy):
    manager = managed(models, executor)
    version = manager.find('toy')
    assert (version.model, version.number) == ('toy', 1)
    assert np.array_equal(draw(manager, version), toy.draw(np.arange(3)))
    assert manager.status('toy') == {1: ('AVAILABLE', 'OK', '')}
    assert version.signature('').specs == {'seed': (np.dtype('int64'), (None,))}
    assert version.signature('latents').specs['latents'] == (np.dtype('float32'), (None, 6))


def test_the_directory_of_one_model_will_do(exported, executor):
    assert managed(exported, executor).find('toy').number == 1


def test_the_newest_version_takes_over_and_the_old_one_ends_its_requests(models, executor, toy):
    manager = managed(models, executor)
    old = manager.find('toy')
    export_toy(toy_gan(seed=1), models / 'toy')
    manager.refresh()
    new = manager.find('toy')
    assert new.number == 2
    assert manager.status('toy') == {1: ('END', 'OK', ''), 2: ('AVAILABLE', 'OK', '')}
    assert np.array_equal(draw(manager, old), toy.draw(np.arange(3)))  # begun before
    assert not np.array_equal(draw(manager, new), draw(manager, old))
    with pytest.raises(RefusedError, match=r'Specific\(toy, 1\)'):
        manager.find('toy', 1)


def test_of_many_versions_one_is_loaded(models, executor):
    shutil.copytree(models / 'toy/1', models / 'toy/10')
    shutil.copytree(models / 'toy/1', models / 'toy/9')
    assert managed(models, executor).status('toy') == {10: ('AVAILABLE', 'OK', '')}


def test_a_version_is_a_number_however_it_is_written(models, executor, toy):
    (models / 'toy/1').rename(models / 'toy/0001')
    (models / 'toy').rename(models / 'v[2]')
    manager = managed(models, executor)
    assert manager.find('v[2]', 1).number == 1
    assert np.array_equal(draw(manager, manager.find('v[2]')), toy.draw(np.arange(3)))
    shutil.copytree(models / 'v[2]/0001', models / 'v[2]/002')
    manager.refresh()
    assert manager.status('v[2]') == {1: ('END', 'OK', ''), 2: ('AVAILABLE', 'OK', '')}


def test_it_tells_which_models_answer(models, executor):
    shutil.copytree(models / 'toy', models / 'broken')
    break_file(models / 'broken/1')
    assert managed(models, executor).serving() == {'toy': True, 'broken': False}


def break_file(version):
    (version / 'saved_model.pb').write_bytes(b'no model')


def break_variables(version):
    next((version / 'variables').glob('*.index')).unlink()


def break_warmup(version):
    (version / 'assets.extra/tf_serving_warmup_requests').write_bytes(b'no record' * 9)


@pytest.mark.parametrize('break_it', [break_file, break_variables, break_warmup])
def test_a_version_that_does_not_load_is_told_and_the_one_before_stays(models, executor, break_it):
    shutil.copytree(models / 'toy/1', models / 'toy/2')
    break_it(models / 'toy/2')
    manager = managed(models, executor)
    assert manager.find('toy').number == 1
    state, code, message = manager.status('toy', 2)[2]
    assert (state, code) == ('END', 'INTERNAL') and message
    shutil.rmtree(models / 'toy/2')  # and when it is mended, it takes over
    shutil.copytree(models / 'toy/1', models / 'toy/2')
    manager.refresh()
    assert manager.find('toy').number == 2
    assert manager.status('toy', 2) == {2: ('AVAILABLE', 'OK', '')}


def test_a_broken_version_is_not_loaded_over_and_over(models, executor, monkeypatch):
    """Until its files change: then it is tried at once."""
    shutil.copytree(models / 'toy/1', models / 'toy/2')
    good = (models / 'toy/2/saved_model.pb').read_bytes()
    break_file(models / 'toy/2')
    load, loaded = loading.load, []

    def spied(folder, trust):
        loaded.append(folder.name)
        return load(folder, trust)

    monkeypatch.setattr(loading, 'load', spied)
    manager = managed(models, executor)
    for _ in range(100):
        manager.refresh()
    assert 1 <= loaded.count('2') <= 2 and loaded.count('1') == 1
    loaded.clear()
    (models / 'toy/2/saved_model.pb').write_bytes(b'no model either')
    manager.refresh()
    assert loaded == ['2']
    assert manager.find('toy').number == 1
    (models / 'toy/2/saved_model.pb').write_bytes(good)
    manager.refresh()
    assert manager.find('toy').number == 2


def test_models_come_and_nothing_goes(models, executor):
    manager = managed(models, executor)
    shutil.copytree(models / 'toy', models / 'new')
    shutil.rmtree(models / 'toy')
    (models / 'notes').mkdir()
    manager.refresh()
    assert manager.find('new').number == manager.find('toy').number == 1
    assert len(draw(manager, manager.find('toy'))) == 3


@pytest.mark.parametrize(('model', 'number'), [('dog', None), ('toy', 7)])
def test_what_is_not_there_is_not_found(models, executor, model, number):
    manager = managed(models, executor)
    for ask in manager.find, manager.status:
        with pytest.raises(RefusedError, match=model) as refused:
            ask(model, number)
        assert refused.value.code == 'NOT_FOUND'


def test_errors_of_the_model_are_the_clients(models, executor):
    manager = managed(models, executor)
    version = manager.find('toy')
    with pytest.raises(RefusedError, match='label: not below 3') as refused:
        draw(manager, version, 'labelled', SEEDS | {'label': np.array([0, 3, 0], np.int32)})
    assert refused.value.code == 'INVALID_ARGUMENT'
    with pytest.raises(RefusedError, match='"paint" not found in signature def; there are classes'):
        version.signature('paint')


def test_large_images_are_drawn_in_smaller_batches(models, executor, toy):
    manager = managed(
        models, executor, Limits(max_batch_values=5 * 120, max_answer_values=40 * 120)
    )
    sizes = manager._metrics.batch_rows.labels('toy')
    before = sizes._sum.get()
    version = manager.find('toy')
    assert version.batch_rows == 5
    drawn = draw(manager, version, inputs={'seed': np.arange(12)})
    assert abs(drawn.astype(int) - toy.draw(np.arange(12))).max() <= 1
    assert sizes._sum.get() - before == 12
    counts = [int(bucket.get()) for bucket in sizes._buckets]  # of 1, 2, 4, 8, ... rows at most
    assert counts[3] == 2
    with pytest.raises(RefusedError, match='41 rows: a request may have 40'):
        draw(manager, version, inputs={'seed': np.arange(41)})


def test_one_image_is_drawn_however_large_it_is(models, executor):
    manager = managed(models, executor, Limits(max_batch_values=1, max_answer_values=1))
    assert len(draw(manager, manager.find('toy'), inputs={'seed': np.arange(1)})) == 1


def test_an_answer_that_takes_too_long_is_given_up(models, executor):
    manager = managed(models, executor, Limits(max_secs=0.05))

    async def scene():
        blocker = executor.submit(lambda: __import__('time').sleep(0.5))
        with pytest.raises(RefusedError, match=r'no answer in 0.05 s') as refused:
            await manager.predict(manager.find('toy'), 'serving_default', SEEDS)
        await asyncio.wrap_future(blocker)
        return refused.value.code

    assert asyncio.run(scene()) == 'DEADLINE_EXCEEDED'
