"""What cgroups read from and wrote to block devices, by device.

Files: `io.stat` of v2 (Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files"), the `blkio.*` files of v1
(Documentation/admin-guide/cgroup-v1/blkio-controller.rst). Both count a cgroup and all below it. The kernel
counts at each layer: what goes through a device mapper or a loop device counts there and at the disk below.
"""  # noqa: A005 - always imported by its whole name

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from exporters.cgroups.detect import Version
from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.machine import Machine
from exporters.cgroups.model import Cgroup
from exporters.collector import Family, Labels, Sample, counter
from exporters.pods.cgroup_path import Kind

METRICS = (
    counter("container_fs_reads_bytes_total", "Cumulative count of bytes read.", *BASE_LABELS, "device"),
    counter("container_fs_writes_bytes_total", "Cumulative count of bytes written.", *BASE_LABELS, "device"),
    counter("container_fs_reads_total", "Cumulative count of reads completed.", *BASE_LABELS, "device"),
    counter("container_fs_writes_total", "Cumulative count of writes completed.", *BASE_LABELS, "device"),
    counter(
        "container_blkio_device_usage_total",
        "Bytes moved to and from a block device, by operation.",
        *BASE_LABELS,
        *("device", "major", "minor", "operation"),
    ),
)

NO_DISKS = ("loop", "ram", "sr")
"""Devices without a name here, as at cAdvisor: dashboards add up all that is called `/dev/…`, and what goes through
a loop device is counted at the disk below it already.
"""

Counts = Mapping[str, tuple[dict[str, int], dict[str, int]]]
"""`major:minor` → bytes by operation, requests by operation."""

# 19 digits are ten exabytes: no counter gets there, and all of them fit into 64 bits
_V2 = re.compile(r"(\d{1,9}:\d{1,9}) rbytes=(\d{1,19}) wbytes=(\d{1,19}) rios=(\d{1,19}) wios=(\d{1,19})\b", re.ASCII)
_V1_BYTES = re.compile(r"^(\d{1,9}:\d{1,9}) (Read|Write|Sync|Async|Discard|Total) (\d{1,19})$", re.ASCII | re.MULTILINE)
_V1_REQUESTS = re.compile(r"^(\d{1,9}:\d{1,9}) (Read|Write) (\d{1,19})$", re.ASCII | re.MULTILINE)


class Files(Protocol):
    """The files of one version. To read them and to understand them are apart: what did not change is understood."""

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        """The contents; none where nothing is counted."""
        ...

    def counts(self, contents: Sequence[bytes]) -> Counts:
        """What the contents say. A line that a broken file has twice counts once."""
        ...


class V2Files:
    """One file, with lines such as `8:16 rbytes=1459200 wbytes=0 rios=192 wios=0 dbytes=0 dios=0`.

    Some kernels put devices without counts before a line's own, without a line's end: `7:1 7:0 8:16 rbytes=…`.
    """

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        content = cgroup.read("", "io.stat")
        return (content,) if content else ()

    def counts(self, contents: Sequence[bytes]) -> Counts:
        return {
            number: ({"Read": int(rbytes), "Write": int(wbytes)}, {"Read": int(rios), "Write": int(wios)})
            for number, rbytes, wbytes, rios, wios in _V2.findall(contents[0].decode("latin-1"))
        }


V1_SOURCES = tuple(
    (f"blkio.{stem}io_service_bytes{scope}", f"blkio.{stem}io_serviced{scope}")
    for stem, scope in (("bfq.", "_recursive"), ("", "_recursive"), ("throttle.", "_recursive"), ("throttle.", ""))
)
"""Who counts, bytes and requests, in cAdvisor's order: BFQ, CFQ (until 5.0), the throttling that is always there."""


