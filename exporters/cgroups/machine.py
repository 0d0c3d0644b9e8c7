"""The machine as the cgroups' root and as cAdvisor's `machine_*`: memory, CPUs, boot time, identity.

The root's memory.stat is never read: the kernel gathers it from every cgroup there is, which takes seconds on
a large host. /proc/meminfo says the same of the whole machine at once.

`machine_nvm_*` is not published: it takes Intel's libipmctl to know, and cAdvisor without it says 0 on any machine.
"""

import re
from collections.abc import Iterator

from exporters.cgroups.tree.model import Cgroup, Memory, MemoryLimits, count_of
from exporters.collector import Family, Labels, NoData, gauge, optional
from exporters.host import Host, KeptFile, Tree, Unreadable
from exporters.pods.cgroup_path import Kind
from exporters.readers.cputopology import FOLDER, cpus_of
from exporters.readers.sysfs import Discovery, count, listed, text
from fenghuo import __version__

LABELS = ("boot_id", "machine_id", "system_uuid")
CPU_CORES = gauge("machine_cpu_cores", "Number of logical CPU cores.", *LABELS)
MEMORY_BYTES = gauge("machine_memory_bytes", "Amount of memory installed on the machine.", *LABELS)
SWAP_BYTES = gauge("machine_swap_bytes", "Amount of swap memory available on the machine.", *LABELS)
PROCESSORS = (
    gauge("machine_cpu_physical_cores", "Number of physical CPU cores.", *LABELS),
    gauge("machine_cpu_sockets", "Number of CPU sockets.", *LABELS),
    gauge("machine_cpu_books", "Number of CPU books.", *LABELS),
    gauge("machine_cpu_drawers", "Number of CPU drawers.", *LABELS),
)
DIMM_COUNT = gauge(
    "machine_dimm_count",
    "Number of RAM DIMM (all types memory modules) value labeled by dimm type.",
    *LABELS,
    "type",
)
DIMM_BYTES = gauge(
    "machine_dimm_capacity_bytes",
    "Total RAM DIMM capacity (all types memory modules) value labeled by dimm type.",
    *LABELS,
    "type",
)
SCRAPE_ERROR = gauge("machine_scrape_error", "1 if there was an error while getting machine metrics, 0 otherwise.")
VERSION_INFO = gauge(
    "cadvisor_version_info",
    "Always 1; dashboards find their instances by it. The labels are cAdvisor's, the program is fenghuo.",
    *("cadvisorRevision", "cadvisorVersion", "dockerVersion", "kernelVersion", "osVersion"),
)

MODULES = "devices/system/edac/mc"

_MOST_KILOBYTES = 1 << 54
_MOST_MEGABYTES = 1 << 44
_PRETTY_NAME = re.compile(r'^PRETTY_NAME=["\']?(.*?)["\']?$', re.MULTILINE)


class Machine:
    """Reads /proc of the host; what never changes while it runs is read once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._meminfo = host.proc.keep("meminfo")
        self._stat = host.proc.keep("stat")
        self._pressure: dict[str, KeptFile] = {}
        self.labels = _identity(host)
        """The labels of all that is published of the machine as a whole."""
        self._processors = Processors(host.sys)
        self._modules: Discovery[dict[str, list[int]]] = Discovery(host.sys, MODULES)
        self._booted_at = _boot_time(optional(self._stat.read()))

    @property
    def host(self) -> Host:
        """Where the cgroups' processes and page sizes are."""
        return self._host

    def collect(self, now: float) -> Iterator[Family]:
        """The families `machine_*`; absent where the kernel does not say. Raises NoData without memory or CPUs."""
        memory = self._sizes()
        cpus = sum(line.startswith("cpu") for line in optional(self._stat.read()).splitlines()) - 1
        if cpus > 0:
            yield CPU_CORES.family([(self.labels, cpus)])
        for metric, number in zip(PROCESSORS, self._processors.counts(), strict=False):
            yield metric.family([(self.labels, number)])
        for metric, field in ((MEMORY_BYTES, b"MemTotal:"), (SWAP_BYTES, b"SwapTotal:")):
            if field in memory:
                yield metric.family([(self.labels, memory[field])])
        yield from self._dimms(now)
        lacks = self._meminfo if b"MemTotal:" not in memory else self._stat if cpus <= 0 else None
        yield SCRAPE_ERROR.single(int(lacks is not None))
        if lacks is not None:
            raise NoData(f"{lacks.path}: does not tell the machine's memory or CPUs")

    def _dimms(self, now: float) -> Iterator[Family]:
        """Memory modules by type, where the memory controller's driver (EDAC) tells them."""
        try:
            types = self._modules.current(now, lambda names: _modules(self._host.sys, names))
        except NoData:
            return
        for place, metric in enumerate((DIMM_COUNT, DIMM_BYTES)):
            yield metric.family([((*self.labels, kind), numbers[place]) for kind, numbers in types.items()])

    def memory(self) -> Memory:
        """The memory of the root cgroup."""
        sizes = self._sizes()
        anon, cached = sizes.get(b"AnonPages:"), sizes.get(b"Cached:")
        if anon is None or cached is None:
            return Memory()
        cache = cached + sizes.get(b"Buffers:", 0) + sizes.get(b"SwapCached:", 0)
        inactive = sizes.get(b"Inactive(file):")
        return Memory(
            usage=anon + cache,
            working_set=max(0, anon + cache - (inactive or 0)),
            rss=anon,
            cache=cache,
            mapped_file=sizes.get(b"Mapped:"),
            swap=max(0, sizes.get(b"SwapTotal:", 0) - sizes.get(b"SwapFree:", 0)),
            active_file=sizes.get(b"Active(file):"),
            inactive_file=inactive,
            file_dirty=sizes.get(b"Dirty:"),
            file_writeback=sizes.get(b"Writeback:"),
        )

    def memory_limits(self) -> MemoryLimits:
        """What there is, as the root cgroup's limits."""
        sizes = self._sizes()
        return MemoryLimits(sizes.get(b"MemTotal:"), sizes.get(b"SwapTotal:"))

    def pressure(self, resource: str) -> bytes | Unreadable:
        """A file of /proc/pressure: the root cgroup's `{resource}.pressure`."""
        if resource not in self._pressure:
            self._pressure[resource] = self._host.proc.keep(f"pressure/{resource}")
        return self._pressure[resource].read_record()

    def started(self, cgroup: Cgroup) -> float | None:
        """When a cgroup was made, in Unix seconds: the oldest change of its folder and of a file that nobody
        writes, and not before the machine's own start. Ask once, early: the folder's time moves with its children.
        """
        if cgroup.place.kind is Kind.ROOT:
            return self._booted_at
        times: list[float] = []
        for folder in cgroup.folders.values():
            for name in ("", "/cgroup.clone_children", "/cgroup.events"):
                status = self._host.cgroup.status(f"{folder}{name}")
                if not isinstance(status, Unreadable):
                    times.append(status.st_mtime)
        return max(min(times), self._booted_at or 0.0) if times else None

    def _sizes(self) -> dict[bytes, int]:
        """/proc/meminfo in bytes; a line that can't be read is left out."""
        content = self._meminfo.read()
        sizes: dict[bytes, int] = {}
        for line in [] if isinstance(content, Unreadable) else content.splitlines():
            words = line.split()
            value = count_of(words[1]) if len(words) > 1 else None
            if value is not None and 0 <= value < _MOST_KILOBYTES:
                sizes[words[0]] = value << 10
        return sizes


