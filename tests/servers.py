"""A tfgan.serve process of its own, and what it takes of memory."""

import contextlib
import os
import pathlib
import re
import signal
import tempfile
import time
import urllib.parse

import forks
import grpc
import requests
from prometheus_client.parser import text_string_to_metric_families

ROOT = pathlib.Path(__file__).parents[1]
ANYWHERE = '--port=0', '--grpc_port=0', '--poll_secs=0.1'
LIMITS = '--max_rows=256', '--max_bytes=100000', '--max_secs=3'
RUN = """
import runpy, sys
sys.argv[0] = 'tfgan.serve'
runpy.run_module('tfgan.serve', run_name='__main__', alter_sys=True)
"""
PLACES = re.compile(r'REST at (\S+)/v1.* gRPC at (grpc:\S+);')


class Server:
    """A tfgan.serve process and where it listens; it ends with its block at the latest.

    It may have so many `descriptors` (files and connections), and what it says goes to a file, so
    that it never waits for a test to read it.
    """

    def __init__(self, models, *flags, descriptors=None, **environment):
        self._output = tempfile.NamedTemporaryFile('w+')  # noqa: SIM115, it ends with the server
        limit = ''
        if descriptors:
            limit = f'import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({descriptors},) * 2)'
        with open(os.devnull) as nothing:
            self._asking, self.pid = forks.ask(
                forks.started(),
                ['-c', limit + RUN, f'--models={models}', *ANYWHERE, *flags],
                ROOT,
                os.environ | {'PYTHONPATH': str(ROOT)} | environment,
                [nothing.fileno(), self._output.fileno(), self._output.fileno()],
            )
        self._file = open(self._output.name, errors='backslashreplace')  # noqa: SIM115
        self.said, self.code = '', None
        self.until('Ctrl-C ends\n')
        self.rest, self.grpc = PLACES.search(self.said).groups()
        place = urllib.parse.urlparse(self.rest)
        self.place = place.hostname, place.port
        self.grpc_place = place.hostname, int(self.grpc.rpartition(':')[2])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.code is None:
            self._asking.close()  # It is killed.
        self._file.close()
        self._output.close()

    def tell(self, number=signal.SIGTERM):
        """Sends it a signal."""
        os.kill(self.pid, number)

    def wait(self, secs=60):
        """Its exit code, once it has ended; raises TimeoutError."""
        if self.code is None:
            self._asking.settimeout(secs)
            self.code = int(forks.line(self._asking))
            self._asking.close()
        return self.code

    def end(self):
        """Asks it to end; its exit code and the rest of what it said."""
        self.tell()
        self.wait()
        return self.code, self._more()

    def lives(self):
        """Whether it has not ended."""
        return pathlib.Path(f'/proc/{self.pid}/cmdline').exists() and '\nState:\tZ' not in (
            _status(self.pid)
        )

    def until(self, words, secs=120):
        """Reads what it says until there are these words in it."""
        began = time.monotonic()
        while words not in self.said:
            assert self._more() or self.lives(), f'it ended: {self.said}'
            assert time.monotonic() - began < secs, f'no {words!r} in: {self.said}'
            time.sleep(0.01)

    def _more(self):
        more = self._file.read()
        self.said += more
        return more

    def heard(self):
        """What it has said by now, all of it."""
        self._more()
        return self.said

    def channel(self, *options):
        """A gRPC channel to it, with a connection of its own."""
        options = [('grpc.use_local_subchannel_pool', 1), *options]
        return grpc.insecure_channel(self.grpc.removeprefix('grpc://'), options)

    def counts(self):
        """What it counted, by name and labels' values: {('tfgan_batch_rows_sum', 'toy'): 3.0}."""
        page = requests.get(f'{self.rest}/monitoring/prometheus/metrics', timeout=20).text
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    def descriptors(self):
        """How many files and connections it has open."""
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def resident(self):
        """MiB of memory that it and its children have now."""
        return self._memory('VmRSS')

    def _memory(self, name):
        found = (re.search(rf'{name}:\s+(\d+)', _status(pid)) for pid in _family(self.pid))
        return sum(int(each[1]) for each in found if each) / 1024

    @contextlib.contextmanager
    def growth(self):
        """What a block takes: `peak` and `kept` of what it is given are MiB more than before."""
        for pid in _family(self.pid):
            pathlib.Path(f'/proc/{pid}/clear_refs').write_text('5')  # The peak begins anew.
        before, grown = self.resident(), Growth()
        yield grown
        grown.peak, grown.kept = self._memory('VmHWM') - before, self.resident() - before


class Growth:
    """MiB of memory that were taken at most, and that are still taken."""

    peak = kept = None


def _status(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/status').read_text()
    except (FileNotFoundError, ProcessLookupError):  # It ended meanwhile.
        return ''


def _family(pid):
    """The numbers of a process and of all that it began."""
    parents = {}
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        if parent := re.search(r'PPid:\s+(\d+)', _status(path.name)):
            parents[int(path.name)] = int(parent[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family
