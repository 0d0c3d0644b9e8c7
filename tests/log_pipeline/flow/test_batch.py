"""A batch is bounded by events, bytes and age, and keeps the order."""

from log_pipeline.flow.batch import Batcher, BatchLimits, Entry
from log_pipeline.flow.commit import Span
from log_pipeline.testing import PARTITION, new_event

SPAN = Span(PARTITION, 0, 0)


def entry(number: int, size: int = 100) -> Entry:
    event = new_event(number)
    event.body = b"x" * size
    return Entry(event, SPAN)


def numbers(batch: list[Entry]) -> list[int]:
    return [one.record.position.offset for one in batch]


def test_a_batch_is_ready_when_it_has_enough_events() -> None:
    batcher = Batcher(BatchLimits(events=3, bytes=10_000, seconds=1.0))
    for number in range(2):
        batcher.add(entry(number), now=0.0)
    assert not batcher.ready(0.0)
    batcher.add(entry(2), now=0.0)
    batcher.add(entry(3), now=0.0)
    assert batcher.ready(0.0)
    assert numbers(batcher.take(0.0)) == [0, 1, 2]
    assert numbers(batcher.take(0.0)) == [3]


def test_a_batch_is_ready_when_it_has_enough_bytes() -> None:
    batcher = Batcher(BatchLimits(events=100, bytes=250, seconds=1.0))
    for number in range(3):
        batcher.add(entry(number), now=0.0)
    assert batcher.ready(0.0)
    assert numbers(batcher.take(0.0)) == [0, 1]
    assert not batcher.ready(0.0)


def test_an_event_beyond_the_limit_is_a_batch_of_its_own() -> None:
    batcher = Batcher(BatchLimits(events=100, bytes=250, seconds=1.0))
    batcher.add(entry(0, size=9_000), now=0.0)
    batcher.add(entry(1), now=0.0)
    assert numbers(batcher.take(0.0)) == [0]


def test_a_small_batch_is_due_after_a_while() -> None:
    batcher = Batcher(BatchLimits(events=100, bytes=10_000, seconds=1.0))
    assert not batcher.ready(50.0)
    batcher.add(entry(0), now=50.0)
    batcher.add(entry(1), now=50.9)
    assert not batcher.ready(50.99)
    assert batcher.ready(51.0)
    assert len(batcher) == 2
