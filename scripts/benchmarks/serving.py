"""Load on a model server from many connections at once, and what became of each request."""

import asyncio
import dataclasses
import json
import time
import urllib.parse


@dataclasses.dataclass
class Load:
    """Seconds of each answered request, how many were not answered well, and seconds in all."""

    secs: list
    failed: int = 0
    wall_secs: float = 0.0

    def rate(self):
        return len(self.secs) / self.wall_secs


def predict(model: str, signature: str, inputs: list) -> bytes:
    """A whole HTTP request."""
    body = json.dumps({'signature_name': signature, 'instances': inputs}).encode()
    path = f'/v1/models/{model}:predict'
    return (
        f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
        + body
    )


def load(url: str, requests: list[bytes], connections: int, secs: float) -> Load:
    """Each connection sends one request after the other, for so many seconds."""
    return asyncio.run(_load(urllib.parse.urlparse(url), requests, connections, secs))


async def _load(place, requests, connections, secs):
    loop, found = asyncio.get_running_loop(), Load([])
    began = time.perf_counter()
    ends = []
    for number in range(connections):
        ends.append(loop.create_future())
        mine = requests[number % len(requests)]
        connection = _Connection(mine, began + secs, found, ends[-1])
        await loop.create_connection(lambda it=connection: it, place.hostname, place.port)
    await asyncio.gather(*ends)
    found.wall_secs = time.perf_counter() - began
    return found


class _Connection(asyncio.Protocol):
    """Asks again and again; no library, for a client that is slow would be what is measured."""

    def __init__(self, request, until, found, end):
        self._request, self._until, self._found, self._end = request, until, found, end

    def connection_made(self, transport):
        self._transport = transport
        self._ask()

    def _ask(self):
        self._said = b''
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data):
        self._said += data
        head, separator, body = self._said.partition(b'\r\n\r\n')
        if not separator or len(body) < int(head.lower().split(b'content-length: ')[1].split()[0]):
            return
        now = time.perf_counter()
        self._found.secs.append(now - self._began)
        self._found.failed += not head.startswith(b'HTTP/1.1 200')
        if now < self._until:
            self._ask()
        else:
            self._end.set_result(None)
            self._transport.close()

    def connection_lost(self, error):
        if not self._end.done():  # in the midst of a request
            self._found.failed += 1
            self._end.set_result(None)
