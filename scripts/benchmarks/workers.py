"""Processes that take turns at work, so that what they are compared by is the same minute.

A worker is `python workers.py MODULE FUNCTION JSON`: FUNCTION(**JSON) prepares, and returns
`turn(amount)`, which works and returns a figure or a dict of them, as JSON can hold it.
"""

import contextlib
import importlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent


class Worker:
    """One such process; `error` is set, and it takes no turns, if it failed."""

    def __init__(self, module, function, environment=(), **arguments):
        self._start(module, function, environment, arguments)
        self._read()

    def _start(self, module, function, environment, arguments):
        self.error = None
        self._process = subprocess.Popen(
            [sys.executable, __file__, module, function, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {'TF_CPP_MIN_LOG_LEVEL': '3'} | dict(environment),
        )

    def turn(self, amount):
        """What the worker's own turn(amount) returned, or None if it failed."""
        self._ask(amount)
        return self._read()

    def _ask(self, amount):
        if self.error is None:
            self._process.stdin.write(json.dumps(amount) + '\n')
            self._process.stdin.flush()

    def _read(self):
        if self.error is not None:
            return None
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        self.error = answer.get('error')
        return answer.get('figure')

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Group(Worker):
    """Workers on this machine that train together, as the first one of them."""

    def __init__(self, count, module, function, **arguments):
        self._others = [Worker.__new__(Worker) for _ in range(count - 1)]
        sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
        addresses = [f'127.0.0.1:{each.getsockname()[1]}' for each in sockets]
        for each in sockets:
            each.close()
        for index, worker in enumerate([self, *self._others]):
            task = {'type': 'worker', 'index': index}
            cluster = json.dumps({'cluster': {'worker': addresses}, 'task': task})
            worker._start(module, function, {'TF_CONFIG': cluster}, arguments)
        self._read()

    def _ask(self, amount):
        for worker in self._others:
            worker._ask(amount)
        super()._ask(amount)

    def _read(self):
        for worker in self._others:
            worker._read()
        return super()._read()

    def close(self):
        for worker in self._others:
            worker._process.stdin.close()
        super().close()
        for worker in self._others:
            worker._process.wait()


def interleaved(workers, amounts, rounds):
    """{name: [figure of each round]} of workers {name: Worker} that take turns, A B C A B C ...

    The order turns round from one round to the next, so that nobody always follows the same one.
    """
    figures = {name: [] for name in workers}
    for number in range(rounds):
        for name in list(workers)[:: -1 if number % 2 else 1]:
            figure = workers[name].turn(amounts[name])
            if figure is not None:
                figures[name].append(figure)
    return figures


def summary(values):
    """Median, lowest and highest."""
    return {'median': statistics.median(values), 'low': min(values), 'high': max(values)}


@contextlib.contextmanager
def standing(**makers):
    """Workers by name, made one after the other of (module, function, arguments), then closed."""
    workers = {name: Worker(*maker[:2], **maker[2]) for name, maker in makers.items()}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def secs_each(step, count):
    """Seconds that step() takes, over `count` of them."""
    began = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - began) / count


def _serve(module, function, arguments):
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # whatever a library prints is no answer
    try:
        turn = getattr(importlib.import_module(module), function)(**json.loads(arguments))
        print('{}', file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps({'figure': turn(json.loads(line))}), file=answers, flush=True)
    except Exception as error:
        reason = f'{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ""}'
        print(json.dumps({'error': reason[:200]}), file=answers, flush=True)


if __name__ == '__main__':
    _serve(*sys.argv[1:])
