"""Readings of cgroup v2. Files: Documentation/admin-guide/cgroup-v2.rst of the kernel.

Which of the two counts of killed processes is read depends on what the cgroup is. `memory.events` has those of the
cgroup and of all below it, `memory.events.local` (since Linux 5.2) those of the cgroup alone. A container is counted
with what is below it, such as crun's `container` or the units of a systemd inside: that is published nowhere else. A
pod is counted whole as well, as its number survives the container, which comes back as another cgroup with a new 0.
Slices and units are counted alone, or each kill would stand once more in every slice up to the root. So a sum needs
`container!=""`, as with all families, or `container=""`, which knows of containers that are gone.
"""

from exporters.cgroups.tree.model import (
    Cgroup,
    Contents,
    Cpu,
    CpuLimits,
    Fields,
    Files,
    Memory,
    MemoryLimits,
    count_of,
    limit_of,
    seconds,
    working_set,
)
from exporters.pods.cgroup_path import Kind

_MICROSECONDS = 1_000_000


class V2Reader:
    """Every controller's files stand in the one folder of the cgroup."""

    CPU: Files = (("", "cpu.stat"),)
    CPU_LIMITS: Files = (("", "cpu.max"), ("", "cpu.weight"))
    MEMORY: Files = tuple(("", f"memory.{name}") for name in ("current", "stat", "swap.current", "peak", "events"))
    MEMORY_LIMITS: Files = tuple(("", f"memory.{name}") for name in ("max", "swap.max", "min"))

    def __init__(self) -> None:
        self._cpu = Fields(
            *(b"usage_usec", b"user_usec", b"system_usec"),
            *(b"nr_periods", b"nr_throttled", b"throttled_usec"),
            *(b"nr_bursts", b"burst_usec"),
        )
        self._memory = Fields(
            *(b"anon", b"file", b"kernel", b"file_mapped", b"file_dirty", b"file_writeback"),
            *(b"inactive_file", b"active_file", b"pgfault", b"pgmajfault", b"pgscan", b"pgsteal"),
            *(b"workingset_refault_file", b"workingset_refault_anon"),
        )
        self._events = Fields(b"high", b"max", b"oom_kill")

    def cpu(self, contents: Contents) -> Cpu:
        stat = self._cpu.of(contents[0])
        return Cpu(
            usage=seconds(stat.get(b"usage_usec"), _MICROSECONDS),
            user=seconds(stat.get(b"user_usec"), _MICROSECONDS),
            system=seconds(stat.get(b"system_usec"), _MICROSECONDS),
            periods=stat.get(b"nr_periods"),
            throttled_periods=stat.get(b"nr_throttled"),
            throttled=seconds(stat.get(b"throttled_usec"), _MICROSECONDS),
            burst_periods=stat.get(b"nr_bursts"),
            burst=seconds(stat.get(b"burst_usec"), _MICROSECONDS),
        )

    def cpu_limits(self, contents: Contents) -> CpuLimits:
        limit, weight = contents
        return CpuLimits(*_cpu_max(limit), _shares(count_of(weight)))

    def memory_files(self, cgroup: Cgroup) -> Files:
        return (*self.MEMORY, ("", "memory.events.local")) if cgroup.place.kind is Kind.SLICE else self.MEMORY

    def memory(self, contents: Contents) -> Memory:
        current, details, swap, peak, hierarchy, *local = contents
        usage = count_of(current)
        if usage is None:
            return Memory()  # the memory controller is not switched on here
        stat = self._memory.of(details)
        inactive_file = stat.get(b"inactive_file")
        events = self._events.of(hierarchy)
        kills = (self._events.of(local[0]) if local else None) or events
        return Memory(
            usage=usage,
            working_set=working_set(usage, inactive_file),
            rss=stat.get(b"anon"),
            cache=stat.get(b"file"),
            mapped_file=stat.get(b"file_mapped"),
            swap=count_of(swap),
            kernel=stat.get(b"kernel"),
            max_usage=count_of(peak),
            pgfault=stat.get(b"pgfault"),
            pgmajfault=stat.get(b"pgmajfault"),
            active_file=stat.get(b"active_file"),
            inactive_file=inactive_file,
            file_dirty=stat.get(b"file_dirty"),
            file_writeback=stat.get(b"file_writeback"),
            pgscan=stat.get(b"pgscan"),
            pgsteal=stat.get(b"pgsteal"),
            refault_file=stat.get(b"workingset_refault_file"),
            refault_anon=stat.get(b"workingset_refault_anon"),
            events_high=events.get(b"high"),
            events_max=events.get(b"max"),
            oom_kills=kills.get(b"oom_kill"),
        )

    def memory_limits(self, contents: Contents) -> MemoryLimits:
        return MemoryLimits(*map(_limit, contents))


def _cpu_max(content: bytes) -> tuple[int | None, int | None]:
    """`max 100000` or `50000 100000` as (quota, period)."""
    quota, _, period = content.strip().partition(b" ")
    return count_of(quota), count_of(period)


def _limit(content: bytes) -> int | None:
    """A number, or 0 for `max`."""
    return 0 if content.strip() == b"max" else limit_of(count_of(content))


def _shares(weight: int | None) -> int | None:
    """Weight 1 to 10000 as shares 2 to 262144, the inverse of how runtimes turn shares into a weight."""
    return None if weight is None else 2 + (weight - 1) * 262142 // 9999
