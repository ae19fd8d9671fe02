"""A pair of networks by name; imports no TensorFlow."""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A generator and a discriminator, each a class below `tfgan.networks` by module and name.

    Both are made of (config, shape, num_classes). `jit` says whether XLA compiles their steps where
    nothing was measured: in runs too short for that. A `piecewise_linear` discriminator is linear
    between the kinks of leaky ReLUs in each example by itself, and runs its layers through `via`,
    for the shared backward pass; any other one takes the plain double backward pass.
    """

    generator: str
    discriminator: str
    jit: bool = False
    piecewise_linear: bool = True

    def make_generator(self, config, shape, num_classes: int):
        return _network(self.generator)(config, shape, num_classes)

    def make_discriminator(self, config, shape, num_classes: int):
        return _network(self.discriminator)(config, shape, num_classes)


def _network(path: str):
    module, name = path.split('.')
    return getattr(importlib.import_module(f'tfgan.networks.{module}'), name)
