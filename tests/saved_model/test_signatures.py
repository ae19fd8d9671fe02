"""An export answers as the Gan does, loaded by plain TensorFlow and by its C API."""

import base64
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfgan import latents
from tfgan.forms import pictures
from tfgan.saved_model import warmup

SEEDS = np.array([3, 7, -1, 2**40, 0], np.int64)
LABELS = np.array([2, 0, 1, 1, 0], np.int32)


@pytest.fixture(scope='module')
def version(exported):
    return exported / '1'


@pytest.fixture(scope='module')
def signatures(version):
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


def ask(signatures, name, **inputs):
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    [output] = signatures[name](**tensors).values()
    return output.numpy()


def test_a_seed_draws_what_it_did_in_training(toy, signatures):
    assert np.array_equal(ask(signatures, 'serving_default', seed=SEEDS), toy.draw(SEEDS))
    labelled = ask(signatures, 'labelled', seed=SEEDS, label=LABELS)
    assert np.array_equal(labelled, toy.draw(SEEDS, LABELS))
    assert not np.array_equal(labelled, toy.draw(SEEDS))


def test_a_negative_label_is_the_seeds_own(signatures):
    plain = ask(signatures, 'serving_default', seed=SEEDS)
    assert np.array_equal(ask(signatures, 'labelled', seed=SEEDS, label=-np.ones(5, 'i4')), plain)


@pytest.mark.parametrize('name', ['labelled', 'discriminate', 'latents'])
def test_a_label_that_is_no_class_is_refused(signatures, name):
    inputs = {
        'labelled': dict(seed=SEEDS[:1]),
        'discriminate': dict(image=np.zeros([1, 12, 10, 1], np.uint8)),
        'latents': dict(latents=np.zeros([1, 6], np.float32)),
    }[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match='label: not below 3'):
        ask(signatures, name, label=np.array([3], np.int32), **inputs)


def test_truncation_narrows_what_is_drawn(signatures):
    seeds = np.arange(200)
    labels = np.zeros(200, np.int32)

    def spread(share):
        shares = np.full(200, share, np.float32)
        drawn = ask(signatures, 'truncated', seed=seeds, label=labels, truncation=shares)
        return drawn, drawn.astype(float).std(axis=0).mean()

    (full, widest), (_, middle), (least, none) = (spread(share) for share in (1, 0.5, 0))
    assert np.array_equal(full, ask(signatures, 'labelled', seed=seeds, label=labels))
    assert 0.2 * widest < middle < 0.8 * widest
    assert none < 0.01 * widest
    typical = ask(signatures, 'latents', latents=np.zeros([1, 6], 'f4'), label=labels[:1])
    assert abs(least[0].astype(int) - typical[0]).max() <= 1


def test_classes_have_their_names(signatures):
    names = ask(signatures, 'classes', label=np.array([2, 0, 3, -1], np.int32))
    assert names.tolist() == [b'fish', b'cat', b'', b'']


def test_warmup_requests_cover_every_signature(version, signatures):
    asked = list(warmup.requests(version))
    assert {name for name, _ in asked} == set(signatures)
    for name, inputs in asked:
        output = ask(signatures, name, **inputs)
        assert len(output) == len(next(iter(inputs.values()))) in warmup.ROWS
    assert {len(inputs['seed']) for name, inputs in asked if name == 'png'} == set(warmup.ROWS)


def test_an_export_without_warmup_has_no_requests(tmp_path):
    assert list(warmup.requests(tmp_path)) == []


def test_what_is_not_weights_is_small(version):
    assert (version / 'saved_model.pb').stat().st_size < 400_000


def test_it_loads_in_well_under_a_second(version):
    began = time.process_time()  # of this process, whatever runs beside it
    tf.saved_model.load(str(version))
    assert time.process_time() - began < 2


def definitions(version):
    content = (version / 'saved_model.pb').read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def


