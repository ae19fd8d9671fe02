"""Serve all exported models on this machine, as TensorFlow Serving would.

    python -m tfgan.serve

answers TensorFlow Serving's requests for each model below saved_models/, REST on port 8501 and gRPC
on 8500, until Ctrl-C. A new version is served as soon as it is there, and no request is dropped.

    curl -d '{"instances": [7]}' localhost:8501/v1/models/doodles:predict
    python -m tfgan.query --label=cat --out=cats.png

It is for a laptop and listens to it alone. A fleet uses TensorFlow Serving itself, which takes the
same models and answers the same requests: scripts/serve.
"""

import asyncio
import concurrent.futures
import contextlib
import ctypes
import gc
import logging
import os
import pathlib
import re
import signal
import sys
import time

from absl import flags

from tfgan import cli, startup
from tfgan.cli import ModelError
from tfgan.errors import quoted, reason

OWN = [
    *('models', 'host', 'port', 'grpc_port', 'poll_secs', 'allow_origin', 'trust_model'),
    *('max_rows', 'max_waiting', 'max_bytes', 'max_secs', 'max_connections', 'shutdown_secs'),
]
MOST_POLL_SECS = 60.0  # between looks for new versions, after looks that failed
MOST_CONNECTIONS = 256  # of each protocol
MOST_BACKLOG = 128  # connections that wait to be accepted
SIGNALS = signal.SIGINT, signal.SIGTERM
LOG = logging.getLogger('tfgan')
KEEP_SECS = 0.5  # between looks whether gRPC's server is there
MORE_BYTES = 32 << 20
FREE_DESCRIPTORS = 16  # that are not for connections: models are read by some
FLAGS = flags.FLAGS


def main():
    if not os.path.isdir(FLAGS.models):
        models = quoted(FLAGS.models)
        raise ModelError(f'--models={models}: no such directory; tfgan.train writes models')
    _check_origins()
    startup.import_tensorflow()
    _log_to(sys.stdout)
    asyncio.run(serve())


def _check_origins():
    for origin in FLAGS.allow_origin:
        if not re.fullmatch(r'https?://[^/?#@\s*]+', origin):
            raise ModelError(
                f'--allow_origin={quoted(origin)}: expected origins as browsers send them, by '
                'commas, as in http://localhost:3000'
            )


def _log_to(stream):
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter('%(asctime)s %(message)s', '%H:%M:%S'))
    log = logging.getLogger('tfgan')
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False  # absl's handler would say it again.


async def serve():
    """Serves until a signal, and then answers what has come before."""
    from tfgan.server.model_manager import Limits, ModelManager
    from tfgan.server.monitoring import Metrics

    metrics = Metrics()
    limits = Limits(FLAGS.max_rows, max_waiting_rows=FLAGS.max_waiting, max_secs=FLAGS.max_secs)
    asyncio.get_running_loop().set_exception_handler(_tell)
    stop = _on_signals()
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        manager = ModelManager(FLAGS.models, executor, limits, metrics, FLAGS.trust_model)
        await asyncio.to_thread(manager.refresh)
        if not manager.states:
            raise ModelError(f'--models={FLAGS.models}: no exported model there')
        # What is there now stays: to look through it for garbage again and again would take long.
        gc.collect()
        gc.freeze()
        async with Servers(manager, metrics) as servers:
            await watch(manager, servers.health, stop)


async def watch(manager, health, stop: asyncio.Event):
    """Looks for new versions until `stop` is set; less often while that fails."""
    wait_secs, kept_bytes = FLAGS.poll_secs, 0
    while not stop.is_set():
        try:
            await asyncio.to_thread(manager.refresh)
            await health.tell(manager.serving())
            kept_bytes = await asyncio.to_thread(_give_back, kept_bytes)
            wait_secs = FLAGS.poll_secs
        except Exception as error:  # as of a network's file system; what is loaded is served
            wait_secs = max(FLAGS.poll_secs, min(2 * wait_secs, MOST_POLL_SECS))
            LOG.error('%s cannot be looked through: %s; again in %.1f s',
                      quoted(FLAGS.models), reason(error), wait_secs)  # fmt: skip
        await _within(wait_secs, stop)


def _give_back(kept_bytes):
    """Gives the system what was freed, which glibc would keep for a server of many threads.

    `kept_bytes` are those of the last time; returns those of now. All wait while it works, so it
    does only where there are `MORE_BYTES` more.
    """
    if sys.platform != 'linux' or _resident_bytes() < kept_bytes + MORE_BYTES:
        return kept_bytes
    with contextlib.suppress(AttributeError):  # as of other C libraries
        ctypes.CDLL(None).malloc_trim(0)
    return _resident_bytes()


