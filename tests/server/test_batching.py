"""Requests share calls as the load asks for, senders take turns, and none suffers for another."""

import asyncio
import concurrent.futures
import threading

import numpy as np
import pytest

from tfgan.errors import RefusedError
from tfgan.server.batching import Call, FairQueue


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
    """Runs a coroutine of (queue, function); what it returns, and the function."""

    async def staged():
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            queue = FairQueue(executor, max_waiting)
            function.call = Call(function, max_rows)
            try:
                return await scene(queue, function)
            finally:
                function.let_go.set()

    function = Doubler()
    return asyncio.run(staged()), function


def ask(queue, function, *numbers, sender=None):
    inputs = {'x': np.array(numbers)}
    return asyncio.create_task(queue(function.call, inputs, len(numbers), sender))


async def first_running(queue, function):
    """A request whose call is under way."""
    first = ask(queue, function, 0)
    while not function.calls:
        await asyncio.sleep(0.001)
    return first


def test_what_comes_meanwhile_shares_the_next_call():
    async def scene(queue, function):
        tasks = [await first_running(queue, function)]
        tasks += [ask(queue, function, 1), ask(queue, function, 2, 3), ask(queue, function, 4)]
        await asyncio.sleep(0)
        function.let_go.set()
        return [answer['y'].tolist() for answer in await asyncio.gather(*tasks)]

    answers, function = play(scene)
    assert answers == [[0], [2], [4, 6], [8]]
    assert function.calls == [[0], [1, 2, 3, 4]]


def test_one_alone_waits_for_nobody():
    async def scene(queue, function):
        function.let_go.set()
        return [(await ask(queue, function, n))['y'].tolist() for n in (1, 2)]

    answers, function = play(scene)
    assert answers == [[2], [4]]
    assert function.calls == [[1], [2]]


def test_a_batch_has_no_more_rows_than_it_may():
    async def scene(queue, function):
        tasks = [await first_running(queue, function)]
        tasks += [ask(queue, function, n, n, n) for n in range(1, 7)]
        await asyncio.sleep(0)
        function.let_go.set()
        return [answer['y'].tolist() for answer in await asyncio.gather(*tasks)]

    answers, function = play(scene)
    assert answers[1:] == [[2 * n] * 3 for n in range(1, 7)]
    assert function.calls[1:] == [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4], [5, 5, 5, 6, 6, 6]]


def test_more_rows_than_a_batch_may_have_are_refused():
    async def scene(queue, function):
        with pytest.raises(RefusedError, match='9 rows: a batch may have 8') as refused:
            await ask(queue, function, *range(9))
        return refused.value.code

    code, function = play(scene)
    assert code == 'INVALID_ARGUMENT'
    assert function.calls == []


