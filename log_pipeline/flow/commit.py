"""Which offsets are safe to commit: per partition the highest one before which every event has a final outcome.

Kept per span (what one read gave of one partition), not per event: a span is safe when its last event is
settled and all spans before it are safe. Pure state, no I/O. The rule is the one of kafka-connect-elasticsearch's
AsyncOffsetTracker and of Redpanda Connect's ordered reader: a late acknowledgement of a partition that was given
away may not move anything.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from log_pipeline.model.position import Partition


@dataclass(slots=True, eq=False)
class Span:
    """A run of events of one partition, read at once; `next` is the offset after the last of them."""

    partition: Partition
    next: int
    pending: int
    released: bool = False


class CommitTracker:
    """What is in flight, in the order in which it was read."""

    def __init__(self) -> None:
        self._spans: defaultdict[Partition, deque[Span]] = defaultdict(deque)
        self._safe: dict[Partition, int] = {}

    def begin(self, partition: Partition, next_offset: int, count: int) -> Span:
        """`count` events were read of the partition, which goes on at `next_offset`."""
        span = Span(partition, next_offset, count)
        self._spans[partition].append(span)
        return span

    def settle(self, span: Span) -> bool:
        """One event of the span has its final outcome; False when the span is no longer ours."""
        if span.released:
            return False
        span.pending -= 1
        if span.pending == 0:
            self._advance(span.partition)
        return True

    def safe(self) -> dict[Partition, int]:
        """The offsets that may be committed and were not yet."""
        return dict(self._safe)

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """These offsets are stored; what became safe meanwhile stays to be committed."""
        for partition, offset in offsets.items():
            if self._safe.get(partition) == offset:
                del self._safe[partition]

    def release(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int | None, int]]:
        """Forget the partitions: for each the offset to commit now (None for none) and the events given up."""
        given: dict[Partition, tuple[int | None, int]] = {}
        for partition in partitions:
            spans = self._spans.pop(partition, deque())
            for span in spans:
                span.released = True
            given[partition] = (self._safe.pop(partition, None), sum(span.pending for span in spans))
        return given

    def pending(self) -> dict[Partition, int]:
        """Events without a final outcome, by partition."""
        counts = {partition: sum(span.pending for span in spans) for partition, spans in self._spans.items()}
        return {partition: count for partition, count in counts.items() if count}

    def _advance(self, partition: Partition) -> None:
        spans = self._spans[partition]
        while spans and spans[0].pending == 0:
            self._safe[partition] = spans.popleft().next
        if not spans:
            del self._spans[partition]
