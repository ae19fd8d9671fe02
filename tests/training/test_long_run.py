"""A run that goes on and on needs no more memory, files or threads, and writes hardly more."""

import os
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfgan.training import loop

ROOT = pathlib.Path(__file__).parents[2]

# A real run whose clock runs fast: what is due every seconds comes every hundredths of one.
RUN = """
import pathlib, sys
from tfgan import config, startup
from tfgan.forms import base as forms
startup.import_tensorflow()
from tfgan.gan.gan import Gan
from tfgan.training import loop, reporter
directory, steps, faster = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
loop.CALL_SECS = 0.05
loop.EVERY_SECS = {task: secs / faster for task, secs in loop.EVERY_SECS.items()}
reporter.SCORE_IMAGES = 60
settings = config.make(
    steps=steps, width=4, depth=1, channels=2, latent_size=2, batch_size=4, dataset='npy:8.npy'
)
source = forms.open_source(f'npy:{directory}/8.npy')
changes = forms.form_named(source.form).augmentation(source)
gan = Gan(settings, source.shape, source.shares, augmentation=changes)
with loop.Stop() as stop:
    print(loop.train(gan, source, directory, stop, checkpoint_secs=60 / faster))
"""


def started(directory, steps, faster):
    """A process that trains for so many steps on images of 8 x 8 pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)
    np.save(directory / '8.npy', pixels)
    with open(directory / 'said', 'w') as said:  # a pipe that nobody reads would stop it
        return subprocess.Popen(
            [sys.executable, '-c', RUN, str(directory), str(steps), str(faster)],
            env=os.environ | {'PYTHONPATH': str(ROOT)},
            stdout=said,
            stderr=said,
        )


def needs(pid):
    """What a process holds now: (MiB of memory, open files, threads); None if it has ended."""
    place = pathlib.Path(f'/proc/{pid}')
    status = (place / 'status').read_text()
    if 'VmRSS' not in status:
        return None  # it has just ended
    memory, threads = (
        int(re.search(rf'^{name}:\s+(\d+)', status, re.MULTILINE)[1])
        for name in ('VmRSS', 'Threads')
    )
    return memory / 1024, len(list((place / 'fd').iterdir())), threads


def watched(process, directory, every_secs):
    """What the process needed over its training, [n, 3], and the last of what it said."""
    found = []
    with process:
        try:
            while process.poll() is None:
                # Before the first scores TensorFlow still builds its functions.
                if list((directory / 'best').glob('*.index')) and (now := needs(process.pid)):
                    found.append(now)
                time.sleep(every_secs)
        finally:
            process.kill()
    said = (directory / 'said').read_text()
    assert process.returncode == 0, said
    return np.array(found), said


def counts(directory):
    """How many points of a curve, sheets and scores there are on TensorBoard, and bytes of all."""
    events = EventAccumulator(str(directory / 'tensorboard'), {'tensors': 0}).Reload()
    tags = {'point': 'loss/generator', 'sheet': 'drawings', 'score': 'score/copies'}
    size = sum(file.stat().st_size for file in (directory / 'tensorboard').iterdir())
    return {task: len(events.Tensors(tag)) for task, tag in tags.items()}, size


def most(secs):
    """How many points, sheets and scores a run of so long may have: evenly, then a share."""
    found = {}
    for task, share in loop.EVERY_SHARE.items():
        even = loop.EVERY_SECS[task] / share
        found[task] = min(secs, even) / loop.EVERY_SECS[task] + np.log(max(1, secs / even)) / share
    return found


@pytest.mark.long
def test_a_long_run_needs_no_more_than_a_short_one(tmp_path):
    steps, faster = 100_000, 100.0
    began = time.monotonic()
    process = started(tmp_path, steps, faster)
    found, said = watched(process, tmp_path, every_secs=0.5)
    secs = faster * (time.monotonic() - began)  # by the clock of what is due
    assert f'Outcome(step={steps},' in said
    assert len(found) > 20
    fifth = len(found) // 5
    early, late = (np.median(part, axis=0) for part in (found[fifth : 2 * fifth], found[-fifth:]))
    assert late[0] - early[0] < 20, (early, late)  # MiB
    # Files are open for the moment of a write, and a score has threads.
    assert (late[1:] <= early[1:] + 1).all(), (early, late)
    written, size = counts(tmp_path)
    print(f'MiB, files, threads: {early} early, {late} late; {written} in {size:,} bytes')
    for task, count in most(secs).items():
        assert 1 < written[task] <= count + 5
    # A sheet is a file and a picture for TensorBoard; a point is less than 1 KB, a score than 3.
    sheet_bytes = max(path.stat().st_size for path in tmp_path.glob('samples/step-*.png'))
    assert (
        size
        < 100_000
        + 1_000 * written['point']
        + 2.1 * sheet_bytes * written['sheet']
        + 3_000 * (written['score'])
    )
    assert len(list((tmp_path / 'samples').iterdir())) <= written['sheet'] + 3
    assert len(list((tmp_path / 'checkpoints').glob('*.index'))) == 3
