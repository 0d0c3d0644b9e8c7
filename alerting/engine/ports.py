"""What the engine needs from outside: a source to ask, a store to remember in. The sink is in `model.ports`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from alerting.engine.state import AlertState, RuleState
from alerting.model.labels import Labels


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer. `labels` may hold `__name__`."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Result:
    """An answer: its series, and what the source said beside it."""

    samples: Sequence[Sample]
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Where conditions are looked up."""

    async def query(self, expr: str, at: float) -> Result:
        """The value of the expression at that time (Unix seconds).

        Bounded in time and size. Raises RemoteError when there is no answer; an empty result is an answer.
        May be called from many tasks at once.
        """
        ...

    def link(self, expr: str) -> str:
        """A page that shows the query to a person; "" when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What one evaluation leaves to be stored of one rule.

    `put` are alerts that are new or changed, `drop` fingerprints to forget. With `anew` all that is stored of the
    rule is forgotten first; a change with nothing else in it removes the rule.
    """

    rule_id: str
    evaluated_at: float | None = None
    put: Sequence[AlertState] = ()
    drop: Sequence[str] = ()
    anew: bool = False


class StateStore(Protocol):
    """Where rule state survives a crash. Raises StorageError."""

    async def load(self) -> Mapping[str, RuleState]:
        """All that is remembered, by rule id."""
        ...

    async def save(self, changes: Sequence[Change]) -> None:
        """Store all changes or none. They are durable when this returns."""
        ...
