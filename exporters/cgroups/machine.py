"""The machine as the cgroups' root and as cAdvisor's `machine_*`: memory, CPUs, boot time, identity.

The root's memory.stat is never read: the kernel gathers it from every cgroup there is, which takes seconds on
a large host. /proc/meminfo says the same of the whole machine at once.
"""

from collections.abc import Iterator

from exporters.cgroups.model import Cgroup, Memory, number_of
from exporters.collector import Family, gauge, optional
from exporters.host import Host, KeptFile, Unreadable
from exporters.pods.cgroup_path import Kind

LABELS = ("boot_id", "machine_id", "system_uuid")
CPU_CORES = gauge("machine_cpu_cores", "Number of logical CPU cores.", *LABELS)
MEMORY_BYTES = gauge("machine_memory_bytes", "Amount of memory installed on the machine.", *LABELS)
SWAP_BYTES = gauge("machine_swap_bytes", "Amount of swap memory available on the machine.", *LABELS)


class Machine:
    """Reads /proc of the host; what never changes while it runs is read once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._meminfo = host.proc.keep("meminfo")
        self._stat = host.proc.keep("stat")
        self._pressure: dict[str, KeptFile] = {}
        self._labels = (
            optional(host.proc.read("sys/kernel/random/boot_id")),
            optional(host.root.read("etc/machine-id")),
            optional(host.sys.read("class/dmi/id/product_uuid")),
        )
        self._booted_at = _boot_time(optional(self._stat.read()))

    @property
    def host(self) -> Host:
        """Where the cgroups' processes and page sizes are."""
        return self._host

    def collect(self, now: float) -> Iterator[Family]:
        """The families `machine_*`; absent where /proc does not say."""
        memory = self._sizes()
        cpus = sum(line.startswith("cpu") for line in optional(self._stat.read()).splitlines()) - 1
        if cpus > 0:
            yield CPU_CORES.family([(self._labels, cpus)])
        for metric, field in ((MEMORY_BYTES, b"MemTotal:"), (SWAP_BYTES, b"SwapTotal:")):
            if field in memory:
                yield metric.family([(self._labels, memory[field])])

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
            limit=sizes.get(b"MemTotal:"),
            swap_limit=sizes.get(b"SwapTotal:"),
        )

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
            value = number_of(words[1]) if len(words) > 1 else None
            if value is not None:
                sizes[words[0]] = value << 10
        return sizes


def _boot_time(stat: str) -> float | None:
    """The line `btime 1418183276` of /proc/stat."""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == "btime" and value.isascii() and value.isdigit():
            return float(value)
    return None
