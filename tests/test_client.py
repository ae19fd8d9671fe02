"""A model is asked alike wherever it is, and says what is wrong."""

import concurrent.futures
import contextlib
import gzip
import http.server
import itertools
import json
import resource
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

import tfgan
from tfgan import client, latents
from tfgan.errors import ModelError, shown

SEEDS = np.array([3, 7, -1, 2**40])


@pytest.fixture(scope='module', params=['loaded', 'rest', 'grpc'])
def model(request, exported, served):
    if request.param == 'loaded':
        return tfgan.load(exported)
    return tfgan.connect(getattr(served, request.param), 'toy')


def test_all_draw_what_training_drew(model, toy):
    assert np.array_equal(model.draw(SEEDS), toy.draw(SEEDS))
    assert model.draw(SEEDS).dtype == np.uint8
    fish = np.full(4, 2, np.int32)
    for label in 'fish', '2', 2, fish:
        assert np.array_equal(model.draw(SEEDS, label), toy.draw(SEEDS, fish))


def test_each_drawing_may_have_its_own_class_and_truncation(model, toy):
    expected = toy.draw(SEEDS, np.array([2, 0, 1, 1], np.int32))
    for labels in ['fish', 'cat', 'dog', 'dog'], ['fish', 0, 'dog', 1], (2, 0, 1, 1):
        assert np.array_equal(model.draw(SEEDS, label=labels), expected)
    mixed = model.draw(SEEDS, 'cat', truncation=[1, 1, 0, 0])
    assert np.array_equal(mixed[:2], model.draw(SEEDS[:2], 'cat'))
    assert np.array_equal(mixed[2:], model.draw(SEEDS[2:], 'cat', truncation=0))


@pytest.mark.parametrize(
    ('asked', 'words'),
    [
        (dict(seeds=[7.5]), r'--seeds=\[7.5\]: expected whole numbers'),
        (dict(seeds=np.array([7.0])), r'--seeds=\[7.\]: expected whole numbers'),
        (dict(seeds=[2**63]), '--seeds=.9223372036854775808.: expected .* to 9223372036854775807'),
        (dict(seeds=[True]), '--seeds=.True.: expected whole numbers'),
        (dict(seeds=[]), '--seeds=.*one at least'),
        (dict(seeds=[[1, 2]]), r'--seeds: an array of shape \[1, 2\]'),
        (dict(seeds=[1], label=0.5), '--label=0.5: expected whole numbers'),
        (dict(seeds=[1], label=np.int64(2**32)), '--label=4294967296: expected .* to 2147483647'),
        (dict(seeds=[1, 2], label=[0, 1, 2]), r'--label: .* \[3\] for 2 drawing.*a list of 2'),
        (dict(seeds=[1, 2], label=['cat', 'horse']), '--label=horse: the model draws'),
        (dict(seeds=[1], truncation=2), '--truncation=2: expected a number from 0 to 1'),
        (dict(seeds=[1], truncation=-0.1), '--truncation=-0.1: expected'),
        (dict(seeds=[1], truncation=float('nan')), '--truncation=nan: expected'),
    ],
)
def test_numbers_are_not_taken_for_others(model, asked, words):
    with pytest.raises(ModelError, match=words):
        model.draw(**asked)


@pytest.mark.parametrize('truncation', [1.5, -0.5, np.nan, np.inf])
def test_the_export_itself_refuses_a_truncation_that_is_no_share(model, truncation):
    inputs = dict(seed=SEEDS, label=np.zeros(4, np.int32))
    with pytest.raises(ModelError, match='truncation: not from 0 to 1'):
        model.predict('truncated', inputs | {'truncation': np.float32([1, truncation, 0, 1])})


def test_truncation_narrows(model):
    spread = [model.draw(np.arange(40), 'cat', t).std(axis=0).mean() for t in (1, 0.3)]
    assert spread[1] < 0.7 * spread[0]
    assert np.array_equal(model.draw(SEEDS, truncation=1), model.draw(SEEDS))


def test_latents_are_drawn(model, toy):
    points = latents.normal(SEEDS, 6).numpy()
    expected = toy.draw(SEEDS, np.ones(4, np.int32))
    assert np.array_equal(model.draw_latents(points, 'dog'), expected)


def test_classes_are_named(model):
    assert model.class_names() == ['cat', 'dog', 'fish']
    with pytest.raises(ModelError, match='--label=horse: the model draws cat, dog, fish'):
        model.draw(SEEDS, 'horse')


