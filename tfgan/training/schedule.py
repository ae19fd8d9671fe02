"""A run's budget, in steps or in wall time: what is spent of it, and how many steps come next."""

import time

from tfgan.config import Config


class Clock:
    """Counts the seconds of training since its making, on top of those spent before."""

    def __init__(self, config: Config, spent_secs: float = 0.0, now=time.monotonic):
        self._config, self._now = config, now
        self._began = now() - spent_secs

    def secs(self) -> float:
        return self._now() - self._began

    def schedule(self) -> tuple[float, float]:
        """(start, slope) such that the share of the budget spent is start + slope * step.

        With a budget of steps it follows from the step alone, so a run can be repeated exactly.
        """
        if self._config.steps:
            return 0.0, 1 / self._config.steps
        return min(1.0, self.secs() / (60 * self._config.minutes)), 0.0

    def spent(self, step: int) -> float:
        """The share of the budget that is spent, in [0, 1]."""
        start, slope = self.schedule()
        return min(1.0, start + slope * step)

    def next_steps(self, step: int, rate: float, call_secs: float) -> int:
        """Steps of a call of about `call_secs` at `rate` a second that stays in the budget."""
        if self._config.steps:
            return min(max(1, int(rate * call_secs)), self._config.steps - step)
        left_secs = 60 * self._config.minutes - self.secs()
        return max(1, int(rate * min(call_secs, left_secs))) if left_secs > 0 else 0

    def left_secs(self, step: int, rate: float) -> float:
        """Time left, at `rate` steps a second."""
        if self._config.steps:
            return (self._config.steps - step) / rate if rate else float('inf')
        return max(0.0, 60 * self._config.minutes - self.secs())
