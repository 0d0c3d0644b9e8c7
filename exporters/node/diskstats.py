"""Work of each block device, from /proc/diskstats; what it is, from udev's database and /sys/block.

Columns: Documentation/admin-guide/iostats.rst of the kernel. A sector there is 512 bytes on every device.
Kernels before 4.18 have 11 columns, before 5.5 15, later 17; what is not there is not published.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Labels, Malformed, Metric, Sample, counter, gauge, optional, required
from exporters.host import Host, Tree, Unreadable
from exporters.options import NameFilter, Pattern, either, option
from exporters.readers.sysfs import count

DEFAULT_EXCLUDE = re.compile(r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$")

FILESYSTEM_KEYS = ("ID_FS_TYPE", "ID_FS_USAGE", "ID_FS_UUID", "ID_FS_VERSION")
MAPPER_KEYS = ("DM_NAME", "DM_UUID", "DM_VG_NAME", "DM_LV_NAME", "DM_LV_LAYER")

_SECTOR = 512
_MILLISECOND = 0.001
_BEYOND = 1 << 64


def _counter(name: str, help: str) -> Metric:
    return counter(f"node_disk_{name}_total", help, "device")


COLUMNS: tuple[tuple[Metric, float], ...] = (
    (_counter("reads_completed", "The total number of reads completed successfully."), 1),
    (_counter("reads_merged", "The total number of reads merged."), 1),
    (_counter("read_bytes", "The total number of bytes read successfully."), _SECTOR),
    (_counter("read_time_seconds", "The total number of seconds spent by all reads."), _MILLISECOND),
    (_counter("writes_completed", "The total number of writes completed successfully."), 1),
    (_counter("writes_merged", "The number of writes merged."), 1),
    (_counter("written_bytes", "The total number of bytes written successfully."), _SECTOR),
    (_counter("write_time_seconds", "This is the total number of seconds spent by all writes."), _MILLISECOND),
    (gauge("node_disk_io_now", "The number of I/Os currently in progress.", "device"), 1),
    (_counter("io_time_seconds", "Total seconds spent doing I/Os."), _MILLISECOND),
    (_counter("io_time_weighted_seconds", "The weighted # of seconds spent doing I/Os."), _MILLISECOND),
    (_counter("discards_completed", "The total number of discards completed successfully."), 1),
    (_counter("discards_merged", "The total number of discards merged."), 1),
    (_counter("discarded_sectors", "The total number of sectors discarded successfully."), 1),
    (_counter("discard_time_seconds", "This is the total number of seconds spent by all discards."), _MILLISECOND),
    (_counter("flush_requests", "The total number of flush requests completed successfully"), 1),
    (_counter("flush_requests_time_seconds", "Total number of seconds spent by all flush requests."), _MILLISECOND),
)
OLDEST_COLUMNS = 11

INFO = gauge(
    "node_disk_info",
    "Info of /sys/block/<block_device>.",
    *("device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational"),
)
FILESYSTEM_INFO = gauge(
    "node_disk_filesystem_info", "Info about disk filesystem.", "device", "type", "usage", "uuid", "version"
)
DEVICE_MAPPER_INFO = gauge(
    "node_disk_device_mapper_info",
    "Info about disk device mapper.",
    *("device", "name", "uuid", "vg_name", "lv_name", "lv_layer"),
)
ATA: dict[str, Metric] = {
    "ID_ATA_WRITE_CACHE": gauge("node_disk_ata_write_cache", "ATA disk has a write cache.", "device"),
    "ID_ATA_WRITE_CACHE_ENABLED": gauge(
        "node_disk_ata_write_cache_enabled", "ATA disk has its write cache enabled.", "device"
    ),
    "ID_ATA_ROTATION_RATE_RPM": gauge(
        "node_disk_ata_rotation_rate_rpm", "ATA disk rotation rate in RPMs (0 for SSDs).", "device"
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices are published."""

    device_exclude: Pattern | None = option(DEFAULT_EXCLUDE, "Devices to leave out.")
    device_include: Pattern | None = option(None, "Devices to publish, and no others.")

    def __post_init__(self) -> None:
        _ = self.devices

    @property
    def devices(self) -> NameFilter:
        """The filter of devices. Raises ValueError."""
        return either(self.device_include, self.device_exclude, DEFAULT_EXCLUDE, "device")


class Udev:
    """What udev's database says of a device. It writes a new file and renames it, so a file that is the same is not
    read again.
    """

    def __init__(self, tree: Tree, number: str) -> None:
        self._tree = tree
        self._name = f"b{number}"
        self._version: tuple[int, ...] = ()
        self._properties: dict[str, str] = {}

    def properties(self) -> dict[str, str]:
        """The device's properties; the same object as long as they are the same."""
        status = self._tree.status(self._name)
        version = () if isinstance(status, Unreadable) else (status.st_ino, status.st_mtime_ns, status.st_size)
        if version != self._version:
            self._version = version
            self._properties = properties(optional(self._tree.read(self._name)))
        return self._properties


