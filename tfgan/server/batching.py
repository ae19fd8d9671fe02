"""One queue for all requests: they are gathered into batches, and their senders take turns.

The turns are those of self-clocked fair queueing (Golestani, "A self-clocked fair queueing scheme
for broadband applications", INFOCOM 1994), with rows in place of bits.
"""

import asyncio
import concurrent.futures
import dataclasses
import heapq
import itertools
from collections.abc import Callable, Hashable

import numpy as np

from tfgan.errors import RefusedError

# A request whose sender's last one failed runs alone, and takes the turns of so many rows.
ROWS_OF_A_CALL = 64
MOST_SENDERS = 1024  # So many are remembered before those are forgotten who have no turn to wait.


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """What answers a signature's requests: a function of {name: array [n, ...]} to the like."""

    function: Callable[[dict], dict]
    max_rows: int  # A batch has no more.


@dataclasses.dataclass(eq=False)
class Request:
    """What waits for its turn; of two, the one with the lower turn goes first."""

    turn: int
    number: int  # It counts all requests, so that equal turns go in the order of their coming.
    call: Call
    inputs: dict[str, np.ndarray] | None  # There are none once it waits no more.
    rows: int
    sender: Hashable
    is_alone: bool
    answer: asyncio.Future

    def __lt__(self, other):
        return (self.turn, self.number) < (other.turn, other.number)


class FairQueue:
    """Runs calls in a thread of `executor`, those that wait at the same time together.

    A request that comes while nothing runs is run at once; those that come meanwhile share the next
    call of their function. So batches grow with the load, and nobody waits for a clock. Each row
    takes its sender one turn further back, so a sender of few rows never waits for all the rows of
    another. `max_waiting` rows may wait; beyond, those with the highest turns are refused.
    """

    def __init__(self, executor: concurrent.futures.Executor, max_waiting: int):
        self._executor, self._max_waiting = executor, max_waiting
        self._waiting: dict[Call, list[Request]] = {}  # heaps, none of them empty
        self._waiting_rows = 0
        self._numbers = itertools.count()
        self._now = 0  # the turn that has come
        self._turns: dict[Hashable, int] = {}  # the last turn that each sender took
        self._failed: set[Hashable] = set()  # the senders whose last request failed
        self._runner = None

    async def __call__(self, call: Call, inputs: dict, rows: int, sender: Hashable = None) -> dict:
        """The outputs of `rows` rows of inputs; `sender` tells who takes turns with whom.

        Raises RefusedError, INVALID_ARGUMENT for more rows than the call's and UNAVAILABLE while
        too many wait, and whatever the function raises.
        """
        if rows > call.max_rows:
            raise RefusedError('INVALID_ARGUMENT', f'{rows} rows: a batch may have {call.max_rows}')
        request = self._request(call, inputs, rows, sender)
        self._make_room(request)
        self._turns[sender] = request.turn
        heapq.heappush(self._waiting.setdefault(call, []), request)
        self._waiting_rows += rows
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        try:
            return await request.answer
        finally:
            self._leave(request)

    def _request(self, call, inputs, rows, sender):
        is_alone = sender in self._failed
        turn = max(self._now, self._turns.get(sender, 0)) + max(1, rows)
        turn += ROWS_OF_A_CALL if is_alone else 0
        answer = asyncio.get_running_loop().create_future()
        return Request(turn, next(self._numbers), call, inputs, rows, sender, is_alone, answer)

    def _make_room(self, request):
        """Refuses those with the highest turns until a request has room, or refuses itself."""
        while self._waiting_rows + request.rows > self._max_waiting:
            waiting = itertools.chain.from_iterable(self._waiting.values())
            last = max((each for each in waiting if each.inputs is not None), default=request)
            if last.turn <= request.turn:
                raise self._refusal()
            last.answer.set_exception(self._refusal())
            self._leave(last)

    def _refusal(self):
        return RefusedError('UNAVAILABLE', f'{self._waiting_rows} rows are waiting; try again')

    def _leave(self, request):
        """Lets go of the room and the inputs of a request that waits no more."""
        self._waiting_rows -= request.rows
        request.rows, request.inputs = 0, None

    async def _run(self):
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            inputs = [(request.inputs, request.rows) for request in batch]
            for request in batch:
                self._leave(request)
            function = batch[0].call.function
            results = await loop.run_in_executor(self._executor, _results, function, inputs)
            for request, result in zip(batch, results, strict=True):
                self._settle(request, result)
        self._runner, self._now = None, 0
        self._turns.clear()

    def _settle(self, request, result):
        failed = isinstance(result, Exception)
        (self._failed.add if failed else self._failed.discard)(request.sender)
        if request.answer.done():  # Its client has gone away meanwhile.
            return
        if failed:
            request.answer.set_exception(result)
        else:
            request.answer.set_result(result)

    def _next_batch(self):
        """The requests of the next batch: that whose turn it is, and others of its call."""
        while self._waiting:
            call = min(self._waiting, key=lambda call: self._waiting[call][0])
            if batch := self._batch(call):
                self._now = batch[0].turn
                self._forget()
                return batch
        return []

    def _batch(self, call):
        heap, batch, aside, room = self._waiting[call], [], [], call.max_rows
        while heap and heap[0].rows <= room:
            request = heapq.heappop(heap)
            if request.inputs is None:  # It has left.
                continue
            if request.is_alone and batch:
                aside.append(request)
                continue
            batch.append(request)
            room -= request.rows
            if request.is_alone:
                break
        for request in aside:
            heapq.heappush(heap, request)
        if not heap:
            del self._waiting[call]
        return batch

    def _forget(self):
        if len(self._turns) > MOST_SENDERS:
            self._turns = {who: turn for who, turn in self._turns.items() if turn > self._now}
        if len(self._failed) > MOST_SENDERS:
            self._failed &= self._turns.keys()


def _results(function, requests):
    """The outputs of each (inputs, rows), or the exception that it raised."""
    try:
        return _split(function(_concatenated(requests)), requests)
    except Exception as error:
        if len(requests) == 1:
            return [error]
        # One of them is bad; the others shall not suffer for it.
        half = len(requests) // 2
        return _results(function, requests[:half]) + _results(function, requests[half:])


def _concatenated(requests):
    if len(requests) == 1:
        return requests[0][0]
    return {
        name: np.concatenate([inputs[name] for inputs, _ in requests]) for name in requests[0][0]
    }


def _split(outputs, requests):
    ends = itertools.accumulate(rows for _, rows in requests)
    return [
        {name: value[end - rows : end] for name, value in outputs.items()}
        for end, (_, rows) in zip(ends, requests, strict=True)
    ]
