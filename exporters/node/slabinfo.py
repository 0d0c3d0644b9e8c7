"""The kernel's caches of objects, from /proc/slabinfo, which only root may read. Format: slabinfo(5), version 2.1."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Labels, Malformed, Sample, gauge, required
from exporters.host import Host
from exporters.options import NameFilter, Pattern, option
from exporters.readers.numbers import natural
from exporters.readers.sysfs import chosen

METRICS = (
    gauge("node_slabinfo_active_objects", "Objects of a cache that are in use.", "slab"),
    gauge("node_slabinfo_objects", "Objects of a cache that are allocated, in use or not.", "slab"),
    gauge("node_slabinfo_object_size_bytes", "Bytes that an object of a cache takes.", "slab"),
    gauge("node_slabinfo_objects_per_slab", "Objects in a slab of a cache.", "slab"),
    gauge("node_slabinfo_pages_per_slab", "Pages in a slab of a cache.", "slab"),
)
HEADINGS = ("slabinfo -", "# name")


@dataclass(frozen=True, slots=True)
class Options:
    """Which caches are published."""

    slabs_include: Pattern = option(re.compile(".*"), "Caches to publish.")
    slabs_exclude: Pattern | None = option(None, "Caches to leave out.")

    @property
    def names(self) -> NameFilter:
        """The filter of both patterns."""
        return chosen(self.slabs_include, self.slabs_exclude)


class SlabInfo:
    """Reads one table."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._file = host.proc.keep("slabinfo")
        self._filter = (options if options is not None else Options()).names
        self._keeps: dict[str, bool] = {}

    def collect(self, now: float) -> Iterator[Family]:
        caches: dict[str, list[int]] = {}
        lines = required(self._file.read()).splitlines()
        if not lines:
            raise Malformed(self._file.path, 0, "a line for each cache, the file is empty")
        for number, line in enumerate(lines, 1):
            if not line.startswith(HEADINGS):
                name, numbers = self._cache(number, line)
                if self._wants(name):
                    caches.setdefault(name, numbers)  # two caches may have the same name; the older one counts
        rows: list[tuple[Labels, list[int]]] = [((name,), numbers) for name, numbers in caches.items()]
        for column, metric in enumerate(METRICS):
            samples: list[Sample] = [(labels, numbers[column]) for labels, numbers in rows]
            yield metric.family(samples)

    def _cache(self, number: int, line: str) -> tuple[str, list[int]]:
        """`kmalloc-64  1536  1536  64  64  1 : tunables …`; a name may have spaces in it."""
        words = line.partition(" : ")[0].rsplit(None, len(METRICS))
        try:
            name, *numbers = words
            values = [natural(word) for word in numbers]
        except ValueError as error:
            raise Malformed(self._file.path, number, "a name and five numbers", line) from error
        if len(values) < len(METRICS):
            raise Malformed(self._file.path, number, "a name and five numbers", line)
        return name, values

    def _wants(self, name: str) -> bool:
        wanted = self._keeps.get(name)
        if wanted is None:
            wanted = self._keeps[name] = self._filter.keeps(name)
        return wanted
