"""The life of an alert, as a table.

                    condition holds                condition gone
      ┌────────┐  (for not over yet)  ┌─────────┐
      │INACTIVE│ ───────────────────▶ │ PENDING │ ───────────▶ INACTIVE, forgotten: nobody was told
      └────────┘                      └─────────┘
           │ for is over (or is 0)         │ for is over
           ▼                               ▼
      ┌────────┐  gone, but keep_firing_for runs   ┌─────────┐
      │ FIRING │ ────────────────────────────────▶ │ KEEPING │
      └────────┘ ◀──────────────────────────────── └─────────┘
           │ gone            holds again                │ keep_firing_for is over
           ▼                                            ▼
      ┌──────────────────────────────────────────────────────┐
      │ RESOLVED  kept for 15 minutes, so that the news of it │──▶ INACTIVE, forgotten
      │ arrives even if the first telling was lost            │──▶ PENDING or FIRING, a new alert
      └──────────────────────────────────────────────────────┘

Why it is so:

- A query that fails is no event. The table is not asked, so a failure neither fires nor resolves.
- Only an evaluation moves time. What counts towards `for` and `keep_firing_for` is time during which the rule
  was looked at: a stretch that nobody saw (a long stop, a suspended machine, a clock that was set) is kept in
  `unseen` and taken off. So a jump of the clock alone never fires or resolves anything.
- KEEPING is FIRING to everybody outside; it is a state of its own because it remembers since when.
- A rule that is taken away resolves its alerts and says so. An alert that nobody evaluates any more must not
  fire for ever, and must not vanish in silence either.

States and times are Prometheus' (rules/alerting.go), with one difference: theirs forgets `keep_firing_for` at a
restart, and `for` when it is shorter than ten minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alerting.model.alert import Alert
from alerting.model.labels import Labels

RESOLVED_RETENTION = 900.0
"""Seconds that a resolved alert is kept and put again after a restart: Prometheus' figure."""


class State(StrEnum):
    """Where an alert stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    KEEPING = "keeping"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What an evaluation, or the removal of a rule, means for one alert."""

    HOLDS = "holds"
    """The condition holds, and `for` is not over."""
    DUE = "due"
    """The condition holds, and `for` is over."""
    LINGERS = "lingers"
    """The condition is gone, and `keep_firing_for` is not over."""
    GONE = "gone"
    """The condition is gone."""
    EXPIRED = "expired"
    """The condition is gone, and has been for the retention of resolved alerts."""
    REMOVED = "removed"
    """The rule is gone."""


S, E = State, Event
TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (S.INACTIVE, E.HOLDS): S.PENDING,
    (S.INACTIVE, E.DUE): S.FIRING,
    (S.PENDING, E.HOLDS): S.PENDING,
    (S.PENDING, E.DUE): S.FIRING,
    (S.PENDING, E.GONE): S.INACTIVE,
    (S.PENDING, E.REMOVED): S.INACTIVE,
    (S.FIRING, E.HOLDS): S.FIRING,
    (S.FIRING, E.LINGERS): S.KEEPING,
    (S.FIRING, E.GONE): S.RESOLVED,
    (S.FIRING, E.REMOVED): S.RESOLVED,
    (S.KEEPING, E.HOLDS): S.FIRING,
    (S.KEEPING, E.LINGERS): S.KEEPING,
    (S.KEEPING, E.GONE): S.RESOLVED,
    (S.KEEPING, E.REMOVED): S.RESOLVED,
    (S.RESOLVED, E.HOLDS): S.PENDING,
    (S.RESOLVED, E.DUE): S.FIRING,
    (S.RESOLVED, E.GONE): S.RESOLVED,
    (S.RESOLVED, E.EXPIRED): S.INACTIVE,
    (S.RESOLVED, E.REMOVED): S.RESOLVED,
}
"""Every pair that can happen. A pair that is not here is a mistake of ours, and a KeyError."""

ACTIVE = frozenset({State.PENDING, State.FIRING, State.KEEPING})
TOLD = frozenset({State.FIRING, State.KEEPING, State.RESOLVED})
"""States that the sink knows of."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is remembered of one alert of one rule. Times are Unix seconds, of evaluations.

    `active_at` is when the condition began to hold, `unseen` the seconds that don't count towards `for` (or,
    while KEEPING, towards `keep_firing_for`), `reason` why it is in this state, in words for a person.
    """

    fingerprint: str
    labels: Labels
    annotations: Labels
    state: State
    value: float
    active_at: float
    fired_at: float | None = None
    keeping_since: float | None = None
    resolved_at: float | None = None
    unseen: float = 0.0
    reason: str = ""

    def to_alert(self, now: float, generator_url: str) -> Alert:
        """The alert as the sink gets it: it starts when it fired, and ends only when it is resolved."""
        return Alert(
            labels=self.labels,
            annotations=self.annotations,
            starts_at=self.active_at if self.fired_at is None else self.fired_at,
            ends_at=self.resolved_at if self.state is State.RESOLVED else None,
            updated_at=now,
            generator_url=generator_url,
        )


@dataclass(frozen=True, slots=True)
class RuleState:
    """What is remembered of one rule: its alerts by fingerprint, and when it was last evaluated with success."""

    evaluated_at: float | None = None
    alerts: Mapping[str, AlertState] = field(default_factory=dict)


NEW = RuleState()
"""A rule that was never evaluated."""
