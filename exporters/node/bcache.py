"""Block caches: how full each is, how often it hits, what it holds that is not written back; from /sys/fs/bcache.

Files: Documentation/admin-guide/bcache.rst of the kernel. Sizes stand there as `bch_hprint` in drivers/md/bcache/util.c
writes them, `1.5k` or `2M`; its digit after the point is read as node_exporter reads it, or values would jump when one
takes the other's place. For the same reason a file that this kernel does not have counts as 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Labels, Malformed, Metric, counter, gauge, whole
from exporters.host import Host, KeptFile, Unreadable
from exporters.options import option
from exporters.readers.sysfs import Attributes, Gathered, Known, listed

FOLDER = "fs/bcache"
WRITEBACK = "writeback_rate_debug"
TOTALS = "stats_total"


def _gauge(name: str, help: str, *labels: str) -> Metric:
    return gauge(f"node_bcache_{name}", help, "uuid", *labels)


def _counter(name: str, help: str, *labels: str) -> Metric:
    return counter(f"node_bcache_{name}_total", help, "uuid", *labels)


OF_CACHE_SET: dict[str, tuple[Metric, float]] = {
    "average_key_size": (_gauge("average_key_size_sectors", "Average data of a key of the B-tree, in sectors."), 1),
    "btree_cache_size": (_gauge("btree_cache_size_bytes", "Memory that the cached B-tree takes."), 1),
    "cache_available_percent": (_gauge("cache_available_percent", "Share of the cache that holds no dirty data."), 1),
    "congested": (_gauge("congested", "How congested the cache is."), 1),
    "root_usage_percent": (_gauge("root_usage_percent", "Share of the B-tree's root that is in use."), 1),
    "tree_depth": (_gauge("tree_depth", "Levels of the B-tree."), 1),
    "internal/active_journal_entries": (_gauge("active_journal_entries", "Journal entries newer than the index."), 1),
    "internal/btree_nodes": (_gauge("btree_nodes", "Nodes of the B-tree."), 1),
    "internal/btree_read_average_duration_us": (
        # the file holds microseconds; node_exporter takes them for nanoseconds, and so do those who compare with it
        _gauge("btree_read_average_duration_seconds", "Thousandth part of the average time of reading a node."),
        1e-9,
    ),
    "internal/cache_read_races": (_counter("cache_read_races", "Buckets that were reused while they were read."), 1),
}
DIRTY = _gauge("dirty_data_bytes", "Data of the device that the cache has not written back.", "backing_device")
OF_WRITEBACK: dict[str, Metric] = {
    "target": _gauge("dirty_target_bytes", "Dirty data that the cache aims at for the device.", "backing_device"),
    "rate": _gauge("writeback_rate", "Bytes a second that are written back to the device.", "backing_device"),
    "proportional": _gauge(
        "writeback_rate_proportional_term", "Proportional part of the write-back rate.", "backing_device"
    ),
    "integral": _gauge("writeback_rate_integral_term", "Integral part of the write-back rate.", "backing_device"),
    "change": _gauge("writeback_change", "Last change of the write-back rate.", "backing_device"),
}
SIGNED = frozenset({"proportional", "integral", "change"})
OF_BACKING_DEVICE: dict[str, Metric] = {
    "bypassed": _counter("bypassed_bytes", "Bytes read and written past the cache.", "backing_device"),
    "cache_hits": _counter("cache_hits", "Requests that the cache served.", "backing_device"),
    "cache_misses": _counter("cache_misses", "Requests that the cache could not serve.", "backing_device"),
    "cache_bypass_hits": _counter("cache_bypass_hits", "Hits of requests meant to skip it.", "backing_device"),
    "cache_bypass_misses": _counter("cache_bypass_misses", "Misses of requests meant to skip it.", "backing_device"),
    "cache_miss_collisions": _counter(
        "cache_miss_collisions", "Misses whose data a write had cached by the time they were read.", "backing_device"
    ),
    "cache_readaheads": _counter("cache_readaheads", "Reads ahead.", "backing_device"),
}
ONLY_IF_ANY = "cache_readaheads"
"""Later kernels don't have it, so it is published only where there was one."""
OF_CACHE_DEVICE: dict[str, Metric] = {
    "io_errors": _gauge("io_errors", "Recent errors, which are forgotten by and by.", "cache_device"),
    "metadata_written": _counter("metadata_written_bytes", "Bytes written that are not data.", "cache_device"),
    "written": _counter("written_bytes", "Bytes of data written to the cache.", "cache_device"),
}
OF_PRIORITY: dict[str, Metric] = {
    "Unused": _gauge("priority_stats_unused_percent", "Share of the cache that holds nothing.", "cache_device"),
    "Metadata": _gauge("priority_stats_metadata_percent", "Share of the cache that metadata takes.", "cache_device"),
}
_UNITS = {unit: 1024**power for power, unit in enumerate("kMGTPEZY", 1)}


