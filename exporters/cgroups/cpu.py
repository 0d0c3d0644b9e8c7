"""Processor time of cgroups, and the limits to it.

Names, types and labels are cAdvisor's as the kubelet shows them. Of the time per processor, which only v1 accounts for,
a zero is left out, as there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, Contents, Files, count_of
from exporters.cgroups.tree.rows import Rows, samples_of
from exporters.collector import Family, Sample, counter, gauge
from exporters.options import option

USAGE = counter("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", *BASE_LABELS, "cpu")

TIMES = {
    "user": counter("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", *BASE_LABELS),
    "system": counter(
        "container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.", *BASE_LABELS
    ),
}
"""By the field of Cpu."""

LIMITS = {
    "period": gauge("container_spec_cpu_period", "CPU period of the container.", *BASE_LABELS),
    "quota": gauge("container_spec_cpu_quota", "CPU quota of the container.", *BASE_LABELS),
    "shares": gauge("container_spec_cpu_shares", "CPU share of the container.", *BASE_LABELS),
}
"""By the field of CpuLimits."""

THROTTLING = {
    "periods": counter(
        "container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", *BASE_LABELS
    ),
    "throttled_periods": counter(
        "container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", *BASE_LABELS
    ),
    "throttled": counter(
        "container_cpu_cfs_throttled_seconds_total",
        "Total time duration the container has been throttled.",
        *BASE_LABELS,
    ),
    "burst_periods": counter(
        "container_cpu_cfs_burst_periods_total", "Number of periods with a burst above the quota.", *BASE_LABELS
    ),
    "burst": counter(
        "container_cpu_cfs_burst_seconds_total", "Cumulative cpu time used above the quota.", *BASE_LABELS
    ),
}
"""By the field of Cpu; of cgroups with a quota only."""

_NANOSECONDS = 1_000_000_000
_PER_CPU: Files = (("cpuacct", "cpuacct.usage_percpu"),)


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set."""

    per_cpu: bool = option(False, "Publish the use of each processor in place of the total, on cgroup v1.")


class CpuCollector:
    """One file a cgroup on v2, three on v1, and two or three of limits now and then."""

    def __init__(self, inventory: Inventory, options: Options | None = None) -> None:
        self._inventory = inventory
        self._per_cpu = options is not None and options.per_cpu
        self._rows = Rows(lambda _: inventory.reader.CPU, lambda _, row: inventory.reader.cpu(row))
        self._limits = Rows(lambda _: inventory.reader.CPU_LIMITS, lambda _, row: inventory.reader.cpu_limits(row))
        self._rows_per_cpu = Rows(lambda _: _PER_CPU, _seconds_per_cpu)

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        rows = self._rows.of(cgroups)
        if self._per_cpu and self._inventory.version is Version.V1:
            yield USAGE.family(self._usage_per_cpu(cgroups))
        else:
            yield USAGE.family(
                [
                    ((*cg.labels, "total"), cpu.usage)
                    for cg, cpu in zip(cgroups, rows, strict=True)
                    if cpu.usage is not None
                ]
            )
        yield from samples_of(TIMES, cgroups, rows)
        limits = self._limits.lately(cgroups, now)
        yield from samples_of(LIMITS, cgroups, limits)
        limited = [(cgroup, cpu) for cgroup, cpu, limit in zip(cgroups, rows, limits, strict=True) if limit.quota]
        yield from samples_of(THROTTLING, [cgroup for cgroup, _ in limited], [cpu for _, cpu in limited])

    def _usage_per_cpu(self, cgroups: Sequence[Cgroup]) -> list[Sample]:
        return [
            ((*cgroup.labels, f"cpu{number:02}"), seconds)
            for cgroup, of_each in zip(cgroups, self._rows_per_cpu.of(cgroups), strict=True)
            for number, seconds in enumerate(of_each)
            if seconds > 0
        ]


def _seconds_per_cpu(_: Cgroup, contents: Contents) -> list[float]:
    """The nanoseconds of each processor stand on one line."""
    return [(count_of(word) or 0) / _NANOSECONDS for word in contents[0].split()]
