"""TensorFlow Serving's gRPC API over the models of a manager, with health and reflection."""

import asyncio
import logging
import math
import time

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import message
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

from tfgan.errors import RefusedError, quoted
from tfgan.server import rest, rest_json
from tfgan.server.health import Health
from tfgan.server.model_manager import ModelManager, unknown_label
from tfgan.server.monitoring import Metrics
from tfgan.server.traffic import Traffic

LOG = logging.getLogger('tfgan')
SMALL_BYTES = 1 << 16  # A message of so many is read in a millisecond or so.
MAX_STREAMS = 64  # of a connection
MAX_AGE = 2  # times max_secs; an older connection is ended, with what its client did not take
HANDSHAKE_SECS = 10.0
CLOCK_SECS = 0.1  # A client whose time is over may tell so a little before it is over here.
MAX_UNREAD_BYTES = 256 << 20  # of answers that clients have yet to take

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
    max_secs: float,
    max_connections: int,
) -> tuple[grpc.aio.Server, int]:
    """An unstarted grpc.aio server at HOST:PORT, and the port that it has."""
    logging.getLogger('grpc').setLevel(logging.CRITICAL)  # It tells of each bad request.
    grpc_server = grpc.aio.server(
        interceptors=[Guard(metrics, max_secs)],
        options=[
            ('grpc.max_receive_message_length', max_bytes),
            ('grpc.so_reuseport', 0),
            ('grpc.max_allowed_incoming_connections', max_connections),
            ('grpc.max_concurrent_streams', MAX_STREAMS),
            ('grpc.server_handshake_timeout_ms', int(1000 * min(max_secs, HANDSHAKE_SECS))),
            ('grpc.max_connection_idle_ms', int(1000 * max_secs)),
            ('grpc.max_connection_age_ms', int(1000 * MAX_AGE * max_secs)),
            ('grpc.max_connection_age_grace_ms', int(1000 * max_secs)),
            ('grpc.keepalive_time_ms', int(1000 * max_secs)),
            ('grpc.keepalive_timeout_ms', int(1000 * max_secs)),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(manager), grpc_server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(manager), grpc_server)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, grpc_server)
    reflection.enable_server_reflection(SERVICES, grpc_server)
    return grpc_server, grpc_server.add_insecure_port(address)


class Guard(grpc.aio.ServerInterceptor):
    """Bounds the time of messages on their way, and the answers that wait to be taken.

    gRPC itself waits for ever for the message of a call and for its answer to be taken. A method of
    one message each way looks on the wire like one of streams, whose messages are awaited here.
    """

    def __init__(self, metrics: Metrics, max_secs: float):
        self._metrics, self._max_secs = metrics, max_secs
        self._answers = Traffic(max_secs, MAX_UNREAD_BYTES)
        self._one_large = asyncio.Lock()

    async def intercept_service(self, continuation, handler_call_details):
        """The method's handler, guarded."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler.unary_unary:
            return handler

        async def call(messages, context):
            with self._metrics.request('grpc') as set_code:
                answer, code, why = await self._outcome(handler, messages, context, set_code)
            if answer is None:
                await context.abort(grpc.StatusCode[code], why)
            await self._send(context, answer)

        return grpc.stream_stream_rpc_method_handler(call)

    async def _outcome(self, handler, messages, context, set_code):
        """An answer's bytes, or None, a code and why: errors would keep the request until sent."""
        try:
            answer = await handler.unary_unary(await self._request(handler, messages), context)
            set_code('OK')
            return handler.response_serializer(answer), 'OK', ''
        except RefusedError as refusal:
            set_code(refusal.code)
            return None, refusal.code, str(refusal)
        except asyncio.CancelledError:
            set_code('DEADLINE_EXCEEDED' if _is_late(context) else 'CANCELLED')
            raise
        except grpc.aio.AbortError:  # as the health service's
            set_code(context.code().name)
            raise
        except Exception as error:
            LOG.exception('a request by gRPC failed')
            return None, 'INTERNAL', f'{type(error).__name__}: {quoted(error)}'

    async def _request(self, handler, messages):
        try:
            async with asyncio.timeout(self._max_secs):
                body = await anext(aiter(messages))
        except (TimeoutError, StopAsyncIteration) as error:
            raise RefusedError(
                'DEADLINE_EXCEEDED', f'no whole request in {self._max_secs:g} s'
            ) from error
        try:
            if len(body) <= SMALL_BYTES:
                return handler.request_deserializer(body)
            async with self._one_large:
                began = time.monotonic()
                request = handler.request_deserializer(body)
                await asyncio.sleep(time.monotonic() - began)  # Others have as long a turn.
                return request
        except message.DecodeError as error:
            raise RefusedError('INVALID_ARGUMENT', f'no such message: {error}') from error

    async def _send(self, context, answer):
        try:
            async with self._answers.one() as add:
                add(len(answer))
                await context.write(answer)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, 'the answer was not taken')


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, manager):
        self._manager = manager

    async def Predict(self, request, context):  # noqa: N802, it is the protocol's name
        spec = request.model_spec
        version = self._manager.find(spec.name, _version_number(spec))
        name, signature = spec.signature_name, version.signature(spec.signature_name)
        wanted = _output_names(request.output_filter, signature.outputs)
        inputs = _arrays(request.inputs, signature.specs, self._manager.max_rows(version))
        outputs = await self._manager.predict(version, name, inputs, context.peer())
        return _response(version, name, {each: outputs[each] for each in wanted})

    async def GetModelMetadata(self, request, context):  # noqa: N802, it is the protocol's name
        if list(request.metadata_field) != ['signature_def']:
            raise RefusedError('INVALID_ARGUMENT', "metadata_field must be 'signature_def'")
        version = self._manager.find(request.model_spec.name, _version_number(request.model_spec))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = version.model
        response.model_spec.version.value = version.number
        response.metadata['signature_def'].Pack(version.signature_defs)
        return response

    async def _refuse_method(self, request, context):
        raise RefusedError('INVALID_ARGUMENT', 'the signatures here are for Predict alone')

    Classify = Regress = MultiInference = _refuse_method


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, manager):
        self._manager = manager

    async def GetModelStatus(self, request, context):  # noqa: N802, it is the protocol's name
        spec = request.model_spec
        return rest.status(self._manager, spec.name, _version_number(spec))

    async def HandleReloadConfigRequest(self, request, context):  # noqa: N802, it is the protocol's name
        raise RefusedError(
            'UNIMPLEMENTED',
            'there is no configuration: models below --models are found by themselves',
        )


