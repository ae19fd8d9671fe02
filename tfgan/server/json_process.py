"""Large JSON read and written in a process of its own, whose time and memory are its own, too.

The module is imported by that process, too, and needs no TensorFlow.
"""

import asyncio
import concurrent.futures
import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable

from tfgan.errors import RefusedError

try:
    import resource
except ImportError:  # as on Windows
    resource = None

SMALL_BYTES = 1 << 15  # A server reads and writes so much itself, in a millisecond or so.
MEMORY_BYTES = 1 << 30  # The process may have no more.


class JsonProcess:
    """Calls functions, one at a time; the process starts with the first that is large."""

    def __init__(self):
        self._pool = None

    async def __call__(self, function: Callable, *arguments, size: int):
        """What the function returns or raises, called here if `size` bytes or values are few.

        Raises RefusedError where the process has not the memory for it.
        """
        if size <= SMALL_BYTES:
            return function(*arguments)
        loop = asyncio.get_running_loop()
        if self._pool is None:
            self._pool = concurrent.futures.ProcessPoolExecutor(
                1, multiprocessing.get_context('spawn'), _begin
            )
        pool = self._pool
        try:
            refusal, result = await loop.run_in_executor(pool, _outcome, function, arguments)
        except concurrent.futures.BrokenExecutor as error:
            if self._pool is pool:
                self.close()
            raise RefusedError('UNAVAILABLE', 'what reads large bodies has ended') from error
        if refusal:
            raise RefusedError(*refusal)
        return result

    def close(self) -> None:
        """Lets the process end, after what it is doing."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _begin():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The server ends it.
    gc.disable()  # JSON has no circles, and looking for them takes longer than to read it.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if resource:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(0)


def _outcome(function, arguments):
    """((code, message) of a refusal or None, what the function returns)."""
    try:
        return None, function(*arguments)
    except RefusedError as refusal:
        return (refusal.code, str(refusal)), None
    except MemoryError:
        return ('INVALID_ARGUMENT', 'the body takes too much memory'), None
    finally:
        gc.collect()
