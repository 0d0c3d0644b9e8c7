"""Pages of each memory zone by what they are used for, from /proc/zoneinfo.

The kernel writes the pages of a whole NUMA node with the node's first zone; they are published there.
Format: proc_zoneinfo(5), and mm/vmstat.c of the kernel.
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, Sample, counter, gauge, required
from exporters.host import Host
from exporters.readers.numbers import natural

ZONE = re.compile(r"^Node (\d+), zone +(\S+)", re.ASCII)

GAUGES: tuple[tuple[str, str, str], ...] = (
    ("nr_free_pages", "nr_free_pages", "Free pages."),
    ("min", "min_pages", "Free pages below which only the kernel itself may allocate."),
    ("low", "low_pages", "Free pages below which reclaim starts."),
    ("high", "high_pages", "Free pages above which reclaim stops."),
    ("scanned", "scanned_pages", "Pages scanned since pages were last reclaimed."),
    ("spanned", "spanned_pages", "Pages of the zone, holes included."),
    ("present", "present_pages", "Pages of the zone that are memory."),
    ("managed", "managed_pages", "Pages of the zone that the allocator has."),
    ("nr_active_anon", "nr_active_anon_pages", "Anonymous pages that were used lately."),
    ("nr_inactive_anon", "nr_inactive_anon_pages", "Anonymous pages that were not used lately."),
    ("nr_isolated_anon", "nr_isolated_anon_pages", "Anonymous pages that are off their list for a moment."),
    ("nr_anon_pages", "nr_anon_pages", "Anonymous pages that are mapped."),
    ("nr_anon_transparent_hugepages", "nr_anon_transparent_hugepages", "Anonymous huge pages, transparent ones."),
    ("nr_active_file", "nr_active_file_pages", "Pages of files that were used lately."),
    ("nr_inactive_file", "nr_inactive_file_pages", "Pages of files that were not used lately."),
    ("nr_isolated_file", "nr_isolated_file_pages", "Pages of files that are off their list for a moment."),
    ("nr_file_pages", "nr_file_pages", "Pages of files."),
    ("nr_slab_reclaimable", "nr_slab_reclaimable_pages", "Pages of slabs that can be reclaimed."),
    ("nr_slab_unreclaimable", "nr_slab_unreclaimable_pages", "Pages of slabs that can't be reclaimed."),
    ("nr_mlock_stack", "nr_mlock_stack_pages", "Locked pages that were taken off the lists."),
    ("nr_kernel_stack", "nr_kernel_stacks", "Kernel stacks; newer kernels count KiB."),
    ("nr_mapped", "nr_mapped_pages", "Pages of files that are mapped."),
    ("nr_dirty", "nr_dirty_pages", "Pages that wait to be written."),
    ("nr_writeback", "nr_writeback_pages", "Pages that are being written."),
    ("nr_unevictable", "nr_unevictable_pages", "Pages that can't be evicted."),
    ("nr_shmem", "nr_shmem_pages", "Pages of shared memory and tmpfs."),
)
COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("nr_dirtied", "nr_dirtied_total", "Times that a page became dirty."),
    ("nr_written", "nr_written_total", "Pages written."),
    ("numa_hit", "numa_hit_total", "Pages allocated on the node that was asked for."),
    ("numa_miss", "numa_miss_total", "Pages allocated here though another node was asked for."),
    ("numa_foreign", "numa_foreign_total", "Pages asked for here and allocated on another node."),
    ("numa_interleave", "numa_interleave_total", "Pages allocated here in order to interleave."),
    ("numa_local", "numa_local_total", "Pages allocated by a process that ran on this node."),
    ("numa_other", "numa_other_total", "Pages allocated by a process that ran on another node."),
)
LABELS = ("node", "zone")
METRICS: dict[str, Metric] = {
    **{field: gauge(f"node_zoneinfo_{name}", help, *LABELS) for field, name, help in GAUGES},
    **{field: counter(f"node_zoneinfo_{name}", help, *LABELS) for field, name, help in COUNTERS},
}
PROTECTION = "protection:"


class ZoneInfo:
    """Reads one file; what it says of each CPU is passed over."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("zoneinfo")
        self._protections: list[Metric] = []

    def collect(self, now: float) -> Iterator[Family]:
        found: dict[Metric, dict[tuple[str, str], int]] = {}
        zone: tuple[str, str] | None = None
        for number, line in enumerate(required(self._file.read()).splitlines(), 1):
            if line.startswith("Node "):
                zone = self._zone(number, line)
            elif line == "  pagesets":
                zone = None  # the lines of each CPU follow, with names that mean something else there
            elif zone is not None:
                for metric, value in self._values(number, line):
                    found.setdefault(metric, {})[zone] = value
        if not found:
            raise Malformed(self._file.path, 0, "lines of zones, such as `Node 0, zone DMA`")
        for metric, values in found.items():
            samples: list[Sample] = list(values.items())
            yield metric.family(samples)

    def _zone(self, number: int, line: str) -> tuple[str, str]:
        matched = ZONE.match(line)
        if matched is None:
            raise Malformed(self._file.path, number, "`Node <n>, zone <name>`", line)
        return matched[1], matched[2]

    def _values(self, number: int, line: str) -> list[tuple[Metric, int]]:
        """The metrics of a line, mostly one or none."""
        field, *words = line.split() or [""]
        try:
            if field == PROTECTION:
                pages = [natural(word.strip("(),")) for word in words]
                return [(self._protection(index), value) for index, value in enumerate(pages)]
            metric = METRICS.get(field)
            return [] if metric is None else [(metric, natural(words[0]))]
        except (IndexError, ValueError) as error:
            raise Malformed(self._file.path, number, f"numbers after {field}", line) from error

    def _protection(self, index: int) -> Metric:
        while len(self._protections) <= index:
            name = f"protection_{len(self._protections)}"
            help = f"Pages kept from allocations that could be had of zone {len(self._protections)} as well."
            self._protections.append(gauge(f"node_zoneinfo_{name}", help, *LABELS))
        return self._protections[index]
