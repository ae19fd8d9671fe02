"""A tfgan.serve process of its own."""

import os
import pathlib
import re
import subprocess

import forks

ANYWHERE = '--port=0', '--grpc_port=0', '--poll_secs=0.1'


class Server:
    """A tfgan.serve process and where it listens; it ends with its block at the latest."""

    def __init__(self, models, *flags):
        self.process = subprocess.Popen(
            [*forks.python(), '-m', 'tfgan.serve', f'--models={models}', *ANYWHERE, *flags],
            env=os.environ | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ''
        while not (places := re.search(r'REST at (\S+)/v1.* gRPC at (grpc:\S+);', self.said)):
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line
        self.rest, self.grpc = places[1], places[2]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.returncode is None:
            self.end()

    def end(self):
        """Asks it to end; its exit code and the rest of what it said."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def until(self, words):
        """Reads what it says until there are these words in it."""
        while words not in self.said:
            self.said += self.process.stdout.readline()


LIMITS = '--max_rows=256', '--max_bytes=100000', '--max_secs=3'
