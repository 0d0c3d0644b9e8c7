"""The files that tell what a cgroup read from and wrote to block devices, and what they say. Both versions count a
cgroup and all below it.

Formats: `io.stat` of v2, Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files", and block/blk-iocost.c for its
costs; the `blkio.*` files of v1, Documentation/admin-guide/cgroup-v1/blkio-controller.rst and bfq-iosched.rst.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from exporters.cgroups.tree.model import Cgroup
from exporters.pods.cgroup_path import Kind

SECTOR = 512
"""Bytes; the kernel's unit, whatever the device's own."""


class Moved(NamedTuple):
    """What is counted of one device: bytes by operation, and values by the metric's name without `container_fs_`."""

    usage: dict[str, int]
    values: dict[str, float]


Counts = Mapping[str, Moved]
"""By `major:minor`."""


class Files(Protocol):
    """The files of one version. To read them and to understand them are apart: what did not change is understood."""

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        """The contents; none where nothing is counted."""
        ...

    def counts(self, contents: Sequence[bytes]) -> Counts:
        """What the contents say. A line that a broken file has twice counts once."""
        ...


# 19 digits are ten exabytes: no counter gets there, and all of them fit into 64 bits
_V2 = re.compile(r"(\d{1,9}:\d{1,9}) rbytes=(\d{1,19}) wbytes=(\d{1,19}) rios=(\d{1,19}) wios=(\d{1,19})\b", re.ASCII)
_V2_COST = re.compile(
    r"(\d{1,9}:\d{1,9}) (?:[a-z.]+=[0-9.]+ )*?cost\.usage=(\d{1,19})\b"
    r"(?: cost\.wait=(\d{1,19}) cost\.indebt=(\d{1,19}) cost\.indelay=(\d{1,19})\b)?",
    re.ASCII,
)
_COSTS = tuple(f"io_cost_{of}_seconds_total" for of in ("usage", "wait", "indebt", "indelay"))
_MICROSECONDS = 1_000_000


class V2Files:
    """One file, with lines such as `8:16 rbytes=1459200 wbytes=0 rios=192 wios=0 dbytes=0 dios=0`.

    Some kernels put devices without counts before a line's own, without a line's end: `7:1 7:0 8:16 rbytes=…`. Where
    the controller io.cost is on, a line goes on with `cost.usage=…` in microseconds, and with three more when the
    kernel's statistics for debugging are on.
    """

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        content = cgroup.read("", "io.stat")
        return (content,) if content else ()

    def counts(self, contents: Sequence[bytes]) -> Counts:
        text = contents[0].decode("latin-1")
        counts: dict[str, Moved] = {}
        for number, *words in _V2.findall(text):
            read, written, reads, writes = map(int, words)
            counts[number] = Moved(
                {"Read": read, "Write": written},
                {
                    "reads_bytes_total": read,
                    "writes_bytes_total": written,
                    "reads_total": reads,
                    "writes_total": writes,
                },
            )
        if "cost.usage=" in text:
            for number, *words in _V2_COST.findall(text):
                values = counts.setdefault(number, Moved({}, {})).values
                values.update(
                    (name, int(word) / _MICROSECONDS) for name, word in zip(_COSTS, words, strict=True) if word
                )
        return counts


V1_SOURCES = (("bfq.", "_recursive"), ("", "_recursive"), ("throttle.", "_recursive"), ("throttle.", ""))
"""Who counts, by what is before and after a file's name, in cAdvisor's order: BFQ, CFQ (until 5.0), the throttling that
is always there.
"""

V1_FILES: tuple[tuple[str, Mapping[str, str], int], ...] = (
    ("io_service_bytes", {"Read": "reads_bytes_total", "Write": "writes_bytes_total"}, 1),
    ("io_serviced", {"Read": "reads_total", "Write": "writes_total"}, 1),
    ("io_merged", {"Read": "reads_merged_total", "Write": "writes_merged_total"}, 1),
    (
        "io_service_time",
        {"Read": "read_seconds_total", "Write": "write_seconds_total", "Total": "io_time_seconds_total"},
        1_000_000_000,
    ),
    ("io_queued", {"Total": "io_current"}, 1),
)
"""A source's files: the metric of each operation, and how many of the file's units are one of the metric's. The first
two are everywhere, the others with CFQ, and with BFQ in kernels built to debug it.
"""

_ALWAYS = 2
_V1 = re.compile(r"^(\d{1,9}:\d{1,9}) (Read|Write|Sync|Async|Discard|Total) (\d{1,19})$", re.ASCII | re.MULTILINE)


class V1Files:
    """Files that belong together, with lines such as `8:0 Read 1282048`; a file without counts has `Total 0`."""

    def __init__(self, cgroups: Sequence[Cgroup]) -> None:
        """The root tells which files this kernel has: to try all at each cgroup costs more than to read those that
        are there. What is empty below a cgroup is empty in it, so not both of the last two sources.
        """
        roots = [cgroup for cgroup in cgroups if cgroup.place.kind is Kind.ROOT]
        sources = [source for source in V1_SOURCES if _have(roots, _names(*source)[0])]
        if sources[-2:] == list(V1_SOURCES[-2:]):
            sources.pop()
        names = [_those_of(roots, _names(*source)) for source in sources]
        self._sources = [(first, others) for first, *others in names]

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        for first, others in self._sources:
            content = cgroup.read("blkio", first)
            if content is None:
                break  # not in this hierarchy, or gone
            if content[:1].isdigit():
                return (content, *(cgroup.read("blkio", other) or b"" for other in others))
        return ()

    def counts(self, contents: Sequence[bytes]) -> Counts:
        counts: dict[str, Moved] = {}
        for number, operation, count in _lines(contents[0]):
            counts.setdefault(number, Moved({}, {})).usage[operation] = int(count)
        for (_, names, units), content in zip(V1_FILES, contents, strict=False):
            for number, operation, count in _lines(content):
                if operation in names:
                    values = counts.setdefault(number, Moved({}, {})).values
                    values[names[operation]] = int(count) if units == 1 else int(count) / units
        if len(contents) > _ALWAYS:
            _count_sectors(counts)
        return counts


def _names(stem: str, scope: str) -> list[str]:
    return [f"blkio.{stem}{name}{scope}" for name, _, _ in V1_FILES]


def _those_of(roots: Sequence[Cgroup], names: list[str]) -> list[str]:
    """The files of a source that this kernel has: all of them, or the first two."""
    return names if _have(roots, names[_ALWAYS]) else names[:_ALWAYS]


def _lines(content: bytes) -> list[tuple[str, str, str]]:
    """`major:minor`, operation and count."""
    return _V1.findall(content.decode("latin-1"))


def _have(roots: Sequence[Cgroup], name: str) -> bool:
    return any(root.read("blkio", name) is not None for root in roots)


def _count_sectors(counts: Counts) -> None:
    """Sectors in each direction. The kernel's file has both as one number, which is the bytes' total in sectors."""
    for usage, values in counts.values():
        for operation, name in (("Read", "sector_reads_total"), ("Write", "sector_writes_total")):
            if operation in usage:
                values[name] = usage[operation] // SECTOR
