"""The only list of collectors: name → how to build it, and whether it runs without being asked for.

A new collector is one file and one line here. Its name is its flag (`--collector.NAME`), its value in `collect[]`
and its label in `…_scrape_collector_success`. What an operator may set for it are its options, see `options`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from exporters.cgroups.collector import CpuCollector, LifetimeCollector, MemoryCollector
from exporters.cgroups.inventory import Inventory
from exporters.cgroups.machine import Machine
from exporters.collector import Collector
from exporters.host import Host
from exporters.node import filesystem, ipvs, netclass, netstat
from exporters.node.bonding import Bonding
from exporters.node.conntrack import Conntrack
from exporters.node.cpu import Cpu
from exporters.node.diskstats import DiskStats
from exporters.node.filesystem import Filesystem
from exporters.node.ipvs import Ipvs
from exporters.node.kernel_stat import Stat
from exporters.node.loadavg import LoadAverage
from exporters.node.meminfo import MemInfo
from exporters.node.netclass import NetClass
from exporters.node.netdev import NetDev
from exporters.node.netstat import NetStat
from exporters.node.pressure import Pressure
from exporters.node.sockstat import SockStat
from exporters.node.softnet import Softnet
from exporters.node.udp_queues import UdpQueues
from exporters.node.uname import Uname
from exporters.pods.bundles import Bundles
from exporters.pods.engines import Docker, Podman
from exporters.pods.identity import Source
from exporters.pods.logdirs import LogFolders

OptionsT = TypeVar("OptionsT")


class NodeEntry(NamedTuple):
    """How to build a collector of the machine from the host and its options, if it has any."""

    build: Callable[[Host, object], Collector]
    options: type | None
    default: bool


def node(build: Callable[[Host], Collector], *, default: bool = True) -> NodeEntry:
    """A collector without options."""
    return NodeEntry(lambda host, _: build(host), None, default)


def tunable(
    build: Callable[[Host, OptionsT], Collector], options: type[OptionsT], *, default: bool = True
) -> NodeEntry:
    """A collector with options; `options()` are the defaults."""

    def build_with(host: Host, chosen: object) -> Collector:
        return build(host, chosen if isinstance(chosen, options) else options())

    return NodeEntry(build_with, options, default)


class CgroupEntry(NamedTuple):
    """How to build a collector of cgroups; all of them share one inventory."""

    build: Callable[[Inventory, Machine], Collector]
    default: bool = True


NODE: Mapping[str, NodeEntry] = {
    "bonding": node(Bonding),
    "conntrack": node(Conntrack),
    "cpu": node(Cpu),
    "diskstats": node(DiskStats),
    "filesystem": tunable(Filesystem, filesystem.Options),
    "ipvs": tunable(Ipvs, ipvs.Options),
    "loadavg": node(LoadAverage),
    "meminfo": node(MemInfo),
    "netclass": tunable(NetClass, netclass.Options),
    "netdev": node(NetDev),
    "netstat": tunable(NetStat, netstat.Options),
    "pressure": node(Pressure),
    "sockstat": node(SockStat),
    "softnet": node(Softnet),
    "stat": node(Stat),
    "udp_queues": node(UdpQueues),
    "uname": node(Uname),
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
