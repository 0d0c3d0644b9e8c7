"""Where an event stands in its source, so that reading can go on after it.

A partition is the unit of order and of commit: a Kafka partition, or one instance of a file. Tuples,
because one is made for each event.
"""

from typing import NamedTuple


class Partition(NamedTuple):
    """One ordered run of events.

    `source` names the kind and place (`kafka:filebeat`, `files`), `name` the run in it: the partition's number,
    or the identity of a file (its fingerprint, or device and inode), never its path alone, which rotation reuses.
    """

    source: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}/{self.name}"


class Position(NamedTuple):
    """The place of one event: `offset` is where it begins, `next` where reading goes on after it.

    Kafka: the record's offset, and that plus one. Files: byte offsets; `next` is behind the last raw line that
    the event took in (all its partial pieces included).
    """

    partition: Partition
    offset: int
    next: int

    def __str__(self) -> str:
        return f"{self.partition}@{self.offset}"
