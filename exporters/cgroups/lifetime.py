"""When cgroups began, and that they are still there."""

from collections.abc import Iterator

from exporters.cgroups.inventory import BASE_LABELS, Inventory
from exporters.cgroups.machine import Machine
from exporters.collector import Family, gauge

START_TIME = gauge(
    "container_start_time_seconds", "Start time of the container since unix epoch in seconds.", *BASE_LABELS
)
LAST_SEEN = gauge("container_last_seen", "Last time a container was seen by the exporter.", *BASE_LABELS)


class LifetimeCollector:
    """When a cgroup began, and that it is still there."""

    def __init__(self, inventory: Inventory, machine: Machine) -> None:
        self._inventory = inventory
        self._machine = machine

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        for cgroup in cgroups:
            if cgroup.started is None:
                cgroup.started = self._machine.started(cgroup)
        yield START_TIME.family([(cgroup.labels, cgroup.started) for cgroup in cgroups if cgroup.started is not None])
        yield LAST_SEEN.family([(cgroup.labels, int(now)) for cgroup in cgroups])
