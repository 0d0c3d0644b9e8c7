"""The conservation ledger: read = indexed + duplicate + dead-lettered + dropped + merged + released + pending.

Counts of this process, exact, by source partition; nothing is kept over a restart. `released` are events that
were still pending when their partition went to another consumer, which reads them again. Pending is counted
by those who hold the events, not derived from the rest, so that a difference shows a hole.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from log_pipeline.model.outcome import Outcome
from log_pipeline.model.position import Partition

RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Account:
    """One partition's sums. `settled` counts by (kind, reason); `difference` is 0 when nothing is missing."""

    partition: Partition
    read: int
    settled: Mapping[tuple[str, str], int]
    pending: int

    @property
    def difference(self) -> int:
        return self.read - sum(self.settled.values()) - self.pending


class Ledger:
    """Counts as events come and go."""

    def __init__(self) -> None:
        self._read: Counter[Partition] = Counter()
        self._settled: defaultdict[Partition, Counter[tuple[str, str]]] = defaultdict(Counter)

    def read(self, partition: Partition, count: int) -> None:
        """`count` events of the partition came in."""
        self._read[partition] += count

    def settle(self, partition: Partition, outcome: Outcome) -> None:
        """One event has its final outcome."""
        self._settled[partition][outcome.kind, outcome.reason] += 1

    def release(self, partition: Partition, count: int) -> None:
        """`count` pending events of the partition are somebody else's now."""
        if count:
            self._settled[partition][RELEASED, "revoked"] += count

    def accounts(self, pending: Mapping[Partition, int]) -> list[Account]:
        """The sums of each partition, given how many of its events are still held."""
        return [
            Account(partition, read, dict(self._settled[partition]), pending.get(partition, 0))
            for partition, read in sorted(self._read.items())
        ]

    def totals(self) -> tuple[int, Counter[tuple[str, str]]]:
        """Over all partitions: events read, and settled by (kind, reason)."""
        settled: Counter[tuple[str, str]] = Counter()
        for counts in self._settled.values():
            settled.update(counts)
        return self._read.total(), settled