def _is_late(context):
    """Whether a call is over because of its client's deadline."""
    left = context.time_remaining()
    return left is not None and left <= CLOCK_SECS


def _version_number(spec):
    if spec.HasField('version_label'):
        raise unknown_label(spec.version_label)
    return spec.version.value if spec.HasField('version') else None


def _output_names(output_filter, outputs):
    """The outputs that a request wants, all of them if it names none."""
    if len(output_filter) > len(outputs):
        raise RefusedError(
            'INVALID_ARGUMENT', f'output_filter: {len(output_filter)} names of {len(outputs)}'
        )
    if unknown := set(output_filter) - outputs:
        raise RefusedError(
            'INVALID_ARGUMENT',
            f'output tensor alias not found in signature: {quoted(", ".join(sorted(unknown)))}',
        )
    return set(output_filter) or outputs


def _arrays(protos, specs, max_rows):
    """{input: array} of TensorProtos, held against a signature's specs."""
    rest_json.check_names(protos, specs)
    return {name: _array(name, protos[name], *specs[name], max_rows) for name in specs}


def _array(name, proto, dtype, spec, max_rows):
    # There may be a million sizes, of which one too many is enough.
    shape = tuple(size.size for size in proto.tensor_shape.dim[: len(spec) + 1])
    # The shape is checked before the values are unpacked, of which one may stand for any number.
    rest_json.check_shape(name, shape, spec)
    if shape and not 0 <= shape[0] <= max_rows:
        raise RefusedError('INVALID_ARGUMENT', f'{shape[0]} rows: a request may have {max_rows}')
    if proto.dtype != tf.as_dtype(dtype).as_datatype_enum:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: expecting a tensor of {dtype.name}')
    if (count := _value_count(proto)) > math.prod(shape):
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {count} values for shape {shape}')
    try:
        array = tf.make_ndarray(proto)
    except (ValueError, TypeError, OverflowError) as error:
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {error}') from error
    if array.size != math.prod(shape):
        raise RefusedError('INVALID_ARGUMENT', f'{name}: {array.size} values for shape {shape}')
    return np.ascontiguousarray(array.reshape(shape))


def _value_count(proto):
    """How many values a TensorProto lists, of all types."""
    fields = [field.name for field in proto.DESCRIPTOR.fields if field.name.endswith('_val')]
    return sum(len(getattr(proto, field)) for field in fields)


def _response(version, signature, outputs):
    response = predict_pb2.PredictResponse()
    response.model_spec.name = version.model
    response.model_spec.version.value = version.number
    response.model_spec.signature_name = signature or rest_json.DEFAULT_SIGNATURE
    for name in outputs:
        response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
    return response
