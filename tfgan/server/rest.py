"""TensorFlow Serving's REST API over the models of a manager."""

import asyncio
import contextlib
import json
import logging
import re
import urllib.parse
import zlib

import grpc
from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_status_pb2

from tfgan.errors import RefusedError, quoted
from tfgan.server import rest_json
from tfgan.server.connections import Connections
from tfgan.server.json_process import JsonProcess
from tfgan.server.model_manager import ModelManager, unknown_label
from tfgan.server.monitoring import Metrics
from tfgan.server.origins import Origins, preflight
from tfgan.server.page import Studio
from tfgan.server.traffic import Traffic

MODEL = (
    r'(?i:/v1/models/(?P<model>[^/:]+)'
    r'(?:/versions/(?P<version>[0-9]{1,19})|/labels/(?P<label>[^/:]+))?'
)
PREDICT = re.compile(MODEL + r':(?P<method>classify|regress|predict))')
STATUS = re.compile(MODEL + r'(?P<metadata>/metadata)?)')
METRICS = '/monitoring/prometheus/metrics'
LOG = logging.getLogger('tfgan')
JSON = 'application/json'
MOST_BODIES = 32  # So many of the largest are read at once.
MAX_UNREAD_BYTES = 256 << 20  # of answers that clients have yet to take
SMALL_BYTES = 1 << 15  # Buffers take so much at once: it never waits for a client.
LINGERING_SECS = 1.0  # For so long what comes after a refusal is thrown away.
ENCODINGS = 'gzip', 'deflate'  # A body may be packed by these.
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # A body's header says which of them it is.
# These are by the names of gRPC's codes, as in http_server.cc of tensorflow/serving.
HTTP_STATUS = {
    'INVALID_ARGUMENT': 400,
    'PERMISSION_DENIED': 403,
    'NOT_FOUND': 404,
    'RESOURCE_EXHAUSTED': 413,
    'UNAVAILABLE': 503,
    'DEADLINE_EXCEEDED': 504,
}


