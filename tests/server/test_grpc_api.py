"""The gRPC API by the published stubs, of a server in a process of its own."""

import time

import grpc
import http2
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from servers import Server
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)


@pytest.fixture(scope='module')
def channel(served):
    with grpc.insecure_channel(served.grpc.removeprefix('grpc://')) as channel:
        yield channel


def request(signature='serving_default', model='toy', version=None, **inputs):
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    made.model_spec.signature_name = signature
    if version is not None:
        made.model_spec.version.value = version
    for name, value in inputs.items():
        plain = isinstance(value, np.ndarray)
        made.inputs[name].CopyFrom(tf.make_tensor_proto(value) if plain else value)
    return made


def predict(channel, *arguments, **inputs):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return stub.Predict(request(*arguments, **inputs), timeout=20)


SEEDS = np.array([3, -7], np.int64)


def test_it_draws_what_training_drew(channel, toy):
    answer = predict(channel, seed=SEEDS)
    assert np.array_equal(tf.make_ndarray(answer.outputs['image']), toy.draw(SEEDS))
    assert answer.model_spec.name == 'toy'
    assert answer.model_spec.version.value == 1
    assert answer.model_spec.signature_name == 'serving_default'


def test_outputs_may_be_chosen(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    asked = request('png', seed=SEEDS)
    asked.output_filter.append('png_bytes')
    answer = stub.Predict(asked, timeout=20).outputs['png_bytes'].string_val
    assert all(each.startswith(b'\x89PNG') for each in answer) and len(answer) == 2
    asked.output_filter[0] = 'gif'
    assert refusal(stub.Predict, asked) == grpc.StatusCode.INVALID_ARGUMENT


def refusal(call, asked):
    """The code that a call is refused with."""
    with pytest.raises(grpc.RpcError) as refused:
        call(asked, timeout=20)
    return refused.value.code()


def test_status_tells_of_versions(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    asked = get_model_status_pb2.GetModelStatusRequest()
    asked.model_spec.name = 'toy'
    [only] = stub.GetModelStatus(asked, timeout=20).model_version_status
    assert (only.version, only.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    asked.model_spec.name = 'dog'
    assert refusal(stub.GetModelStatus, asked) == grpc.StatusCode.NOT_FOUND


def test_metadata_are_of_signatures_alone(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    asked = get_model_metadata_pb2.GetModelMetadataRequest()
    asked.model_spec.name = 'toy'
    assert refusal(stub.GetModelMetadata, asked) == grpc.StatusCode.INVALID_ARGUMENT


PREDICTION = prediction_service_pb2_grpc.PredictionServiceStub
MODELS = model_service_pb2_grpc.ModelServiceStub


@pytest.mark.parametrize(
    ('service', 'method', 'asked'),
    [
        (PREDICTION, 'Predict', request(seed=SEEDS)),
        (MODELS, 'GetModelStatus', get_model_status_pb2.GetModelStatusRequest()),
        (
            PREDICTION,
            'GetModelMetadata',
            get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=['signature_def']),
        ),
    ],
)
def test_a_label_is_refused_for_there_are_none(channel, service, method, asked):
    asked.model_spec.name = 'toy'
    asked.model_spec.version_label = 'stable'
    with pytest.raises(grpc.RpcError) as refused:
        getattr(service(channel), method)(asked, timeout=20)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert 'Unrecognized servable version label: stable' in refused.value.details()


@pytest.mark.parametrize(
    ('method', 'asked'),
    [
        ('Classify', classification_pb2.ClassificationRequest()),
        ('Regress', regression_pb2.RegressionRequest()),
        ('MultiInference', inference_pb2.MultiInferenceRequest()),
    ],
)
def test_signatures_are_for_predict_alone(channel, method, asked):
    call = getattr(PREDICTION(channel), method)
    assert refusal(call, asked) == grpc.StatusCode.INVALID_ARGUMENT


def test_there_is_no_configuration_to_reload(channel):
    asked = model_management_pb2.ReloadConfigRequest()
    code = refusal(MODELS(channel).HandleReloadConfigRequest, asked)
    assert code == grpc.StatusCode.UNIMPLEMENTED


def test_health_is_told_by_model_and_of_all(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for name in '', 'toy':
        asked = health_pb2.HealthCheckRequest(service=name)
        assert stub.Check(asked, timeout=20).status == health_pb2.HealthCheckResponse.SERVING
    asked = health_pb2.HealthCheckRequest(service='dog')
    assert refusal(stub.Check, asked) == grpc.StatusCode.NOT_FOUND


def test_services_are_listed_and_described(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest
    symbol = 'tensorflow.serving.PredictionService'
    questions = asked(list_services=''), asked(file_containing_symbol=symbol)
    listed, described = stub.ServerReflectionInfo(iter(questions), timeout=20)
    assert {service.name for service in listed.list_services_response.service} == {
        'tensorflow.serving.PredictionService',
        'tensorflow.serving.ModelService',
        'grpc.health.v1.Health',
        'grpc.reflection.v1alpha.ServerReflection',
    }
    assert described.file_descriptor_response.file_descriptor_proto


def vast():
    """A tensor of a few bytes that stands for eight thousand million."""
    proto = tf.make_tensor_proto(np.array([7], np.int64))
    proto.tensor_shape.dim[0].size = 10**9
    proto.ClearField('tensor_content')
    proto.int64_val.append(7)
    return proto


def negative():
    proto = vast()
    proto.tensor_shape.dim[0].size = -5
    return proto


def short():
    proto = tf.make_tensor_proto(SEEDS)
    proto.tensor_content = proto.tensor_content[:9]
    return proto


@pytest.mark.parametrize(
    ('arguments', 'inputs', 'code', 'words'),
    [
        (['', 'dog'], {'seed': SEEDS}, 'NOT_FOUND', 'Latest(dog)'),
        (['', 'toy', 9], {'seed': SEEDS}, 'NOT_FOUND', 'Specific(toy, 9)'),
        (['paint'], {'seed': SEEDS}, 'INVALID_ARGUMENT', '"paint" not found'),
        ([], {}, 'INVALID_ARGUMENT', 'Missing but required: seed'),
        ([], {'seed': SEEDS, 'x': SEEDS}, 'INVALID_ARGUMENT', 'Sent extra: x'),
        ([], {'seed': SEEDS.astype('f4')}, 'INVALID_ARGUMENT', 'expecting a tensor of int64'),
        ([], {'seed': SEEDS[None]}, 'INVALID_ARGUMENT', 'expecting shape [-1] but got: [1,2]'),
        ([], {'seed': np.zeros(257, np.int64)}, 'INVALID_ARGUMENT', 'may have 256'),
        ([], {'seed': np.array([b'a'], object)}, 'INVALID_ARGUMENT', 'expecting a tensor of int64'),
        (['labelled'], {'seed': SEEDS, 'label': np.zeros(3, 'i4')}, 'INVALID_ARGUMENT', 'numbers'),
        (
            ['labelled'],
            {'seed': SEEDS, 'label': np.full(2, 3, 'i4')},
            'INVALID_ARGUMENT',
            'below 3',
        ),
        ([], {'seed': vast()}, 'INVALID_ARGUMENT', '1000000000 rows'),
        ([], {'seed': negative()}, 'INVALID_ARGUMENT', '-5'),
        ([], {'seed': short()}, 'INVALID_ARGUMENT', 'seed'),
    ],
)
def test_errors_have_their_codes(channel, arguments, inputs, code, words):
    with pytest.raises(grpc.RpcError) as refused:
        predict(channel, *arguments, **inputs)
    assert refused.value.code() == grpc.StatusCode[code]
    assert words in refused.value.details()


def test_a_message_that_is_too_large_is_refused(channel):
    with pytest.raises(grpc.RpcError) as refused:
        predict(channel, seed=np.zeros(20_000, np.int64))
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(predict(channel, seed=SEEDS).outputs) == 1  # and the next is answered


@pytest.fixture(scope='module')
def counting(both):
    """A server whose counts and words are looked at."""
    with Server(both, '--trust_model', '--max_secs=20') as server:
        yield server
        assert server.end()[0] == 0


def counted(server, code):
    return server.counts().get(('tfgan_requests_total', code, 'grpc'), 0)


def until_counted(server, code, count, secs=5):
    """Whether the server counts so many of a code: it does so after the client was told."""
    began = time.monotonic()
    while counted(server, code) < count and time.monotonic() - began < secs:
        time.sleep(0.05)
    return counted(server, code) == count


def test_deadlines_that_are_over_are_counted_so(counting):
    """A client whose time is over cancels, too, and now and then that is heard first."""
    names = 'DEADLINE_EXCEEDED', 'CANCELLED', 'INTERNAL'
    before = [counted(counting, name) for name in names]
    with counting.channel() as channel:
        call = channel.unary_unary(http2.PREDICT)
        calls = [call.future(SECOND, timeout=0.3) for _ in range(4)]
        assert {each.code() for each in calls} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        until_counted(counting, 'DEADLINE_EXCEEDED', before[0] + 4, secs=1)
    late, left, faults = (
        counted(counting, name) - then for name, then in zip(names, before, strict=True)
    )
    assert late + left == 4 and late >= 1 and faults == 0
    assert 'Traceback' not in counting.heard()


def test_calls_that_are_cancelled_are_counted_so(counting):
    internal, before = counted(counting, 'INTERNAL'), counted(counting, 'CANCELLED')
    with counting.channel() as channel:
        call = channel.unary_unary(http2.PREDICT)
        calls = [call.future(SECOND, timeout=20) for _ in range(3)]
        time.sleep(0.3)
        for each in calls:
            each.cancel()
        assert until_counted(counting, 'CANCELLED', before + 3)
    assert counted(counting, 'INTERNAL') == internal
    assert 'Traceback' not in counting.heard()


SECOND = http2.predict_request({'seed': http2.seeds(1_000_000)}, model='busy')  # It takes one.
METHODS = [
    'tensorflow.serving.PredictionService/Predict',
    'tensorflow.serving.PredictionService/GetModelMetadata',
    'tensorflow.serving.PredictionService/Classify',
    'tensorflow.serving.ModelService/GetModelStatus',
    'tensorflow.serving.ModelService/HandleReloadConfigRequest',
]


@pytest.mark.parametrize('method', METHODS, ids=lambda method: method.rpartition('/')[2])
@pytest.mark.parametrize(
    'message', [b'\xff' * 9, b'\x0a\xff', b'no message' * 1000], ids=['wire', 'length', 'long']
)
def test_a_message_that_cannot_be_read_is_the_clients_fault(counting, method, message):
    before, said = counted(counting, 'INVALID_ARGUMENT'), counting.heard()
    with counting.channel() as channel:
        call = channel.unary_unary(f'/{method}')
        for _ in range(3):
            assert call.future(message, timeout=20).code() == grpc.StatusCode.INVALID_ARGUMENT
    assert until_counted(counting, 'INVALID_ARGUMENT', before + 3)
    more = counting.heard()[len(said) :]
    assert 'Traceback' not in more and more.count('\n') <= 3


@pytest.mark.parametrize(
    'method', ['grpc.health.v1.Health/Check', 'grpc.reflection.v1alpha.ServerReflection/x']
)
def test_other_services_tell_nothing_of_messages_that_cannot_be_read(counting, method):
    said = counting.heard()
    with counting.channel() as channel:
        code = channel.unary_unary(f'/{method}').future(b'\xff' * 9, timeout=20).code()
    assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)
    assert 'Traceback' not in counting.heard()[len(said) :]


def test_a_method_that_is_no_text_ends_nothing(counting):
    """One such frame ends the server of grpc.aio 1.85 for good."""
    with http2.Connection(counting.grpc_place) as client:
        client.send(http2.call_headers(1, '/\udc80/x') + http2.call_data(1, http2.message(b'')))
        assert any(flags & http2.END_STREAM for _, flags, stream, _ in client.frames() if stream)
    with counting.channel() as channel:
        body = http2.predict_request({'seed': http2.seeds(3)})
        assert channel.unary_unary(http2.PREDICT)(body, timeout=10, wait_for_ready=True)
    assert 'Traceback' not in counting.heard()


def test_a_value_that_its_type_cannot_hold_is_refused(channel):
    proto = tf.make_tensor_proto(np.zeros([1, 12, 10, 1], np.uint8))
    proto.ClearField('tensor_content')
    proto.int_val.append(16_383)
    with pytest.raises(grpc.RpcError) as refused:
        predict(channel, 'discriminate', image=proto, label=np.zeros(1, np.int32))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert 'image' in refused.value.details()
