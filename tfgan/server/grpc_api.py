"""TensorFlow Serving's gRPC API over the hosted models: predictions, metadata and status."""

import contextlib
import math

import grpc
import numpy as np
import tensorflow as tf
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from tfgan.errors import RefusedError
from tfgan.server import rest, rest_json
from tfgan.server.model_manager import unknown_label

SERVICES = (
    prediction_service_pb2.DESCRIPTOR.services_by_name['PredictionService'].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name['ModelService'].full_name,
    health.SERVICE_NAME,
    reflection.SERVICE_NAME,
)


def server(hosting, metrics, health_servicer, address: str, most_bytes: int, most_requests: int):
    """An unstarted grpc.aio server at HOST:PORT, and the port that it has."""
    made = grpc.aio.server(
        options=[('grpc.max_receive_message_length', most_bytes), ('grpc.so_reuseport', 0)],
        maximum_concurrent_rpcs=most_requests,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Prediction(hosting, metrics), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(hosting, metrics), made)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, made)
    reflection.enable_server_reflection(SERVICES, made)
    return made, made.add_insecure_port(address)


class _Servicer:
    def __init__(self, hosting, metrics):
        self._hosting, self._metrics = hosting, metrics


class _Prediction(_Servicer, prediction_service_pb2_grpc.PredictionServiceServicer):
    async def Predict(self, request, context):  # noqa: N802, the protocol's name
        async with _refusals(self._metrics, context):
            spec = request.model_spec
            version = self._hosting.find(spec.name, _number(spec))
            specs = version.signature(spec.signature_name).specs
            inputs = _arrays(request.inputs, specs, self._hosting.most_rows(version))
            outputs = await self._hosting.predict(version, spec.signature_name, inputs)
            return _response(version, spec.signature_name, outputs, request.output_filter)

    async def GetModelMetadata(self, request, context):  # noqa: N802, the protocol's name
        async with _refusals(self._metrics, context):
            if list(request.metadata_field) != ['signature_def']:
                raise RefusedError('INVALID_ARGUMENT', "metadata_field must be 'signature_def'")
            version = self._hosting.find(request.model_spec.name, _number(request.model_spec))
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = version.model
            response.model_spec.version.value = version.number
            response.metadata['signature_def'].Pack(version.definition)
            return response

    async def _not_of_its_kind(self, request, context):
        async with _refusals(self._metrics, context):
            raise RefusedError('INVALID_ARGUMENT', 'the signatures here are for Predict alone')

    Classify = Regress = MultiInference = _not_of_its_kind


class _Models(_Servicer, model_service_pb2_grpc.ModelServiceServicer):
    async def GetModelStatus(self, request, context):  # noqa: N802, the protocol's name
        async with _refusals(self._metrics, context):
            spec = request.model_spec
            return rest.status(self._hosting, spec.name, _number(spec))

    async def HandleReloadConfigRequest(self, request, context):  # noqa: N802, as above
        async with _refusals(self._metrics, context):
            raise RefusedError(
                'UNIMPLEMENTED',
                'there is no configuration: models below --models come by themselves',
            )


@contextlib.asynccontextmanager
async def _refusals(metrics, context):
    with metrics.request('grpc') as ends_with:
        try:
            yield
            ends_with('OK')
        except RefusedError as refusal:
            ends_with(refusal.code)
            await context.abort(grpc.StatusCode[refusal.code], str(refusal))


def _number(spec):
    if spec.HasField('version_label'):
        raise unknown_label(spec.version_label)
    return spec.version.value if spec.HasField('version') else None


def _arrays(protos, specs, most_rows):
    """{input: array} of TensorProtos, held against a signature's specs."""
    rest_json.same_names(protos, specs)
    return {name: _array(name, protos[name], *specs[name], most_rows) for name in specs}


def _array(name, proto, dtype, spec, most_rows):
    shape = tuple(size.size for size in proto.tensor_shape.dim)
    # Before it is unpacked: one value may stand for a shape of any size.
    rest_json.same_shape(name, shape, spec)
    if not 0 <= shape[0] <= most_rows:
        raise RefusedError('INVALID_ARGUMENT', f'{shape[0]} rows: a request may have {most_rows}')
    if proto.dtype != tf.as_dtype(dtype).as_datatype_enum:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: expecting a tensor of {dtype.name}')
    try:
        array = tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {error}') from error
    if array.size != math.prod(shape):
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {array.size} values for shape {shape}')
    return np.ascontiguousarray(array.reshape(shape))


def _response(version, signature, outputs, wanted):
    response = predict_pb2.PredictResponse()
    response.model_spec.name = version.model
    response.model_spec.version.value = version.number
    response.model_spec.signature_name = signature or 'serving_default'
    unknown = set(wanted) - set(outputs)
    if unknown:
        raise RefusedError(
            'INVALID_ARGUMENT', f'output tensor alias not found in signature: {unknown}'
        )
    for name in wanted or outputs:
        response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
    return response
