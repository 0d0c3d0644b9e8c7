"""The only list of collectors: name → how to build it, and whether it runs without being asked for.

A new collector is one file and one line here. Its name is its flag (`--collector.NAME`), its value in `collect[]`
and its label in `…_scrape_collector_success`. What an operator may set for it are its options, see `options`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from exporters.cgroups.advtcp import AdvTcpCollector
from exporters.cgroups.cpu import CpuCollector
from exporters.cgroups.cpu import Options as CgroupCpuOptions
from exporters.cgroups.cpu_topology import TopologyCollector
from exporters.cgroups.cpuset import CpusetCollector
from exporters.cgroups.descriptors import DescriptorsCollector
from exporters.cgroups.filesystem import FilesystemCollector
from exporters.cgroups.hugetlb import HugetlbCollector
from exporters.cgroups.io import IoCollector
from exporters.cgroups.lifetime import LifetimeCollector
from exporters.cgroups.load import LoadCollector
from exporters.cgroups.machine import Machine
from exporters.cgroups.memory import MemoryCollector
from exporters.cgroups.memory_numa import MemoryNumaCollector
from exporters.cgroups.names import NamesCollector
from exporters.cgroups.network import NetworkCollector
from exporters.cgroups.pressure import PressureCollector
from exporters.cgroups.processes import ProcessesCollector
from exporters.cgroups.schedstat import SchedstatCollector
from exporters.cgroups.tcp import TcpCollector
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.inventory import Inventory
from exporters.cgroups.udp import UdpCollector
from exporters.collector import Collector, optional
from exporters.host import Host
from exporters.node import (
    arp,
    bcache,
    bcachefs,
    bonding,
    btrfs,
    buddyinfo,
    cgroups,
    conntrack,
    cpu,
    cpufreq,
    diskstats,
    dmi,
    dmmultipath,
    edac,
    entropy,
    ethtool,
    fibrechannel,
    filefd,
    filesystem,
    hwmon,
    infiniband,
    interrupts,
    ipvs,
    kernel_hung,
    ksmd,
    loadavg,
    mdadm,
    meminfo,
    mountstats,
    netclass,
    netdev,
    netstat,
    nfs,
    nfsd,
    nvme,
    os,
    powersupplyclass,
    pressure,
    processes,
    qdisc,
    rapl,
    schedstat,
    selinux,
    slabinfo,
    sockstat,
    softirqs,
    softnet,
    stat,
    sysctl,
    systemd,
    tapestats,
    tcpstat,
    textfile,
    thermal_zone,
    time,
    timex,
    udp_queues,
    uname,
    vmstat,
    watchdog,
    xfs,
    zfs,
    zoneinfo,
)
from exporters.pods.bundles import Bundles
from exporters.pods.crio import Crio
from exporters.pods.docker import Docker
from exporters.pods.identity import Source
from exporters.pods.kubelet import Door, Kubelet
from exporters.pods.logdirs import LogFolders
from exporters.pods.podman import Podman
from exporters.pods.resolver import Resolver

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
    """How to build a collector of cgroups, which all share one inventory, from its options, if it has any."""

    build: Callable[[Inventory, Machine, object], Collector]
    options: type | None
    default: bool


def cgroup(build: Callable[[Inventory, Machine], Collector], *, default: bool = True) -> CgroupEntry:
    """A collector of cgroups without options."""
    return CgroupEntry(lambda inventory, machine, _: build(inventory, machine), None, default)


def tunable_cgroup(
    build: Callable[[Inventory, Machine, OptionsT], Collector], options: type[OptionsT], *, default: bool = True
) -> CgroupEntry:
    """A collector of cgroups with options; `options()` are the defaults."""

    def build_with(inventory: Inventory, machine: Machine, chosen: object) -> Collector:
        return build(inventory, machine, chosen if isinstance(chosen, options) else options())

    return CgroupEntry(build_with, options, default)


NODE: Mapping[str, NodeEntry] = {
    "arp": tunable(arp.Arp, arp.Options),
    "bcache": tunable(bcache.Bcache, bcache.Options),
    "bcachefs": node(bcachefs.Bcachefs),
    "bonding": node(bonding.Bonding),
    "btrfs": node(btrfs.Btrfs),
    "buddyinfo": node(buddyinfo.BuddyInfo, default=False),
    "cgroups": node(cgroups.CgroupSummary, default=False),
    "conntrack": node(conntrack.Conntrack),
    "cpu": tunable(cpu.Cpu, cpu.Options),
    "cpufreq": node(cpufreq.CpuFreq),
    "diskstats": tunable(diskstats.DiskStats, diskstats.Options),
    "dmi": node(dmi.Dmi),
    "dmmultipath": node(dmmultipath.DmMultipath),
    "edac": node(edac.Edac),
    "entropy": node(entropy.Entropy),
    "ethtool": tunable(ethtool.Ethtool, ethtool.Options, default=False),
    "fibrechannel": node(fibrechannel.FibreChannel),
    "filefd": node(filefd.FileHandles),
    "filesystem": tunable(filesystem.Filesystem, filesystem.Options),
    "hwmon": tunable(hwmon.Hwmon, hwmon.Options),
    "infiniband": tunable(infiniband.InfiniBand, infiniband.Options),
    "interrupts": tunable(interrupts.Interrupts, interrupts.Options, default=False),
    "ipvs": tunable(ipvs.Ipvs, ipvs.Options),
    "kernel_hung": node(kernel_hung.KernelHung),
    "ksmd": node(ksmd.Ksmd, default=False),
    "loadavg": node(loadavg.LoadAverage),
    "mdadm": node(mdadm.Mdadm),
    "meminfo": tunable(meminfo.MemInfo, meminfo.Options),
    "mountstats": node(mountstats.MountStats, default=False),
    "netclass": tunable(netclass.NetClass, netclass.Options),
    "netdev": tunable(netdev.NetDev, netdev.Options),
    "netstat": tunable(netstat.NetStat, netstat.Options),
    "nfs": node(nfs.Nfs),
    "nfsd": node(nfsd.Nfsd),
    "nvme": node(nvme.Nvme),
    "os": node(os.OsRelease),
    "powersupplyclass": tunable(powersupplyclass.PowerSupplyClass, powersupplyclass.Options),
    "pressure": node(pressure.Pressure),
    "processes": node(processes.Processes, default=False),
    "qdisc": tunable(qdisc.Qdisc, qdisc.Options, default=False),
    "rapl": tunable(rapl.Rapl, rapl.Options),
    "schedstat": node(schedstat.SchedStat),
    "selinux": node(selinux.SeLinux),
    "slabinfo": tunable(slabinfo.SlabInfo, slabinfo.Options, default=False),
    "sockstat": node(sockstat.SockStat),
    "softirqs": node(softirqs.SoftIrqs, default=False),
    "softnet": node(softnet.Softnet),
    "stat": tunable(stat.Stat, stat.Options),
    "sysctl": tunable(sysctl.Sysctl, sysctl.Options, default=False),
    "systemd": tunable(systemd.Systemd, systemd.Options, default=False),
    "tapestats": tunable(tapestats.TapeStats, tapestats.Options),
    "tcpstat": node(tcpstat.TcpStat, default=False),
    "textfile": tunable(textfile.TextFile, textfile.Options),
    "thermal_zone": node(thermal_zone.ThermalZone),
    "time": node(time.Time),
    "timex": node(timex.TimeX),
    "udp_queues": node(udp_queues.UdpQueues),
    "uname": node(uname.Uname),
    "vmstat": tunable(vmstat.VmStat, vmstat.Options),
    "watchdog": node(watchdog.Watchdog),
    "xfs": node(xfs.Xfs),
    "zfs": node(zfs.Zfs),
    "zoneinfo": node(zoneinfo.ZoneInfo, default=False),
}

CGROUP: Mapping[str, CgroupEntry] = {
    "cgroup.cpu": tunable_cgroup(lambda inventory, _, options: CpuCollector(inventory, options), CgroupCpuOptions),
    "cgroup.memory": cgroup(MemoryCollector),
    "cgroup.io": cgroup(lambda inventory, machine: IoCollector(inventory, machine.host)),
    "cgroup.filesystem": cgroup(lambda inventory, machine: FilesystemCollector(inventory, machine.host)),
    "cgroup.lifetime": cgroup(LifetimeCollector),
    "cgroup.machine": cgroup(lambda _, machine: machine),
    "cgroup.cpu_topology": cgroup(lambda _, machine: TopologyCollector(machine), default=False),
    "cgroup.names": cgroup(lambda inventory, machine: NamesCollector(inventory, machine.host)),
    "cgroup.pressure": cgroup(PressureCollector),
    "cgroup.processes": cgroup(lambda inventory, _: ProcessesCollector(inventory)),
    "cgroup.descriptors": cgroup(
        lambda inventory, machine: DescriptorsCollector(inventory, machine.host), default=False
    ),
    "cgroup.hugetlb": cgroup(lambda inventory, machine: HugetlbCollector(inventory, machine.host), default=False),
    "cgroup.network": cgroup(lambda inventory, machine: NetworkCollector(inventory, machine.host)),
    "cgroup.advtcp": cgroup(lambda inventory, machine: AdvTcpCollector(inventory, machine.host), default=False),
    "cgroup.cpuset": cgroup(lambda inventory, _: CpusetCollector(inventory), default=False),
    "cgroup.load": cgroup(lambda inventory, machine: LoadCollector(inventory, machine.host), default=False),
    "cgroup.memory_numa": cgroup(
        lambda inventory, machine: MemoryNumaCollector(inventory, machine.host), default=False
    ),
    "cgroup.schedstat": cgroup(lambda inventory, machine: SchedstatCollector(inventory, machine.host), default=False),
    "cgroup.tcp": cgroup(lambda inventory, machine: TcpCollector(inventory, machine.host), default=False),
    "cgroup.udp": cgroup(lambda inventory, machine: UdpCollector(inventory, machine.host), default=False),
}

METRICS: Mapping[str, tuple[str, ...]] = {
    "advtcp": ("cgroup.advtcp",),
    "app": (),
    "cpu": ("cgroup.cpu",),
    "cpuLoad": ("cgroup.load",),
    "cpuset": ("cgroup.cpuset",),
    "cpu_topology": ("cgroup.cpu_topology",),
    "disk": ("cgroup.filesystem",),
    "diskIO": ("cgroup.io",),
    "hugetlb": ("cgroup.hugetlb",),
    "memory": ("cgroup.memory",),
    "memory_numa": ("cgroup.memory_numa",),
    "network": ("cgroup.network",),
    "oom_event": (),
    "pressure": ("cgroup.pressure",),
    "process": ("cgroup.processes", "cgroup.descriptors"),
    "sched": ("cgroup.schedstat",),
    "tcp": ("cgroup.tcp",),
    "udp": ("cgroup.udp",),
}
"""What cAdvisor calls a kind of metrics → the collectors that publish them."""

NEVER_PUBLISHED = frozenset({"percpu", "perf_event", "referenced_memory", "resctrl"})
"""Kinds of cAdvisor's that no collector publishes by itself. Command lines that switch them off mean what is so."""


def _door(choice: Choice) -> Door:
    return Door(choice.kubelet, choice.kubelet_token_file, choice.kubelet_ca_file, choice.kubelet_insecure)


SOURCES: tuple[Callable[[Host, Choice], Source | None], ...] = (
    lambda host, _: Bundles(host),
    lambda host, _: Docker(host),
    lambda host, _: Podman(host),
    lambda host, _: LogFolders(host),
    lambda host, choice: Crio(host, choice.crio_socket) if choice.crio_socket else None,
    lambda host, choice: Kubelet(host, _door(choice), choice.pod_labels) if choice.kubelet else None,
)
"""Who can name a container, the most complete first; None where the operator has not chosen it."""


def resolver(host: Host, choice: Choice) -> Resolver:
    """Who asks all sources that the operator chose."""
    sources = [source for build in SOURCES if (source := build(host, choice)) is not None]
    return Resolver(sources, node=choice.node_name or optional(host.root.read("etc/hostname")))


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
