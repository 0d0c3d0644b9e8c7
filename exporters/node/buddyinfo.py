"""Free memory by the size of its pieces, from /proc/buddyinfo, proc_buddyinfo(5).

A piece of size n has 2^n pages: many small pieces and no large ones are what fragmentation looks like.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, Sample, gauge, required
from exporters.host import Host
from exporters.readers.numbers import natural

BLOCKS = gauge("node_buddyinfo_blocks", "Free pieces of memory of 2^size pages.", "node", "zone", "size")


class BuddyInfo:
    """Reads lines such as `Node 0, zone   Normal   5134   3030   3046`."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("buddyinfo")

    def collect(self, now: float) -> Iterator[Family]:
        zones: dict[tuple[str, str], list[Sample]] = {}
        columns = 0
        for number, line in enumerate(required(self._file.read()).splitlines(), 1):
            try:
                _, node, _, zone, *counts = line.split()
                values = [natural(count) for count in counts]
            except ValueError as error:
                raise Malformed(self._file.path, number, "`Node <n>, zone <name>` and numbers", line) from error
            columns = columns or len(values)
            if not values or len(values) != columns:
                raise Malformed(self._file.path, number, f"{columns or 'some'} numbers after the zone", line)
            labels = node.rstrip(","), zone.rstrip(",")
            zones[labels] = [((*labels, str(size)), value) for size, value in enumerate(values)]
        if not zones:
            raise Malformed(self._file.path, 0, "a line for each zone, the file is empty")
        yield BLOCKS.family([sample for samples in zones.values() for sample in samples])
