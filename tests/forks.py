"""Processes that start at once: forked from one that has imported all and touched no device.

    python tests/forks.py

reads a line of JSON at a time, {"argv": ["tfgan.train", "--steps=3"], "cwd": ..., "said": FILE},
and answers with a process's number, or to {"wait": NUMBER} with its exit code, negative for a
signal's. A command runs as `python -m` has it, with clocks as `faster` and `restless` make them.
"""

import json
import os
import pathlib
import runpy
import subprocess
import sys
import time
import traceback

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]


def preload():
    """What commands import, late imports too; nothing that starts a thread."""
    import matplotlib.figure  # noqa: F401
    import tensorflow_serving.apis.prediction_log_pb2  # noqa: F401

    import tfgan.distributed.strategies
    import tfgan.saved_model.writer  # noqa: F401


def faster():
    """What comes every seconds comes often in a short run, and is small."""
    from tfgan.evaluation import feature_learning
    from tfgan.training import loop, reporter

    loop.CALL_SECS = 0.05
    loop.EVERY_SECS |= {'sheet': 0.2, 'score': 0.5, 'point': 0.05}
    loop.SCORE_SHARE = 0.5
    reporter.SCORE_IMAGES = 100
    feature_learning.LEAST_STEPS = 30


def restless():
    """The time of day goes back and forth by up to a day, from one look to the next."""
    now, random = time.time, np.random.default_rng()
    time.time = lambda: now() + random.uniform(-86_400, 86_400)


def child(argv, cwd, said):
    """One command from its beginning to its end."""
    os.chdir(cwd)
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(handle, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = argv
    try:
        faster()
        restless()
        runpy.run_module(argv[0], run_name='__main__', alter_sys=True)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def answer(asked):
    """A child's number or its exit code."""
    if 'wait' in asked:
        return os.waitstatus_to_exitcode(os.waitpid(asked['wait'], 0)[1])
    if pid := os.fork():
        return pid
    code = child(**asked)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Forks:
    """The one they are forked from, as a context manager."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | {'PYTHONPATH': str(ROOT)},
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(60)

    def _ask(self, **asked):
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def start(self, cwd, said, *argv):
        """A process's number; what it says is appended to a file."""
        return self._ask(argv=argv, cwd=str(cwd), said=str(said))

    def wait(self, pid):
        """Its exit code, once it has one."""
        return self._ask(wait=pid)

    def run(self, cwd, *argv):
        """(exit code, what was said) of a command from beginning to end."""
        said = pathlib.Path(cwd) / 'said'
        said.unlink(missing_ok=True)
        code = self.wait(self.start(cwd, said, *argv))
        return code, said.read_text()


if __name__ == '__main__':
    preload()
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)
