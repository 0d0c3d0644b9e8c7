"""Pressure stall information of cgroups: the time that the tasks of one waited for CPU, memory or IO.

Files `{cpu,memory,io}.pressure` of cgroup v2, whose format is that of /proc/pressure, which stands for the root. As in
cAdvisor `waiting` is the kernel's `some`, `stalled` its `full`. v1 has no such files. A cgroup whose `cgroup.pressure`
is 0 hides its own, and has no series. The root has no `stalled` for cpu: the kernel writes a 0 there that means
nothing.
"""

from collections.abc import Iterator

from exporters.cgroups.detect import Version
from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.machine import Machine
from exporters.cgroups.model import Cgroup
from exporters.collector import Family, Malformed, Metric, NoData, Sample, counter, required
from exporters.pods.cgroup_path import Kind
from exporters.readers.pressure import parse

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


METRICS = {
    "cpu": _metrics("cpu", "for a CPU"),
    "memory": _metrics("memory", "for memory"),
    "io": _metrics("io", "for IO"),
}


class PressureCollector:
    """Reads three files a cgroup. A kernel before 4.20, or one with `psi=0`, has none of them."""

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        if self._inventory.version is Version.V1:
            raise NoData("cgroup v1 does not account for pressure")
        required(self._machine.pressure("cpu"))  # without this one no cgroup has any, so don't try them all
        for resource, (waiting, stalled) in METRICS.items():
            some: list[Sample] = []
            full: list[Sample] = []
            for cgroup in cgroups:
                totals = self._totals(cgroup, resource)
                if "some" in totals:
                    some.append((cgroup.labels, totals["some"] / _MICROSECONDS))
                if "full" in totals:
                    full.append((cgroup.labels, totals["full"] / _MICROSECONDS))
            yield waiting.family(some)
            yield stalled.family(full)

    def _totals(self, cgroup: Cgroup, resource: str) -> dict[str, int]:
        """Empty where there is no file, or one that can't be understood: that costs nobody else's samples."""
        name = f"{resource}.pressure"
        if cgroup.place.kind is not Kind.ROOT:
            return _parsed(cgroup.read("", name), name)
        content = self._machine.pressure(resource)
        totals = _parsed(content if isinstance(content, bytes) else None, name)
        if resource == "cpu":
            totals.pop("full", None)
        return totals


def _parsed(content: bytes | None, path: str) -> dict[str, int]:
    try:
        return {} if content is None else parse(content, path)
    except Malformed:
        return {}
