"""How full the table of tracked connections is, from /proc/sys/net/netfilter, and what became of entries, from
/proc/net/stat/nf_conntrack: headings, then a line of hexadecimal numbers for each CPU.

Formats: Documentation/networking/nf_conntrack-sysctl.rst and conntrack(8), option --stats.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host, KeptFile
from exporters.readers.numbers import hexadecimals
from exporters.readers.sysfs import needed

ENTRIES = gauge("node_nf_conntrack_entries", "Connections that are tracked.")
LIMIT = gauge("node_nf_conntrack_entries_limit", "Connections that can be tracked.")
STATISTICS = {
    name: gauge(f"node_nf_conntrack_stat_{name}", help)
    for name, help in {
        "found": "Look-ups that found an entry.",
        "invalid": "Packets that can't be tracked.",
        "ignore": "Packets of connections that were tracked already.",
        "insert": "Entries that were inserted.",
        "insert_failed": "Entries that could not be inserted, for instance because they were there.",
        "drop": "Packets dropped because they could not be tracked.",
        "early_drop": "Entries dropped to make room for new ones.",
        "search_restart": "Look-ups begun anew because the table was resized.",
    }.items()
}


class Conntrack:
    """No data where the kernel's module is not loaded."""

    def __init__(self, host: Host) -> None:
        self._count = host.proc.keep("sys/net/netfilter/nf_conntrack_count")
        self._limit = host.proc.keep("sys/net/netfilter/nf_conntrack_max")
        self._statistics = host.proc.keep("net/stat/nf_conntrack")

    def collect(self, now: float) -> Iterator[Family]:
        yield ENTRIES.single(needed(self._count))
        yield LIMIT.single(needed(self._limit))
        totals = sums(self._statistics)
        for name, metric in STATISTICS.items():
            yield metric.single(totals.get(name, 0))


def sums(file: KeptFile) -> dict[str, int]:
    """The sum of each column of STATISTICS over all CPUs. Raises NoData, Malformed."""
    headings, *lines = required(file.read()).splitlines() or [""]
    columns = headings.split()
    places = [place for place, name in enumerate(columns) if name in STATISTICS]
    if not places:
        raise Malformed(file.path, 1, "headings such as `entries searched found`", headings)
    rows = [[0] * len(places)]
    for number, line in enumerate(lines, 2):
        words = line.split()
        if len(words) != len(columns):
            raise Malformed(file.path, number, f"{len(columns)} numbers", line)
        try:
            rows.append(hexadecimals([words[place] for place in places]))
        except ValueError as error:
            raise Malformed(file.path, number, "hexadecimal numbers", line) from error
    return {columns[place]: sum(column) for place, column in zip(places, zip(*rows, strict=True), strict=True)}