class _Disk:
    """What is kept of a device as long as it is there and has the same number."""

    __slots__ = ("_known", "_rotational", "_udev", "ata", "filesystem", "info", "labels", "mapper", "number")

    def __init__(self, host: Host, device: str, number: str) -> None:
        self.labels: Labels = (device,)
        self.number = number
        self._udev = Udev(host.udev, number)
        folder = device.replace("/", "!")  # /sys can't have a slash in a name: cciss/c0d0 is cciss!c0d0
        self._rotational = host.sys.keep(f"block/{folder}/queue/rotational")
        self._known: tuple[dict[str, str], str] = ({}, "")
        self.info: Labels = ()
        self.filesystem: Labels = ()
        self.mapper: Labels = ()
        self.ata: list[tuple[Metric, float]] = []

    def refresh(self, *, has_udev: bool) -> None:
        """Make the labels anew if what they say has changed."""
        udev = self._udev.properties() if has_udev else {}
        rotational = "1" if optional(self._rotational.read_record()) == "1" else "0"
        if self.info and udev is self._known[0] and rotational == self._known[1]:
            return
        self._known = (udev, rotational)
        self.info = _info(self.labels[0], self.number, udev, rotational)
        self.filesystem = _labels(self.labels, udev, FILESYSTEM_KEYS)
        self.mapper = _labels(self.labels, udev, MAPPER_KEYS)
        self.ata = list(_ata(udev)) if udev.get("ID_ATA") else []

    def close(self) -> None:
        self._rotational.close()


class DiskStats:
    """Publishes whole disks, not their partitions, unless the options say otherwise."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._file = host.proc.keep("diskstats")
        self._host = host
        self._filter = (options if options is not None else Options()).devices
        self._has_udev = not isinstance(host.udev.status(""), Unreadable)
        self._disks: dict[str, _Disk] = {}

    def collect(self, now: float) -> Iterator[Family]:
        values = self._parse(required(self._file.read()))
        disks = self._current({device: number for device, (number, _) in values.items()})
        rows = [(disk.labels, values[device][1]) for device, disk in disks.items()]
        for column, (metric, unit) in enumerate(COLUMNS):
            # a counter can't be below zero; what the kernel has in flight was so on some old ones
            signed = metric.kind != "counter"
            yield metric.family(
                [
                    (labels, row[column] * unit)
                    for labels, row in rows
                    if column < len(row) and (row[column] >= 0 or signed)
                ]
            )
        ata: dict[Metric, list[Sample]] = {metric: [] for metric in ATA.values()}
        for disk in disks.values():
            disk.refresh(has_udev=self._has_udev)
            for metric, value in disk.ata:
                ata[metric].append((disk.labels, value))
        yield INFO.family([(disk.info, 1) for disk in disks.values()])
        yield FILESYSTEM_INFO.family([(disk.filesystem, 1) for disk in disks.values() if disk.filesystem])
        yield DEVICE_MAPPER_INFO.family([(disk.mapper, 1) for disk in disks.values() if disk.mapper])
        for metric, samples in ata.items():
            yield metric.family(samples)

    def _parse(self, text: str) -> dict[str, tuple[str, list[int]]]:
        """Number and values of each device that is published."""
        found: dict[str, tuple[str, list[int]]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            try:
                major, minor, device, rest = line.split(None, 3)
                if not self._filter.keeps(device):
                    continue
                values = wholes(rest)
            except ValueError as error:
                raise Malformed(self._file.path, number, "major, minor, device and numbers", line) from error
            if len(values) < OLDEST_COLUMNS:
                raise Malformed(self._file.path, number, f"{OLDEST_COLUMNS} numbers after the device", line)
            found[device] = (f"{major}:{minor}", values)
        return found

    def _current(self, numbers: dict[str, str]) -> dict[str, _Disk]:
        """What is kept of the devices that there are; a name with another number is another device."""
        kept = self._disks
        now = {
            device: kept[device]
            if device in kept and kept[device].number == number
            else _Disk(self._host, device, number)
            for device, number in numbers.items()
        }
        for device, disk in kept.items():
            if now.get(device) is not disk:
                disk.close()
        self._disks = now
        return now


def wholes(text: str) -> list[int]:
    """Numbers with spaces between them. Raises ValueError, also for one that 64 bits can't hold."""
    values = list(map(int, text.split()))
    if values and not -_BEYOND < min(values) <= max(values) < _BEYOND:
        raise ValueError("a number of more than 64 bits")
    return values


def properties(text: str) -> dict[str, str]:
    """The device properties of a file of udev's database: lines `E:NAME=value`."""
    pairs = (line[2:].partition("=") for line in text.splitlines() if line.startswith("E:"))
    return {name: value for name, equals, value in pairs if equals}


def _info(device: str, number: str, udev: dict[str, str], rotational: str) -> Labels:
    get = udev.get
    serial = get("SCSI_IDENT_SERIAL") or get("ID_SERIAL_SHORT") or get("ID_SERIAL", "")
    major, _, minor = number.partition(":")
    described = (get("ID_PATH", ""), get("ID_WWN", ""), get("ID_MODEL", ""), serial, get("ID_REVISION", ""))
    return (device, major, minor, *described, rotational)


def _labels(labels: Labels, udev: dict[str, str], keys: tuple[str, ...]) -> Labels:
    """The properties after the device; nothing if it does not have the first of them."""
    return (*labels, *(udev.get(key, "") for key in keys)) if udev.get(keys[0]) else ()


def _ata(udev: dict[str, str]) -> Iterator[tuple[Metric, float]]:
    for key, metric in ATA.items():
        value = count(udev.get(key, "").encode())
        if value is not None:
            yield metric, value
