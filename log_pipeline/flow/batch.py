"""Batches for the sink, bounded by events, bytes and age. Pure: time is an argument."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from log_pipeline.flow.commit import Span
from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.outcome import Rejected


class Entry(NamedTuple):
    """A record in the flow, the span that waits for it, and why it goes to the dead letters, if it does."""

    record: Event | Malformed
    span: Span
    refused: Rejected | None = None


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch is full at so many events or bytes, and due when its first event is so many seconds old."""

    events: int = 1_000
    bytes: int = 5 << 20
    seconds: float = 1.0


class Batcher:
    """Collects entries and hands them out in batches, in their order."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._waiting: deque[Entry] = deque()
        self._bytes = 0
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, entry: Entry, now: float) -> None:
        if not self._waiting:
            self._since = now
        self._waiting.append(entry)
        self._bytes += entry.record.size

    def ready(self, now: float) -> bool:
        """Whether a batch is full or due."""
        full = len(self._waiting) >= self._limits.events or self._bytes >= self._limits.bytes
        return full or (bool(self._waiting) and now - self._since >= self._limits.seconds)

    def take(self, now: float) -> list[Entry]:
        """The next batch; one event larger than the limit is a batch of its own. Empty when nothing waits."""
        batch: list[Entry] = []
        size = 0
        while self._waiting and len(batch) < self._limits.events:
            next_size = self._waiting[0].record.size
            if batch and size + next_size > self._limits.bytes:
                break
            batch.append(self._waiting.popleft())
            size += next_size
        self._bytes -= size
        self._since = now
        return batch
