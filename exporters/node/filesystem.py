"""Sizes of mounted file systems, from the mount table of process 1 and statvfs.

A file system that hangs delays the scrape by the probe's patience, once; it shows as
`node_filesystem_device_error 1` with the reason as a label, until it answers again.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from exporters.collector import Family, Labels, gauge, required
from exporters.host import Host, Unreadable
from exporters.node.mounts import Mount, parse_mounts
from exporters.node.probe import Answer, MountProbe
from exporters.options import NameFilter, Pattern, either, option

LABELS = ("device", "mountpoint", "fstype", "device_error")

SIZES: tuple[tuple[str, str, Callable[[os.statvfs_result], int]], ...] = (
    ("size_bytes", "Filesystem size in bytes.", lambda fs: fs.f_blocks * fs.f_frsize),
    ("free_bytes", "Filesystem free space in bytes.", lambda fs: fs.f_bfree * fs.f_frsize),
    ("avail_bytes", "Filesystem space available to non-root users in bytes.", lambda fs: fs.f_bavail * fs.f_frsize),
    ("files", "Filesystem total file nodes.", lambda fs: fs.f_files),
    ("files_free", "Filesystem total free file nodes.", lambda fs: fs.f_ffree),
)
METRICS = tuple((gauge(f"node_filesystem_{name}", help, *LABELS), value) for name, help, value in SIZES)
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
    """Which mounts are published."""

    mount_points_exclude: Pattern | None = option(MOUNT_POINTS_EXCLUDE, "Mount points to leave out.")
    mount_points_include: Pattern | None = option(None, "Mount points to publish, and no others.")
    fs_types_exclude: Pattern | None = option(FS_TYPES_EXCLUDE, "Types of file systems to leave out.")
    fs_types_include: Pattern | None = option(None, "Types of file systems to publish, and no others.")

    def __post_init__(self) -> None:
        _ = self.mount_points, self.fs_types

    @property
    def mount_points(self) -> NameFilter:
        """The filter of mount points. Raises ValueError."""
        return either(self.mount_points_include, self.mount_points_exclude, MOUNT_POINTS_EXCLUDE, "mount-points")

    @property
    def fs_types(self) -> NameFilter:
        """The filter of types. Raises ValueError."""
        return either(self.fs_types_include, self.fs_types_exclude, FS_TYPES_EXCLUDE, "fs-types")


class Filesystem:
    """Reads the mount table at each scrape, and parses it only when it has changed."""

    def __init__(self, host: Host, options: Options | None = None, probe: MountProbe | None = None) -> None:
        # the mounts of process 1 are the host's; under hidepid only our own table can be read
        self._tables = (host.proc.keep("1/mountinfo"), host.proc.keep("self/mountinfo"))
        self._root = host.root
        chosen = options if options is not None else Options()
        self._mount_points, self._fs_types = chosen.mount_points, chosen.fs_types
        self._probe = probe if probe is not None else MountProbe(host.calls.statvfs)
        self._text = b""
        self._mounts: list[Mount] = []

    def collect(self, now: float) -> Iterator[Family]:
        mounts = self._current()
        paths = [self._root.path(mount.mountpoint.lstrip("/")) for mount in mounts]
        answers = self._probe.ask(paths)
        rows = [_row(mount, answers[path]) for mount, path in zip(mounts, paths, strict=True)]
        for metric, value in METRICS:
            yield metric.family([(labels, value(fs)) for labels, _, fs in rows if isinstance(fs, os.statvfs_result)])
        yield READ_ONLY.family([(labels, float(mount.read_only)) for labels, mount, _ in rows])
        yield DEVICE_ERROR.family([(labels, float(isinstance(fs, OSError))) for labels, _, fs in rows])
        yield MOUNT_INFO.family(
            [((mount.device, mount.major, mount.minor, mount.mountpoint), 1) for _, mount, _ in rows]
        )

    def _current(self) -> list[Mount]:
        """The mounts to publish, each combination of labels once."""
        content = self._tables[0].read()
        path = self._tables[0].path
        if isinstance(content, Unreadable):
            content, path = self._tables[1].read(), self._tables[1].path
        text = required(content)
        if content != self._text or not self._mounts:
            seen: dict[tuple[str, str, str], Mount] = {}
            for line in parse_mounts(text, path):
                mount = replace(line, mountpoint=_below_root(line.mountpoint, self._root.root))
                if self._mount_points.keeps(mount.mountpoint) and self._fs_types.keeps(mount.fstype):
                    seen.setdefault((mount.device, mount.mountpoint, mount.fstype), mount)
            self._mounts = list(seen.values())
            self._text = content if isinstance(content, bytes) else b""
        return self._mounts


def _below_root(mountpoint: str, root: str) -> str:
    """A mount point as the host names it: our own table has the host's mounts below `root`."""
    inside = root != "/" and (mountpoint == root or mountpoint.startswith(f"{root}/"))
    return (mountpoint.removeprefix(root) or "/") if inside else mountpoint


def _row(mount: Mount, answer: Answer) -> tuple[Labels, Mount, Answer]:
    """Labels, mount and answer; the reason of an error is part of the labels, as node_exporter has it."""
    error = str(answer.strerror or answer).lower() if isinstance(answer, OSError) else ""
    return (mount.device, mount.mountpoint, mount.fstype, error), mount, answer
