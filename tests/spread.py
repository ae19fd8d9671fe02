"""Plays games to a step under one strategy, from their last checkpoints to the next:

    spread.py DIRECTORY STEP DEVICES PARTS ARCHITECTURE:OBJECTIVE ...

In a process of many, TF_CONFIG says so, and only the first one restores and saves.
"""

import pathlib
import sys

from toys import augmented, noise, play, settings

from tfgan.distributed import coordination, strategies
from tfgan.training.checkpoints import Checkpoints

SHAPE = (12, 8, 1)
STEPS = 200
# Of Adam, which else magnifies rounding to whole steps where slopes cancel out, as those of the
# last bias do while hinge has all images within its margin.
EPSILON = 1e-4


def main(directory, last, devices, parts, *games):
    strategy, _ = strategies.make('auto', int(devices), peer_secs=60, trusted_network=True)
    source = noise(SHAPE)
    for game in games:
        architecture, objective = game.split(':')
        config = settings(
            architecture=architecture,
            objective=objective,
            steps=STEPS,
            batch_size=12,
            penalty_decay=0.1,
        )
        gan = augmented(config, source, strategy, int(parts))
        for adam in (gan.generator_adam, gan.discriminator_adam):
            adam.epsilon = EPSILON
        chief = coordination.is_chief(strategy)
        checkpoints = Checkpoints(pathlib.Path(directory) / game, gan) if chief else None
        if checkpoints:
            checkpoints.restore()
        if coordination.processes(strategy) > 1:
            coordination.share(strategy, [each for group in gan.state().values() for each in group])
        step = int(gan.step.numpy())
        play(gan, source, int(last) - step, step)
        if checkpoints:
            checkpoints.save(0.0)
    coordination.wait_for_all(strategy)
    print(strategy.num_replicas_in_sync)


main(*sys.argv[1:])
