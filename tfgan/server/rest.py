"""TensorFlow Serving's REST API over the models of a manager."""

import asyncio
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
from tfgan.server.model_manager import ModelManager, unknown_label
from tfgan.server.monitoring import Metrics

MODEL = (
    r'(?i:/v1/models/(?P<model>[^/:]+)'
    r'(?:/versions/(?P<version>[0-9]{1,19})|/labels/(?P<label>[^/:]+))?'
)
PREDICT = re.compile(MODEL + r':(?P<method>classify|regress|predict))')
STATUS = re.compile(MODEL + r'(?P<metadata>/metadata)?)')
METRICS = '/monitoring/prometheus/metrics'
LOG = logging.getLogger('tfgan')
ENCODINGS = 'gzip', 'deflate'  # A body may be packed by these.
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # A body's header says which of them it is.
# These are by the names of gRPC's codes, as in http_server.cc of tensorflow/serving.
HTTP_STATUS = {
    'INVALID_ARGUMENT': 400,
    'NOT_FOUND': 404,
    'UNAVAILABLE': 503,
    'DEADLINE_EXCEEDED': 504,
}


def application(
    manager: ModelManager, metrics: Metrics, max_bytes: int, max_body_secs: float
) -> web.Application:
    """The API as an aiohttp application.

    A body may have `max_bytes`, and take `max_body_secs` to arrive.
    """

    async def answer(request):
        with metrics.request('rest') as set_code:
            try:
                body = await _answer(manager, request, max_body_secs, max_bytes)
            except RefusedError as refusal:
                set_code(refusal.code)
                return _response(rest_json.error(str(refusal)), HTTP_STATUS.get(refusal.code, 500))
            except web.HTTPRequestEntityTooLarge:
                set_code('RESOURCE_EXHAUSTED')
                return _response(rest_json.error(f'a request may have {max_bytes} bytes'), 413)
            except TimeoutError:
                set_code('DEADLINE_EXCEEDED')
                return _response(rest_json.error(f'no whole request in {max_body_secs:g} s'), 408)
            except (web.RequestPayloadError, ConnectionError) as error:
                set_code('CANCELLED')
                return _response(rest_json.error(f'no whole request: {error}'), 400)
            except Exception as error:
                LOG.exception('%s %s failed', request.method, request.path)
                return _response(rest_json.error(f'{type(error).__name__}: {error}'), 500)
            set_code('OK')
            return _response(body, 200)

    async def metrics_page(request):
        return web.Response(body=metrics.page(), headers={'Content-Type': 'text/plain'})

    logging.getLogger('aiohttp.server').setLevel(logging.CRITICAL)  # It tells of each bad request.
    app = web.Application(client_max_size=max_bytes)
    app.router.add_get(METRICS, metrics_page)
    app.router.add_route('*', '/{path:.*}', answer)
    return app


async def _answer(manager, request, max_body_secs, max_bytes):
    path = request.rel_url.raw_path  # Once decoded, a name may hold a colon or a slash.
    if request.method == 'POST' and (match := PREDICT.fullmatch(path)):
        async with asyncio.timeout(max_body_secs):
            body = await request.read()
        encoding = request.headers.get('Content-Encoding', '').lower()
        return await _predict(manager, match, _unpacked(body, encoding, max_bytes))
    if request.method == 'GET' and (match := STATUS.fullmatch(path)):
        model, version = _model_and_version(match)
        if match['metadata']:
            return _metadata(manager.find(model, version))
        return _to_json(status(manager, model, version)).encode()
    code = 'INVALID_ARGUMENT' if request.path.lower().startswith('/v1/') else 'NOT_FOUND'
    raise RefusedError(code, f'Malformed request: {request.method} {request.path}')


def _unpacked(body, encoding, max_bytes):
    if encoding in ('', 'identity'):
        return body
    if encoding not in ENCODINGS:
        raise RefusedError(
            'INVALID_ARGUMENT',
            f'Content-Encoding: {quoted(encoding)}: send the body as it is, or packed by '
            f'{" or ".join(ENCODINGS)}',
        )
    unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise RefusedError('INVALID_ARGUMENT', f'Content-Encoding: {encoding}: {error}') from error
    if len(plain) > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_bytes, len(plain))
    if not unpacker.eof or unpacker.unused_data:
        raise RefusedError(
            'INVALID_ARGUMENT', f'Content-Encoding: {encoding}: the body is not whole'
        )
    return plain


def _model_and_version(match):
    if match['label']:
        raise unknown_label(urllib.parse.unquote(match['label']))
    version = int(match['version']) if match['version'] else None
    return urllib.parse.unquote(match['model']), version


async def _predict(manager, match, body):
    if match['method'].lower() != 'predict':
        raise RefusedError(
            'INVALID_ARGUMENT', f'the signatures here are for :predict, not {match[0]}'
        )
    request = rest_json.parse(body)
    version = manager.find(*_model_and_version(match))
    name = request.get('signature_name', '')
    inputs, by_rows = rest_json.arrays(request, version.signature(name).specs)
    return rest_json.answer(await manager.predict(version, name, inputs), by_rows)


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


def _response(body, http_status):
    return web.Response(body=body, status=http_status, content_type='application/json')
