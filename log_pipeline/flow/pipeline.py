"""Read, process, batch, deliver, account, commit: the loop that moves events and loses none.

One task reads and commits; a few tasks deliver. Reading never stops for a slow sink, it is paused: a Kafka
consumer that does not poll is thrown out of its group. Offsets are committed only when every event before them
has its final outcome, so a crash at any point means that events are read again and told by their ids.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from fenghuo.backoff import Backoff
from fenghuo.clock import Clock
from fenghuo.errors import FenghuoError, StartError
from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import get_logger
from log_pipeline.audit.ledger import Ledger
from log_pipeline.audit.lines import LineCounts
from log_pipeline.flow.batch import Batcher, BatchLimits, Entry
from log_pipeline.flow.commit import CommitTracker, Span
from log_pipeline.flow.delivery import Delivery
from log_pipeline.flow.health import Health
from log_pipeline.flow.process import process
from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.outcome import Dropped, Outcome
from log_pipeline.model.position import Partition
from log_pipeline.ports import DeadLetters, Sink, Source
from log_pipeline.stages.stage import Stage

READ_TIMEOUT = 0.25
"""Seconds that one read may wait: the grain of batch times, commits and of the end."""

COMMIT_PATIENCE = 10.0
"""Seconds without an answer to a commit that are trouble: Kafka's client waits for a dead broker a whole session."""

