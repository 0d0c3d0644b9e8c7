"""Whether the memory of processes moves along when the nodes that a cgroup may use are changed.

File `cpuset.memory_migrate` of cgroup v1 (Documentation/admin-guide/cgroup-v1/cpusets.rst). This is all that cAdvisor
publishes of cpusets. v2 always migrates and has no such file, where cAdvisor says 0.
"""

from collections.abc import Iterator

from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.collector import Family, NoData, gauge

MIGRATE = gauge("container_memory_migrate", "Memory migrate status.", *BASE_LABELS)

_V1 = "cpuset"


class CpusetCollector:
    """Reads one file a cgroup."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        if self._inventory.version is not Version.V1:
            raise NoData(f"{self._inventory.root}: cgroup v2 always migrates memory")
        if not any(_V1 in cgroup.folders for cgroup in cgroups):
            raise NoData(f"{self._inventory.root}: the cpuset hierarchy is not mounted")
        rows = [(cgroup.labels, cgroup.number(_V1, "cpuset.memory_migrate")) for cgroup in cgroups]
        yield MIGRATE.family([(labels, value) for labels, value in rows if value in (0, 1)])