def test_a_number_that_is_no_class_is_refused(model):
    with pytest.raises(ModelError, match='label: not below 3'):
        model.draw(SEEDS, 3)


@pytest.mark.parametrize(
    ('label', 'names', 'number'),
    [
        ('1', ['0', '1', '2'], 1),
        ('2', ['1', '2', '10'], None),
        ('name:2', ['1', '2', '10'], 1),
        ('number:2', ['1', '2', '10'], 2),
        ('10', ['1', '2', '10'], 2),
        ('0', ['1', '2', '10'], 0),
        ('01', ['cat', 'dog'], 1),
        ('name:1', ['name:1', '1'], 0),
        ('name:cat', ['cat', 'dog'], 0),
        ('name:0', ['cat', 'dog'], None),
        ('number:2', ['cat', 'dog'], None),
        ('number:cat', ['cat', 'dog'], None),
    ],
)
def test_a_label_is_a_name_or_a_number_and_never_one_for_the_other(label, names, number):
    if number is None:
        with pytest.raises(ModelError, match=f'--label={label}: '):
            client.label_number(label, names)
    else:
        assert client.label_number(label, names) == number


def test_a_label_that_could_mean_two_classes_is_refused_with_what_to_type():
    with pytest.raises(ModelError) as refusal:
        client.label_number('2', ['1', '2', '10'])
    said = 'that is the name of class number 1, and class number 2 is 10; type'
    assert str(refusal.value) == f'--label=2: {said} --label=name:2 or --label=number:2'


def test_there_may_be_many_classes(exported, monkeypatch):
    model = tfgan.load(exported)
    names = [f'kind {i}' for i in range(600)]
    monkeypatch.setattr(
        model, 'predict', lambda _, inputs: [(names + [''] * 999)[i] for i in inputs['label']]
    )
    assert model.class_names() == names


def test_any_number_is_drawn_in_blocks(exported, toy, monkeypatch):
    monkeypatch.setattr(client.Model, 'block', 3)
    seeds = np.arange(8)
    drawn, expected = (each.draw(seeds).astype(int) for each in (tfgan.load(exported), toy))
    assert abs(drawn - expected).max() <= 1


def test_one_seed_is_one_drawing_at_all_sizes_and_in_all_orders(model, toy):
    seeds = np.arange(60)
    expected = toy.draw(seeds).astype(int)
    assert np.array_equal(model.draw(seeds), expected)
    assert np.array_equal(model.draw(seeds[::-1])[::-1], expected)
    alone = np.concatenate([model.draw([seed]) for seed in seeds])
    assert abs(alone - expected).max() <= 1


@pytest.mark.parametrize('kind', ['rest', 'grpc'])
def test_servers_tell_their_state(served, kind):
    place = getattr(served, kind)
    assert tfgan.connect(place, 'toy').status() == {1: 'AVAILABLE'}
    assert tfgan.connect(place, 'toy', 1).draw(SEEDS).shape == (4, 12, 10, 1)
    with pytest.raises(ModelError, match=r'Specific\(toy, 2\)'):
        tfgan.connect(place, 'toy', 2).draw(SEEDS)
    with pytest.raises(ModelError, match='any versions of model horse'):
        tfgan.connect(place, 'horse').status()


@pytest.mark.parametrize('kind', ['rest', 'grpc'])
def test_servers_tell_their_signatures(served, kind):
    told = tfgan.connect(getattr(served, kind), 'toy').metadata()
    assert told['model_spec']['name'] == 'toy' and told['model_spec']['version'] == '1'
    signatures = told['metadata']['signature_def']['signature_def']
    assert signatures['labelled']['inputs']['label']['dtype'] == 'DT_INT32'


def free_port():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize('scheme', ['http', 'grpc'])
def test_nobody_there_is_said_at_once(scheme, monkeypatch):
    monkeypatch.setattr(client.time, 'sleep', lambda secs: pytest.fail('no reason to wait'))
    with pytest.raises(ModelError, match=r'nobody listens there; python -m tfgan.serve'):
        tfgan.connect(f'{scheme}://127.0.0.1:{free_port()}').draw(SEEDS)


PROXIES = 'http_proxy', 'HTTP_PROXY', 'https_proxy', 'grpc_proxy', 'all_proxy'


@pytest.fixture
def proxy(monkeypatch):
    """An environment that names a proxy at which nobody listens; its HOST:PORT."""
    place = f'127.0.0.1:{free_port()}'
    for name in PROXIES:
        monkeypatch.setenv(name, f'http://me:secret@{place}')
    for name in 'no_proxy', 'NO_PROXY', 'no_grpc_proxy':
        monkeypatch.delenv(name, raising=False)
    return place