class Api:
    """The API; `answer` is the handler of its connections.

    A body may have `max_bytes`, and take `max_secs` to arrive; so may an answer to leave.
    """

    def __init__(
        self,
        manager: ModelManager,
        metrics: Metrics,
        origins: Origins,
        max_bytes: int,
        max_secs: float,
    ):
        self.is_leaving = False  # It answers still, but tells those who ask how it is to go.
        self._manager, self._metrics, self._origins = manager, metrics, origins
        self._max_bytes, self._max_secs = max_bytes, max_secs
        self._bodies = Traffic(max_secs, MOST_BODIES * max_bytes)
        self._answers = Traffic(max_secs, MAX_UNREAD_BYTES)
        self._json = JsonProcess()
        self._studio = Studio(manager)
        self._connections = None

    def connections(self) -> Connections:
        """A server for aiohttp; to be called in a running event loop."""
        logging.getLogger('aiohttp.server').setLevel(logging.CRITICAL)  # It tells of bad requests.
        self._connections = Connections(
            self.answer,
            self._max_secs,
            access_log=None,
            auto_decompress=False,  # aiohttp would unpack what is refused, without a bound.
            keepalive_timeout=self._max_secs,
            lingering_time=0,  # It would read on and on.
        )
        return self._connections

    def close(self) -> None:
        """Lets go of what it started."""
        self._json.close()
        self._studio.close()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answers a request, and sends the answer."""
        connection = request.protocol
        self._connections.used(connection)
        response = await self._response(request)
        response.headers['Server'] = 'tfgan'  # aiohttp would tell which versions it is of.
        size, is_whole = len(response.body or b''), request.content.is_eof()
        if self.is_leaving or connection.is_last or not is_whole:
            response.force_close()  # What was not read of a body would be taken for a request.
        if size > SMALL_BYTES or not is_whole or connection.connected.get_write_buffer_size():
            await self._send(response, request, size)
        if not is_whole:
            await self._discard(request)
        self._connections.used(connection)
        return response

    async def _send(self, response, request, size):
        """Sends an answer that may have to wait for its client; aiohttp sends the others."""
        try:
            async with self._answers.one() as add:
                add(size)
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            request.protocol.connected.abort()

    async def _discard(self, request):
        """Takes a little more of a body that was refused, else its sender may miss the answer."""
        left = self._max_bytes
        with contextlib.suppress(TimeoutError, web.RequestPayloadError):
            async with asyncio.timeout(LINGERING_SECS):
                async for packed in request.content.iter_any():
                    left -= len(packed)
                    if left < 0:
                        return

    async def _response(self, request):
        headers = {}
        with self._metrics.request('rest') as set_code:
            try:
                headers = self._origins.headers(request)
                if (permission := preflight(request)) is not None:
                    set_code('OK')
                    return web.Response(status=204, headers=headers | permission)
                response = await self._answer(request)
                response.headers.update(headers)
                set_code('OK')
                return response
            except RefusedError as refusal:
                set_code(refusal.code)
                status, message = HTTP_STATUS.get(refusal.code, 500), str(refusal)
            except TimeoutError:
                set_code('DEADLINE_EXCEEDED')
                status, message = 408, f'no whole request in {self._max_secs:g} s'
            except (web.RequestPayloadError, ConnectionError) as error:
                set_code('CANCELLED')
                status, message = 400, f'no whole request: {error}'
            except Exception as error:
                LOG.exception('%s %s failed', request.method, quoted(request.path))
                status, message = 500, f'{type(error).__name__}: {error}'
        error = rest_json.error(message)
        return web.Response(body=error, status=status, content_type=JSON, headers=headers)

    async def _answer(self, request):
        """The answer, without the headers that all have; raises RefusedError."""
        path = request.rel_url.raw_path  # Once decoded, a name may hold a colon or a slash.
        if request.method == 'POST' and (match := PREDICT.fullmatch(path)):
            return _found(await self._predict(request, match))
        if request.method == 'GET' and path == METRICS:
            return _found(self._metrics.page(), 'text/plain')
        if request.method == 'GET' and self._studio.has(path):
            return await self._studio.answer(path)
        if request.method == 'GET' and (match := STATUS.fullmatch(path)):
            model, version = _model_and_version(match)
            if match['metadata']:
                return _found(_metadata(self._manager.find(model, version)))
            if self.is_leaving:
                raise RefusedError('UNAVAILABLE', 'this server is ending')
            return _found(_to_json(status(self._manager, model, version)).encode())
        code = 'INVALID_ARGUMENT' if request.path.lower().startswith('/v1/') else 'NOT_FOUND'
        raise RefusedError(code, f'Malformed request: {request.method} {quoted(request.path)}')

    async def _predict(self, request, match):
        if match['method'].lower() != 'predict':
            raise RefusedError(
                'INVALID_ARGUMENT', f'the signatures here are for :predict, not {match[0]}'
            )
        version = self._manager.find(*_model_and_version(match))
        if _is_small(request):
            name, inputs, by_rows = await self._inputs(request, version, add=lambda count: None)
        else:
            async with self._bodies.one() as add:
                name, inputs, by_rows = await self._inputs(request, version, add)
        with request.protocol.drawing(request):
            outputs = await self._manager.predict(version, name, inputs, request.protocol)
        size = sum(output.size for output in outputs.values())
        return await self._json(rest_json.answer, outputs, by_rows, size=size)

    async def _inputs(self, request, version, add):
        body = await _body(request, self._max_bytes, add)
        read = rest_json.read, body, version.specs, self._manager.max_rows(version)
        return await self._json(*read, size=len(body))


def _found(body, kind=JSON):
    return web.Response(body=body, content_type=kind)


def _is_small(request):
    """Whether a body is all there and takes no room."""
    size = request.content_length or SMALL_BYTES
    is_plain = 'Content-Encoding' not in request.headers
    return is_plain and size < SMALL_BYTES and request.content.is_eof()


async def _body(request, max_bytes, add):
    """A body, unpacked; it is read no further than it may be."""
    encoding = request.headers.get('Content-Encoding', '').lower()
    unpacker = _unpacker(encoding)
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    async for packed in request.content.iter_any():
        try:
            plain = unpacker.decompress(packed, max_bytes + 1 - len(body)) if unpacker else packed
        except zlib.error as error:
            raise _does_not_unpack(encoding, error) from error
        add(len(plain))
        body += plain
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if unpacker and unpacker.unused_data:
            break
    if unpacker and (not unpacker.eof or unpacker.unused_data):
        raise _does_not_unpack(encoding, 'the body is not whole')
    return bytes(body)


def _unpacker(encoding):
    if encoding in ('', 'identity'):
        return None
    if encoding not in ENCODINGS:
        raise RefusedError(
            'INVALID_ARGUMENT',
            f'Content-Encoding: {quoted(encoding)}: send the body as it is, or packed by '
            f'{" or ".join(ENCODINGS)}',
        )
    return zlib.decompressobj(GZIP_OR_ZLIB)


def _too_large(max_bytes):
    return RefusedError('RESOURCE_EXHAUSTED', f'a request may have {max_bytes} bytes')


def _does_not_unpack(encoding, why):
    return RefusedError('INVALID_ARGUMENT', f'Content-Encoding: {encoding}: {why}')


def _model_and_version(match):
    if match['label']:
        raise unknown_label(urllib.parse.unquote(match['label']))
    version = int(match['version']) if match['version'] else None
    return urllib.parse.unquote(match['model']), version


def status(
    manager: ModelManager, model: str, version: int | None
) -> get_model_status_pb2.GetModelStatusResponse:
    """The states of a model's versions, or of one version; raises RefusedError."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, (state, code, message) in sorted(manager.status(model, version).items()):
        version_status = response.model_version_status.add(version=number, state=state)
        version_status.status.error_code = grpc.StatusCode[code].value[0]
        version_status.status.error_message = message
    return response


def _metadata(version):
    spec = {'name': version.model, 'signature_name': '', 'version': str(version.number)}
    definition = json.loads(_to_json(version.signature_defs))
    return json.dumps({'model_spec': spec, 'metadata': {'signature_def': definition}}).encode()


def _to_json(message):
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
