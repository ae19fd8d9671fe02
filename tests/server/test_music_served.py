"""A model of music answers by both protocols as its SavedModel does."""

import base64
import io

import grpc
import mido
import numpy as np
import pytest
import requests
import tensorflow as tf
from servers import Server
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from toy_models import toy_music

from tfgan.forms.music.pieces import notes_of

SEEDS = np.array([3, -7], np.int64)
LABELS = np.array([1, 0], np.int32)
STEPS, VOICES = 32, 4


@pytest.fixture(scope='module')
def version(tmp_path_factory):
    return toy_music(tmp_path_factory.mktemp('music') / 'toy', 'beats', steps=STEPS)


@pytest.fixture(scope='module')
def signatures(version):
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


@pytest.fixture(scope='module')
def server(version):
    with Server(version.parent.parent) as server:
        yield server


def by_rest(server, signature, **inputs):
    body = {'signature_name': signature, 'inputs': {k: v.tolist() for k, v in inputs.items()}}
    answer = requests.post(f'{server.rest}/v1/models/toy:predict', json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()['outputs']


def by_grpc(server, signature, **inputs):
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name, asked.model_spec.signature_name = 'toy', signature
    for name, value in inputs.items():
        asked.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(server.grpc.removeprefix('grpc://')) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        [output] = stub.Predict(asked, timeout=20).outputs.values()
    return tf.make_ndarray(output)


@pytest.fixture(scope='module')
def pieces(signatures):
    return signatures['serving_default'](seed=tf.constant(SEEDS))['pitch'].numpy()


def test_pieces(server, pieces):
    for ask in by_rest, by_grpc:
        assert np.array_equal(ask(server, 'serving_default', seed=SEEDS), pieces)


def test_midi(server, pieces):
    [text, other] = by_rest(server, 'midi', seed=SEEDS)
    assert [base64.b64decode(each['b64']) for each in (text, other)] == [
        *by_grpc(server, 'midi', seed=SEEDS)
    ]
    [track] = mido.MidiFile(file=io.BytesIO(base64.b64decode(text['b64']))).tracks
    begun = [each.note for each in track if each.type == 'note_on' and each.velocity]
    assert sorted(begun) == sorted(note.pitch for note in notes_of(pieces[0]))


def test_what_is_given_is_kept(server, pieces):
    known = np.zeros([2, STEPS, VOICES], np.float32)
    known[:, :, 0] = 1
    given = dict(seed=SEEDS + 1, label=LABELS, pitch=pieces, known=known)
    found = by_rest(server, 'fill', **given)
    assert np.array_equal(found, by_grpc(server, 'fill', **given))
    assert np.array_equal(np.array(found)[:, :, 0], pieces[:, :, 0])
    assert not np.array_equal(found, pieces)