@pytest.mark.parametrize('kind', ['rest', 'grpc'])
@pytest.mark.parametrize('host', ['127.0.0.1', 'localhost', '0.0.0.0'])
def test_no_proxy_is_asked_for_this_machine(proxy, served, kind, host):
    model = tfgan.connect(getattr(served, kind).replace('127.0.0.1', host), 'toy')
    if (kind, host) == ('rest', '0.0.0.0'):  # The server itself says that this is no name of it.
        with pytest.raises(ModelError, match='this server answers to localhost'):
            model.status()
    else:
        assert model.status() == {1: 'AVAILABLE'}


@pytest.mark.parametrize('scheme', ['http', 'grpc'])
def test_a_proxy_that_fails_is_named(proxy, scheme):
    with pytest.raises(ModelError) as refused:
        tfgan.connect(f'{scheme}://model.invalid:8501').status()
    assert f'by way of the proxy {proxy}: it cannot be reached' in str(refused.value)
    assert 'no_proxy=model.invalid' in str(refused.value)
    assert 'nobody' not in str(refused.value) and 'secret' not in str(refused.value)


@pytest.mark.parametrize('scheme', ['http', 'grpc'])
def test_a_proxy_that_the_environment_excepts_is_not_named(proxy, scheme, monkeypatch):
    monkeypatch.setenv('no_proxy', 'model.invalid')
    assert tfgan.connect(f'{scheme}://model.invalid:8501')._proxy is None


