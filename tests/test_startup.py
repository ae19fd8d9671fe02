"""A process goes on where nobody reads it, and begins in poor surroundings."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]

TALK = """
import sys
from tfgan import startup
startup.tolerate_closed_output()
for number in range(100_000):
    print('a line')
    print('a line', file=sys.stderr)
sys.stdout.flush()
assert not startup.is_read()
open('done', 'w').close()
print('not flushed')
"""


def test_a_process_that_nobody_reads_comes_to_its_end(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', TALK],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stderr.close()
    assert process.wait(30) == 0
    assert (tmp_path / 'done').exists()


def test_what_is_read_is_whole(tmp_path):
    script = 'from tfgan import startup; startup.tolerate_closed_output(); print("größe")'
    said = subprocess.run(
        [sys.executable, '-c', script],
        env=os.environ | {'PYTHONPATH': str(ROOT), 'PYTHONIOENCODING': 'utf-8'},
        capture_output=True,
    )
    assert (said.stdout.decode(), said.stderr, said.returncode) == ('größe\n', b'', 0)
