"""Sizes of mounted file systems, from the mount table of process 1 and statvfs.

A file system that hangs delays the scrape by the probe's patience, once; it shows as
`node_filesystem_device_error 1` with the reason as a label, until it answers again.

Blocks are counted in units of `f_frsize`, statvfs(3), as df does it. node_exporter takes `f_bsize`. That is the same
on most file systems, but on virtiofs and some of FUSE it is the size of a transfer, and sizes come out too large.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from exporters.collector import Family, Labels, Sample, gauge
from exporters.host import Host
from exporters.options import NameFilter, Pattern, either, option
from exporters.readers.mounts import Mount, MountTable
from exporters.readers.probe import MountProbe
from fenghuo.durations import parse_duration

LABELS = ("device", "mountpoint", "fstype", "device_error")

SIZES: tuple[tuple[str, str, Callable[[os.statvfs_result], int]], ...] = (
    ("size_bytes", "Filesystem size in bytes.", lambda fs: fs.f_blocks * fs.f_frsize),
    ("free_bytes", "Filesystem free space in bytes.", lambda fs: fs.f_bfree * fs.f_frsize),
    ("avail_bytes", "Filesystem space available to non-root users in bytes.", lambda fs: fs.f_bavail * fs.f_frsize),
    ("files", "Filesystem total file nodes.", lambda fs: fs.f_files),
    ("files_free", "Filesystem total free file nodes.", lambda fs: fs.f_ffree),
)
METRICS = tuple((gauge(f"node_filesystem_{name}", help, *LABELS), value) for name, help, value in SIZES)
PURGEABLE = gauge("node_filesystem_purgeable_bytes", "Space that macOS could free; 0 on Linux.", *LABELS)
READ_ONLY = gauge("node_filesystem_readonly", "Filesystem read-only status.", *LABELS)
DEVICE_ERROR = gauge(
    "node_filesystem_device_error",
    "Whether an error occurred while getting statistics for the given device.",
    *LABELS,
)
MOUNT_INFO = gauge(
    "node_filesystem_mount_info", "Filesystem mount information.", "device", "major", "minor", "mountpoint"
)

MOUNT_POINTS_EXCLUDE = re.compile(
    r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
)
FS_TYPES_EXCLUDE = re.compile(
    r"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs"
    r"|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$"
)


@dataclass(frozen=True, slots=True)
class Options:
    """Which mounts are published, and how long they are waited for."""

    mount_points_exclude: Pattern | None = option(MOUNT_POINTS_EXCLUDE, "Mount points to leave out.")
    mount_points_include: Pattern | None = option(None, "Mount points to publish, and no others.")
    fs_types_exclude: Pattern | None = option(FS_TYPES_EXCLUDE, "Types of file systems to leave out.")
    fs_types_include: Pattern | None = option(None, "Types of file systems to publish, and no others.")

    mount_timeout: str = option("2s", "How long a mount may take to answer; all together never more than 4s.")
    stat_workers: int = option(4, "How many mounts are asked at the same time, when some are slow.")

    def __post_init__(self) -> None:
        _ = self.mount_points, self.fs_types
        if self.patience <= 0 or self.stat_workers < 1:
            raise ValueError("mount-timeout and stat-workers must be more than 0")

    @property
    def patience(self) -> float:
        """Seconds for one mount. Raises ValueError."""
        return parse_duration(self.mount_timeout)

    @property
    def mount_points(self) -> NameFilter:
        """The filter of mount points. Raises ValueError."""
        return either(self.mount_points_include, self.mount_points_exclude, MOUNT_POINTS_EXCLUDE, "mount-points")

    @property
    def fs_types(self) -> NameFilter:
        """The filter of types. Raises ValueError."""
        return either(self.fs_types_include, self.fs_types_exclude, FS_TYPES_EXCLUDE, "fs-types")


class _Row(NamedTuple):
    """A mount to publish, where to ask for it, and its labels as long as it is well."""

    mount: Mount
    path: str
    labels: Labels
    info: Labels


class Filesystem:
    """Reads the mount table at each scrape, and asks each mount that is to be published."""

    def __init__(self, host: Host, options: Options | None = None, probe: MountProbe | None = None) -> None:
        chosen = options if options is not None else Options()
        self._table = MountTable(host)
        self._root = host.root
        self._mount_points, self._fs_types = chosen.mount_points, chosen.fs_types
        self._probe = probe or MountProbe(host.calls.statvfs, chosen.patience, at_once=chosen.stat_workers)
        self._mounts: list[Mount] = []
        self._rows: list[_Row] = []

    def collect(self, now: float) -> Iterator[Family]:
        rows = self._current()
        answers = self._probe.ask([row.path for row in rows])
        well: list[tuple[Labels, os.statvfs_result]] = []
        errors: list[Sample] = []
        read_only: list[Sample] = []
        for mount, path, usual, _ in rows:
            answer = answers[path]
            labels = (*usual[:-1], _reason(answer)) if isinstance(answer, OSError) else usual
            errors.append((labels, float(labels is not usual)))
            read_only.append((labels, float(mount.read_only)))
            if not isinstance(answer, OSError):
                well.append((labels, answer))
        for metric, value in METRICS:
            yield metric.family([(labels, value(fs)) for labels, fs in well])
        yield PURGEABLE.family([(labels, 0) for labels, _ in well])
        yield READ_ONLY.family(read_only)
        yield DEVICE_ERROR.family(errors)
        answered: dict[Labels, float] = {row.info: 1 for row in rows if not isinstance(answers[row.path], OSError)}
        yield MOUNT_INFO.family(list(answered.items()))

    def _current(self) -> list[_Row]:
        """The mounts to publish. Of several at one place the last counts, which hides the others."""
        mounts = self._table.current()
        if mounts is not self._mounts:
            rows: dict[Labels, _Row] = {}
            for mount in mounts:
                if self._mount_points.keeps(mount.mountpoint) and self._fs_types.keeps(mount.fstype):
                    labels = (mount.device, mount.mountpoint, mount.fstype, "")
                    info = (mount.device, mount.major, mount.minor, mount.mountpoint)
                    rows[labels] = _Row(mount, self._root.path(mount.mountpoint.lstrip("/")), labels, info)
            self._rows = list(rows.values())
            self._mounts = mounts
        return self._rows


def _reason(error: OSError) -> str:
    """Why a mount has no sizes; node_exporter has it as a label, in lower case."""
    return str(error.strerror or error).lower()
