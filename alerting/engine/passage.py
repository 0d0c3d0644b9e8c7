"""Which time counts: the difference between what a clock shows and what somebody watched. Pure."""

from dataclasses import dataclass

from fenghuo.durations import format_duration

TOLERATED_INTERVALS = 4
TOLERATED_SECONDS = 60.0
"""A stretch without an evaluation counts in full up to four intervals or a minute, whichever is longer: that
covers a restart, a few failed queries and a slow disk. Of a longer one nothing counts."""

STEP = 1.0
"""Seconds by which wall clock and steady clock may drift apart between two evaluations without being a step."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One evaluation of a group.

    `at` is the evaluation's time (Unix seconds, on the group's grid), `jump` the seconds that the wall clock
    moved since the tick before without time passing (a clock that was set, a suspended machine), `missed` the
    evaluations that should have been between them.
    """

    at: float
    jump: float = 0.0
    missed: int = 0


def uncounted(evaluated_at: float | None, tick: Tick, interval: float) -> float:
    """How many of the seconds since the rule's last good evaluation don't count; negative when a clock went back."""
    if evaluated_at is None:
        return 0.0
    shown = tick.at - evaluated_at
    passed = shown - tick.jump
    tolerated = max(TOLERATED_INTERVALS * interval, TOLERATED_SECONDS)
    return shown - (passed if 0.0 <= passed <= tolerated else 0.0)


def jump_between(wall: float, steady: float) -> float:
    """The step of the wall clock, given how far both clocks went; small drift is none."""
    apart = wall - steady
    return apart if abs(apart) > STEP else 0.0


def explain(seconds: float) -> str:
    """` (without 1h0m of the clock that nobody watched)` for a reason's end, "" when all counts."""
    if abs(seconds) < STEP:
        return ""
    return f" (not counting {format_duration(abs(seconds))} that nobody watched)"
