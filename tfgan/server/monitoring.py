"""What a server counts of itself, as Prometheus reads it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import prometheus_client as prometheus

REQUEST_SECS_BUCKETS = 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30
BATCH_ROWS_BUCKETS = tuple(2**power for power in range(11))


class Metrics:
    """Counters of one server; `page` is what a scraper gets."""

    def __init__(self):
        self.registry = registry = prometheus.CollectorRegistry()
        self.requests = prometheus.Counter(
            'tfgan_requests', 'Requests answered', ['api', 'code'], registry=registry
        )
        self.secs = prometheus.Histogram(
            'tfgan_request_seconds',
            'Time of a request',
            ['api'],
            registry=registry,
            buckets=REQUEST_SECS_BUCKETS,
        )
        self.batch_rows = prometheus.Histogram(
            'tfgan_batch_rows',
            'Rows of a batch',
            ['model'],
            registry=registry,
            buckets=BATCH_ROWS_BUCKETS,
        )
        self.version = prometheus.Gauge(
            'tfgan_model_version', 'The version that is served', ['model'], registry=registry
        )
        prometheus.ProcessCollector(registry=registry)

    @contextlib.contextmanager
    def request(self, api: str) -> Iterator[Callable[[str], None]]:
        """Times a request; the block sets the code it ended with by the function it is given."""
        began, code = time.perf_counter(), 'INTERNAL'

        def set_code(name):
            nonlocal code
            code = name

        try:
            yield set_code
        except asyncio.CancelledError:  # Its client has gone away.
            code = 'CANCELLED' if code == 'INTERNAL' else code
            raise
        finally:
            self.requests.labels(api, code).inc()
            self.secs.labels(api).observe(time.perf_counter() - began)

    def page(self) -> bytes:
        """The counts in Prometheus's text format."""
        return prometheus.generate_latest(self.registry)
