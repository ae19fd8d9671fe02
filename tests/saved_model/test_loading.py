"""A model is loaded from a folder of any name, and from no other folder that its name matches."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from toy_models import export_toy, toy_gan

import tfgan
from tfgan.saved_model import loading, warmup

SEEDS = np.arange(3)


def draw(version):
    answer = loading.load(version).signatures['serving_default'](seed=tf.constant(SEEDS))
    return answer['image'].numpy()


NAMES = 'my models', 'back\\slash', '$HOME', '-v'


@pytest.mark.parametrize(
    'name', ['v[2]', 'ü {x}', *(pytest.param(name, marks=pytest.mark.long) for name in NAMES)]
)
def test_any_name_will_do(exported, toy, tmp_path, name):
    shutil.copytree(exported / '1', tmp_path / name / '0001')
    assert np.array_equal(draw(tmp_path / name / '0001'), toy.draw(SEEDS))
    assert np.array_equal(tfgan.load(tmp_path / name).draw(SEEDS), toy.draw(SEEDS))
    assert len(list(warmup.requests(tmp_path / name / '0001'))) == 18


@pytest.mark.parametrize(
    'name', ['v[1]', *(pytest.param(name, marks=pytest.mark.long) for name in ('v?', 'v*'))]
)
def test_a_name_is_no_pattern(exported, toy, tmp_path, name):
    export_toy(toy_gan(seed=1), tmp_path / 'v1')
    shutil.copytree(exported, tmp_path / name)
    assert np.array_equal(draw(tmp_path / name / '1'), toy.draw(SEEDS))


def test_a_relative_path_will_do(exported, toy, tmp_path, monkeypatch):
    shutil.copytree(exported, tmp_path / 'v[2]')
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(draw('v[2]/1'), toy.draw(SEEDS))