def _resident_bytes():
    return int(pathlib.Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGESIZE')


def _tell(loop, context):
    """Says in a line what asyncio would tell by a traceback, as of descriptors that are none."""
    LOG.error('%s: %s', context['message'], context.get('exception', 'no more is known'))


def _on_signals():
    """An event that the first signal sets; a second one ends the process at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def leave():
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, leave)
    return stop


async def _within(secs, event):
    try:
        async with asyncio.timeout(secs):
            await event.wait()
    except TimeoutError:
        pass


def _max_connections():
    """How many connections each of two protocols may have, by the descriptors there are."""
    if FLAGS.max_connections:
        return FLAGS.max_connections
    try:
        import resource
    except ImportError:  # as on Windows
        return MOST_CONNECTIONS
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 64
    free = most - taken - FREE_DESCRIPTORS if most != resource.RLIM_INFINITY else sys.maxsize
    return max(1, min(free // 2, MOST_CONNECTIONS))


class Servers:
    """REST and gRPC, open within its block; `health` is what gRPC tells of the models."""

    def __init__(self, manager, metrics):
        from tfgan.server.health import Health
        from tfgan.server.origins import Origins
        from tfgan.server.rest import Api

        self._manager, self._metrics, self.health = manager, metrics, Health()
        origins = Origins(FLAGS.host, FLAGS.allow_origin)
        self._api = Api(manager, metrics, origins, FLAGS.max_bytes, FLAGS.max_secs)
        # An IPv6 address stands in brackets wherever a port follows it.
        self._host = f'[{FLAGS.host}]' if ':' in FLAGS.host else FLAGS.host

    async def __aenter__(self):
        from aiohttp import web

        await self.health.tell(self._manager.serving())
        self._connections = self._api.connections()
        self._rest = web.ServerRunner(self._connections, shutdown_timeout=1.0)
        await self._rest.setup()
        try:
            port, grpc_port = await self._listen()
        except (OSError, RuntimeError) as error:
            await self._rest.cleanup()
            raise ModelError(
                f'--host={quoted(FLAGS.host)} --port={FLAGS.port} --grpc_port={FLAGS.grpc_port}: '
                f'{error}; give an address of this machine and ports that are free, or 0 for any'
            ) from error
        print(f'REST at http://{self._host}:{port}/v1/models/NAME:predict, gRPC at '
              f'grpc://{self._host}:{grpc_port}; Ctrl-C ends', flush=True)  # fmt: skip
        return self

    async def _listen(self):
        """Starts both servers; the ports that they have."""
        from aiohttp import web

        most = self._connections.max_connections = _max_connections()
        # So many are accepted before the first of them can be let go.
        backlog = min(MOST_BACKLOG, most)
        await web.TCPSite(self._rest, FLAGS.host, FLAGS.port, backlog=backlog).start()
        grpc_port = await self._start_grpc(FLAGS.grpc_port)
        self._keeper = asyncio.create_task(self._keep_grpc(grpc_port))
        return self._rest.addresses[0][1], grpc_port

    async def _start_grpc(self, port):
        from tfgan.server import grpc_api

        self._grpc, port = grpc_api.make_server(
            self._manager,
            self._metrics,
            self.health,
            f'{self._host}:{port}',
            FLAGS.max_bytes,
            FLAGS.max_secs,
            self._connections.max_connections,
        )
        await self._grpc.start()
        return port

    async def _keep_grpc(self, port):
        """Starts gRPC's server anew when it has ended: its library does so at some bad frames."""
        while True:
            try:
                await self._grpc.wait_for_termination(timeout=KEEP_SECS)
            except Exception as error:
                LOG.error('gRPC starts anew: %s', quoted(reason(error)))
                await self._grpc.stop(None)
                with contextlib.suppress(OSError, RuntimeError):  # The port may not be free yet.
                    await self._start_grpc(port)
                await asyncio.sleep(KEEP_SECS)

    async def __aexit__(self, *error):
        """Tells that it leaves, answers what has begun, and ends in `--shutdown_secs` at most."""
        until = time.monotonic() + FLAGS.shutdown_secs
        self._api.is_leaving = True
        self._keeper.cancel()
        await self.health.enter_graceful_shutdown()
        await asyncio.gather(
            self._leave(until), self._grpc.stop(FLAGS.shutdown_secs), self.health.dismiss_watchers()
        )
        self._api.close()

    async def _leave(self, until):
        await self._connections.leave(until)
        await self._rest.cleanup()


if __name__ == '__main__':
    cli.define_place('models', 'saved_models', "the models' directory, or one model's")
    flags.DEFINE_string('host', '127.0.0.1', 'the address to listen at')
    flags.DEFINE_integer('port', 8501, 'of REST; 0 for any', lower_bound=0, upper_bound=65_535)
    flags.DEFINE_integer('grpc_port', 8500, 'of gRPC; 0 for any', lower_bound=0, upper_bound=65_535)
    for define, name, default, text, least, most in (
        (flags.DEFINE_float, 'poll_secs', 1.0, 'between looks for new versions', 0.01, 1e6),
        (flags.DEFINE_integer, 'max_rows', 1024, 'rows of a request and of a batch', 1, 2**20),
        (flags.DEFINE_integer, 'max_waiting', 4096, 'rows that wait at once', 1, 2**20),
        (flags.DEFINE_integer, 'max_bytes', 8 << 20, 'bytes of a request', 1, 2**31 - 1),
        (flags.DEFINE_float, 'max_secs', 30.0, 'seconds to send a request, or to wait', 0.1, 1e6),
        (flags.DEFINE_float, 'shutdown_secs', 20.0, 'to answer what has begun at the end', 0, 1e6),
        (
            flags.DEFINE_integer,
            'max_connections',
            0,
            'of each protocol; 0: as many as can be',
            0,
            2**20,
        ),
    ):
        define(name, default, text, lower_bound=least, upper_bound=most)
    flags.DEFINE_list('allow_origin', [], 'sites whose pages may ask, by commas: http://HOST:PORT')
    cli.define_trust()
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
