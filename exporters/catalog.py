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
from exporters.node import (
    arp,
    bcache,
    cpu,
    diskstats,
    ethtool,
    filesystem,
    hwmon,
    infiniband,
    interrupts,
    ipvs,
    kernel_stat,
    meminfo,
    netclass,
    netdev,
    netstat,
    powersupplyclass,
    qdisc,
    rapl,
    slabinfo,
    sysctl,
    systemd,
    tapestats,
    textfile,
    vmstat,
)
from exporters.node.arp import Arp
from exporters.node.bcache import Bcache
from exporters.node.bcachefs import Bcachefs
from exporters.node.bonding import Bonding
from exporters.node.btrfs import Btrfs
from exporters.node.buddyinfo import BuddyInfo
from exporters.node.cgroup_summary import CgroupSummary
from exporters.node.clock import Time
from exporters.node.conntrack import Conntrack
from exporters.node.cpu import Cpu
from exporters.node.cpufreq import CpuFreq
from exporters.node.diskstats import DiskStats
from exporters.node.dmi import Dmi
from exporters.node.dmmultipath import DmMultipath
from exporters.node.edac import Edac
from exporters.node.entropy import Entropy
from exporters.node.ethtool import Ethtool
from exporters.node.fibrechannel import FibreChannel
from exporters.node.filefd import FileHandles
from exporters.node.filesystem import Filesystem
from exporters.node.hwmon import Hwmon
from exporters.node.infiniband import InfiniBand
from exporters.node.interrupts import Interrupts
from exporters.node.ipvs import Ipvs
from exporters.node.kernel_hung import KernelHung
from exporters.node.kernel_stat import Stat
from exporters.node.ksmd import Ksmd
from exporters.node.loadavg import LoadAverage
from exporters.node.mdadm import Mdadm
from exporters.node.meminfo import MemInfo
from exporters.node.mountstats import MountStats
from exporters.node.netclass import NetClass
from exporters.node.netdev import NetDev
from exporters.node.netstat import NetStat
from exporters.node.nfs import Nfs
from exporters.node.nfsd import Nfsd
from exporters.node.nvme import Nvme
from exporters.node.os_release import OsRelease
from exporters.node.powersupplyclass import PowerSupplyClass
from exporters.node.pressure import Pressure
from exporters.node.processes import Processes
from exporters.node.qdisc import Qdisc
from exporters.node.rapl import Rapl
from exporters.node.schedstat import SchedStat
from exporters.node.selinux import SeLinux
from exporters.node.slabinfo import SlabInfo
from exporters.node.sockstat import SockStat
from exporters.node.softirqs import SoftIrqs
from exporters.node.softnet import Softnet
from exporters.node.sysctl import Sysctl
from exporters.node.systemd import Systemd
from exporters.node.tapestats import TapeStats
from exporters.node.tcpstat import TcpStat
from exporters.node.textfile import TextFile
from exporters.node.thermal_zone import ThermalZone
from exporters.node.timex import TimeX
from exporters.node.udp_queues import UdpQueues
from exporters.node.uname import Uname
from exporters.node.vmstat import VmStat
from exporters.node.watchdog import Watchdog
from exporters.node.xfs import Xfs
from exporters.node.zfs import Zfs
from exporters.node.zones import ZoneInfo
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
    "arp": tunable(Arp, arp.Options),
    "bcache": tunable(Bcache, bcache.Options),
    "bcachefs": node(Bcachefs),
    "bonding": node(Bonding),
    "btrfs": node(Btrfs),
    "buddyinfo": node(BuddyInfo, default=False),
    "cgroups": node(CgroupSummary, default=False),
    "conntrack": node(Conntrack),
    "cpu": tunable(Cpu, cpu.Options),
    "cpufreq": node(CpuFreq),
    "diskstats": tunable(DiskStats, diskstats.Options),
    "dmi": node(Dmi),
    "dmmultipath": node(DmMultipath),
    "edac": node(Edac),
    "entropy": node(Entropy),
    "ethtool": tunable(Ethtool, ethtool.Options, default=False),
    "fibrechannel": node(FibreChannel),
    "filefd": node(FileHandles),
    "filesystem": tunable(Filesystem, filesystem.Options),
    "hwmon": tunable(Hwmon, hwmon.Options),
    "infiniband": tunable(InfiniBand, infiniband.Options),
    "interrupts": tunable(Interrupts, interrupts.Options, default=False),
    "ipvs": tunable(Ipvs, ipvs.Options),
    "kernel_hung": node(KernelHung),
    "ksmd": node(Ksmd, default=False),
    "loadavg": node(LoadAverage),
    "mdadm": node(Mdadm),
    "meminfo": tunable(MemInfo, meminfo.Options),
    "mountstats": node(MountStats, default=False),
    "netclass": tunable(NetClass, netclass.Options),
    "netdev": tunable(NetDev, netdev.Options),
    "netstat": tunable(NetStat, netstat.Options),
    "nfs": node(Nfs),
    "nfsd": node(Nfsd),
    "nvme": node(Nvme),
    "os": node(OsRelease),
    "powersupplyclass": tunable(PowerSupplyClass, powersupplyclass.Options),
    "pressure": node(Pressure),
    "processes": node(Processes, default=False),
    "qdisc": tunable(Qdisc, qdisc.Options, default=False),
    "rapl": tunable(Rapl, rapl.Options),
    "schedstat": node(SchedStat),
    "selinux": node(SeLinux),
    "slabinfo": tunable(SlabInfo, slabinfo.Options, default=False),
    "sockstat": node(SockStat),
    "softirqs": node(SoftIrqs, default=False),
    "softnet": node(Softnet),
    "stat": tunable(Stat, kernel_stat.Options),
    "sysctl": tunable(Sysctl, sysctl.Options, default=False),
    "systemd": tunable(Systemd, systemd.Options, default=False),
    "tapestats": tunable(TapeStats, tapestats.Options),
    "tcpstat": node(TcpStat, default=False),
    "textfile": tunable(TextFile, textfile.Options),
    "thermal_zone": node(ThermalZone),
    "time": node(Time),
    "timex": node(TimeX),
    "udp_queues": node(UdpQueues),
    "uname": node(Uname),
    "vmstat": tunable(VmStat, vmstat.Options),
    "watchdog": node(Watchdog),
    "xfs": node(Xfs),
    "zfs": node(Zfs),
    "zoneinfo": node(ZoneInfo, default=False),
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

NOT_BUILT = frozenset(
    {
        *("cpu_vulnerabilities", "drbd", "drm", "lnstat", "logind", "meminfo_numa", "network_route", "ntp"),
        *("nvmesubsystem", "pcidevice", "perf", "runit", "supervisord", "swap", "wifi", "xfrm"),
    }
)
"""Collectors that node_exporter has on Linux and this program has not: all are off by default there. To switch one
off is no mistake here, to switch one on is.
"""
