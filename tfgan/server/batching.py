"""Requests gathered into batches: while one runs, those that come wait for the next."""

import asyncio
import collections

import numpy as np

from tfgan.errors import RefusedError


class Batcher:
    """Calls `function`, of {name: array [n, ...]} to the like, in a thread of `executor`.

    A request that comes while nothing runs is run at once; those that come meanwhile share the next
    call. So batches grow with the load, and nobody waits for a clock.
    """

    def __init__(self, function, executor, max_rows: int, max_waiting: int):
        self._function, self._executor = function, executor
        self._max_rows, self._max_waiting = max_rows, max_waiting
        self._waiting = collections.deque()
        self._rows = 0
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
        if self._rows + rows > self._max_waiting:
            raise RefusedError('UNAVAILABLE', f'{self._rows} rows are waiting; try again')
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, rows, future))
        self._rows += rows
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self):
        loop = asyncio.get_running_loop()
        while batch := self._next():
            requests = [(inputs, rows) for inputs, rows, _ in batch]
            answers = await loop.run_in_executor(self._executor, self._answers, requests)
            for (_, _, future), answer in zip(batch, answers, strict=True):
                if future.done():  # nobody waits for it any more
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self._runner = None

    def _next(self):
        """The requests of the next batch, without those that nobody waits for any more."""
        batch, room = [], self._max_rows
        while self._waiting and self._waiting[0][1] <= room:
            request = self._waiting.popleft()
            self._rows -= request[1]
            if not request[2].done():
                batch.append(request)
                room -= request[1]
        return batch

    def _answers(self, requests):
        """Each request's outputs, or what it raised."""
        try:
            return _parts(self._function(_joined(requests)), requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
            # One of them is bad; the others shall not suffer for it.
            return [self._answers([request])[0] for request in requests]


def _joined(requests):
    if len(requests) == 1:
        return requests[0][0]
    return {
        name: np.concatenate([inputs[name] for inputs, _ in requests]) for name in requests[0][0]
    }


def _parts(outputs, requests):
    ends = np.cumsum([rows for _, rows in requests])
    return [
        {name: value[end - rows : end] for name, value in outputs.items()}
        for end, (_, rows) in zip(ends, requests, strict=True)
    ]
