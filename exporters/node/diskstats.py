"""Work of each block device, from /proc/diskstats; what it is, from udev's database and /sys/block.

Columns: Documentation/admin-guide/iostats.rst of the kernel. A sector there is 512 bytes on every device.
Kernels before 4.18 have 11 columns, before 5.5 15, later 17; what is not there is not published.
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, Sample, counter, gauge, optional, required, whole
from exporters.host import Host, Unreadable

DEFAULT_EXCLUDE = re.compile(r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$")

_SECTOR = 512
_MILLISECOND = 0.001


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


class _Disk:
    """One line of the file, and what udev says of the device."""

    __slots__ = ("device", "major", "minor", "udev", "values")

    def __init__(self, major: str, minor: str, device: str, values: list[int]) -> None:
        self.major = major
        self.minor = minor
        self.device = device
        self.values = values
        self.udev: dict[str, str] = {}


class DiskStats:
    """Publishes the devices whose names `exclude` does not match: whole disks, not their partitions."""

    def __init__(self, host: Host, exclude: re.Pattern[str] | None = DEFAULT_EXCLUDE) -> None:
        self._file = host.proc.keep("diskstats")
        self._host = host
        self._exclude = exclude
        self._has_udev = not isinstance(host.udev.status(""), Unreadable)

    def collect(self, now: float) -> Iterator[Family]:
        disks = list(self._disks(required(self._file.read())))
        for column, (metric, unit) in enumerate(COLUMNS):
            yield metric.family(
                [((disk.device,), disk.values[column] * unit) for disk in disks if column < len(disk.values)]
            )
        if self._has_udev:
            for disk in disks:
                disk.udev = properties(optional(self._host.udev.read(f"b{disk.major}:{disk.minor}")))
        yield INFO.family([(self._info(disk), 1) for disk in disks])
        yield FILESYSTEM_INFO.family([(_filesystem(disk), 1) for disk in disks if disk.udev.get("ID_FS_TYPE")])
        yield DEVICE_MAPPER_INFO.family([(_mapper(disk), 1) for disk in disks if disk.udev.get("DM_NAME")])
        for key, metric in ATA.items():
            yield metric.family(list(_ata(disks, key)))

    def _disks(self, text: str) -> Iterator[_Disk]:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                major, minor, device, *rest = line.split()
                if self._exclude is not None and self._exclude.search(device):
                    continue
                values = [whole(word) for word in rest]
            except ValueError as error:
                raise Malformed(self._file.path, number, "major, minor, device and numbers", line) from error
            if len(values) < OLDEST_COLUMNS:
                raise Malformed(self._file.path, number, f"{OLDEST_COLUMNS} numbers after the device", line)
            yield _Disk(major, minor, device, values)

    def _info(self, disk: _Disk) -> tuple[str, ...]:
        get = disk.udev.get
        serial = get("SCSI_IDENT_SERIAL") or get("ID_SERIAL_SHORT") or get("ID_SERIAL", "")
        folder = disk.device.replace("/", "!")  # /sys can't have a slash in a name: cciss/c0d0 is cciss!c0d0
        rotational = optional(self._host.sys.read(f"block/{folder}/queue/rotational")) or "0"
        return (
            *(disk.device, disk.major, disk.minor),
            *(get("ID_PATH", ""), get("ID_WWN", ""), get("ID_MODEL", "")),
            *(serial, get("ID_REVISION", ""), rotational),
        )


def properties(text: str) -> dict[str, str]:
    """The device properties of a file of udev's database: lines `E:NAME=value`."""
    pairs = (line[2:].partition("=") for line in text.splitlines() if line.startswith("E:"))
    return {name: value for name, equals, value in pairs if equals}


def _filesystem(disk: _Disk) -> tuple[str, ...]:
    return (disk.device, *(disk.udev.get(f"ID_FS_{key}", "") for key in ("TYPE", "USAGE", "UUID", "VERSION")))


def _mapper(disk: _Disk) -> tuple[str, ...]:
    keys = ("DM_NAME", "DM_UUID", "DM_VG_NAME", "DM_LV_NAME", "DM_LV_LAYER")
    return (disk.device, *(disk.udev.get(key, "") for key in keys))


def _ata(disks: list[_Disk], key: str) -> Iterator[Sample]:
    for disk in disks:
        value = disk.udev.get(key, "")
        if disk.udev.get("ID_ATA") and value.isascii() and value.isdigit():
            yield (disk.device,), int(value)