class V1Files:
    """Two files that belong together, with lines such as `8:0 Read 1282048`; a file without counts has `Total 0`."""

    def __init__(self, cgroups: Sequence[Cgroup]) -> None:
        """The root tells which sources this kernel has: to try all at each cgroup costs more than to read those that
        are there. What is empty below a cgroup is empty in it, so not both of the last two.
        """
        roots = [cgroup for cgroup in cgroups if cgroup.place.kind is Kind.ROOT]
        self._sources = [
            source for source in V1_SOURCES if any(root.read("blkio", source[0]) is not None for root in roots)
        ]
        if self._sources[-2:] == list(V1_SOURCES[-2:]):
            self._sources.pop()

    def read(self, cgroup: Cgroup) -> Sequence[bytes]:
        for moved, requests in self._sources:
            content = cgroup.read("blkio", moved)
            if content is None:
                break  # not in this hierarchy, or gone
            if content[:1].isdigit():
                return content, cgroup.read("blkio", requests) or b""
        return ()

    def counts(self, contents: Sequence[bytes]) -> Counts:
        counts: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
        for which, line in enumerate((_V1_BYTES, _V1_REQUESTS)):
            for number, operation, count in line.findall(contents[which].decode("latin-1")):
                counts.setdefault(number, ({}, {}))[which][operation] = int(count)
        return counts


Device = tuple[str, str, str]
"""Name, major and minor number, as labels."""


class Names:
    """Names of devices at one scrape: those known before, and once there is another, what the machine says."""

    def __init__(self, known: Mapping[str, Device], ask: Callable[[], Mapping[str, str]]) -> None:
        self._known = known
        self._ask = ask
        self._answer: Mapping[str, str] | None = None
        self.unknown: set[str] = set()
        """What even the machine did not know."""

    def __getitem__(self, number: str) -> Device:
        """The device `major:minor`; without a name when it is not known, or no disk."""
        if number in self._known:
            return self._known[number]
        if self._answer is None:
            self._answer = self._ask()
        name = self._answer.get(number, "")
        if not name:
            self.unknown.add(number)
        major, _, minor = number.partition(":")
        return (f"/dev/{name}" if name and not name.startswith(NO_DISKS) else "", major, minor)


class Row(NamedTuple):
    """What is published of one cgroup, and of what it was made."""

    labels: Labels
    contents: Sequence[bytes]
    devices: Mapping[str, Device]
    samples: tuple[list[Sample], ...] = ()
    """For each of METRICS."""


def made_of(labels: Labels, contents: Sequence[bytes], counts: Counts, names: Names) -> Row:
    """The row of a cgroup whose files say `counts`."""
    devices = {number: names[number] for number in counts}
    usage: list[Sample] = []
    totals: tuple[list[Sample], ...] = ([], [], [], [])
    for number, (moved, requests) in counts.items():
        device = devices[number]
        usage += [((*labels, *device, operation), count) for operation, count in moved.items()]
        key = (*labels, device[0])
        of_device = moved.get("Read"), moved.get("Write"), requests.get("Read"), requests.get("Write")
        for samples, count in zip(totals, of_device, strict=True):
            if count is not None:
                samples.append((key, count))
    if sum(not name for name, _, _ in devices.values()) > 1:
        totals = tuple(_added_up(samples) for samples in totals)
    return Row(labels, contents, devices, (*totals, usage))


def _added_up(samples: list[Sample]) -> list[Sample]:
    """All devices without a name have one series together: no label would tell theirs apart."""
    totals: dict[Labels, float] = {}
    for labels, count in samples:
        totals[labels] = totals.get(labels, 0) + count
    return list(totals.items())


class IoCollector:
    """Bytes and requests of each cgroup by device. A cgroup without any has no series.

    Most cgroups move nothing between two scrapes, so the samples of what has not changed are kept.
    """

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine
        self._rows: dict[Cgroup, Row] = {}
        self._devices: dict[str, Device] = {}

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        files = V2Files() if self._inventory.version is Version.V2 else V1Files(cgroups)
        names = Names(self._devices, self._machine.block_devices)
        self._rows = {cgroup: row for cgroup in cgroups if (row := self._row(cgroup, files, names)) is not None}
        rows = self._rows.values()
        # a device that no cgroup has any more is forgotten: its number may come back under another name
        self._devices = {number: device for row in rows for number, device in row.devices.items()}
        for number in names.unknown:
            del self._devices[number]
        for metric, samples in zip(METRICS, zip(*(row.samples for row in rows), strict=True), strict=False):
            yield metric.family(list(chain.from_iterable(samples)))

    def _row(self, cgroup: Cgroup, files: Files, names: Names) -> Row | None:
        contents = files.read(cgroup)
        if not contents:
            return None
        before = self._rows.get(cgroup)
        if (
            before is not None
            and before.contents == contents
            and before.labels is cgroup.labels
            and self._devices.keys() >= before.devices.keys()
        ):
            return before
        return made_of(cgroup.labels, contents, files.counts(contents), names)
