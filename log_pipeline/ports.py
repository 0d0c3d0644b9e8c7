"""What the flow needs from the outside world. The adapters implement these, `log_pipeline.testing` has fakes.

Foreign exceptions never pass a port: implementations translate them to the tree of `fenghuo.errors`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.outcome import Answer
from log_pipeline.model.position import Partition, Position

Release = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int]]]
"""Given by the flow to a source that may lose partitions: waits a while for what is in flight, returns the
offsets that are safe to commit, and from then on forgets the partitions."""


class Source(Protocol):
    """Where events come from. One task calls it; nothing is called after `close`."""

    @property
    def name(self) -> str:
        """Its label in metrics: `kafka`, `files`."""
        ...

    @property
    def lag_unit(self) -> Literal["messages", "bytes"]:
        """What `lag` counts."""
        ...

    async def open(self, release: Release) -> None:
        """Prepare to read. A source that may lose partitions calls `release` before it lets go of them.

        Raises RemoteError or StorageError when it can't be opened now; the caller tries again. StartError is for
        what an operator must mend; it ends the start.
        """
        ...

    async def read(self, limit: int, timeout: float) -> Sequence[Event | Malformed]:
        """At most `limit` new records, in order within each partition; none after `timeout` seconds.

        A record is given once, unless its partition was released and came back. While paused it returns none
        but keeps up whatever keeps the connection alive, so the caller goes on calling. Raises RemoteError or
        StorageError for what may heal; the caller waits and calls again.
        """
        ...

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Remember durably that everything before these offsets (`Position.next`) is dealt with.

        Raises RemoteError or StorageError; the caller tries again later. A partition that is no longer held is
        ignored.
        """
        ...

    def pause(self) -> None:
        """Give no more records until `resume`; may be called twice."""
        ...

    def resume(self) -> None:
        """Give records again; may be called when not paused."""
        ...

    def lag(self) -> int | None:
        """How much was not yet read, in `lag_unit`; None when not known."""
        ...

    async def close(self) -> None:
        """Let go of everything. Does not commit, does not call `release`."""
        ...


class Sink(Protocol):
    """Where events go. `write` is called by several tasks at once."""

    async def open(self) -> None:
        """Make ready what writing needs (a template, a schema).

        Raises RemoteError or StorageError when that is not possible now; the caller tries again. StartError is
        for what an operator must mend; it ends the start.
        """
        ...

    async def write(self, events: Sequence[Event]) -> Sequence[Answer]:
        """Store the events; one answer for each, in their order.

        Writing an event again is harmless: it answers Duplicate. A failure of the whole call is a Retry for each
        event, an event that the sink can't even encode a Rejected; it raises nothing.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is kept of an event that can't be indexed: the bytes, where they stood, why, and when (Unix seconds)."""

    position: Position
    raw: bytes
    reason: str
    detail: str
    attempts: int
    at: float


class DeadLetters(Protocol):
    """Keeps what can't be indexed until somebody looks at it."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Store all of them durably before it returns.

        Raises StorageError when it can't, or is full; the caller keeps the events and tries again.
        """
        ...

    async def close(self) -> None: ...
