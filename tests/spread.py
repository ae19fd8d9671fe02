"""Plays games to a step under one strategy, from their last checkpoints to the next:

    spread.py DIRECTORY STEP DEVICES PARTS ARCHITECTURE:OBJECTIVE:SEED ...

In a process of many, TF_CONFIG says so, and only the first one restores and saves.
"""

import pathlib
import sys

from test_gan import augmented, noise, play, settings

from tfgan import peers, strategies
from tfgan.checkpoints import Checkpoints

SHAPE = (12, 8, 1)
STEPS = 200


def main(directory, last, devices, parts, *games):
    strategy, _ = strategies.make('auto', int(devices), peer_secs=60)
    source = noise(SHAPE)
    for game in games:
        architecture, objective, seed = game.split(':')
        # A memory of the gradient: without one Adam's steps magnify rounding where slopes are nil.
        config = settings(
            architecture=architecture,
            objective=objective,
            seed=int(seed),
            steps=STEPS,
            batch_size=12,
            beta_1=0.5,
            penalty_decay=0.1,
        )
        gan = augmented(config, source, strategy, int(parts))
        chief = peers.is_chief(strategy)
        checkpoints = Checkpoints(pathlib.Path(directory) / game, gan) if chief else None
        if checkpoints:
            checkpoints.restore()
        if peers.processes(strategy) > 1:
            peers.share(strategy, [each for group in gan.state().values() for each in group])
        step = int(gan.step.numpy())
        play(gan, source, int(last) - step, step)
        if checkpoints:
            checkpoints.save(0.0)
    peers.wait_for_all(strategy)
    print(strategy.num_replicas_in_sync)


main(*sys.argv[1:])