OPEN_PATIENCE = Backoff(first=0.5, limit=10.0)
READ_PATIENCE = Backoff(first=0.5, limit=5.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be under way. `drain_seconds` bounds the wait for it at the end and when partitions leave."""

    batch: BatchLimits = field(default_factory=BatchLimits)
    read_events: int = 2_000
    deliveries: int = 4
    pending_events: int = 20_000
    pending_bytes: int = 64 << 20
    commit_seconds: float = 1.0
    drain_seconds: float = 3.5


class Pipeline:
    """One source to one sink. Build it, then `run` it once."""

    def __init__(
        self,
        source: Source,
        sink: Sink,
        letters: DeadLetters,
        stages: Mapping[str, Stage],
        life: Lifecycle,
        clock: Clock,
    ) -> None:
        self._source = source
        self._sink = sink
        self._stages = stages
        self._life = life
        self._clock = clock
        self._log = get_logger("logs")
        self.limits = Limits()
        self.ledger = Ledger()
        self.lines = LineCounts()
        self.tracker = CommitTracker()
        self.health = Health(life)
        self.delivery = Delivery(sink, letters, self._settle, self.health, clock)
        self._batcher = Batcher(self.limits.batch)
        self._flying: set[asyncio.Task[None]] = set()
        self._pending_events = 0
        self._pending_bytes = 0
        self._paused = False
        self._broken: BaseException | None = None
        self._committed_at = clock.monotonic()
        self._commit_failed = False

    async def run(self) -> None:
        """Work until the life's end is asked for; then deliver and commit what is in flight, within bounds.

        Raises StartError when only an operator can mend what keeps it from starting.
        """
        if not (await self._opened("sink", self._sink.open) and await self._opened("source", self._open_source)):
            return
        self.health.opened()
        failures = 0
        while not self._life.stopping:
            self._balance()
            failures = 0 if await self._read() else failures + 1
            self._dispatch()
            await self._commit(self.limits.commit_seconds)
            if failures:
                await self._pause_for(READ_PATIENCE.delay(failures - 1))
        await self._drain()
        if self._broken is not None:
            raise self._broken

    async def _open_source(self) -> None:
        await self._source.open(self.release)

    async def _opened(self, part: str, open_: Callable[[], Awaitable[None]]) -> bool:
        """Open a part, trying until it works; False when the end comes first.

        A StartError is for the operator: trying again would not help.
        """
        attempt = 0
        while not self._life.stopping:
            try:
                await open_()
            except StartError:
                raise
            except FenghuoError as error:
                self.health.trouble(part, str(error))
                await self._pause_for(OPEN_PATIENCE.delay(attempt))
                attempt += 1
            else:
                self.health.well(part)
                return True
        return False

    def _balance(self) -> None:
        """Pause the source above the budget, resume it below the half of it."""
        events, size = self._pending_events, self._pending_bytes
        if events >= self.limits.pending_events or size >= self.limits.pending_bytes:
            self._source.pause()
            self._paused = True
        elif self._paused and events <= self.limits.pending_events // 2 and size <= self.limits.pending_bytes // 2:
            self._source.resume()
            self._paused = False

    async def _read(self) -> bool:
        try:
            records = await self._source.read(self.limits.read_events, READ_TIMEOUT)
        except FenghuoError as error:
            self.health.trouble("source", str(error))
            return False
        self.health.well("source")
        # sources give runs of one partition, in order; each run is a span
        for partition, run in groupby(records, key=_partition):
            self._take_in(partition, list(run))
        return True

    def _take_in(self, partition: Partition, run: Sequence[Event | Malformed]) -> None:
        now = self._clock.monotonic()
        span = self.tracker.begin(partition, run[-1].position.next, len(run))
        self.ledger.read(partition, len(run))
        for record in run:
            self._pending_events += 1
            self._pending_bytes += record.size
            self._enter(record, span, now)

    def _enter(self, record: Event | Malformed, span: Span, now: float) -> None:
        verdict = process(record, self._stages)
        if isinstance(record, Event) and verdict is None:
            self.lines.add(record)
        if isinstance(verdict, Dropped):
            self._settle(Entry(record, span), verdict)
        else:
            self._batcher.add(Entry(record, span, verdict), now)

    def _dispatch(self) -> None:
        """Start as many deliveries as are due and allowed."""
        now = self._clock.monotonic()
        while self._batcher.ready(now) and len(self._flying) < self.limits.deliveries:
            self._deliver(self._batcher.take(now))

    def _deliver(self, batch: Sequence[Entry]) -> None:
        task = asyncio.ensure_future(self.delivery.deliver(batch))
        self._flying.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # the batch stays pending, so nothing after it is committed and a new start reads it again
            self._log.error("a delivery ended unexpectedly, stopping", error=repr(error))
            self._broken = error
            self._life.stop()

    def _settle(self, entry: Entry, outcome: Outcome) -> None:
        """One event has its end. A partition that was given away is settled by whom it was given to."""
        self._pending_events -= 1
        self._pending_bytes -= entry.record.size
        if self.tracker.settle(entry.span):
            self.ledger.settle(entry.span.partition, outcome)

    async def _commit(self, every: float) -> None:
        now = self._clock.monotonic()
        offsets = self.tracker.safe()
        if not offsets or now - self._committed_at < every:
            return
        self._committed_at = now
        try:
            await self._watched(self._source.commit(offsets))
        except FenghuoError as error:
            # one refusal is usual while a consumer group changes; two in a row are trouble
            if self._commit_failed:
                self.health.trouble("commit", str(error))
            self._commit_failed = True
            return
        self._commit_failed = False
        self.health.well("commit")
        self.tracker.committed(offsets)

    async def _watched(self, commit: Coroutine[Any, Any, None]) -> None:
        """Wait for a commit as long as it takes, and show it as trouble once that is long."""
        answer = asyncio.ensure_future(commit)
        timer = asyncio.ensure_future(self._clock.sleep(COMMIT_PATIENCE))
        try:
            await asyncio.wait({answer, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                self.health.trouble("commit", f"no answer for {COMMIT_PATIENCE:g} seconds")
            await answer
        finally:
            timer.cancel()
            answer.cancel()

    async def release(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Finish what is in flight of these partitions, within bounds; then they are no longer ours.

        Returns what is safe to commit. Implements `ports.Release`.
        """
        self._flush()
        await self._landings(self.limits.drain_seconds)
        safe = {}
        for partition, (offset, pending) in self.tracker.release(partitions).items():
            self.ledger.release(partition, pending)
            if offset is not None:
                safe[partition] = offset
        return safe

    async def _drain(self) -> None:
        self._flush()
        await self._landings(self.limits.drain_seconds)
        await self._commit(every=0.0)
        left = set(self._flying)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._pending_events:
            self._log.warning(
                "stopped with events in flight; the next start reads them again", events=self._pending_events
            )

    def _flush(self) -> None:
        while batch := self._batcher.take(self._clock.monotonic()):
            self._deliver(batch)

    async def _landings(self, seconds: float) -> None:
        """Wait until all deliveries under way have ended, at most so long."""
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        flying = set(self._flying)
        while flying and not timer.done():
            await asyncio.wait({timer, *flying}, return_when=asyncio.FIRST_COMPLETED)
            flying = {task for task in flying if not task.done()}
        timer.cancel()

    async def _pause_for(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        ending = asyncio.ensure_future(self._life.stopped())
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        await asyncio.wait({ending, timer}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        timer.cancel()


def _partition(record: Event | Malformed) -> Partition:
    return record.position.partition
