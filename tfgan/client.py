"""Drawings of a model in this process, or of a server's by REST or gRPC, all asked for alike."""

import json
import time

import numpy as np

from tfgan.errors import ModelError, quoted, reason
from tfgan.saved_model import layout

PATIENCE = 6  # times that a busy server is asked, in ten seconds or so


class Model:
    """What a model can be asked for; `predict` says how, `block` for how many rows at once.

    `predict(signature, {input: array [n, ...]})` gives the signature's one output, [n, ...].
    """

    block = 256

    def draw(self, seeds, label=None, truncation=None) -> np.ndarray:
        """Drawings uint8 [n, h, w, c] of int seeds [n].

        `label` is a class, by number or name, or one a drawing; without, they are as frequent as in
        the data. `truncation` in [0, 1] trades variety for typicality; 1 is all the variety.
        """
        seeds = np.asarray(seeds, np.int64)
        inputs = {'seed': seeds}
        if label is not None or truncation is not None:
            inputs['label'] = self._labels(-1 if label is None else label, len(seeds))
        if truncation is not None:
            inputs['truncation'] = np.full(len(seeds), truncation, np.float32)
        signature = ['serving_default', 'labelled', 'truncated'][len(inputs) - 1]
        return self._in_blocks(signature, inputs)

    def draw_latents(self, latents, label=0) -> np.ndarray:
        """Drawings uint8 [n, h, w, c] of latents [n, latent_size] that the caller made."""
        latents = np.asarray(latents, np.float32)
        return self._in_blocks(
            'latents', {'latents': latents, 'label': self._labels(label, len(latents))}
        )

    def class_names(self) -> list[str]:
        """The classes' names, by number."""
        names, block = [], ['more']
        while all(block):  # an empty name is after the last
            labels = np.arange(len(names), len(names) + self.block, dtype=np.int32)
            block = self.predict('classes', {'label': labels})
            names += filter(None, block)
        return names

    def _labels(self, label, count):
        if isinstance(label, str):
            label = label_number(label, self.class_names())
        return np.broadcast_to(np.asarray(label, np.int32), count)

    def _in_blocks(self, signature, inputs):
        count = len(next(iter(inputs.values())))
        return np.concatenate([
            self.predict(
                signature, {name: value[i : i + self.block] for name, value in inputs.items()}
            )
            for i in range(0, count, self.block)
        ])  # fmt: skip


def label_number(label: str, class_names: list[str]) -> int:
    """The number of a class given by name or number."""
    if label in class_names:
        return class_names.index(label)
    if label.isdecimal() and int(label) < len(class_names):
        return int(label)
    raise ModelError(f'--label={label}: the model draws {", ".join(class_names)}')


def load(path) -> Model:
    """The newest version below an exported model's directory, or the version that it is."""
    return _Loaded(layout.load(layout.newest(path)))


class _Loaded(Model):
    def __init__(self, loaded):
        self._loaded = loaded  # which keeps the variables

    def predict(self, signature, inputs):
        import tensorflow as tf

        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        try:
            [output] = self._loaded.signatures[signature](**tensors).values()
        except tf.errors.InvalidArgumentError as error:
            raise ModelError(reason(error)) from error
        return _text(output.numpy())


def connect(url: str, model: str = 'doodles', version: int | None = None) -> 'Served':
    """A model of the server at http://HOST:PORT (REST) or grpc://HOST:PORT.

    Raises ModelError, of this and all its methods, with the server's own words if it has any. A
    server that is busy is asked again for ten seconds or so.
    """
    scheme, separator, address = url.partition('://')
    kinds = {'http': _Rest, 'https': _Rest, 'grpc': _Grpc}
    if not separator or scheme not in kinds or not address.strip('/'):
        raise ModelError(f'--server={quoted(url)}: give http://HOST:PORT or grpc://HOST:PORT')
    return kinds[scheme](url.rstrip('/'), model, version)


class Served(Model):
    """A model of a server; `status` is {version: state}, `metadata` what its signatures take."""

    block = 64  # of images of 256 x 256 x 3 these are within a server's limits

    def __init__(self, url, model, version):
        self._url, self._model, self._version = url, model, version

    def _nobody(self):
        return ModelError(
            f'--server={self._url}: nobody listens there; python -m tfgan.serve starts a server'
        )


def _attempts():
    """Turns to ask a server, each after a longer wait."""
    for attempt in range(PATIENCE):
        if attempt:
            time.sleep(0.3 * 2 ** (attempt - 1))
        yield


class _Rest(Served):
    def __init__(self, *place):
        import requests

        super().__init__(*place)
        version = '' if self._version is None else f'/versions/{self._version}'
        self._path = f'{self._url}/v1/models/{self._model}{version}'
        self._session = requests.Session()

    def predict(self, signature, inputs):
        plain = {name: value.tolist() for name, value in inputs.items()}
        body = {'signature_name': signature, 'inputs': plain}
        answer = self._answer('POST', ':predict', data=json.dumps(body))['outputs']
        return answer if signature == 'classes' else np.array(answer, np.uint8)

    def status(self) -> dict:
        found = self._answer('GET', '')['model_version_status']
        return {int(one['version']): one['state'] for one in found}

    def metadata(self) -> dict:
        return self._answer('GET', '/metadata')

    def _answer(self, method, end, **keywords):
        import requests

        for _ in _attempts():
            try:
                response = self._session.request(method, self._path + end, timeout=60, **keywords)
            except requests.RequestException as error:
                if 'NewConnectionError' in str(error):
                    raise self._nobody() from error
                raise ModelError(f'--server={self._url}: {error}') from error
            if response.status_code not in (429, 503):
                break
        return self._content(response)

    def _content(self, response):
        try:
            content = response.json()
        except ValueError as error:
            raise ModelError(
                f'--server={self._url} speaks no REST: {response.text[:80]!r}'
            ) from error
        if response.status_code != 200:
            raise ModelError(f'--server={self._url}: {response.status_code}, {content["error"]}')
        return content


class _Grpc(Served):
    def __init__(self, *place):
        import grpc

        from tfgan import startup

        startup.import_tensorflow()  # the messages are made of its own
        super().__init__(*place)
        self._channel = grpc.insecure_channel(
            self._url.removeprefix('grpc://'),
            options=[('grpc.max_receive_message_length', -1)],  # large images are over its 4 MiB
        )

    def predict(self, signature, inputs):
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        request = predict_pb2.PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        [output] = self._answer(service.Predict, request).outputs.values()
        return _text(tf.make_ndarray(output))

    def status(self) -> dict:
        from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

        request = get_model_status_pb2.GetModelStatusRequest()
        self._name(request.model_spec)
        service = model_service_pb2_grpc.ModelServiceStub(self._channel)
        states = get_model_status_pb2.ModelVersionStatus.State
        found = self._answer(service.GetModelStatus, request).model_version_status
        return {one.version: states.Name(one.state) for one in found}

    def metadata(self) -> dict:
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=['signature_def'])
        self._name(request.model_spec)
        service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        answer = self._answer(service.GetModelMetadata, request)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def _name(self, spec):
        spec.name = self._model
        if self._version is not None:
            spec.version.value = self._version

    def _answer(self, call, request):
        import grpc

        for _ in _attempts():
            try:
                return call(request, timeout=60)
            except grpc.RpcError as error:
                last = error
                if 'connect' in error.details():
                    raise self._nobody() from error
                if error.code() not in (
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                ):
                    break
        raise ModelError(f'--server={self._url}: {last.code().name}, {last.details()}') from last


def _text(array):
    """Strings as such, all else as it is."""
    return [each.decode() for each in array] if array.dtype == object else array
