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
from exporters.collector import Family, Metric, NoData, counter, required
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
            raise NoData(f"{self._inventory.root}: cgroup v1 does not account for pressure")
        required(self._machine.pressure("cpu"))  # without this one no cgroup has any, so don't try them all
        for resource, (waiting, stalled) in METRICS.items():
            rows = [(cgroup.labels, some_and_full(content)) for cgroup, content in self._read(cgroups, resource)]
            yield waiting.family([(who, some / _MICROSECONDS) for who, (some, _) in rows if some is not None])
            yield stalled.family([(who, full / _MICROSECONDS) for who, (_, full) in rows if full is not None])

    def _read(self, cgroups: list[Cgroup], resource: str) -> Iterator[tuple[Cgroup, bytes]]:
        """The files of those that have one."""
        name = f"{resource}.pressure"
        for cgroup in cgroups:
            content = cgroup.read("", name) if cgroup.place.kind is not Kind.ROOT else self._of_machine(resource)
            if content is not None:
                yield cgroup, content

    def _of_machine(self, resource: str) -> bytes | None:
        content = self._machine.pressure(resource)
        if isinstance(content, Unreadable):
            return None
        return content.partition(b"full ")[0] if resource == "cpu" else content
