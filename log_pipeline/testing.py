"""Fakes of the ports, for tests of this product and of those who extend it; held to the same contracts as the real.

Nothing here waits: a read with nothing to give only yields, once, to other tasks.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from fenghuo.errors import FenghuoError
from log_pipeline.model.event import Event, Malformed, Pod
from log_pipeline.model.outcome import Answer, Duplicate, Indexed
from log_pipeline.model.position import Partition, Position
from log_pipeline.ports import DeadLetter, Release

PARTITION = Partition("fake", "0")


def new_event(
    number: int = 0, message: str = "a line", partition: Partition = PARTITION, level: str = "", pod: Pod | None = None
) -> Event:
    """An event as a source gives it: the `number`-th of its partition, with an id of its own."""
    return Event(
        position=Position(partition, number, number + 1),
        id=f"{partition.name}-{number:x}",
        timestamp="2026-11-21T09:30:00.000Z",
        message=message,
        offset=number,
        level=level,
        pod=pod,
    )


class FakeLog:
    """What stands behind sources and outlives them, as a broker does: records and committed offsets."""

    def __init__(self, records: Iterable[Event | Malformed] = ()) -> None:
        self.records = list(records)
        self.committed: dict[Partition, int] = {}


class FakeSource:
    """A Source over a FakeLog. `failures` are raised by the next calls of `open`, `read` and `commit`, in order."""

    name = "fake"
    lag_unit: Literal["messages", "bytes"] = "messages"

    def __init__(self, log: FakeLog) -> None:
        self.log = log
        self.paused = False
        self.closed = False
        self.failures: deque[FenghuoError] = deque()
        self.release: Release | None = None
        self._waiting: deque[Event | Malformed] = deque()
        self._seen = 0

    async def open(self, release: Release) -> None:
        self._fail()
        self.release = release

    async def read(self, limit: int, timeout: float) -> Sequence[Event | Malformed]:
        await asyncio.sleep(0)
        self._fail()
        new = self.log.records[self._seen :]
        self._seen += len(new)
        self._waiting.extend(record for record in new if not self._is_done(record))
        if self.paused:
            return []
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        self._fail()
        self.log.committed.update(offsets)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def lag(self) -> int | None:
        return len(self._waiting) + len(self.log.records) - self._seen

    async def close(self) -> None:
        self.closed = True

    def _is_done(self, record: Event | Malformed) -> bool:
        return record.position.offset < self.log.committed.get(record.position.partition, 0)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.popleft()


class FakeSink:
    """A Sink that keeps events by id. `answer` may say something else than Indexed or Duplicate for an event.

    An event for which `answer` returns neither None nor Indexed is not stored. `writes` counts calls.
    """

    def __init__(self, answer: Callable[[Event], Answer | None] | None = None) -> None:
        self.stored: dict[str, Event] = {}
        self.writes = 0
        self.failures: deque[FenghuoError] = deque()
        self.answer = answer
        self.gate: asyncio.Event | None = None

    async def open(self) -> None:
        if self.failures:
            raise self.failures.popleft()

    async def write(self, events: Sequence[Event]) -> Sequence[Answer]:
        self.writes += 1
        if self.gate is not None:
            await self.gate.wait()
        return [self._write(event) for event in events]

    async def close(self) -> None:
        """Nothing is held."""

    def _write(self, event: Event) -> Answer:
        said = self.answer(event) if self.answer else None
        if said is not None and not isinstance(said, Indexed):
            return said
        if event.id in self.stored:
            return Duplicate()
        self.stored[event.id] = event
        return Indexed()


class FakeDeadLetters:
    """DeadLetters in memory. `failures` are raised by the next calls of `put`, in order."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.failures: deque[FenghuoError] = deque()

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        if self.failures:
            raise self.failures.popleft()
        self.letters.extend(letters)

    async def close(self) -> None:
        """Nothing is held."""
