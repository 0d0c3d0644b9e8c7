"""btrfs: space by kind of data and layout, commits, and the devices, from /sys/fs/btrfs and by ioctl.

Files: fs/btrfs/sysfs.c of the kernel, https://btrfs.readthedocs.io/en/latest/btrfs-man5.html. Errors and use of the
devices are told by ioctl only, at any mount point of the file system; where that can't be asked, the sizes of the
devices come from /sys. A number that this kernel does not have counts as 0, as node_exporter has it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from exporters.calls import BtrfsDevice
from exporters.collector import Family, Labels, Malformed, Metric, counter, gauge
from exporters.host import READ_RIGHT, Host, Unreadable
from exporters.readers.mounts import MountTable
from exporters.readers.numbers import natural
from exporters.readers.sysfs import Attributes, Gathered, Known, listed

FOLDER = "fs/btrfs"

INFO = gauge("node_btrfs_info", "A mounted file system and its label.", "uuid", "label")
RESERVE = gauge("node_btrfs_global_rsv_size_bytes", "Size of the global reserve.", "uuid")
RESERVED = gauge("node_btrfs_reserved_bytes", "Space reserved for a kind of data.", "uuid", "block_group_type")
_LAYOUT = ("uuid", "block_group_type", "mode")
USED = gauge("node_btrfs_used_bytes", "Space that a kind of data uses in a layout.", *_LAYOUT)
SIZE = gauge("node_btrfs_size_bytes", "Space allocated for a kind of data in a layout.", *_LAYOUT)
RATIO = gauge("node_btrfs_allocation_ratio", "Bytes on devices for each byte of data.", *_LAYOUT)
COMMITS: dict[str, tuple[Metric, int]] = {
    "commits": (counter("node_btrfs_commits_total", "Commits.", "uuid"), 1),
    "last_commit_ms": (gauge("node_btrfs_last_commit_seconds", "Duration of the last commit.", "uuid"), 1000),
    "max_commit_ms": (gauge("node_btrfs_max_commit_seconds", "Duration of the longest commit.", "uuid"), 1000),
    "total_commit_ms": (counter("node_btrfs_commit_seconds_total", "Duration of all commits.", "uuid"), 1000),
}
_SIZE_HELP = "Size of a device of the file system."
_DEVICE = ("uuid", "device", "btrfs_dev_uuid")
DEVICE_SIZE = gauge("node_btrfs_device_size_bytes", _SIZE_HELP, *_DEVICE)
DEVICE_SIZE_FROM_SYS = gauge("node_btrfs_device_size_bytes", _SIZE_HELP, "uuid", "device")
UNUSED = gauge("node_btrfs_device_unused_bytes", "Space of a device that is not allocated.", *_DEVICE)
ERRORS = counter("node_btrfs_device_errors_total", "Errors of a device.", "uuid", "type", *_DEVICE[1:])
ERROR_TYPES = ("write", "read", "flush", "corruption", "generation")

KINDS = ("data", "metadata", "system")
RATIOS = {"single": 1, "raid0": 1, "dup": 2, "raid1": 2, "raid10": 2, "raid1c3": 3, "raid1c4": 4}
PARITIES = {"raid5": 1, "raid6": 2}
_SECTOR = 512


class Btrfs:
    """Reads all mounted file systems; without any there is nothing to publish, and no mount is looked at."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._mounted = Known(lambda name: Attributes(host.sys, f"{FOLDER}/{name}"))
        self._mounts = MountTable(host)

    def collect(self, now: float) -> Iterator[Family]:
        mounted = self._mounted.of(name for name in listed(self._host.sys, FOLDER) if "-" in name)
        asked = self._ask(mounted)
        gathered = Gathered()
        used: set[str] = set()
        for name, attributes in mounted.items():
            uuid = attributes.text("metadata_uuid") or name
            if uuid in used:
                uuid = name  # a clone that was given a UUID of its own shares that of the metadata
            used.add(uuid)
            devices = listed(self._host.sys, f"{attributes.folder}/devices")
            self._space(uuid, attributes, len(devices), gathered)
            if name in asked:
                _devices(uuid, asked[name], gathered)
            else:
                _devices_from_sys(uuid, attributes, devices, gathered, with_uuid=bool(asked))
        yield from gathered.families()

    def _space(self, uuid: str, attributes: Attributes, devices: int, gathered: Gathered) -> None:
        gathered.add(INFO, (uuid, attributes.text("label") or ""))
        _number(gathered, RESERVE, (uuid,), attributes, "allocation/global_rsv_size")
        _commits(uuid, attributes, gathered)
        for kind in KINDS:
            _number(gathered, RESERVED, (uuid, kind), attributes, f"allocation/{kind}/bytes_reserved")
            layouts = self._host.sys.folders(f"{attributes.folder}/allocation/{kind}")
            for layout in [] if isinstance(layouts, Unreadable) else layouts:
                labels = (uuid, kind, layout)
                _number(gathered, USED, labels, attributes, f"allocation/{kind}/{layout}/used_bytes")
                _number(gathered, SIZE, labels, attributes, f"allocation/{kind}/{layout}/total_bytes")
                gathered.add(RATIO, labels, ratio(layout, devices))

    def _ask(self, wanted: Iterable[str]) -> Mapping[str, Sequence[BtrfsDevice]]:
        """The devices of each file system that could be asked at one of its mount points."""
        missing = set(wanted)
        found: dict[str, Sequence[BtrfsDevice]] = {}
        for mount in self._mounts.current() if missing else ():
            if mount.fstype == "btrfs" and missing:
                path = self._host.root.path(mount.mountpoint.lstrip("/"))
                try:
                    uuid, devices = self._host.calls.btrfs(path)
                except PermissionError:
                    self._host.deny(path, READ_RIGHT)
                except OSError:
                    pass  # it was unmounted a moment ago, or is not to be seen from here
                else:
                    missing.discard(uuid)
                    found[uuid] = devices
        return found


