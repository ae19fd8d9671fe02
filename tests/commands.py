"""Commands as processes of their own, and small runs."""

import os
import pathlib
import subprocess
import time

import forks
import numpy as np
import tensorflow as tf

TOY = ['--width=16', '--depth=1', '--latent_size=8', '--batch_size=16']


def small_data(folder):
    """The flag of a data set that is drawn, judged and cached in no time."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)
    np.save(folder / '8.npy', noise)
    return f'--dataset=npy:{folder / "8.npy"}'


def start(cwd, module, *flags):
    return subprocess.Popen(
        [*forks.python(), '-m', f'tfgan.{module}', *flags],
        cwd=cwd,
        env=os.environ
        | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1]), forks.UNJUDGED: '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(cwd, module, *flags, code=0):
    process = start(cwd, module, *flags)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out, err


def checkpoint(directory):
    """The newest checkpoint's variables by key, without the times spent and saved."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(directory / 'checkpoints')))
    keys = [key for key in reader.get_variable_to_shape_map() if 'VARIABLE_VALUE' in key]
    return {
        key: reader.get_tensor(key) for key in keys if not key.startswith(('run/', 'save_counter'))
    }


def waited_for(process, condition, secs=60):
    ends = time.monotonic() + secs
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.05)
