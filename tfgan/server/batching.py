"""Requests gathered into batches: while one runs, those that come wait for the next."""

import asyncio
import collections
import concurrent.futures
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tfgan.errors import RefusedError


class Request(NamedTuple):
    inputs: dict[str, np.ndarray]
    rows: int
    answer: asyncio.Future


class Batcher:
    """Calls `function`, of {name: array [n, ...]} to the like, in a thread of `executor`.

    A request that comes while nothing runs is run at once; those that come meanwhile share the next
    call. So batches grow with the load, and nobody waits for a clock.
    """

    def __init__(
        self,
        function: Callable[[dict], dict],
        executor: concurrent.futures.Executor,
        max_rows: int,
        max_waiting: int,
    ):
        self._function, self._executor = function, executor
        self._max_rows, self._max_waiting = max_rows, max_waiting
        self._waiting: collections.deque[Request] = collections.deque()
        self._waiting_rows = 0
        self._runner = None

    async def __call__(self, inputs: dict, rows: int) -> dict:
        """The outputs of `rows` rows of inputs.

        Raises RefusedError, INVALID_ARGUMENT for more rows than a batch may have and UNAVAILABLE
        while too many wait, and whatever the function raises.
        """
        if rows > self._max_rows:
            raise RefusedError(
                'INVALID_ARGUMENT', f'{rows} rows: a request may have {self._max_rows}'
            )
        if self._waiting_rows + rows > self._max_waiting:
            raise RefusedError('UNAVAILABLE', f'{self._waiting_rows} rows are waiting; try again')
        request = Request(inputs, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._waiting_rows += rows
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await request.answer

    async def _run(self):
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            results = await loop.run_in_executor(self._executor, self._results, batch)
            for request, result in zip(batch, results, strict=True):
                if request.answer.done():  # Its client has gone away meanwhile.
                    continue
                if isinstance(result, Exception):
                    request.answer.set_exception(result)
                else:
                    request.answer.set_result(result)
        self._runner = None

    def _next_batch(self):
        """The requests of the next batch, without those whose clients have gone away."""
        batch, room = [], self._max_rows
        while self._waiting and self._waiting[0].rows <= room:
            request = self._waiting.popleft()
            self._waiting_rows -= request.rows
            if not request.answer.done():
                batch.append(request)
                room -= request.rows
        return batch

    def _results(self, batch):
        """Each request's outputs, or the exception that it raised."""
        try:
            return _split(self._function(_concatenated(batch)), batch)
        except Exception as error:
            if len(batch) == 1:
                return [error]
            # One of them is bad; the others shall not suffer for it.
            return [self._results([request])[0] for request in batch]


def _concatenated(batch):
    if len(batch) == 1:
        return batch[0].inputs
    return {
        name: np.concatenate([request.inputs[name] for request in batch])
        for name in batch[0].inputs
    }


def _split(outputs, batch):
    ends = np.cumsum([request.rows for request in batch])
    return [
        {name: value[end - request.rows : end] for name, value in outputs.items()}
        for end, request in zip(ends, batch, strict=True)
    ]
