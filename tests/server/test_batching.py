"""Requests share calls as the load asks for, and none suffers for another."""

import asyncio
import concurrent.futures
import threading

import numpy as np
import pytest

from tfgan.errors import RefusedError
from tfgan.server.batching import Batcher


class Doubler:
    """Doubles numbers, refuses 13, and waits in its first call until it is let go."""

    def __init__(self):
        self.calls, self.let_go = [], threading.Event()

    def __call__(self, inputs):
        self.calls.append(inputs['x'].tolist())
        assert self.let_go.wait(20)
        if 13 in inputs['x']:
            raise RefusedError('INVALID_ARGUMENT', 'thirteen')
        return {'y': 2 * inputs['x']}


def play(scene, max_rows=8, max_waiting=20):
    """Runs a coroutine of (batcher, function); what it returns, and the function."""

    async def staged():
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            batcher = Batcher(function, executor, max_rows, max_waiting)
            try:
                return await scene(batcher, function)
            finally:
                function.let_go.set()

    function = Doubler()
    return asyncio.run(staged()), function


def ask(batcher, *numbers):
    return asyncio.create_task(batcher({'x': np.array(numbers)}, len(numbers)))


async def first_running(batcher, function):
    """A request whose call is under way."""
    first = ask(batcher, 0)
    while not function.calls:
        await asyncio.sleep(0.001)
    return first


def test_what_comes_meanwhile_shares_the_next_call():
    async def scene(batcher, function):
        tasks = [await first_running(batcher, function)]
        tasks += [ask(batcher, 1), ask(batcher, 2, 3), ask(batcher, 4)]
        await asyncio.sleep(0)
        function.let_go.set()
        return [answer['y'].tolist() for answer in await asyncio.gather(*tasks)]

    answers, function = play(scene)
    assert answers == [[0], [2], [4, 6], [8]]
    assert function.calls == [[0], [1, 2, 3, 4]]


def test_one_alone_waits_for_nobody():
    async def scene(batcher, function):
        function.let_go.set()
        return [(await ask(batcher, n))['y'].tolist() for n in (1, 2)]

    answers, function = play(scene)
    assert answers == [[2], [4]]
    assert function.calls == [[1], [2]]


def test_a_batch_has_no_more_rows_than_it_may():
    async def scene(batcher, function):
        tasks = [await first_running(batcher, function)]
        tasks += [ask(batcher, n, n, n) for n in range(1, 7)]
        await asyncio.sleep(0)
        function.let_go.set()
        return [answer['y'].tolist() for answer in await asyncio.gather(*tasks)]

    answers, function = play(scene)
    assert answers[1:] == [[2 * n] * 3 for n in range(1, 7)]
    assert function.calls[1:] == [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4], [5, 5, 5, 6, 6, 6]]


def test_more_rows_than_a_batch_may_have_are_refused():
    async def scene(batcher, function):
        with pytest.raises(RefusedError, match='9 rows: a request may have 8') as refused:
            await ask(batcher, *range(9))
        return refused.value.code

    code, function = play(scene)
    assert code == 'INVALID_ARGUMENT'
    assert function.calls == []


def test_while_too_many_wait_others_are_refused():
    async def scene(batcher, function):
        tasks = [await first_running(batcher, function)]
        tasks += [ask(batcher, *range(5)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match='20 rows are waiting') as refused:
            await ask(batcher, 1)
        function.let_go.set()
        await asyncio.gather(*tasks)
        assert (await ask(batcher, 1))['y'] == 2  # now there is room
        return refused.value.code

    assert play(scene)[0] == 'UNAVAILABLE'


def test_a_bad_one_harms_nobody_else():
    async def scene(batcher, function):
        tasks = [await first_running(batcher, function)]
        tasks += [ask(batcher, 1), ask(batcher, 13), ask(batcher, 2)]
        await asyncio.sleep(0)
        function.let_go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    (_, one, bad, two), function = play(scene)
    assert (one['y'], two['y']) == (2, 4)
    assert str(bad) == 'thirteen'
    assert function.calls == [[0], [1, 13, 2], [1], [13], [2]]


def test_what_nobody_waits_for_any_more_is_not_done():
    async def scene(batcher, function):
        first = await first_running(batcher, function)
        left, kept = ask(batcher, 1), ask(batcher, 2)
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        function.let_go.set()
        return await asyncio.gather(first, kept)

    _, function = play(scene)
    assert function.calls == [[0], [2]]
