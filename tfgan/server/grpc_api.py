"""TensorFlow Serving's gRPC API over the models of a manager, with health and reflection."""

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
from tfgan.server.health import Health
from tfgan.server.model_manager import DEFAULT_SIGNATURE, ModelManager, unknown_label
from tfgan.server.monitoring import Metrics

SERVICES = (
    prediction_service_pb2.DESCRIPTOR.services_by_name['PredictionService'].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name['ModelService'].full_name,
    health.SERVICE_NAME,
    reflection.SERVICE_NAME,
)


def make_server(
    manager: ModelManager,
    metrics: Metrics,
    health_servicer: Health,
    address: str,
    max_bytes: int,
    max_requests: int,
) -> tuple[grpc.aio.Server, int]:
    """An unstarted grpc.aio server at HOST:PORT, and the port that it has."""
    grpc_server = grpc.aio.server(
        options=[('grpc.max_receive_message_length', max_bytes), ('grpc.so_reuseport', 0)],
        maximum_concurrent_rpcs=max_requests,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(manager, metrics), grpc_server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        _ModelService(manager, metrics), grpc_server
    )
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, grpc_server)
    reflection.enable_server_reflection(SERVICES, grpc_server)
    return grpc_server, grpc_server.add_insecure_port(address)


class _Servicer:
    def __init__(self, manager, metrics):
        self._manager, self._metrics = manager, metrics


class _PredictionService(_Servicer, prediction_service_pb2_grpc.PredictionServiceServicer):
    async def Predict(self, request, context):  # noqa: N802, it is the protocol's name
        async with _refusals_as_codes(self._metrics, context):
            spec = request.model_spec
            version = self._manager.find(spec.name, _version_number(spec))
            specs = version.signature(spec.signature_name).specs
            inputs = _arrays(request.inputs, specs, self._manager.max_rows(version))
            outputs = await self._manager.predict(version, spec.signature_name, inputs)
            return _response(version, spec.signature_name, outputs, request.output_filter)

    async def GetModelMetadata(self, request, context):  # noqa: N802, it is the protocol's name
        async with _refusals_as_codes(self._metrics, context):
            if list(request.metadata_field) != ['signature_def']:
                raise RefusedError('INVALID_ARGUMENT', "metadata_field must be 'signature_def'")
            version = self._manager.find(
                request.model_spec.name, _version_number(request.model_spec)
            )
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = version.model
            response.model_spec.version.value = version.number
            response.metadata['signature_def'].Pack(version.signature_defs)
            return response

    async def _refuse_method(self, request, context):
        async with _refusals_as_codes(self._metrics, context):
            raise RefusedError('INVALID_ARGUMENT', 'the signatures here are for Predict alone')

    Classify = Regress = MultiInference = _refuse_method


class _ModelService(_Servicer, model_service_pb2_grpc.ModelServiceServicer):
    async def GetModelStatus(self, request, context):  # noqa: N802, it is the protocol's name
        async with _refusals_as_codes(self._metrics, context):
            spec = request.model_spec
            return rest.status(self._manager, spec.name, _version_number(spec))

    async def HandleReloadConfigRequest(self, request, context):  # noqa: N802, it is the protocol's name
        async with _refusals_as_codes(self._metrics, context):
            raise RefusedError(
                'UNIMPLEMENTED',
                'there is no configuration: models below --models are found by themselves',
            )


@contextlib.asynccontextmanager
async def _refusals_as_codes(metrics, context):
    """Times a request, and answers a RefusedError by its code."""
    with metrics.request('grpc') as set_code:
        try:
            yield
            set_code('OK')
        except RefusedError as refusal:
            set_code(refusal.code)
            await context.abort(grpc.StatusCode[refusal.code], str(refusal))


def _version_number(spec):
    if spec.HasField('version_label'):
        raise unknown_label(spec.version_label)
    return spec.version.value if spec.HasField('version') else None


def _arrays(protos, specs, max_rows):
    """{input: array} of TensorProtos, held against a signature's specs."""
    rest_json.check_names(protos, specs)
    return {name: _array(name, protos[name], *specs[name], max_rows) for name in specs}


def _array(name, proto, dtype, spec, max_rows):
    shape = tuple(size.size for size in proto.tensor_shape.dim)
    # The shape is checked before the values are unpacked, of which one may stand for any number.
    rest_json.check_shape(name, shape, spec)
    if not 0 <= shape[0] <= max_rows:
        raise RefusedError('INVALID_ARGUMENT', f'{shape[0]} rows: a request may have {max_rows}')
    if proto.dtype != tf.as_dtype(dtype).as_datatype_enum:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: expecting a tensor of {dtype.name}')
    try:
        array = tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {error}') from error
    if array.size != math.prod(shape):
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {array.size} values for shape {shape}')
    return np.ascontiguousarray(array.reshape(shape))


def _response(version, signature, outputs, output_filter):
    response = predict_pb2.PredictResponse()
    response.model_spec.name = version.model
    response.model_spec.version.value = version.number
    response.model_spec.signature_name = signature or DEFAULT_SIGNATURE
    unknown = set(output_filter) - set(outputs)
    if unknown:
        raise RefusedError(
            'INVALID_ARGUMENT', f'output tensor alias not found in signature: {unknown}'
        )
    for name in output_filter or outputs:
        response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
    return response