def ratio(layout: str, devices: int) -> float:
    """How many bytes on devices a byte of data takes; 0 for a layout that is not known."""
    if layout in PARITIES and devices > PARITIES[layout]:
        return devices / (devices - PARITIES[layout])
    return RATIOS.get(layout, 0)


def _number(gathered: Gathered, metric: Metric, labels: Labels, attributes: Attributes, name: str) -> None:
    gathered.add(metric, labels, attributes.count(name) or 0)


def _commits(uuid: str, attributes: Attributes, gathered: Gathered) -> None:
    file = attributes.file("commit_stats")
    content = file.read_record()
    values = dict.fromkeys(COMMITS, 0)
    for number, line in enumerate([] if isinstance(content, Unreadable) else content.decode("latin-1").splitlines(), 1):
        try:
            name, value = line.split()
            values[name] = natural(value)
        except ValueError:
            gathered.fail(Malformed(file.path, number, "a name and a whole number", line))
    for name, (metric, divisor) in COMMITS.items():
        gathered.add(metric, (uuid,), values[name] / divisor)


def _devices(uuid: str, devices: Sequence[BtrfsDevice], gathered: Gathered) -> None:
    for device in devices:
        labels = (uuid, device.name, device.uuid)
        gathered.add(DEVICE_SIZE, labels, device.size)
        gathered.add(UNUSED, labels, device.size - device.used)
        for kind, errors in zip(ERROR_TYPES, device.errors, strict=True):
            gathered.add(ERRORS, (uuid, kind, *labels[1:]), errors)


def _devices_from_sys(
    uuid: str, attributes: Attributes, devices: list[str], gathered: Gathered, *, with_uuid: bool
) -> None:
    """Without the device's UUID; its label is empty where other file systems have one, as a metric has one set."""
    for device in devices:
        sectors = attributes.count(f"devices/{device}/size") or 0
        if with_uuid:
            gathered.add(DEVICE_SIZE, (uuid, device, ""), sectors * _SECTOR)
        else:
            gathered.add(DEVICE_SIZE_FROM_SYS, (uuid, device), sectors * _SECTOR)