def c_api(version, name, **inputs):
    """A signature's only output, through the C API in a process that has no Python TensorFlow."""
    signature = definitions(version)[name]
    request = {
        'inputs': [
            [
                signature.inputs[key].name,
                signature.inputs[key].dtype,
                value.shape,
                value.ravel().tolist(),
            ]
            for key, value in inputs.items()
        ],
        'outputs': [[info.name, info.dtype] for info in signature.outputs.values()],
    }
    here = pathlib.Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, here / 'c_api.py', pathlib.Path(tf.__file__).parent, version],
        input=json.dumps(request), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [(shape, content)] = json.loads(done.stdout)
    return shape, [base64.b64decode(each) for each in content]


INPUTS = {
    'serving_default': dict(seed=SEEDS),
    'labelled': dict(seed=SEEDS, label=LABELS),
    'truncated': dict(seed=SEEDS, label=LABELS, truncation=np.linspace(0, 1, 5, dtype='f4')),
    'latents': dict(latents=np.ones([5, 6], 'f4'), label=LABELS),
    'interpolate': dict(
        seed=SEEDS, to_seed=SEEDS[::-1], share=np.linspace(0, 1, 5, dtype='f4'), label=LABELS
    ),
    'discriminate': dict(image=np.full([5, 12, 10, 1], 99, np.uint8), label=LABELS),
}


@pytest.mark.parametrize('name', INPUTS)
def test_the_c_api_answers_the_same(version, signatures, name):
    expected = ask(signatures, name, **INPUTS[name])
    shape, [content] = c_api(version, name, **INPUTS[name])
    assert shape == list(expected.shape)
    found = np.frombuffer(content, expected.dtype).reshape(shape)
    if expected.dtype == np.uint8:
        assert np.array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_c_api_answers_with_strings(version, signatures):
    assert c_api(version, 'png', seed=SEEDS)[1] == ask(signatures, 'png', seed=SEEDS).tolist()
    told = ask(signatures, 'recipe', seed=SEEDS, label=LABELS).tolist()
    assert c_api(version, 'recipe', seed=SEEDS, label=LABELS)[1] == told
    assert c_api(version, 'classes', label=LABELS)[1] == [b'fish', b'cat', b'dog', b'dog', b'cat']


def test_the_c_api_refuses_the_same(version):
    with pytest.raises(AssertionError, match='label: not below 3'):
        c_api(version, 'labelled', seed=SEEDS, label=LABELS + 1)


def test_every_signature_is_asked_by_the_c_api(signatures):
    assert set(INPUTS) | {'png', 'recipe', 'classes'} == set(signatures)


@pytest.mark.long
def test_saved_model_cli_shows_and_runs_it(version, tmp_path):
    cli = pathlib.Path(sys.executable).with_name('saved_model_cli')
    scan = subprocess.check_output([cli, 'scan', '--dir', version], text=True)
    assert 'does not contain the default denylisted ops' in scan
    subprocess.check_call(
        [cli, 'run', '--dir', version, '--tag_set', 'serve', '--signature_def', 'serving_default',
         '--input_exprs', 'seed=[3, 7]', '--outdir', tmp_path],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    drawn = np.load(tmp_path / 'image.npy')
    assert drawn.shape == (2, 12, 10, 1) and drawn.dtype == np.uint8


def test_one_seed_is_one_drawing_in_any_batch(signatures):
    seeds = np.arange(64)
    together = ask(signatures, 'serving_default', seed=seeds).astype(int)
    backwards = ask(signatures, 'serving_default', seed=seeds[::-1].copy())[::-1]
    assert np.array_equal(backwards, together)
    alone = np.concatenate([ask(signatures, 'serving_default', seed=seeds[i:][:1]) for i in seeds])
    assert abs(together - alone).max() <= 1


def test_latents_of_a_seed_draw_its_drawing(signatures):
    points = latents.normal(SEEDS, 6).numpy()
    drawn = ask(signatures, 'latents', latents=points, label=LABELS)
    assert np.array_equal(drawn, ask(signatures, 'labelled', seed=SEEDS, label=LABELS))
    assert pictures.sheet(drawn).std() > 5  # there is something to see
