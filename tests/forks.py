"""Processes that start at once: forked from one that has imported all and touched no device.

    python tests/forks.py SOCKET                    the one they are forked from
    python tests/forks.py SOCKET -m tfgan.train ... stands for `python -m tfgan.train ...`

What stands for a command has its output, its environment and its exit code, passes signals on, and
takes the command with it when it is killed. A module, a script and `-c` run as Python has it.
"""

import contextlib
import functools
import gc
import json
import os
import pathlib
import runpy
import select
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]
PASSED_ON = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
# In the environment of those that are `faster` and `restless`, and of those that are `unjudged`.
IN_HASTE, UNJUDGED = 'TFGAN_TESTS_IN_HASTE', 'TFGAN_TESTS_UNJUDGED'


def preload():
    """What commands import, late imports too; nothing that starts a thread."""
    from tfgan import startup

    startup.import_tensorflow()

    import tfgan.distributed.strategies
    import tfgan.saved_model.writer  # noqa: F401


def faster():
    """What comes every seconds comes often in a short run, and is small."""
    from tfgan.training import loop

    loop.CALL_SECS = 0.05
    loop.EVERY_SECS |= {'sheet': 0.2, 'score': 0.5, 'point': 0.05}
    loop.SCORE_SHARE = 0.5
    unjudged()


def unjudged():
    """What judges drawings learns next to nothing and sees few; walks are short."""
    from tfgan.evaluation import feature_learning
    from tfgan.training import reporter

    reporter.SCORE_IMAGES, reporter.WALK_FRAMES = 100, 20
    feature_learning.LEAST_STEPS, feature_learning.PASSES = 30, 0.05
    feature_learning.MOST = 2000


def restless():
    """The time of day goes back and forth by up to a day, from one look to the next."""
    import numpy as np

    now, random = time.time, np.random.default_rng()
    time.time = lambda: now() + random.uniform(-86_400, 86_400)


def serve(path):
    """Forks a process for whoever asks, until standard input ends; returns in that process."""
    gc.freeze()  # so that a child's end need not go through all that was imported
    installed = [each for each in sys.path if each.endswith(('-packages', '.zip', 'dynload'))]
    library = [os.path.dirname(os.__file__)]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print('ready', flush=True)
        while True:
            ready, _, _ = select.select([sys.stdin, listening], [], [])
            if sys.stdin in ready:
                sys.exit()
            asking, _ = listening.accept()
            if os.fork() == 0:
                break
            asking.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked, handles = received(asking)
    if pid := os.fork():
        keep(asking, pid, handles)
    become(asked, handles, [*library, *installed])
    return asked['argv']


def received(asking):
    """A request and its standard input, output and error."""
    data, handles, _, _ = socket.recv_fds(asking, 1 << 16, 3)
    while not data.endswith(b'\n'):
        data += asking.recv(1 << 16)
    return json.loads(data), handles


def keep(asking, pid, handles):
    """Tells who asked of the child's number and exit code; kills it when they are gone."""
    for handle in (0, 1, 2, *handles):
        os.close(handle)
    asking.sendall(f'{pid}\n'.encode())
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([asking, ended], [], [])
    if ended not in ready:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        asking.sendall(f'{code}\n'.encode())
    os._exit(0)


def become(asked, handles, places):
    """Makes this process what a new one would be."""
    os.chdir(asked['cwd'])
    os.environ.clear()
    os.environ.update(asked['environment'])
    for number, (name, handle) in enumerate(zip(('stdin', 'stdout', 'stderr'), handles)):
        os.dup2(handle, number)
        os.close(handle)
        stream = open(number, 'w' if number else 'r', closefd=False)  # noqa: SIM115
        if number == 2:
            stream.reconfigure(line_buffering=True, errors='backslashreplace')
        setattr(sys, name, stream)
        setattr(sys, f'__{name}__', stream)
    argv = asked['argv']
    here = os.path.dirname(argv[0]) if argv[0] not in ('-m', '-c') else os.getcwd()
    named = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    sys.path[:] = [here, *filter(None, named), *places]
    if IN_HASTE in os.environ:
        faster()
        restless()
    if UNJUDGED in os.environ:
        unjudged()


def run(argv):
    """Runs what `python ARGV ...` would."""
    kind = argv[0]
    if kind == '-m':
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name='__main__', alter_sys=True)
    elif kind == '-c':
        sys.argv = [kind, *argv[2:]]
        exec(compile(argv[1], '<string>', 'exec'), {'__name__': '__main__'})
    else:
        sys.argv = argv
        runpy.run_path(kind, run_name='__main__')


def ask(path, argv, cwd, environment, handles):
    """The socket of a new process, and its number."""
    asked = {'argv': argv, 'cwd': str(cwd), 'environment': environment}
    asking = socket.socket(socket.AF_UNIX)
    asking.connect(path)
    data = json.dumps(asked).encode() + b'\n'
    sent = socket.send_fds(asking, [data], handles)
    asking.sendall(data[sent:])
    return asking, int(line(asking))


def line(asking):
    """A line from the other side; raises EOFError where that has ended."""
    data = b''
    while not data.endswith(b'\n'):
        if not (more := asking.recv(1)):
            raise EOFError('the process that others are forked from has ended')
        data += more
    return data


def stand_for(path, argv):
    """Is to its parent what the command would be."""
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    asking, pid = ask(path, argv, os.getcwd(), dict(os.environ), [0, 1, 2])
    for number in PASSED_ON:
        signal.signal(number, lambda number, _: os.kill(pid, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    os.close(1)
    os.close(2)
    code = int(line(asking))
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


@functools.cache
def _started(parent):
    """The socket of the one they are forked from, which ends with this process."""
    path = f'\0tfgan-tests-{parent}'
    process = subprocess.Popen(
        [sys.executable, __file__, path[1:]],
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == 'ready\n'
    _started.process = process  # whose standard input ends when this process does
    return path


def started():
    """Where the one is that this process's commands are forked from."""
    return _started(os.getpid())


def python():
    """The beginning of a command line that stands for `python`, and starts at once."""
    return [sys.executable, '-I', '-S', __file__, started()[1:]]


class Forks:
    """Commands with clocks as `faster` and `restless` make them, killed by their numbers."""

    def __init__(self, **environment):
        self._environment = os.environ | environment | {IN_HASTE: '1'}
        self._asking = {}

    def start(self, cwd, said, *argv):
        """A process's number; what it says is appended to a file."""
        with open(said, 'ab') as file, open(os.devnull) as nothing:
            handles = [nothing.fileno(), file.fileno(), file.fileno()]
            asking, pid = ask(started(), ['-m', *argv], cwd, self._environment, handles)
        self._asking[pid] = asking
        return pid

    def wait(self, pid):
        """Its exit code, once it has one."""
        with self._asking.pop(pid) as asking:
            return int(line(asking))

    def run(self, cwd, *argv):
        """(exit code, what was said) of a command from beginning to end."""
        said = pathlib.Path(cwd) / 'said'
        said.unlink(missing_ok=True)
        code = self.wait(self.start(cwd, said, *argv))
        return code, said.read_text()


if __name__ == '__main__':
    if sys.argv[2:]:
        stand_for('\0' + sys.argv[1], sys.argv[2:])
    preload()
    run(serve('\0' + sys.argv[1]))
