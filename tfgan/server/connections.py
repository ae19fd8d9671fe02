"""HTTP connections: how many there may be, how long they may idle, and how they end.

aiohttp bounds a request's head, and the time that a connection may idle. What it has no setting for
is here: a most of connections, a most of their age, clients that read no answer, and clients that
send no more but wait for the answer to what they sent.
"""

import asyncio
import collections
import contextlib
import socket
import time
from collections.abc import Iterator

from aiohttp import web

from tfgan.server import origins

MAX_AGE_SECS = 300.0  # An answer to an older connection is its last.
PROBE_SECS = 0.5  # A client that sends no more is asked so often whether it is there.
QUIET_SECS = 1.0  # A server that is leaving goes when nobody has asked for so long.
LOOK_SECS = 0.05  # It looks so often whether that is so.
SWEEP_SECS = 1.0  # Closed connections are looked through so often.
CLOSED = 7  # TCP_CLOSE of Linux's tcp_states.h


class Connection(web.RequestHandler):
    """One connection: aiohttp's own, which outlives the client's last request until its answer."""

    __slots__ = ('began', 'body', 'closed', 'connected', 'is_drawing', 'is_half_closed', 'used')

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.began = self.used = time.monotonic()
        self.closed = 0.0  # No time yet.
        self.body = None  # that of the request that is, or was, answered last
        self.connected = None  # aiohttp forgets its own transport before all is sent.
        self.is_drawing = self.is_half_closed = False

    @property
    def host(self) -> str:
        """The address of the other side, without its port."""
        return (self.connected.get_extra_info('peername') or ('',))[0]

    @property
    def is_busy(self) -> bool:
        """Whether a request of it is being answered, or waits for that."""
        is_answering = self.body is not None and self._waiter is None
        return is_answering or bool(self._messages)

    @property
    def is_last(self) -> bool:
        """Whether the answer that comes is the connection's last."""
        is_over = self.is_half_closed and not self._messages
        return is_over or time.monotonic() - self.began > MAX_AGE_SECS

    @contextlib.contextmanager
    def drawing(self, request: web.BaseRequest) -> Iterator[None]:
        """A block in which nothing of a request's answer is sent yet."""
        self.is_drawing = request.version >= (1, 1)  # HTTP/1.0 has no interim answers.
        try:
            yield
        finally:
            self.is_drawing = False

    def eof_received(self):
        """Keeps the way back open where all that came is whole and has yet to be answered."""
        bodies = [body for _, body in self._messages]
        if self.body is not None:
            bodies.append(self.body)
        self.is_half_closed = self.is_busy and all(body.is_eof() for body in bodies)
        if self.is_half_closed:
            self._loop.call_later(PROBE_SECS, self._probe)
        return self.is_half_closed

    def _probe(self):
        """Ends a connection whose client is gone: to this host, that looks like one that waits.

        An interim answer, which all clients pass over, makes the other side tell.
        """
        if self.transport is None or self.transport.is_closing() or not self.is_busy:
            return
        if _is_closed(self.transport.get_extra_info('socket')):
            self.transport.abort()
            return
        if self.is_drawing:
            self.transport.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        self._loop.call_later(PROBE_SECS, self._probe)


def _is_closed(connection):
    if not hasattr(socket, 'TCP_INFO'):
        return False
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSED


class Connections(web.Server):
    """All connections of a server; beyond `max_connections`, the one that idles longest is closed.

    One host other than this may have half of them. A client has `max_secs` to take what is left of
    an answer once its connection is closed.
    """

    def __init__(self, handler, max_secs: float, **options):
        super().__init__(handler, handler_cancellation=True, **options)
        self.max_connections = 1
        self._max_secs = max_secs
        self._open: dict[Connection, None] = {}  # those used last come last
        self._hosts = collections.Counter()
        self._loop.call_later(SWEEP_SECS, self._sweep)

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)

    def _make_request(self, message, payload, protocol, writer, task):
        protocol.body = payload
        return super()._make_request(message, payload, protocol, writer, task)

    def connection_made(self, handler: Connection, transport: asyncio.Transport) -> None:
        """Lets a connection in, and another go where there are too many."""
        super().connection_made(handler, transport)
        handler.connected = transport
        self._hosts[handler.host] += 1
        self.used(handler)
        is_of_one = not origins.is_loopback(handler.host)
        if is_of_one and self._hosts[handler.host] > (self.max_connections + 1) // 2:
            self._let_go(handler.host)
        elif len(self._open) > self.max_connections:
            self._let_go()

    def connection_lost(self, handler: Connection, exc: BaseException | None = None) -> None:
        """Forgets a connection."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    def used(self, handler: Connection) -> None:
        """Notes that a connection does not idle."""
        self._open.pop(handler, None)
        self._open[handler] = None
        handler.used = time.monotonic()

    def _let_go(self, host=None):
        """Ends the connection that idles longest, of that host if one is given."""
        idle = (each for each in self._open if not each.is_busy and host in (None, each.host))
        handler = next(idle)  # There is one at least: the one that came last.
        self._forget(handler)
        handler.connected.abort()

    def _forget(self, handler):
        if handler in self._open:
            del self._open[handler]
            self._hosts -= {handler.host: 1}

    def _sweep(self):
        """Ends those connections that are closed, but whose clients do not take the last answer."""
        now = time.monotonic()
        for handler in [each for each in self.connections if each.connected.is_closing()]:
            handler.closed = handler.closed or now
            if now - handler.closed > self._max_secs:
                handler.connected.abort()
        self._loop.call_later(SWEEP_SECS, self._sweep)

    async def leave(self, until: float) -> None:
        """Waits for the end of what is asked, no longer than to a time of `time.monotonic`."""
        began = time.monotonic()
        while self._open and time.monotonic() < until:
            last_used = max(began, next(reversed(self._open)).used)
            is_quiet = time.monotonic() - last_used > QUIET_SECS
            if is_quiet and not any(each.is_busy for each in self._open):
                break
            await asyncio.sleep(LOOK_SECS)
        for handler in self.connections:
            handler.connected.abort()
