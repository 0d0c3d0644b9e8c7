"""Families of cgroups. Each collector is a table: a metric, and which reading it publishes.

Names, types and labels are cAdvisor's as the kubelet shows them: all six base labels always, empty where
nothing is known. `container_memory_failcnt` is a counter without `_total` there, so it is here. Timestamps are
not published: Prometheus' own tell staleness better.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TypeVar

from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.machine import Machine
from exporters.cgroups.model import Cgroup, Cpu, Memory
from exporters.collector import Family, Metric, Sample, counter, gauge
from exporters.pods.cgroup_path import Kind

ReadingT = TypeVar("ReadingT", Cpu, Memory)

CPU_USAGE = counter(
    "container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", *BASE_LABELS, "cpu"
)

CPU_TIMES: tuple[tuple[Metric, Callable[[Cpu], float | None]], ...] = (
    (
        counter("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", *BASE_LABELS),
        attrgetter("user"),
    ),
    (
        counter("container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.", *BASE_LABELS),
        attrgetter("system"),
    ),
    (
        gauge("container_spec_cpu_period", "CPU period of the container.", *BASE_LABELS),
        attrgetter("period"),
    ),
    (
        gauge("container_spec_cpu_quota", "CPU quota of the container.", *BASE_LABELS),
        attrgetter("quota"),
    ),
    (
        gauge("container_spec_cpu_shares", "CPU share of the container.", *BASE_LABELS),
        attrgetter("shares"),
    ),
)

CFS: tuple[tuple[Metric, Callable[[Cpu], float | None]], ...] = (
    (
        counter("container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", *BASE_LABELS),
        attrgetter("periods"),
    ),
    (
        counter("container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", *BASE_LABELS),
        attrgetter("throttled_periods"),
    ),
    (
        counter(
            "container_cpu_cfs_throttled_seconds_total",
            "Total time duration the container has been throttled.",
            *BASE_LABELS,
        ),
        attrgetter("throttled"),
    ),
    (
        counter(
            "container_cpu_cfs_burst_periods_total", "Number of periods with a burst above the quota.", *BASE_LABELS
        ),
        attrgetter("burst_periods"),
    ),
    (
        counter("container_cpu_cfs_burst_seconds_total", "Cumulative cpu time used above the quota.", *BASE_LABELS),
        attrgetter("burst"),
    ),
)

FAILURES = counter(
    "container_memory_failures_total",
    "Cumulative count of memory allocation failures.",
    *BASE_LABELS,
    "failure_type",
    "scope",
)


def _memory(
    name: str, help: str, field: str, make: Callable[..., Metric] = gauge
) -> tuple[Metric, Callable[[Memory], float | None]]:
    return make(f"container_{name}", help, *BASE_LABELS), attrgetter(field)


MEMORY = (
    _memory("memory_usage_bytes", "Current memory usage in bytes, including all memory.", "usage"),
    _memory("memory_working_set_bytes", "Current working set in bytes.", "working_set"),
    _memory("memory_rss", "Size of RSS in bytes.", "rss"),
    _memory("memory_cache", "Number of bytes of page cache memory.", "cache"),
    _memory("memory_mapped_file", "Size of memory mapped files in bytes.", "mapped_file"),
    _memory("memory_swap", "Container swap usage in bytes.", "swap"),
    _memory("memory_kernel_usage", "Size of kernel memory allocated in bytes.", "kernel"),
    _memory("memory_max_usage_bytes", "Maximum memory usage recorded in bytes.", "max_usage"),
    _memory("memory_failcnt", "Number of memory usage hits limits.", "failcnt", counter),
    _memory("memory_total_active_file_bytes", "Current total active file in bytes.", "active_file"),
    _memory("memory_total_inactive_file_bytes", "Current total inactive file in bytes.", "inactive_file"),
    _memory("memory_file_dirty_bytes", "Size of file cache not yet written back in bytes.", "file_dirty"),
    _memory("memory_file_writeback_bytes", "Size of file cache being written back in bytes.", "file_writeback"),
    _memory("memory_pgscan_total", "Number of pages that reclaim looked at.", "pgscan", counter),
    _memory("memory_pgsteal_total", "Number of pages that reclaim took.", "pgsteal", counter),
    _memory(
        "memory_workingset_refault_file_total",
        "Number of file pages needed again after reclaim took them.",
        "refault_file",
        counter,
    ),
    _memory(
        "memory_workingset_refault_anon_total",
        "Number of anonymous pages needed again after reclaim took them.",
        "refault_anon",
        counter,
    ),
    _memory("memory_events_high_total", "Number of times slowed down above memory.high.", "events_high", counter),
    _memory("memory_events_max_total", "Number of times memory.max was reached.", "events_max", counter),
    _memory("spec_memory_limit_bytes", "Memory limit for the container.", "limit"),
    _memory("spec_memory_swap_limit_bytes", "Memory swap limit for the container.", "swap_limit"),
    _memory("spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.", "reservation"),
    _memory("oom_events_total", "Count of out of memory events observed for the container.", "oom_kills", counter),
)


class CpuCollector:
    """Processor time and limits. The throttling counters are there for cgroups with a quota only."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        rows = [(cgroup, self._inventory.reader.cpu(cgroup)) for cgroup in cgroups]
        yield CPU_USAGE.family([((*cg.labels, "total"), cpu.usage) for cg, cpu in rows if cpu.usage is not None])
        for metric, reading in CPU_TIMES:
            yield metric.family(_samples(rows, reading))
        limited = [(cgroup, cpu) for cgroup, cpu in rows if cpu.quota]
        for metric, reading in CFS:
            yield metric.family(_samples(limited, reading))


class MemoryCollector:
    """Memory, its limits and its failures. The root is the machine, whose own memory.stat costs seconds."""

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine

    def collect(self, now: float) -> Iterator[Family]:
        rows = [(cgroup, self._read(cgroup)) for cgroup in self._inventory.current(now)]
        for metric, reading in MEMORY:
            yield metric.family(_samples(rows, reading))
        yield FAILURES.family(list(_failures(rows)))

    def _read(self, cgroup: Cgroup) -> Memory:
        if cgroup.place.kind is Kind.ROOT:
            return self._machine.memory()
        return self._inventory.reader.memory(cgroup)


def _samples(rows: list[tuple[Cgroup, ReadingT]], reading: Callable[[ReadingT], float | None]) -> list[Sample]:
    """A sample for each cgroup whose kernel says something."""
    return [(cgroup.labels, value) for cgroup, row in rows if (value := reading(row)) is not None]


def _failures(rows: list[tuple[Cgroup, Memory]]) -> Iterator[Sample]:
    """Page faults; cAdvisor publishes the same value for both scopes, and dashboards choose one of them."""
    for cgroup, memory in rows:
        for kind, value in (("pgfault", memory.pgfault), ("pgmajfault", memory.pgmajfault)):
            if value is not None:
                yield (*cgroup.labels, kind, "container"), value
                yield (*cgroup.labels, kind, "hierarchy"), value
