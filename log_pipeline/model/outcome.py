"""What becomes of an event. Every event that was read ends as exactly one outcome, or is still pending.

`reason` is short and from a closed set (it is a metric's label); `detail` is for people.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Indexed:
    """The sink has it."""

    kind: ClassVar[str] = "indexed"
    reason: str = "created"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The sink had it already, from an earlier delivery."""

    kind: ClassVar[str] = "duplicate"
    reason: str = "same_id"


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """It can't be indexed and is kept, with its reason, where it can be replayed from."""

    kind: ClassVar[str] = "dead_lettered"
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A named rule says that nobody wants it; `reason` is the rule's name."""

    kind: ClassVar[str] = "dropped"
    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """It is now part of another event; `reason` is the stage that joined them."""

    kind: ClassVar[str] = "merged"
    reason: str


Outcome = Indexed | Duplicate | DeadLettered | Dropped | Merged
KINDS = ("indexed", "duplicate", "dead_lettered", "dropped", "merged")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A sink will never take this event. Not final: the pipeline makes it a dead letter first."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """A sink can't take this event now. `tries` bounds the attempts (then it is rejected); None is for ever."""

    reason: str
    detail: str = ""
    tries: int | None = None


Answer = Indexed | Duplicate | DeadLettered | Rejected | Retry
"""What a sink may say about one event."""
