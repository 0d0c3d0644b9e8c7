"""How long to wait before the next try, as a pure function of the attempt. Nobody sleeps here."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with full-width jitter around each step.

    `first` and `limit` are seconds; `factor` is the growth a step; `jitter` the share of the delay that
    chance may take away (0 none, 0.5 the upper half remains), so that many clients do not return as one.
    """

    first: float = 0.5
    limit: float = 60.0
    factor: float = 2.0
    jitter: float = 0.2

    def delay(self, attempt: int, chance: float | None = None) -> float:
        """Seconds before try `attempt + 1`, where the first failure is attempt 0.

        `chance` in [0, 1) replaces the random number, for tests and for repeatable schedules.
        """
        steps = min(attempt, 64)  # factor**64 is beyond every limit; larger powers would overflow
        whole = min(self.limit, self.first * self.factor**steps)
        luck = random.random() if chance is None else chance
        return whole * (1 - self.jitter * luck)
