"""When cgroups began, and that they are still there.

Both times are the cgroup's, which the runtime makes when it starts the container; so cAdvisor has them for whatever it
knows by its cgroup alone. Of Docker's containers it has both from Docker, of containerd's the creation from containerd.
`container_health_state` is not published: only Docker's daemon keeps it, and cAdvisor says -1 of everything else.
"""

from collections.abc import Iterator

from exporters.cgroups.machine import Machine
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.collector import Family, gauge

CREATION_TIME = gauge(
    "container_creation_time_seconds", "Container creation time since unix epoch in seconds.", *BASE_LABELS
)
START_TIME = gauge(
    "container_start_time_seconds", "Start time of the container since unix epoch in seconds.", *BASE_LABELS
)
LAST_SEEN = gauge("container_last_seen", "Last time a container was seen by the exporter", *BASE_LABELS)


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
        started = [(cgroup.labels, cgroup.started) for cgroup in cgroups if cgroup.started is not None]
        yield CREATION_TIME.family(started)
        yield START_TIME.family(started)
        seen = int(now)
        yield LAST_SEEN.family([(cgroup.labels, seen) for cgroup in cgroups])
