"""A model's versions are found and loaded wherever they lie; what is none of ours is refused."""

import pathlib
import shutil

import pytest
import tensorflow as tf

import tfgan
from tfgan.errors import ModelError
from tfgan.saved_model import layout

NAMES = 'a*b', 'a?b', 'back\\slash', 'a "b"', '%41', '-dash', 'ü'


@pytest.mark.parametrize(
    'name',
    ['v[2]', "it's", 'new\nline', *(pytest.param(name, marks=pytest.mark.long) for name in NAMES)],
)
def test_any_name_is_a_models(exported, tmp_path, name):
    shutil.copytree(exported / '1', tmp_path / name / '0001')
    shutil.copytree(exported / '1', tmp_path / 'whole' / name)
    expected = tfgan.load(exported).draw([3])
    for place in (tmp_path / name, tmp_path / 'whole' / name):
        assert (tfgan.load(place).draw([3]) == expected).all()
    assert layout.newest(tmp_path / name).name == '0001'


def test_a_relative_name_is_found_too(exported, tmp_path, monkeypatch):
    shutil.copytree(exported, tmp_path / 'm[1]')
    monkeypatch.chdir(tmp_path)
    assert tfgan.load('m[1]').draw([3]).shape[0] == 1


def refusal(path):
    with pytest.raises(ModelError) as caught:
        tfgan.load(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_somebody_elses_model_is_told_by_what_it_lacks(tmp_path):
    class Foreign(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None])])
        def __call__(self, x):
            return x

    model = Foreign()
    tf.saved_model.save(model, str(tmp_path / '1'), {'serving_default': model.__call__})
    assert refusal(tmp_path) == (
        f'--model={tmp_path}/1 is no model of tfgan: it lacks the signatures labelled, truncated, '
        'latents, interpolate, classes; python -m tfgan.train writes one'
    )


@pytest.mark.parametrize('file', ['saved_model.pb', 'variables/variables.index'])
@pytest.mark.parametrize('text', [b'', b'nothing of the kind'])
def test_a_damaged_model_is_one_line(exported, tmp_path, file, text):
    version = pathlib.Path(shutil.copytree(exported / '1', tmp_path / '1'))
    (version / 'fingerprint.pb').unlink()
    (version / file).write_bytes(text)
    assert refusal(version).startswith(f'--model={version} cannot be loaded: ')


NO_VERSIONS = (
    *('1.bak', '1 ', ' 1', '+1', '-1', '\uff11', '1e0', '0x1', '1_0', 'one', '.1', '1\n'),
    *('12345678901234567890', '9223372036854775808'),
)


@pytest.mark.parametrize('name', NO_VERSIONS)
def test_what_is_no_version_is_passed_over(tmp_path, name):
    for folder in 'whole/1', f'whole/{name}', f'alone/{name}':
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / layout.MAIN_FILE).touch()
    assert {number: path.name for number, path in layout.versions(tmp_path / 'whole').items()} == {
        1: '1'
    }
    assert layout.newest(tmp_path / 'whole').name == '1'
    assert layout.next_number(tmp_path / 'whole') == 2
    assert layout.versions(tmp_path / 'alone') == {} and layout.next_number(tmp_path / 'alone') == 1
    with pytest.raises(ModelError, match='no exported model there'):
        layout.newest(tmp_path / 'alone')


def test_one_number_is_one_version(tmp_path):
    for name in '1', '01', '00000000000000000001', '0':
        (tmp_path / name).mkdir()
        (tmp_path / name / layout.MAIN_FILE).touch()
    assert {number: path.name for number, path in layout.versions(tmp_path).items()} == {
        0: '0',
        1: '1',
    }
    assert layout.next_number(tmp_path) == 2


def test_after_the_last_number_there_is_none(tmp_path):
    (tmp_path / '9223372036854775807').mkdir()
    with pytest.raises(ModelError, match='the last that there can be'):
        layout.next_number(tmp_path)
