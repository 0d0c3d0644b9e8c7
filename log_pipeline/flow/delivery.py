"""One batch to its end: write, sort the answers, keep the rejects, try the rest again.

It ends only when each entry has its final outcome; a sink that is away is tried for ever, with growing
pauses. Nothing is settled before it is true: a reject is settled when the dead letters have it.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from fenghuo.backoff import Backoff
from fenghuo.clock import Clock
from fenghuo.errors import FenghuoError
from fenghuo.logs import get_logger
from log_pipeline.flow.batch import Entry
from log_pipeline.flow.health import Health
from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Answer, DeadLettered, Outcome, Rejected, Retry
from log_pipeline.model.position import Position
from log_pipeline.ports import DeadLetter, DeadLetters, Sink

Settle = Callable[[Entry, Outcome], None]

PATIENCE = Backoff(first=0.5, limit=15.0)


class Delivery:
    """Delivers batches; several may be under way at once. `retries` counts events tried again, by reason."""

    def __init__(self, sink: Sink, letters: DeadLetters, settle: Settle, health: Health, clock: Clock) -> None:
        self._sink = sink
        self._letters = letters
        self._settle = settle
        self._health = health
        self._clock = clock
        self._log = get_logger("logs")
        self.retries: dict[str, int] = {}

    async def deliver(self, batch: Sequence[Entry]) -> None:
        """Return when every entry of the batch is settled."""
        left = list(batch)
        attempt = 0
        bounded: Counter[Position] = Counter()
        while left:
            answers = await self._answers(left)
            left = await self._sort(left, answers, attempt, bounded)
            if left:
                await self._clock.sleep(PATIENCE.delay(attempt))
            attempt += 1

    async def _answers(self, entries: Sequence[Entry]) -> list[Answer]:
        """One answer for each entry: the sink's, or for an entry that was refused on the way, that."""
        events = [entry.record for entry in entries if entry.refused is None and isinstance(entry.record, Event)]
        given = iter(await self._write(events) if events else ())
        return [entry.refused or next(given) for entry in entries]

    async def _write(self, events: Sequence[Event]) -> Sequence[Answer]:
        try:
            answers = await self._sink.write(events)
        except Exception as error:  # noqa: BLE001 - a fault of a sink's code must not lose what it was given
            self._log.exception("the sink failed unexpectedly", events=len(events))
            return [Retry("sink_failed", f"{type(error).__name__}: {error}")] * len(events)
        if len(answers) != len(events):
            return [Retry("bad_answer", f"{len(answers)} answers for {len(events)} events")] * len(events)
        return answers

    async def _sort(
        self, entries: Sequence[Entry], answers: Sequence[Answer], attempt: int, bounded: Counter[Position]
    ) -> list[Entry]:
        """Settle what is final and return what is to be tried again; `bounded` counts the tries that have a bound."""
        again: list[tuple[Entry, Retry]] = []
        buried: list[tuple[Entry, Rejected]] = []
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, Retry):
                position = entry.record.position
                bounded[position] += answer.tries is not None
                if answer.tries is not None and bounded[position] >= answer.tries:
                    buried.append((entry, Rejected(answer.reason, answer.detail)))
                else:
                    again.append((entry, answer))
            elif isinstance(answer, Rejected):
                buried.append((entry, answer))
            else:
                self._settle(entry, answer)
        await self._bury(buried, attempt + 1)
        self._say(again)
        return [entry for entry, _ in again]

    def _say(self, again: Sequence[tuple[Entry, Retry]]) -> None:
        if not again:
            self._health.well("sink")
            return
        for _, retry in again:
            self.retries[retry.reason] = self.retries.get(retry.reason, 0) + 1
        first = again[0][1]
        self._health.trouble("sink", f"{first.reason}: {first.detail}" if first.detail else first.reason)

    async def _bury(self, rejected: Sequence[tuple[Entry, Rejected]], attempts: int) -> None:
        """Store the rejects, however long that takes, and settle them."""
        if not rejected:
            return
        letters = [self._letter(entry, why, attempts) for entry, why in rejected]
        tries = 0
        while not await self._stored(letters):
            await self._clock.sleep(PATIENCE.delay(tries))
            tries += 1
        for entry, why in rejected:
            self._settle(entry, DeadLettered(why.reason, why.detail))

    async def _stored(self, letters: Sequence[DeadLetter]) -> bool:
        try:
            await self._letters.put(letters)
        except FenghuoError as error:
            self._health.trouble("dead_letters", str(error))
            return False
        self._health.well("dead_letters")
        return True

    def _letter(self, entry: Entry, why: Rejected, attempts: int) -> DeadLetter:
        record = entry.record
        raw = record.raw or (record.message.encode("utf-8", "replace") if isinstance(record, Event) else b"")
        return DeadLetter(record.position, raw, why.reason, why.detail, attempts, self._clock.now())