def _boot_time(stat: str) -> float | None:
    """The line `btime 1418183276` of /proc/stat."""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == "btime" and value.isascii() and value.isdigit():
            return float(value)
    return None


def _identity(host: Host) -> Labels:
    """What the machine is told apart by, from where cAdvisor has it: POWER and s390 have no DMI."""
    machine_id = optional(host.root.read("etc/machine-id")) or optional(host.root.read("var/lib/dbus/machine-id"))
    tree = "device-tree"
    return (
        optional(host.proc.read("sys/kernel/random/boot_id")),
        machine_id,
        optional(host.sys.read("class/dmi/id/product_uuid"))
        or optional(host.proc.read(f"{tree}/system-id")).strip("\0")
        or optional(host.proc.read(f"{tree}/vm,uuid")).strip("\0")
        or machine_id,
    )


class Processors:
    """How the CPUs that are online are built. They are counted again when one comes or goes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._online = tree.keep(f"{FOLDER}/online")
        self._as_of: bytes | None = None
        self._counts: tuple[int, ...] = ()

    def counts(self) -> tuple[int, ...]:
        """Cores, sockets, books and drawers; none where /sys has no CPUs."""
        content = self._online.read_record()
        online = b"" if isinstance(content, Unreadable) else content
        if online != self._as_of:
            self._as_of = online
            self._counts = self._counted()
        return self._counts

    def _counted(self) -> tuple[int, ...]:
        """Of cores with the same number cAdvisor counts one, in whichever sockets they are. Books and drawers, which
        hold sockets, are the kernel's for s390 alone: there are none elsewhere.
        """
        cores, sockets, books, drawers = set[str](), set[str](), set[str](), set[str]()
        for cpu in cpus_of(self._tree):
            folder = f"{FOLDER}/cpu{cpu}/topology"
            socket, core = (
                text(self._tree.read(f"{folder}/physical_package_id")),
                text(self._tree.read(f"{folder}/core_id")),
            )
            if not socket or not core:
                continue  # offline
            drawer, book = text(self._tree.read(f"{folder}/drawer_id")), text(self._tree.read(f"{folder}/book_id"))
            sockets.add(f"{drawer} {book} {socket}")
            cores.add(text(self._tree.read(f"{folder}/thread_siblings_list")) or f"{socket} {core}")
            books.update([f"{drawer} {book}"] if book else [])
            drawers.update([drawer] if drawer else [])
        return (len(cores), len(sockets), len(books), len(drawers)) if cores else ()


def _modules(tree: Tree, names: list[str]) -> dict[str, list[int]]:
    """Number and bytes of the memory modules by type; without those whose driver does not tell both."""
    types: dict[str, list[int]] = {}
    for controller in names:
        for module in listed(tree, f"{MODULES}/{controller}") if controller.startswith("mc") else ():
            if not module.startswith("dimm"):
                continue
            folder = f"{MODULES}/{controller}/{module}"
            kind, megabytes = text(tree.read(f"{folder}/dimm_mem_type")), count(tree.read(f"{folder}/size"))
            if kind and megabytes is not None and megabytes < _MOST_MEGABYTES:
                numbers = types.setdefault(kind, [0, 0])
                numbers[0] += 1
                numbers[1] += megabytes << 20
    return types


class VersionInfo:
    """One constant family under cAdvisor's name. Docker's version is empty as it is there without Docker: only its
    daemon knows it.
    """

    def __init__(self, host: Host) -> None:
        release = host.root.read("etc/os-release")
        if isinstance(release, Unreadable):
            release = host.root.read("usr/lib/os-release")
        named = _PRETTY_NAME.search(optional(release))
        self._family = VERSION_INFO.family(
            [(("fenghuo", __version__, "", host.calls.uname().release, named[1] if named else "Linux"), 1)]
        )

    def collect(self, now: float) -> Iterator[Family]:
        yield self._family
