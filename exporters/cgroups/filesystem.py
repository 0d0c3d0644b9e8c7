"""Sizes of the machine's local file systems, as those of the root cgroup.

Which they are and what they are called is cAdvisor's choice (fs/ of its source): file systems of a disk by the device
as it stands in the mount table, once however often it is mounted; tmpfs by the place where it is mounted. Unlike
there, none is remote, none belongs to a container or pod, an overlay counts only as the root of all (elsewhere it
repeats the file system that it lies on), and mounts that came after the start are there as well.

The space that a single container uses is not measured: no kernel counts it, cAdvisor walks all files to add them up.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence

from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.collector import Family, Metric, gauge
from exporters.host import Host
from exporters.pods.cgroup_path import Kind
from exporters.readers.mounts import Mount, MountTable
from exporters.readers.probe import MountProbe

LABELS = (*BASE_LABELS, "device")

SIZES: tuple[tuple[Metric, Callable[[os.statvfs_result], int]], ...] = (
    (
        gauge(
            "container_fs_limit_bytes",
            "Number of bytes that can be consumed by the container on this filesystem.",
            *LABELS,
        ),
        lambda fs: fs.f_blocks * fs.f_frsize,
    ),
    (
        gauge(
            "container_fs_usage_bytes",
            "Number of bytes that are consumed by the container on this filesystem.",
            *LABELS,
        ),
        lambda fs: max(0, fs.f_blocks - fs.f_bfree) * fs.f_frsize,
    ),
)
INODES: tuple[tuple[Metric, Callable[[os.statvfs_result], int]], ...] = (
    (gauge("container_fs_inodes_total", "Number of Inodes", *LABELS), lambda fs: fs.f_files),
    (gauge("container_fs_inodes_free", "Number of available Inodes", *LABELS), lambda fs: fs.f_ffree),
)
"""Of file systems that have a fixed number of them: of others, such as btrfs, it would be 0."""

_ON_DISK = re.compile(
    r"ext.*|xfs|btrfs|zfs|squashfs|f2fs|jfs|reiserfs|hfs|hfsplus|ntfs|vfat|fat|msdos|exfat|udf|iso9660"
)
_OF_A_CONTAINER = re.compile(r"/[0-9a-f]{64}(?:/|$)|/pods/[^/]+/volumes/|^/run/credentials/")


class FilesystemCollector:
    """Reads the mount table at each scrape, and asks each file system. One that hangs is left out."""

    def __init__(self, inventory: Inventory, host: Host, probe: MountProbe | None = None) -> None:
        self._inventory = inventory
        self._table = MountTable(host)
        self._root = host.root
        self._probe = probe or MountProbe(host.calls.statvfs)
        self._mounts: Sequence[Mount] = ()
        self._paths: dict[str, str] = {}

    def collect(self, now: float) -> Iterator[Family]:
        roots = [cgroup for cgroup in self._inventory.current(now) if cgroup.place.kind is Kind.ROOT]
        paths = self._current()
        answers = self._probe.ask(list(paths.values()))
        well = [
            ((*root.labels, device), answer)
            for root in roots
            for device, path in paths.items()
            if not isinstance(answer := answers[path], OSError)
        ]
        for metric, value in SIZES:
            yield metric.family([(labels, value(fs)) for labels, fs in well])
        for metric, value in INODES:
            yield metric.family([(labels, value(fs)) for labels, fs in well if fs.f_files > 0])

    def _current(self) -> dict[str, str]:
        """Where to ask for each file system."""
        mounts = self._table.current()
        if mounts is not self._mounts:
            self._mounts = mounts
            self._paths = {
                device: self._root.path(mount.mountpoint.lstrip("/")) for device, mount in local(mounts).items()
            }
        return self._paths


def local(mounts: Sequence[Mount]) -> dict[str, Mount]:
    """The local file systems by cAdvisor's names for them, each with one of its mounts."""
    found: dict[str, Mount] = {}
    # of several at one place the last hides the others, and what it hides can't be asked
    for mount in {mount.mountpoint: mount for mount in mounts}.values():
        at_root = mount.mountpoint == "/"
        if mount.fstype == "tmpfs" and not _OF_A_CONTAINER.search(mount.mountpoint):
            found.setdefault(mount.mountpoint, mount)
        elif at_root and (mount.fstype == "overlay" or _ON_DISK.fullmatch(mount.fstype)):
            found[mount.device] = mount
        elif _ON_DISK.fullmatch(mount.fstype) and not (
            mount.fstype == "zfs" and _OF_A_CONTAINER.search(mount.mountpoint)
        ):
            found.setdefault(mount.device, mount)
    return found