@pytest.mark.parametrize(
    'url',
    [
        *('localhost:8501', 'ftp://x', 'http://', ''),
        *('http://::1:8501', 'http://[::1:8501', 'grpc://localhost:port', 'http://x:99999'),
    ],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(ModelError, match=r'http://HOST:PORT or grpc://HOST:PORT'):
        tfgan.connect(url)


def test_no_model_is_said(tmp_path):
    with pytest.raises(ModelError, match='no exported model there'):
        tfgan.load(tmp_path)


class Busy(http.server.BaseHTTPRequestHandler):
    """Is busy as often as told, and then answers."""

    left, answer = 0, b'{"outputs": [[[[5]]]]}'

    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        status, body = (503, b'{"error": "busy"}') if Busy.left else (200, self.answer)
        Busy.left -= 1 if Busy.left else 0
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def busy():
    server = http.server.HTTPServer(('127.0.0.1', 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()


@pytest.mark.parametrize(('times', 'answered'), [(0, True), (2, True), (99, False)])
def test_a_busy_server_is_asked_again_ever_later(busy, times, answered, monkeypatch):
    waits = []
    monkeypatch.setattr(client.time, 'sleep', waits.append)
    Busy.left = times
    if answered:
        assert tfgan.connect(busy).draw([1]).tolist() == [[[[5]]]]
        assert len(waits) == times
    else:
        with pytest.raises(ModelError, match='503, busy'):
            tfgan.connect(busy).draw([1])
        assert 5 < sum(waits) < 20
    assert waits == sorted(waits)


def test_large_images_come_by_grpc():
    """More than the 4 MiB that a gRPC client takes unless told otherwise."""

    class Painter(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802, the protocol's name
            response = predict_pb2.PredictResponse()
            response.outputs['image'].CopyFrom(tf.make_tensor_proto(images))
            return response

    images = np.full([2, 1024, 1024, 3], 7, np.uint8)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Painter(), server)
    port = server.add_insecure_port('127.0.0.1:0')
    server.start()
    assert np.array_equal(tfgan.connect(f'grpc://127.0.0.1:{port}').draw([1, 2]), images)
    server.stop(None)


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is told to."""

    status, headers_too, answer, asked = 200, {}, b'', 0

    def do_GET(self):
        Stranger.asked += 1
        self.rfile.read(int(self.headers['Content-Length'] or 0))
        self.send_response(self.status)
        for name, value in self.headers_too.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            for part in [self.answer] if isinstance(self.answer, bytes) else self.answer():
                self.wfile.write(part)

    do_POST = do_GET  # noqa: N815, the protocol's name

    def log_message(self, *arguments):
        pass


@pytest.fixture
def stranger(monkeypatch):
    """Makes a model of a server that answers so."""
    monkeypatch.setattr(Stranger, 'asked', 0)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Stranger)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def answering(answer, status=200, **headers):
        for name, value in dict(answer=answer, status=status, headers_too=headers).items():
            monkeypatch.setattr(
                Stranger, name, value if not callable(value) else staticmethod(value)
            )
        return tfgan.connect(f'http://127.0.0.1:{server.server_port}')

    yield answering
    server.shutdown()
    server.server_close()


def refusal(call, *arguments):
    """What a call is refused with: one line that a terminal shows as it is."""
    with pytest.raises(ModelError) as refused:
        call(*arguments)
    said = str(refused.value)
    assert shown(said) == said and len(said) < 1500 and '--server=' in said
    return said


NO_SERVER = "it is no server of tfgan's or TensorFlow Serving's models, for it answers "
OUTPUTS = (  # of two rows, where images are asked for
    *(
        b'3',
        b'null',
        b'"x"',
        b'{}',
        b'[]',
        b'[[], []]',
        b'{"image": 3}',
        b'{"a": [1, 2], "b": [3]}',
    ),
    *(b'[[[[5]]]]', b'[[[[5]]], [[[5, 6]]]]', b'[[[[5]]], [[[300]]]]', b'[[[[5]]], [[[-1]]]]'),
    *(b'[[[[0.5]]], [[[1]]]]', b'[[[[null]]], [[[1]]]]', b'[[[[true]]], [[[true]]]]', b'[7, 8]'),
    *(b'[[[[]]], [[[]]]]', b'["a", "b"]', b'[{"b64": "YQ=="}, {"b64": "%"}]', b'[{"b64": 3}, 4]'),
    *(b'[{"b64": "/w=="}, {"b64": "/w=="}]', b'[{"c": "YQ=="}, {}]', b'[NaN, Infinity]'),
    *(b'[[[[1e999]]], [[[1]]]]', b'[%s, 1]' % (b'9' * 4000), b'[%s, 1]' % (b'9' * 5000)),
    *(b'[' * 90 + b']' * 90, b'[[[["\\u001b[2J"]]], [[["\\ud800"]]]]'),
)
BODIES = (
    *(b'', b'7', b'[1, 2]', b'{}', b'null', b'<html>\x1b[2J', b'{"outputs": [[[[5]]], [[[5]]]]'),
    *(b'\xff\xfe\xfd', b'[' * 100_000, b'{"a":' * 100_000, b'\0' * 5000, 'ÿ'.encode() * 5000),
)


@pytest.mark.parametrize('body', [*BODIES, *(b'{"outputs": %s}' % each for each in OUTPUTS)])
def test_an_answer_of_another_form_is_one_line(stranger, body):
    assert NO_SERVER in refusal(stranger(body).draw, [1, 2])


def test_so_are_answers_that_do_not_fit_each_other(stranger, monkeypatch):
    monkeypatch.setattr(client.Model, 'block', 1)
    images = itertools.cycle([b'{"outputs": [[[[5]]]]}', b'{"outputs": [[[[5], [6]]]]}'])
    assert NO_SERVER in refusal(stranger(lambda: [next(images)]).draw, [1, 2])


STATUS = (
    *(b'{}', b'{"model_version_status": 3}', b'{"model_version_status": []}'),
    *(b'{"model_version_status": [%s]}' % each for each in (b'7', b'{}', b'[]')),
    *(
        b'{"model_version_status": [{"version": %s, "state": %s}]}' % each
        for each in (
            (b'"1"', b'"\\u001b[2J"'), (b'"1"', b'["END"]'), (b'"x"', b'"END"'), (b'-1', b'"END"'),
            (b'"%s"' % (b'9' * 4000), b'"END"'), (b'Infinity', b'"END"'), (b'null', b'"END"'),
        )
    ),
)  # fmt: skip


@pytest.mark.parametrize('body', STATUS)
def test_a_state_that_is_none_is_one_line(stranger, body):
    assert NO_SERVER in refusal(stranger(body).status)


@pytest.mark.parametrize('told', [b'3', b'{"metadata": 3}', b'{"metadata": {"signature_def": []}}'])
def test_metadata_without_signatures_is_one_line(stranger, told):
    assert NO_SERVER in refusal(stranger(b'{"metadata": %s}' % told).metadata)
    assert NO_SERVER in refusal(stranger(told).signatures)


@pytest.mark.parametrize('status', [200, 404, 500])
@pytest.mark.parametrize(
    'error', ['"\\u001b]0;x\\u0007\\nerror: y\\u202e"', '["\\u001b", {}]', '{"a": 1}']
)
def test_a_servers_own_words_are_escaped_and_bounded(stranger, status, error):
    assert f'{status}, ' in refusal(stranger(b'{"error": %s}' % error.encode(), status).draw, [1])
    many = b'{"error": ["%s"]}' % (b'a", "' * 100_000)
    assert len(refusal(stranger(many, status).draw, [1])) < 1200


def test_nobody_is_sent_elsewhere(stranger, served):
    place = f'{served.rest}/v1/models/toy'
    said = refusal(stranger(b'', 302, Location=f'{place}?\x1b[2J').status)
    assert NO_SERVER in said and f'302, go to {place}' in said and Stranger.asked == 1


@pytest.mark.parametrize(('method', 'most'), [('status', 4 << 20), ('draw', 16 << 20)])
def test_no_more_is_read_than_an_answer_has(stranger, method, most):
    sent = []

    def endless():
        while True:
            sent.append(1 << 16)
            yield b' ' * sent[-1]

    model = stranger(endless)
    assert f'more than {most:,} bytes' in refusal(
        getattr(model, method), *[[1]] * (method == 'draw')
    )
    assert sum(sent) < most + (16 << 20)  # so much is on its way in buffers


def test_what_is_packed_is_not_unpacked(stranger):
    bomb = gzip.compress(bytes(50 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = refusal(stranger(bomb, **{'Content-Encoding': 'gzip'}).status)
    assert NO_SERVER in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10


def slowly(part):
    for _ in range(50):
        yield part
        time.sleep(0.1)


@pytest.mark.parametrize('body', [True, False])
def test_a_whole_answer_has_its_time(body, stranger, monkeypatch):
    monkeypatch.setattr(client, 'TIMEOUT_SECS', 0.5)
    if body:
        model = stranger(lambda: slowly(b' '))
    else:
        monkeypatch.setattr(
            Stranger, 'end_headers', lambda self: [*map(self.wfile.write, slowly(b'a'))]
        )
        model = stranger(b'')
    began = time.monotonic()
    assert 'no whole answer in 0.5 seconds' in refusal(model.status)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize('name', ['a', 'a' * 1001])
def test_classes_come_to_an_end(stranger, name, monkeypatch):
    monkeypatch.setattr(client, 'MOST_CLASSES', 1000)
    names = json.dumps({'outputs': [name] * 64}).encode()
    assert 'letters in the name of one: a' in refusal(stranger(names).class_names)
    assert Stranger.asked == (1 if len(name) > 1000 else 16)


def test_many_strange_names_of_classes_are_one_line(stranger):
    answers = itertools.chain([['\x1b[2J\n', 'b' * 900] * 32], itertools.repeat([''] * 64))
    model = stranger(lambda: [json.dumps({'outputs': next(answers)}).encode()])
    with pytest.raises(ModelError) as refused:
        model.draw([1], label='horse')
    said = str(refused.value)
    assert 'the model draws \\x1b[2J\\n, bbb' in said and said.endswith(' more')
    assert shown(said) == said and len(said) < 2000


class Speaker:
    """Whatever it is told to, by gRPC."""

    def __init__(self):
        self.answer = None
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
        self._server.add_generic_rpc_handlers([self])
        port = self._server.add_insecure_port('127.0.0.1:0')
        self._server.start()
        self.place = f'grpc://127.0.0.1:{port}'

    def service(self, call):
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request, context):
        if isinstance(self.answer, tuple):
            context.abort(*self.answer)
        return self.answer if isinstance(self.answer, bytes) else self.answer.SerializeToString()

    def end(self):
        self._server.stop(None)


@pytest.fixture
def speaker(monkeypatch):
    monkeypatch.setattr(client.time, 'sleep', lambda secs: None)
    speaker = Speaker()
    yield speaker
    speaker.end()


def outputs(**protos):
    response = predict_pb2.PredictResponse()
    for name, proto in protos.items():
        response.outputs[name].CopyFrom(proto)
    return response


def tensor(values, *shape, dtype=None):
    """A message that claims to have another shape or type than it has."""
    proto = tf.make_tensor_proto(values)
    if shape:
        sizes = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in shape]
        proto.tensor_shape.CopyFrom(tensor_shape_pb2.TensorShapeProto(dim=sizes))
    proto.dtype = dtype or proto.dtype
    return proto


IMAGES = np.zeros([2, 1, 1, 1], np.uint8)
TENSORS = (
    *(tensor(IMAGES.astype(np.float32)), tensor(IMAGES[:1]), tensor(IMAGES[..., 0]), tensor(3)),
    *(tensor(IMAGES, dtype=999), tensor(IMAGES, dtype=20)),
    *(
        tensor(np.uint8(3), 2, 1 << 40, 1, 1),
        tensor(IMAGES, 2, -1, 1, 1),
        tensor(IMAGES, 2, 1, 1, 3),
    ),
    *(tensor(np.uint8(3), 2, 1 << 15, 1 << 14, 1), tensor('a', 1 << 40), tensor(['a', 'b'])),
    *(tensor([b'\xff', b'\xff']), tensor([['a'], ['b']]), tensor(np.zeros([2, 0, 0, 1], np.uint8))),
)


@pytest.mark.parametrize('proto', TENSORS, ids=range(len(TENSORS)))
def test_tensors_of_another_form_are_one_line(speaker, proto):
    speaker.answer = outputs(image=proto)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert NO_SERVER in refusal(tfgan.connect(speaker.place).draw, [1, 2])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_so_are_other_outputs(speaker, caplog):
    model = tfgan.connect(speaker.place)
    for answer in outputs(), outputs(image=tensor(IMAGES), b=tensor(IMAGES)):
        speaker.answer = answer
        assert NO_SERVER in refusal(model.draw, [1, 2])
    speaker.answer = b'\xff\xff\xff'
    assert 'INTERNAL' in refusal(model.draw, [1, 2])
    assert not caplog.records  # grpc would print a traceback


def test_tensors_are_no_larger_than_an_answer(speaker, monkeypatch):
    monkeypatch.setattr(client, 'MOST_BYTES', 1000)
    monkeypatch.setattr(client.time, 'sleep', lambda secs: pytest.fail('no reason to wait'))
    speaker.answer = outputs(image=tensor(np.zeros([1, 40, 40, 1], np.uint8)))
    assert 'larger than max' in refusal(tfgan.connect(speaker.place).draw, [1])


@pytest.mark.parametrize('code', ['INTERNAL', 'UNAVAILABLE', 'UNKNOWN'])
@pytest.mark.parametrize('words', ['', 'cannot connect\x1b[2J\nerror: x', 'ü' * 1100])
def test_what_a_server_says_by_grpc_is_escaped(speaker, code, words):
    speaker.answer = grpc.StatusCode[code], words
    said = refusal(tfgan.connect(speaker.place).draw, [1])
    assert f'{code}, ' in said and 'nobody' not in said


def test_states_and_metadata_by_grpc(speaker):
    model = tfgan.connect(speaker.place)
    speaker.answer = get_model_status_pb2.GetModelStatusResponse()
    speaker.answer.model_version_status.add(version=1, state=77)
    assert NO_SERVER in refusal(model.status)
    speaker.answer = get_model_metadata_pb2.GetModelMetadataResponse()
    assert NO_SERVER in refusal(model.metadata)
    for kind in 'x/y.Z', 'x/tensorflow.serving.SignatureDefMap':
        speaker.answer.metadata['signature_def'].Clear()
        speaker.answer.metadata['signature_def'].type_url = kind
        speaker.answer.metadata['signature_def'].value = b'\xff'
        assert NO_SERVER in refusal(model.metadata)


def test_http_and_grpc_are_told_from_each_other(stranger, speaker):
    address = stranger(b'')._address.netloc
    assert 'nobody' not in refusal(tfgan.connect(f'grpc://{address}').draw, [1])
    assert 'nobody' not in refusal(tfgan.connect(speaker.place.replace('grpc', 'http')).draw, [1])


@pytest.mark.parametrize('version', [-1, 2**63])
def test_a_version_that_cannot_be_is_refused(version):
    with pytest.raises(ModelError, match=f'--version={version}: expected one from 0 to'):
        tfgan.connect('grpc://127.0.0.1:1', version=version)


def test_a_connection_that_breaks_is_not_nobody():
    with socket.create_server(('127.0.0.1', 0)) as server:
        closer = threading.Thread(target=lambda: server.accept()[0].close())
        closer.start()
        with pytest.raises(ModelError) as refused:
            tfgan.connect(f'http://127.0.0.1:{server.getsockname()[1]}').draw([1])
        closer.join()
    assert 'nobody' not in str(refused.value) and '127.0.0.1' in str(refused.value)


def test_a_number_of_requests_share_one_connection(served):
    model = tfgan.connect(served.rest, 'toy')
    for _ in range(3):
        model.draw([1])
    [pool] = model._session.adapters['http://'].poolmanager.pools._container.values()
    assert pool.num_connections == 1
