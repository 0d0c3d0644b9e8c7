"""Which CPUs there are: online, isolated from the scheduler, and how often each core was throttled, from /sys.

The CPUs are found at start, and again when one goes on- or offline. Files: Documentation/admin-guide/cputopology.rst
and Documentation/ABI/testing/sysfs-devices-system-cpu of the kernel.
"""

from collections.abc import Iterator

from exporters.collector import Family, Labels, Sample, counter, gauge, optional
from exporters.host import Host, KeptFile, Tree, Unreadable
from exporters.readers.sysfs import count

ISOLATED = gauge("node_cpu_isolated", "Whether a CPU is isolated from the scheduler.", "cpu")
ONLINE = gauge("node_cpu_online", "Whether a CPU is online and gets work.", "cpu")
CORE_THROTTLES = counter(
    "node_cpu_core_throttles_total", "Number of times this CPU core has been throttled.", "package", "core"
)
PACKAGE_THROTTLES = counter(
    "node_cpu_package_throttles_total", "Number of times this CPU package has been throttled.", "package"
)

FOLDER = "devices/system/cpu"


class Topology:
    """Reads one list of CPUs a scrape, and the throttle counters of CPUs that have them."""

    def __init__(self, host: Host) -> None:
        self._tree = host.sys
        self._list = host.sys.keep(f"{FOLDER}/online")
        isolated = cpu_list(optional(host.sys.read(f"{FOLDER}/isolated")))  # set by the kernel's command line
        self._isolated = ISOLATED.family([((cpu,), 1) for cpu in isolated])
        self._as_of: str | None = None
        self._online = ONLINE.family([])
        self._throttles = Throttles(self._tree, [])

    def collect(self) -> Iterator[Family]:
        online = optional(self._list.read_record())
        if online != self._as_of:
            self._as_of = online
            cpus = cpus_of(self._tree)
            self._online = ONLINE.family(_online(self._tree, cpus, set(cpu_list(online))))
            self._throttles = Throttles(self._tree, cpus)
        yield self._isolated
        yield self._online
        yield from self._throttles.collect()


class Throttles:
    """The thermal throttle counters, one a core and one a package. Most virtual machines have none."""

    def __init__(self, tree: Tree, cpus: list[str]) -> None:
        self._cores: dict[Labels, KeptFile] = {}
        self._packages: dict[Labels, KeptFile] = {}
        for cpu in cpus:
            base = f"{FOLDER}/cpu{cpu}"
            if isinstance(tree.status(f"{base}/thermal_throttle"), Unreadable):
                continue
            package = count(tree.read(f"{base}/topology/physical_package_id"))
            core = count(tree.read(f"{base}/topology/core_id"))
            if package is not None and core is not None:
                folder = f"{base}/thermal_throttle"
                self._cores.setdefault((str(package), str(core)), tree.keep(f"{folder}/core_throttle_count"))
                self._packages.setdefault((str(package),), tree.keep(f"{folder}/package_throttle_count"))

    def collect(self) -> Iterator[Family]:
        """A counter that can't be read gives no sample."""
        yield CORE_THROTTLES.family(_numbers(self._cores))
        yield PACKAGE_THROTTLES.family(_numbers(self._packages))


def _numbers(files: dict[Labels, KeptFile]) -> list[Sample]:
    values = ((labels, count(file.read_record())) for labels, file in files.items())
    return [(labels, value) for labels, value in values if value is not None]


def _online(tree: Tree, cpus: list[str], online: set[str]) -> list[Sample]:
    """Nothing where the first CPU can't be taken offline, as on most machines: so does the peer."""
    if not cpus or not online or isinstance(tree.status(f"{FOLDER}/cpu{cpus[0]}/online"), Unreadable):
        return []
    return [((cpu,), float(cpu in online)) for cpu in cpus]


def cpus_of(tree: Tree) -> list[str]:
    """The numbers of the CPUs that the machine has, online or not."""
    names = tree.folders(FOLDER)
    found = [] if isinstance(names, Unreadable) else [name[3:] for name in names if name.startswith("cpu")]
    return sorted((cpu for cpu in found if cpu.isascii() and cpu.isdigit()), key=int)


def cpu_list(text: str) -> list[str]:
    """The kernel's list format, `0-2,7`, as single numbers. A text that is none gives nothing."""
    cpus: list[str] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and first.isascii() and (not dash or (last.isdigit() and last.isascii())):
            # a CPU number has at most five digits; a longer one is no list but noise
            cpus += [str(cpu) for cpu in range(int(first), min(int(last or first), 99_999) + 1)]
    return list(dict.fromkeys(cpus))
