"""Pressure stall information of cgroups: the time that the tasks of one waited for CPU, memory or IO.

Files `{cpu,memory,io}.pressure` of cgroup v2, whose format is that of /proc/pressure, which stands for the root. As in
cAdvisor `waiting` is the kernel's `some`, `stalled` its `full`. v1 has no such files. A cgroup whose `cgroup.pressure`
is 0 hides its own, and has no series. The root has no `stalled` for cpu: the kernel writes a 0 there that means
nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

from exporters.cgroups.machine import Machine
from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, Contents, Files
from exporters.cgroups.tree.rows import Rows
from exporters.collector import Family, Labels, Metric, NoData, Sample, counter, required
from exporters.host import Unreadable
from exporters.pods.cgroup_path import Kind
from exporters.readers.pressure import some_and_full

_MICROSECONDS = 1_000_000


def _metrics(resource: str, what: str) -> tuple[Metric, Metric]:
    """The metrics of `some` and of `full`."""
    return (
        counter(
            f"container_pressure_{resource}_waiting_seconds_total",
            f"Time in seconds in which a task of the container waited {what}.",
            *BASE_LABELS,
        ),
        counter(
            f"container_pressure_{resource}_stalled_seconds_total",
            f"Time in seconds in which no task of the container could go on as all waited {what}.",
            *BASE_LABELS,
        ),
    )


_FILES: Files = (("", "cpu.pressure"), ("", "memory.pressure"), ("", "io.pressure"))

METRICS = {
    "cpu": _metrics("cpu", "for a CPU"),
    "memory": _metrics("memory", "for memory"),
    "io": _metrics("io", "for IO"),
}


class _Row(NamedTuple):
    """Microseconds of one cgroup, in the order of METRICS; None where it has no such account."""

    waiting: tuple[int | None, ...]
    stalled: tuple[int | None, ...]


class PressureCollector:
    """Reads three files a cgroup. A kernel before 4.20, or one with `psi=0`, has none of them."""

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine
        self._rows = Rows(_files, lambda _, contents: _understood(contents))

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        if self._inventory.version is Version.V1:
            raise NoData(f"{self._inventory.root}: cgroup v1 does not account for pressure")
        required(self._machine.pressure("cpu"))  # without this one no cgroup has any, so don't try them all
        rows = self._rows.of(cgroups)
        for place, cgroup in enumerate(cgroups):
            if cgroup.place.kind is Kind.ROOT:
                rows[place] = _understood([self._of_machine(resource) for resource in METRICS])
        labels = [cgroup.labels for cgroup in cgroups]
        for place, (waiting, stalled) in enumerate(METRICS.values()):
            yield waiting.family(_samples(labels, [row.waiting[place] for row in rows]))
            yield stalled.family(_samples(labels, [row.stalled[place] for row in rows]))

    def _of_machine(self, resource: str) -> bytes:
        content = self._machine.pressure(resource)
        if isinstance(content, Unreadable):
            return b""
        return content.partition(b"full ")[0] if resource == "cpu" else content


def _files(cgroup: Cgroup) -> Files:
    return () if cgroup.place.kind is Kind.ROOT else _FILES


def _understood(contents: Contents) -> _Row:
    accounts = [some_and_full(content) for content in contents]
    return _Row(tuple(some for some, _ in accounts), tuple(full for _, full in accounts))


def _samples(labels: list[Labels], times: list[int | None]) -> list[Sample]:
    return [(who, time / _MICROSECONDS) for who, time in zip(labels, times, strict=True) if time is not None]