@dataclass(frozen=True, slots=True)
class Options:
    """What is published besides."""

    priority_stats: bool = option(
        False, "Publish priority statistics, which are expensive to read.", flag="collector.bcache.priorityStats"
    )


class Bcache:
    """Reads all cache sets; without any there is nothing to publish."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._sys = host.sys
        self._sets = Known(lambda name: Attributes(host.sys, f"{FOLDER}/{name}"))
        self._priority_stats = options is not None and options.priority_stats

    def collect(self, now: float) -> Iterator[Family]:
        gathered = Gathered()
        for uuid, attributes in self._sets.of(name for name in listed(self._sys, FOLDER) if "-" in name).items():
            whole_set = _Part(gathered, attributes, (uuid,), "")
            for name, (metric, unit) in OF_CACHE_SET.items():
                whole_set.add(metric, name, unit)
            for device in listed(self._sys, attributes.folder):
                part = _Part(gathered, attributes, (uuid, device), f"{device}/")
                if device[:4] == "bdev" and device[4:5].isdigit():
                    _backing_device(part)
                elif device[:5] == "cache" and device[5:6].isdigit():
                    self._cache_device(part)
        yield from gathered.families()

    def _cache_device(self, part: "_Part") -> None:
        for name, metric in OF_CACHE_DEVICE.items():
            part.add(metric, name)
        fields = _fields(part.file("priority_stats").read_record()) if self._priority_stats else {}
        for name, metric in OF_PRIORITY.items():
            if name in fields:
                part.add_size(metric, fields[name].removesuffix("%"), "priority_stats")


def _backing_device(part: "_Part") -> None:
    part.add(DIRTY, "dirty_data")
    fields = _fields(part.file(WRITEBACK).read_record())
    for name, metric in OF_WRITEBACK.items():
        if name in fields:
            part.add_size(metric, fields[name].removesuffix("/sec"), WRITEBACK, signed=name in SIGNED)
    for name, metric in OF_BACKING_DEVICE.items():
        if name != ONLY_IF_ANY or _any(part.file(f"{TOTALS}/{name}")):
            part.add(metric, f"{TOTALS}/{name}")


def _any(file: KeptFile) -> bool:
    content = file.read_record()
    return not isinstance(content, Unreadable) and content.strip() != b"0"


class _Part:
    """A cache set or one device of it, and the labels of its samples."""

    def __init__(self, gathered: Gathered, attributes: Attributes, labels: Labels, prefix: str) -> None:
        self._gathered = gathered
        self._attributes = attributes
        self._labels = labels
        self._prefix = prefix

    def file(self, name: str) -> KeptFile:
        return self._attributes.file(f"{self._prefix}{name}")

    def add(self, metric: Metric, name: str, unit: float = 1) -> None:
        """The size in a file, times `unit`."""
        content = self.file(name).read_record()
        if isinstance(content, Unreadable):
            self._gathered.add(metric, self._labels, 0)
        else:
            self.add_size(metric, content.decode(errors="replace").strip(), name, unit)

    def add_size(self, metric: Metric, word: str, name: str, unit: float = 1, *, signed: bool = False) -> None:
        """A size that was read from a file."""
        sign = -1 if signed and word.startswith("-") else 1
        try:
            value = size(word[1:] if sign < 0 else word)
        except ValueError:
            self._gathered.fail(Malformed(self.file(name).path, 1, "a number, or one such as 1.5k", word))
        else:
            self._gathered.add(metric, self._labels, sign * value * unit)


def size(word: str) -> int:
    """The bytes of `1.5k`, or a number without unit. Raises ValueError."""
    factor = _UNITS.get(word[-1:], 1)
    whole_part, point, fraction = (word[:-1] if factor > 1 else word).partition(".")
    value = whole(whole_part) + (whole(fraction) / 10.24 if point else 0)
    if value < 0:
        raise ValueError(f"a negative size: {word}")
    return int(value * factor)


def _fields(content: bytes | Unreadable) -> dict[str, str]:
    """The last word of each line of a file of lines `name: … word`."""
    if isinstance(content, Unreadable):
        return {}
    lines = (line.partition(":") for line in content.decode(errors="replace").splitlines())
    return {name: rest.split()[-1] for name, _, rest in lines if rest.strip()}
