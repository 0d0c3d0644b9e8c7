"""bcachefs: caches, compression, errors and work of each mounted file system, from /sys/fs/bcachefs/<uuid>.

Files: fs/bcachefs/sysfs.c of the kernel and https://bcachefs.org. Numbers stand there as `prt_human_readable_u64`
writes them, `2.05G`, a power of 1024. The counters are named by the files in `counters`, so that a newer kernel's are
published as well. A number that this kernel does not have counts as 0, as node_exporter has it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from exporters.collector import Family, Labels, Malformed, Metric, NoData, counter, gauge
from exporters.host import Host, Unreadable
from exporters.readers.numbers import natural
from exporters.readers.sysfs import Attributes, Gathered, Known, listed

FOLDER = "fs/bcachefs"
DEVICE = ("uuid", "device")

INFO = gauge("node_bcachefs_info", "A mounted file system.", "uuid")
CACHE = gauge("node_bcachefs_btree_cache_size_bytes", "Memory that the cached B-trees take.", "uuid")
COMPRESSED = gauge("node_bcachefs_compression_compressed_bytes", "Size of compressed data.", "uuid", "algorithm")
UNCOMPRESSED = gauge("node_bcachefs_compression_uncompressed_bytes", "Its size uncompressed.", "uuid", "algorithm")
ERRORS = counter("node_bcachefs_errors_total", "Errors found in the file system.", "uuid", "error_type")
WRITES = counter("node_bcachefs_btree_writes_total", "Writes of B-tree nodes.", "uuid", "type")
WRITE_SIZE = gauge("node_bcachefs_btree_write_average_size_bytes", "Average size of such a write.", "uuid", "type")
DEVICE_INFO = gauge("node_bcachefs_device_info", "A device of the file system.", *DEVICE, "label", "state")
BUCKET_SIZE = gauge("node_bcachefs_device_bucket_size_bytes", "Size of a bucket.", *DEVICE)
BUCKETS = gauge("node_bcachefs_device_buckets", "Buckets of the device.", *DEVICE)
DURABILITY = gauge("node_bcachefs_device_durability", "Copies that data on this device counts for.", *DEVICE)
IO = counter("node_bcachefs_device_io_done_bytes_total", "Bytes read and written.", *DEVICE, "operation", "data_type")
IO_ERRORS = counter("node_bcachefs_device_io_errors_total", "Errors of the device.", *DEVICE, "type")

FIXED = frozenset(metric.name for metric in (ERRORS, WRITES, IO, IO_ERRORS))

SINCE_CREATION = "since filesystem creation:"
_ERRORS_SINCE = "IO errors since "
_UNITS = {unit: 1024**power for power, unit in enumerate("KMGTPE", 1)}
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


class Bcachefs:
    """Reads all mounted file systems; a machine without one has no data."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._mounted = Known(lambda name: Attributes(host.sys, f"{FOLDER}/{name}"))
        self._counters: dict[str, Metric] = {}

    def collect(self, now: float) -> Iterator[Family]:
        names = self._sys.folders(FOLDER)
        if isinstance(names, Unreadable):
            raise NoData(str(names))
        if not names:
            raise NoData(f"{self._sys.path(FOLDER)}: no file system is mounted")
        gathered = Gathered()
        for uuid, attributes in self._mounted.of(names).items():
            self._file_system(_Part(gathered, attributes, (uuid,)))
        yield from gathered.families()

    def _file_system(self, part: "_Part") -> None:
        part.gathered.add(INFO, part.labels)
        part.number(CACHE, "btree_cache_size")
        for algorithm, compressed, uncompressed in part.table("compression_stats", heading=True):
            part.add(COMPRESSED, compressed, algorithm.removesuffix(":"))
            part.add(UNCOMPRESSED, uncompressed, algorithm.removesuffix(":"))
        for kind, count in part.table("errors", columns=2):
            part.add(ERRORS, count, kind)
        for kind, count, size in part.table("btree_write_stats", heading=True):
            part.add(WRITES, count, kind.removesuffix(":"))
            part.add(WRITE_SIZE, size, kind.removesuffix(":"))
        for name in listed(self._sys, f"{part.attributes.folder}/counters"):
            self._counter(part, name)
        for folder in listed(self._sys, part.attributes.folder):
            if folder.startswith("dev-"):
                self._device(part.within(folder, folder.removeprefix("dev-")))

    def _counter(self, part: "_Part", name: str) -> None:
        metric = self._counters.get(name)
        if metric is None:
            published = f"node_bcachefs_{_NO_NAME.sub('_', name)}_total"
            if published in FIXED or any(published == other.name for other in self._counters.values()):
                return
            metric = self._counters[name] = counter(published, f"Counter {name} of the file system.", "uuid")
        for line in part.lines(f"counters/{name}"):
            if line.startswith(SINCE_CREATION):
                part.add(metric, line.removeprefix(SINCE_CREATION))
                break

    def _device(self, part: "_Part") -> None:
        label, state = (part.attributes.text(f"{part.prefix}{name}") or "" for name in ("label", "state"))
        part.gathered.add(DEVICE_INFO, (*part.labels, label, state))
        for metric, name in ((BUCKET_SIZE, "bucket_size"), (BUCKETS, "nbuckets"), (DURABILITY, "durability")):
            part.number(metric, name)
        operation = ""
        for line in part.lines("io_done"):
            kind, colon, count = line.partition(":")
            if colon and not count.strip():
                operation = kind
            elif colon and operation:
                part.add(IO, count, operation, kind.strip())
        for kind, count in _errors_since_creation(part.lines("io_errors")):
            part.add(IO_ERRORS, count, kind)


