"""Memory of cgroups, its limits and its failures.

Names, types and labels are cAdvisor's as the kubelet shows them; `container_memory_failcnt` is a counter without
`_total` there, so it is here.
"""

from collections.abc import Callable, Iterator, Sequence

from exporters.cgroups.machine import Machine
from exporters.cgroups.readers.kills import Kills
from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, Files, Memory
from exporters.cgroups.tree.rows import Rows, samples_of
from exporters.collector import Family, Metric, Sample, counter, gauge
from exporters.pods.cgroup_path import Kind


def _metric(name: str, help: str, make: Callable[..., Metric] = gauge) -> Metric:
    return make(f"container_{name}", help, *BASE_LABELS)


METRICS = {
    "usage": _metric("memory_usage_bytes", "Current memory usage in bytes, including all memory."),
    "working_set": _metric("memory_working_set_bytes", "Current working set in bytes."),
    "rss": _metric("memory_rss", "Size of RSS in bytes."),
    "cache": _metric("memory_cache", "Number of bytes of page cache memory."),
    "mapped_file": _metric("memory_mapped_file", "Size of memory mapped files in bytes."),
    "swap": _metric("memory_swap", "Container swap usage in bytes."),
    "kernel": _metric("memory_kernel_usage", "Size of kernel memory allocated in bytes."),
    "max_usage": _metric("memory_max_usage_bytes", "Maximum memory usage recorded in bytes."),
    "failcnt": _metric("memory_failcnt", "Number of memory usage hits limits.", counter),
    "active_file": _metric("memory_total_active_file_bytes", "Current total active file in bytes."),
    "inactive_file": _metric("memory_total_inactive_file_bytes", "Current total inactive file in bytes."),
    "file_dirty": _metric("memory_file_dirty_bytes", "Size of file cache not yet written back in bytes."),
    "file_writeback": _metric("memory_file_writeback_bytes", "Size of file cache being written back in bytes."),
    "pgscan": _metric("memory_pgscan_total", "Number of pages that reclaim looked at.", counter),
    "pgsteal": _metric("memory_pgsteal_total", "Number of pages that reclaim took.", counter),
    "refault_file": _metric(
        "memory_workingset_refault_file_total", "Number of file pages needed again after reclaim took them.", counter
    ),
    "refault_anon": _metric(
        "memory_workingset_refault_anon_total",
        "Number of anonymous pages needed again after reclaim took them.",
        counter,
    ),
    "events_high": _metric("memory_events_high_total", "Number of times slowed down above memory.high.", counter),
    "events_max": _metric("memory_events_max_total", "Number of times memory.max was reached.", counter),
}
"""By the field of Memory."""

LIMITS = {
    "limit": _metric("spec_memory_limit_bytes", "Memory limit for the container."),
    "swap_limit": _metric("spec_memory_swap_limit_bytes", "Memory swap limit for the container."),
    "reservation": _metric("spec_memory_reservation_limit_bytes", "Memory reservation limit for the container."),
}
"""By the field of MemoryLimits."""

OOM = _metric("oom_events_total", "Count of out of memory events observed for the container.", counter)

FAILURES = counter(
    "container_memory_failures_total",
    "Cumulative count of memory allocation failures.",
    *BASE_LABELS,
    "failure_type",
    "scope",
)


class MemoryCollector:
    """Five or six files a cgroup, and three of limits now and then. The root is the machine: its memory.stat costs
    seconds.
    """

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine
        self._rows = Rows(self._files, lambda _, row: inventory.reader.memory(row) if row else Memory())
        self._limits = Rows(self._files_of_limits, lambda _, row: inventory.reader.memory_limits(row))
        self._kills = Kills()

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        rows, limits = self._rows.of(cgroups), self._limits.lately(cgroups, now)
        for place, cgroup in enumerate(cgroups):
            if cgroup.place.kind is Kind.ROOT:
                rows[place], limits[place] = self._machine.memory(), self._machine.memory_limits()
        yield from samples_of(METRICS, cgroups, rows)
        yield from samples_of(LIMITS, cgroups, limits)
        kills = [(cgroup, row.oom_kills) for cgroup, row in zip(cgroups, rows, strict=True)]
        if self._inventory.version is Version.V1:
            kills = self._kills.with_those_of_pods(kills)
        yield OOM.family([(cgroup.labels, count) for cgroup, count in kills if count is not None])
        yield FAILURES.family(list(_failures(cgroups, rows)))

    def _files(self, cgroup: Cgroup) -> Files:
        return () if cgroup.place.kind is Kind.ROOT else self._inventory.reader.memory_files(cgroup)

    def _files_of_limits(self, cgroup: Cgroup) -> Files:
        return () if cgroup.place.kind is Kind.ROOT else self._inventory.reader.MEMORY_LIMITS


def _failures(cgroups: Sequence[Cgroup], rows: Sequence[Memory]) -> Iterator[Sample]:
    """Page faults, of the cgroup alone and with those below it. v2 counts upwards only, and both are the same."""
    for cgroup, memory in zip(cgroups, rows, strict=True):
        for kind, value, own in (
            ("pgfault", memory.pgfault, memory.own_pgfault),
            ("pgmajfault", memory.pgmajfault, memory.own_pgmajfault),
        ):
            if value is not None:
                yield (*cgroup.labels, kind, "container"), value if own is None else own
                yield (*cgroup.labels, kind, "hierarchy"), value
