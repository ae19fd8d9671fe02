"""A model is asked alike wherever it is, and says what is wrong."""

import concurrent.futures
import http.server
import socket
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import tfgan
from tfgan import client, latents
from tfgan.errors import ModelError

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
    place = getattr(served, kind).replace('127.0.0.1', host)
    assert tfgan.connect(place, 'toy').status() == {1: 'AVAILABLE'}


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


def test_what_is_no_model_server_is_said(busy, monkeypatch):
    Busy.left = 0
    monkeypatch.setattr(Busy, 'answer', b'<html>')
    with pytest.raises(ModelError, match='speaks no REST'):
        tfgan.connect(busy).draw([1])


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