class _Part:
    """A file system or one device of it: its files, and the labels of its samples, each of which is added once."""

    def __init__(self, gathered: Gathered, attributes: Attributes, labels: Labels, prefix: str = "") -> None:
        self.gathered = gathered
        self.attributes = attributes
        self.labels = labels
        self.prefix = prefix
        self._path = ""
        self._lines: list[str] = []
        self._added: set[tuple[Metric, Labels]] = set()

    def within(self, folder: str, label: str) -> "_Part":
        """The part in one of its folders."""
        return _Part(self.gathered, self.attributes, (*self.labels, label), f"{folder}/")

    def lines(self, name: str) -> list[str]:
        """The lines of a file, none if there is no such file."""
        file = self.attributes.file(f"{self.prefix}{name}")
        content = file.read_record()
        self._path = file.path
        self._lines = [] if isinstance(content, Unreadable) else content.decode(errors="replace").splitlines()
        return self._lines

    def table(self, name: str, columns: int = 3, *, heading: bool = False) -> list[list[str]]:
        """The first columns of a file of words; lines with fewer are left out."""
        rows = [line.split()[:columns] for line in self.lines(name)[int(heading) :]]
        return [row for row in rows if len(row) == columns]

    def number(self, metric: Metric, name: str) -> None:
        """The number that is all of a file; 0 if there is no such file, or nothing in it."""
        lines = self.lines(name)
        self.add(metric, lines[0] if lines else "0")

    def add(self, metric: Metric, word: str, *labels: str) -> None:
        """A sample of a number that stood in the file that was read last."""
        key = metric, (*self.labels, *labels)
        try:
            value = size(word.strip())
        except ValueError:
            line = next(number for number, line in enumerate(self._lines, 1) if word in line)
            self.gathered.fail(Malformed(self._path, line, "a number, or one such as 2.05G", word.strip()))
            return
        if key not in self._added:
            self._added.add(key)
            self.gathered.add(*key, value)


def size(word: str) -> int:
    """A number, or one of a unit: `2.05G`. Raises ValueError."""
    factor = _UNITS.get(word[-1:].upper())
    if factor is None:
        return natural(word)
    for part in word[:-1].split(".", 1):
        natural(part)
    return int(float(word[:-1]) * factor)


def _errors_since_creation(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The errors of the file's first section; the one that follows counts from a later time."""
    heads = [number for number, line in enumerate(lines) if line.startswith(_ERRORS_SINCE)]
    for start, end in pairwise([*heads, len(lines)]):
        if lines[start].startswith(f"{_ERRORS_SINCE}filesystem creation"):
            for line in lines[start + 1 : end]:
                kind, colon, count = line.partition(":")
                if colon:
                    yield kind.strip(), count
            return
