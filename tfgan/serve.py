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
import logging
import os
import signal
import sys

from absl import flags

from tfgan import cli, startup
from tfgan.cli import ModelError
from tfgan.errors import quoted

OWN = [
    *('models', 'host', 'port', 'grpc_port', 'poll_secs'),
    *('max_rows', 'max_waiting', 'max_bytes', 'max_secs'),
]
FLAGS = flags.FLAGS


def main():
    if not os.path.isdir(FLAGS.models):
        models = quoted(FLAGS.models)
        raise ModelError(f'--models={models}: no such directory; tfgan.train writes models')
    startup.import_tensorflow()
    _log_to(sys.stdout)
    asyncio.run(serve())


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
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        manager = ModelManager(FLAGS.models, executor, limits, metrics)
        await asyncio.to_thread(manager.refresh)
        if not manager.states:
            raise ModelError(f'--models={FLAGS.models}: no exported model there')
        stop = _on_signals()
        async with Servers(manager, metrics) as servers:
            while not stop.is_set():
                await asyncio.to_thread(manager.refresh)
                await servers.health.tell(manager.serving())
                await _within(FLAGS.poll_secs, stop)


def _on_signals():
    stop = asyncio.Event()
    for number in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _within(secs, event):
    try:
        async with asyncio.timeout(secs):
            await event.wait()
    except TimeoutError:
        pass


class Servers:
    """REST and gRPC, open within its block; `health` is what gRPC tells of the models."""

    def __init__(self, manager, metrics):
        from tfgan.server.health import Health

        self._manager, self._metrics, self.health = manager, metrics, Health()
        # An IPv6 address stands in brackets wherever a port follows it.
        self._host = f'[{FLAGS.host}]' if ':' in FLAGS.host else FLAGS.host

    async def __aenter__(self):
        await self.health.tell(self._manager.serving())
        self._rest = self._rest_runner()
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

    def _rest_runner(self):
        from aiohttp import web

        from tfgan.server import rest

        return web.AppRunner(
            rest.application(self._manager, self._metrics, FLAGS.max_bytes, FLAGS.max_secs),
            access_log=None,
            auto_decompress=False,  # aiohttp would answer what it cannot unpack, but not in JSON.
            keepalive_timeout=FLAGS.max_secs,
            shutdown_timeout=FLAGS.max_secs,
        )

    async def _listen(self):
        """Starts both servers; the ports that they have."""
        from aiohttp import web

        from tfgan.server import grpc_api

        await web.TCPSite(self._rest, FLAGS.host, FLAGS.port).start()
        self._grpc, grpc_port = grpc_api.make_server(
            self._manager,
            self._metrics,
            self.health,
            f'{self._host}:{FLAGS.grpc_port}',
            FLAGS.max_bytes,
            FLAGS.max_waiting,
        )
        await self._grpc.start()
        return self._rest.addresses[0][1], grpc_port

    async def __aexit__(self, *error):
        await self.health.enter_graceful_shutdown()
        await asyncio.gather(
            self._rest.cleanup(),
            self._grpc.stop(FLAGS.max_secs),
            self.health.dismiss_watchers(),
        )


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
    ):
        define(name, default, text, lower_bound=least, upper_bound=most)
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}')
