"""The only list of collectors: name → how to build it, and whether it runs without being asked for.

A new collector is one file and one line here. Its name is its flag (`--collector.NAME`), its value in `collect[]`
and its label in `…_scrape_collector_success`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from exporters.cgroups.collector import CpuCollector, LifetimeCollector, MemoryCollector
from exporters.cgroups.inventory import Inventory
from exporters.cgroups.machine import Machine
from exporters.collector import Collector
from exporters.host import Host
from exporters.node.cpu import Cpu
from exporters.node.diskstats import DiskStats
from exporters.node.filesystem import Filesystem
from exporters.node.kernel_stat import Stat
from exporters.node.loadavg import LoadAverage
from exporters.node.meminfo import MemInfo
from exporters.node.netdev import NetDev
from exporters.node.pressure import Pressure
from exporters.node.uname import Uname
from exporters.pods.bundles import Bundles
from exporters.pods.engines import Docker, Podman
from exporters.pods.identity import Source
from exporters.pods.logdirs import LogFolders


class NodeEntry(NamedTuple):
    """How to build a collector of the machine."""

    build: Callable[[Host], Collector]
    default: bool = True


class CgroupEntry(NamedTuple):
    """How to build a collector of cgroups; all of them share one inventory."""

    build: Callable[[Inventory, Machine], Collector]
    default: bool = True


NODE: Mapping[str, NodeEntry] = {
    "cpu": NodeEntry(Cpu),
    "diskstats": NodeEntry(DiskStats),
    "filesystem": NodeEntry(Filesystem),
    "loadavg": NodeEntry(LoadAverage),
    "meminfo": NodeEntry(MemInfo),
    "netdev": NodeEntry(NetDev),
    "pressure": NodeEntry(Pressure),
    "stat": NodeEntry(Stat),
    "uname": NodeEntry(Uname),
}

CGROUP: Mapping[str, CgroupEntry] = {
    "cgroup.cpu": CgroupEntry(lambda inventory, _: CpuCollector(inventory)),
    "cgroup.memory": CgroupEntry(MemoryCollector),
    "cgroup.lifetime": CgroupEntry(LifetimeCollector),
    "cgroup.machine": CgroupEntry(lambda _, machine: machine),
}

SOURCES: tuple[Callable[[Host], Source], ...] = (Bundles, Docker, Podman, LogFolders)
"""Who can name a container, the most complete first."""

GROUPS = ("node", "cgroup")
