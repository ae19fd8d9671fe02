"""The gRPC health service: each model by its name, and the whole server by the empty name."""

import asyncio
import contextlib

from grpc_health.v1.health import aio
from grpc_health.v1.health_pb2 import HealthCheckResponse


class Health(aio.HealthServicer):
    """grpcio's own service, whose watchers do not keep the server from ending."""

    def __init__(self):
        super().__init__()
        self._watchers = set()

    async def tell(self, serving: dict[str, bool]) -> None:
        """Tells of each model whether it is served."""
        for model, serves in serving.items():
            status = HealthCheckResponse.SERVING if serves else HealthCheckResponse.NOT_SERVING
            await self.set(model, status)

    async def Watch(self, request, context):  # noqa: N802, it is the protocol's name
        watcher = asyncio.current_task()
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        # A handler that is cancelled leaves its stream open; one that returns closes it.
        with contextlib.suppress(asyncio.CancelledError):
            await super().Watch(request, context)

    async def dismiss_watchers(self) -> None:
        """Ends the streams of those who watch, which would else go on until the server's last."""
        for watcher in self._watchers:
            watcher.cancel()
