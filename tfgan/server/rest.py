"""TensorFlow Serving's REST API over the hosted models."""

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

from tfgan.errors import RefusedError
from tfgan.server import rest_json
from tfgan.server.model_manager import unknown_label

MODEL = (
    r'(?i:/v1/models/(?P<model>[^/:]+)'
    r'(?:/versions/(?P<version>[0-9]{1,19})|/labels/(?P<label>[^/:]+))?'
)
PREDICT = re.compile(MODEL + r':(?P<method>classify|regress|predict))')
STATUS = re.compile(MODEL + r'(?P<metadata>/metadata)?)')
METRICS = '/monitoring/prometheus/metrics'
LOG = logging.getLogger('tfgan')
PACKED = 'gzip', 'deflate'  # what a body may be packed by
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # whichever its header says
HTTP_STATUS = {  # by the name of gRPC's code, as in http_server.cc of tensorflow/serving
    'INVALID_ARGUMENT': 400,
    'NOT_FOUND': 404,
    'UNAVAILABLE': 503,
    'DEADLINE_EXCEEDED': 504,
}


def application(hosting, metrics, most_bytes: int, body_secs: float) -> web.Application:
    """The API as an aiohttp application.

    A body may have `most_bytes`, and take `body_secs` to arrive.
    """

    async def answer(request):
        with metrics.request('rest') as ends_with:
            try:
                body = await _answer(hosting, request, body_secs, most_bytes)
            except RefusedError as refusal:
                ends_with(refusal.code)
                return _response(rest_json.error(str(refusal)), HTTP_STATUS.get(refusal.code, 500))
            except web.HTTPRequestEntityTooLarge:
                ends_with('RESOURCE_EXHAUSTED')
                return _response(rest_json.error(f'a request may have {most_bytes} bytes'), 413)
            except TimeoutError:
                ends_with('DEADLINE_EXCEEDED')
                return _response(rest_json.error(f'no whole request in {body_secs:g} s'), 408)
            except (web.RequestPayloadError, ConnectionError) as error:
                ends_with('CANCELLED')
                return _response(rest_json.error(f'no whole request: {error}'), 400)
            except Exception as error:
                LOG.exception('%s %s failed', request.method, request.path)
                return _response(rest_json.error(f'{type(error).__name__}: {error}'), 500)
            ends_with('OK')
            return _response(body, 200)

    async def measured(request):
        return web.Response(body=metrics.page(), headers={'Content-Type': 'text/plain'})

    logging.getLogger('aiohttp.server').setLevel(logging.CRITICAL)  # else each bad request is told
    app = web.Application(client_max_size=most_bytes)
    app.router.add_get(METRICS, measured)
    app.router.add_route('*', '/{path:.*}', answer)
    return app


async def _answer(hosting, request, body_secs, most_bytes):
    path = request.rel_url.raw_path  # a name may hold what separates the parts of a path
    if request.method == 'POST' and (asked := PREDICT.fullmatch(path)):
        async with asyncio.timeout(body_secs):
            body = await request.read()
        encoding = request.headers.get('Content-Encoding', '').lower()
        return await _predict(hosting, asked, _unpacked(body, encoding, most_bytes))
    if request.method == 'GET' and (asked := STATUS.fullmatch(path)):
        model, version = _model_and_version(asked)
        if asked['metadata']:
            return _metadata(hosting.find(model, version))
        return _plain(status(hosting, model, version)).encode()
    code = 'INVALID_ARGUMENT' if request.path.lower().startswith('/v1/') else 'NOT_FOUND'
    raise RefusedError(code, f'Malformed request: {request.method} {request.path}')


def _unpacked(body, encoding, most_bytes):
    if encoding in ('', 'identity'):
        return body
    if encoding not in PACKED:
        raise RefusedError(
            'INVALID_ARGUMENT',
            f'Content-Encoding: {encoding}: send the body as it is, or packed by '
            f'{" or ".join(PACKED)}',
        )
    unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise RefusedError('INVALID_ARGUMENT', f'Content-Encoding: {encoding}: {error}') from error
    if len(plain) > most_bytes:
        raise web.HTTPRequestEntityTooLarge(most_bytes, len(plain))
    if not unpacker.eof or unpacker.unused_data:
        raise RefusedError(
            'INVALID_ARGUMENT', f'Content-Encoding: {encoding}: the body is not whole'
        )
    return plain


def _model_and_version(asked):
    if asked['label']:
        raise unknown_label(urllib.parse.unquote(asked['label']))
    number = int(asked['version']) if asked['version'] else None
    return urllib.parse.unquote(asked['model']), number


async def _predict(hosting, asked, body):
    if asked['method'].lower() != 'predict':
        raise RefusedError(
            'INVALID_ARGUMENT', f'the signatures here are for :predict, not {asked[0]}'
        )
    request = rest_json.parse(body)
    version = hosting.find(*_model_and_version(asked))
    name = request.get('signature_name', '')
    inputs, by_rows = rest_json.arrays(request, version.signature(name).specs)
    return rest_json.answer(await hosting.predict(version, name, inputs), by_rows)


def status(hosting, model: str, version: int | None):
    """A GetModelStatusResponse."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, (state, code, message) in sorted(hosting.status(model, version).items()):
        one = response.model_version_status.add(version=number, state=state)
        one.status.error_code = grpc.StatusCode[code].value[0]
        one.status.error_message = message
    return response


def _metadata(version):
    spec = {'name': version.model, 'signature_name': '', 'version': str(version.number)}
    definition = json.loads(_plain(version.definition))
    return json.dumps({'model_spec': spec, 'metadata': {'signature_def': definition}}).encode()


def _plain(message):
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _response(body, http):
    return web.Response(body=body, status=http, content_type='application/json')
