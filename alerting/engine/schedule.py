"""When a group is evaluated: on a grid of its interval, shifted by a phase of its own. Pure.

All times of a group are `phase + n * interval`, so a restart goes on where it stopped, two processes agree, and
ten thousand groups do not fall on one second. What was missed is counted and never made up: after a long
evaluation or a suspended machine there is one evaluation, at the newest time that is due.
"""

import hashlib
import math
from dataclasses import dataclass

from alerting.engine.passage import Tick, jump_between


def phase(key: str, interval: float) -> float:
    """Seconds in [0, interval) that belong to this key, to the millisecond."""
    digest = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
    return digest % max(1, round(interval * 1000)) / 1000


def due_at(now: float, interval: float, shift: float) -> float:
    """The newest time of the grid that is not after `now`."""
    return math.floor((now - shift) / interval + 1e-9) * interval + shift


@dataclass(frozen=True, slots=True)
class Schedule:
    """A group's place in time: its grid, the last evaluation, and what both clocks showed at it."""

    interval: float
    shift: float
    last: float
    wall: float
    steady: float

    @classmethod
    def starting(cls, key: str, interval: float, wall: float, steady: float) -> "Schedule":
        """Nothing evaluated yet: the first is at the next time of the grid."""
        shift = phase(key, interval)
        return cls(interval, shift, due_at(wall, interval, shift), wall, steady)

    def delay(self, wall: float) -> float:
        """Seconds until the next evaluation, 0 when it is due.

        Never longer than two intervals: a clock that was set back by more is followed at once, and a smaller
        step is waited for, so that no time is evaluated twice.
        """
        behind = self.last - due_at(wall, self.interval, self.shift)
        if behind < -0.5 * self.interval or behind > 1.5 * self.interval:
            return 0.0
        return max(0.001, self.last + self.interval - wall)

    def tick(self, wall: float, steady: float) -> tuple[Tick, "Schedule"]:
        """The evaluation to make now, and the schedule after it."""
        at = due_at(wall, self.interval, self.shift)
        jump = jump_between(wall - self.wall, steady - self.steady)
        missed = max(0, round((at - self.last - jump) / self.interval) - 1)
        return Tick(at, jump, missed), Schedule(self.interval, self.shift, at, wall, steady)