def test_while_too_many_wait_others_are_refused():
    async def scene(queue, function):
        tasks = [await first_running(queue, function)]
        tasks += [ask(queue, function, *range(5)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match='20 rows are waiting') as refused:
            await ask(queue, function, 1)
        function.let_go.set()
        await asyncio.gather(*tasks)
        assert (await ask(queue, function, 1))['y'] == 2  # now there is room
        return refused.value.code

    assert play(scene)[0] == 'UNAVAILABLE'


def test_a_bad_one_harms_nobody_else():
    async def scene(queue, function):
        tasks = [await first_running(queue, function)]
        tasks += [ask(queue, function, 1), ask(queue, function, 13), ask(queue, function, 2)]
        await asyncio.sleep(0)
        function.let_go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    (_, one, bad, two), function = play(scene)
    assert (one['y'], two['y']) == (2, 4)
    assert str(bad) == 'thirteen'
    assert function.calls == [[0], [1, 13, 2], [1], [13, 2], [13], [2]]


def test_what_nobody_waits_for_any_more_is_not_done():
    async def scene(queue, function):
        first = await first_running(queue, function)
        left, kept = ask(queue, function, 1), ask(queue, function, 2)
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        function.let_go.set()
        return await asyncio.gather(first, kept)

    _, function = play(scene)
    assert function.calls == [[0], [2]]


def test_who_leaves_while_waiting_gives_its_room_to_others():
    async def scene(queue, function):
        first = await first_running(queue, function)
        left = [ask(queue, function, *range(5)) for _ in range(4)]
        await asyncio.sleep(0)
        for each in left:
            each.cancel()
        await asyncio.sleep(0)
        kept = ask(queue, function, *range(6))
        await asyncio.sleep(0)
        function.let_go.set()
        await asyncio.gather(first, kept)

    _, function = play(scene)
    assert function.calls == [[0], [0, 1, 2, 3, 4, 5]]


def test_one_row_does_not_wait_for_all_rows_of_another():
    """A greedy sender has four requests waiting when the owner's two come."""

    async def scene(queue, function):
        tasks = [await first_running(queue, function)]
        tasks += [ask(queue, function, *[n] * 8, sender='greedy') for n in range(1, 5)]
        await asyncio.sleep(0)
        tasks += [ask(queue, function, n, sender='owner') for n in (50, 60)]
        await asyncio.sleep(0)
        function.let_go.set()
        await asyncio.gather(*tasks)

    _, function = play(scene, max_waiting=100)
    assert function.calls == [[0], [50, 60], [1] * 8, [2] * 8, [3] * 8, [4] * 8]


def test_rows_wait_over_all_functions_together():
    async def scene(queue, function):
        first = await first_running(queue, function)
        other = Doubler()
        other.call, other.let_go = Call(other, 8), function.let_go
        tasks = [ask(queue, each, *range(5)) for each in (function, other, function, other)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match='20 rows are waiting'):
            await ask(queue, other, 1)
        function.let_go.set()
        await asyncio.gather(first, *tasks)
        return other.calls

    others, function = play(scene)
    assert function.calls[1:] == others == [[0, 1, 2, 3, 4]] * 2


def test_where_there_is_no_room_the_greedy_one_gives_way():
    async def scene(queue, function):
        first = await first_running(queue, function)
        greedy = [ask(queue, function, *range(5), sender='greedy') for _ in range(4)]
        await asyncio.sleep(0)
        owner = ask(queue, function, 7, sender='owner')
        await asyncio.sleep(0)
        function.let_go.set()
        return await asyncio.gather(*greedy, first, owner, return_exceptions=True)

    answers, _ = play(scene)
    refused = [isinstance(answer, RefusedError) for answer in answers]
    assert refused == [False, False, False, True, False, False]
    assert answers[3].code == 'UNAVAILABLE'


def test_who_failed_runs_alone_until_it_is_right():
    async def scene(queue, function):
        function.let_go.set()
        with pytest.raises(RefusedError):
            await ask(queue, function, 13, sender='bad')
        function.let_go.clear()
        tasks = [ask(queue, function, 0, sender='good')]
        await asyncio.sleep(0.01)
        tasks += [ask(queue, function, 13, sender='bad'), ask(queue, function, 1, sender='good')]
        tasks += [ask(queue, function, 2, sender='other')]
        await asyncio.sleep(0)
        function.let_go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ask(queue, function, 5, sender='bad')
        return queue._failed

    failed, function = play(scene)
    assert function.calls == [[13], [0], [1, 2], [13], [5]]
    assert failed == set()


def test_a_request_of_no_rows_is_answered():
    async def scene(queue, function):
        function.let_go.set()
        return await ask(queue, function)

    answer, _ = play(scene)
    assert answer['y'].shape == (0,)


def test_memory_of_senders_is_bounded(monkeypatch):
    monkeypatch.setattr('tfgan.server.batching.MOST_SENDERS', 3)

    async def scene(queue, function):
        first = await first_running(queue, function)
        tasks = [ask(queue, function, 13, sender=n) for n in range(20)]
        await asyncio.sleep(0)
        function.let_go.set()
        await asyncio.gather(first, *tasks, return_exceptions=True)
        await ask(queue, function, 1)
        return len(queue._failed), len(queue._turns)

    (failed, turns), _ = play(scene)
    assert failed <= 4 and turns <= 4
