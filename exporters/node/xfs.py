"""What each mounted XFS file system did, from /sys/fs/xfs/<device>/stats/stats.

A line is a name and its counters, of 32 bits each: fs/xfs/xfs_stats.c of the kernel,
https://xfs.org/index.php/Runtime_Stats. Kernels before 4.4 count for all file systems together, and have no such file.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, counter, required
from exporters.host import Host, Unreadable
from exporters.readers.numbers import natural
from exporters.readers.sysfs import Attributes, Gathered, Known, listed

ALL_TOGETHER = frozenset({"debug", "stats"})
"""The folders beside those of devices."""

FOLDER = "fs/xfs"

BTREE = (
    ("lookups", "Look-ups in the B-tree of {}."),
    ("compares", "Compared records in the B-tree of {}."),
    ("records_inserted", "Records put into the B-tree of {}."),
    ("records_deleted", "Records taken from the B-tree of {}."),
)


def _btree(prefix: str, what: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{prefix}_{name}", help.format(what)) for name, help in BTREE)


LINES: dict[str, tuple[tuple[str, str], ...]] = {
    "extent_alloc": (
        ("extent_allocation_extents_allocated", "Extents that were allocated."),
        ("extent_allocation_blocks_allocated", "Blocks that were allocated."),
        ("extent_allocation_extents_freed", "Extents that were freed."),
        ("extent_allocation_blocks_freed", "Blocks that were freed."),
    ),
    "abt": _btree("allocation_btree", "free space"),
    "blk_map": (
        ("block_mapping_reads", "Block maps read in order to read."),
        ("block_mapping_writes", "Block maps read in order to write."),
        ("block_mapping_unmaps", "Blocks unmapped, as by removal."),
        ("block_mapping_extent_list_insertions", "Extents put into the lists of files."),
        ("block_mapping_extent_list_deletions", "Extents taken from the lists of files."),
        ("block_mapping_extent_list_lookups", "Look-ups in the lists of extents."),
        ("block_mapping_extent_list_compares", "Compared extents in the lists of extents."),
    ),
    "bmbt": _btree("block_map_btree", "block maps"),
    "dir": (
        ("directory_operation_lookup", "File names looked up on the device, as no cache had them."),
        ("directory_operation_create", "Directory entries made."),
        ("directory_operation_remove", "Directory entries removed."),
        ("directory_operation_getdents", "Reads of directories."),
    ),
    "ig": (
        ("inode_operation_attempts", "Inodes looked for in the inode cache."),
        ("inode_operation_found", "Inodes found in the inode cache."),
        ("inode_operation_recycled", "Inodes found in the cache that were just being recycled."),
        ("inode_operation_missed", "Inodes that the cache did not have."),
        ("inode_operation_duplicates", "Inodes that another process had cached by the time they were read."),
        ("inode_operation_reclaims", "Inodes dropped from the cache for memory."),
        ("inode_operation_attribute_changes", "Changes of inodes' attributes."),
    ),
    "rw": (
        ("write_calls", "Calls of write(2) on files."),
        ("read_calls", "Calls of read(2) on files."),
    ),
    "vnodes": (
        ("vnode_active", "Vnodes in use."),
        ("vnode_allocate", "Vnodes allocated."),
        ("vnode_get", "Vnodes got."),
        ("vnode_hold", "Vnodes held."),
        ("vnode_release", "Vnodes released."),
        ("vnode_reclaim", "Vnodes reclaimed."),
        ("vnode_remove", "Vnodes removed."),
    ),
}
METRICS: dict[str, tuple[Metric, ...]] = {
    line: tuple(counter(f"node_xfs_{name}_total", help, "device") for name, help in columns)
    for line, columns in LINES.items()
}


class Xfs:
    """Reads one file a mounted file system; without any there is nothing to publish."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._devices = Known(lambda name: Attributes(host.sys, f"{FOLDER}/{name}/stats"))

    def collect(self, now: float) -> Iterator[Family]:
        found = [name for name in listed(self._sys, FOLDER) if name not in ALL_TOGETHER]
        gathered = Gathered()
        for device, attributes in self._devices.of(found).items():
            file = attributes.file("stats")
            content = file.read_record()
            if isinstance(content, Unreadable):
                continue  # it was unmounted a moment ago
            try:
                for metric, value in parse(required(content), file.path).items():
                    gathered.add(metric, (device,), value)
            except Malformed as problem:
                gathered.fail(problem)
        yield from gathered.families()


def parse(text: str, path: str) -> dict[Metric, int]:
    """The counters of a file that are published. Raises Malformed."""
    values: dict[Metric, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, *words = line.split() or [""]
        if (metrics := METRICS.get(name)) is None:
            continue
        try:
            numbers = [natural(word) for word in words]
        except ValueError as error:
            raise Malformed(path, number, "whole numbers after the line's name", line) from error
        if len(numbers) < len(metrics):
            raise Malformed(path, number, f"{len(metrics)} numbers after {name}", line)
        values.update(zip(metrics, numbers, strict=False))
    return values
