"""A game of two networks: its state, a step of it, and what it draws."""

import functools

from tfgan.gan.sampling import Sampler
from tfgan.gan.state import State
from tfgan.gan.step import METRICS, Step

__all__ = ['METRICS', 'Gan']


class Gan(State):
    """A generator and a discriminator at play; `State` says what it is made of."""

    @functools.cached_property
    def stepper(self) -> Step:
        return Step(self)

    @functools.cached_property
    def sampler(self) -> Sampler:
        return Sampler(self)

    @property
    def train(self):
        return self.stepper.train

    @property
    def draw(self):
        return self.sampler.draw

    @property
    def sheet(self):
        return self.sampler.sheet

    @property
    def shown(self):
        return self.sampler.shown

    @property
    def walk(self):
        return self.sampler.walk
