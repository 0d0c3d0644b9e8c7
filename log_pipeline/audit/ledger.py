"""The conservation ledger: read = indexed + duplicate + dead-lettered + dropped + merged + released + pending.

Counts of this process, exact, by source partition; nothing is kept over a restart. `released` are events that
were still pending when their partition went to another consumer, which reads them again. Pending is counted
by those who hold the events, not derived from the rest, so that a difference shows a hole.

A file is a partition, and files come and go for ever: when there are many, the settled ones are added up in one
row a source. A partition with a hole never is, so the hole stays where it is.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from log_pipeline.model.outcome import Outcome
from log_pipeline.model.position import Partition

RELEASED = "released"
EARLIER = "earlier"
"""The name of the row in which settled partitions are added up."""

MOST_PARTITIONS = 1_000


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
    """Counts as events come and go. From `most` partitions on, the settled ones share a row."""

    def __init__(self, most: int = MOST_PARTITIONS) -> None:
        self._read: Counter[Partition] = Counter()
        self._settled: defaultdict[Partition, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._most = most
        self._fold_at = most

    def read(self, partition: Partition, count: int) -> None:
        """`count` events of the partition came in."""
        if partition not in self._read and len(self._read) >= self._fold_at:
            self._fold()
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

    def _fold(self) -> None:
        """Add up the settled partitions, oldest first, until half of the rows are free."""
        for partition in list(self._read):
            if len(self._read) <= self._most // 2:
                break
            if partition.name != EARLIER and self._read[partition] == self._settled[partition].total():
                earlier = Partition(partition.source, EARLIER)
                self._read[earlier] += self._read.pop(partition)
                self._settled[earlier].update(self._settled.pop(partition))
        # where most are pending it is not tried again at each new one
        self._fold_at = max(self._most, 2 * len(self._read))
