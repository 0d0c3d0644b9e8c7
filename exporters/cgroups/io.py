"""What cgroups read from and wrote to block devices, by device.

The kernel counts at each layer: what goes through a device mapper or a loop device counts there and at the disk below.
The root has the machine's mounted disks as well, as at cAdvisor. What a kernel does not count of cgroups (merged
requests and times, without BFQ or CFQ on v1; costs, without io.cost on v2) has no series.
"""  # noqa: A005 - always imported by its whole name

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exporters.cgroups.readers.io_disks import NO_DISKS, Disks
from exporters.cgroups.readers.io_files import Counts, Files, V1Files, V2Files
from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup
from exporters.collector import Family, Labels, Sample, counter, gauge
from exporters.host import Host
from exporters.pods.cgroup_path import Kind

USAGE = counter(
    "container_blkio_device_usage_total",
    "Blkio Device bytes usage",
    *BASE_LABELS,
    *("device", "major", "minor", "operation"),
)

HELPS = {
    "reads_bytes_total": "Cumulative count of bytes read",
    "writes_bytes_total": "Cumulative count of bytes written",
    "reads_total": "Cumulative count of reads completed",
    "writes_total": "Cumulative count of writes completed",
    "sector_reads_total": "Cumulative count of sector reads completed",
    "sector_writes_total": "Cumulative count of sector writes completed",
    "reads_merged_total": "Cumulative count of reads merged",
    "writes_merged_total": "Cumulative count of writes merged",
    "read_seconds_total": "Cumulative count of seconds spent reading",
    "write_seconds_total": "Cumulative count of seconds spent writing",
    "io_current": "Number of I/Os currently in progress",
    "io_time_seconds_total": "Cumulative count of seconds spent doing I/Os",
    "io_time_weighted_seconds_total": "Cumulative weighted I/O time in seconds",
    "io_cost_usage_seconds_total": "Cumulative IOCost usage in seconds",
    "io_cost_wait_seconds_total": "Cumulative IOCost wait in seconds",
    "io_cost_indebt_seconds_total": "Cumulative IOCost debt in seconds",
    "io_cost_indelay_seconds_total": "Cumulative IOCost delay in seconds",
}
METRICS = {
    name: (counter if name.endswith("_total") else gauge)(f"container_fs_{name}", help, *BASE_LABELS, "device")
    for name, help in HELPS.items()
}
"""By name without `container_fs_`."""

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
    usage: list[Sample]
    samples: Mapping[str, list[Sample]]
    """By metric."""


def made_of(labels: Labels, contents: Sequence[bytes], counts: Counts, names: Names) -> Row:
    """The row of a cgroup whose files say `counts`."""
    devices = {number: names[number] for number in counts}
    usage: list[Sample] = []
    samples: dict[str, list[Sample]] = {}
    for number, moved in counts.items():
        device = devices[number]
        usage += [((*labels, *device, operation), count) for operation, count in moved.usage.items()]
        key = (*labels, device[0])
        for name, value in moved.values.items():
            samples.setdefault(name, []).append((key, value))
    if len({name for name, _, _ in devices.values()}) < len(devices):
        samples = {name: _added_up(of) for name, of in samples.items()}
    return Row(labels, contents, devices, usage, samples)


def _added_up(samples: list[Sample]) -> list[Sample]:
    """Devices of one name, as all without any, have one series together: no label would tell theirs apart. A disk that
    was plugged in again may have another number than the one under which it is still counted.
    """
    totals: dict[Labels, float] = {}
    for labels, count in samples:
        totals[labels] = totals.get(labels, 0) + count
    return list(totals.items())


class IoCollector:
    """Bytes and requests of each cgroup by device. A cgroup without any has no series.

    Most cgroups move nothing between two scrapes, so the samples of what has not changed are kept.
    """

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._disks = Disks(host)
        self._rows: dict[Cgroup, Row] = {}
        self._devices: dict[str, Device] = {}

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        # the root tells which files there are, also where it is not chosen itself
        files = V2Files() if self._inventory.version is Version.V2 else V1Files(self._inventory.everyone(now))
        names = Names(self._devices, self._disks.names)
        self._rows = {cgroup: row for cgroup in cgroups if (row := self._row(cgroup, files, names)) is not None}
        rows = self._rows.values()
        # a device that no cgroup has any more is forgotten: its number may come back under another name
        self._devices = {number: device for row in rows for number, device in row.devices.items()}
        for number in names.unknown:
            del self._devices[number]
        yield USAGE.family([sample for row in rows for sample in row.usage])
        samples: dict[str, list[Sample]] = {name: [] for name in METRICS}
        for row in rows:
            for name, of_row in row.samples.items():
                samples[name] += of_row
        self._add_mounted((cgroup for cgroup in cgroups if cgroup.place.kind is Kind.ROOT), samples)
        for name, metric in METRICS.items():
            yield metric.family(samples[name])

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

    def _add_mounted(self, roots: Iterable[Cgroup], samples: dict[str, list[Sample]]) -> None:
        """The machine's mounted disks, where the root cgroup itself does not tell of them."""
        for root in roots:
            row = self._rows.get(root)
            told = {(name, labels) for name, of in row.samples.items() for labels, _ in of} if row is not None else ()
            for device, values in self._disks.mounted().items():
                key = (*root.labels, device)
                for name, value in values.items():
                    if (name, key) not in told:
                        samples[name].append((key, value))
