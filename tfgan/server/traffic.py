"""Bodies and answers on their way: a most of time for each, and a most of bytes for all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Traffic:
    """What is on its way in one direction; beyond `max_bytes`, the oldest gives way."""

    def __init__(self, secs: float, max_bytes: int):
        self._secs, self._max_bytes = secs, max_bytes
        self._bytes: dict[asyncio.Timeout, int] = {}  # by what ends it, the oldest first
        self._sum = 0

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Callable[[int], None]]:
        """A block for one body or answer, which tells of each of its bytes by what it is given.

        Raises TimeoutError where it takes too long, or has to give way.
        """
        async with asyncio.timeout(self._secs) as limit:
            self._bytes[limit] = 0
            try:
                yield lambda count: self._add(limit, count)
            finally:
                self._sum -= self._bytes.pop(limit, 0)

    def _add(self, limit, count):
        if limit not in self._bytes:  # It has given way already.
            return
        self._bytes[limit] += count
        self._sum += count
        while self._sum > self._max_bytes:
            oldest = next(iter(self._bytes))
            self._sum -= self._bytes.pop(oldest)
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())
