"""Readings of cgroup v2. Files: Documentation/admin-guide/cgroup-v2.rst of the kernel.

Which of the two counts of killed processes is read depends on what the cgroup is. `memory.events` has those of the
cgroup and of all below it, `memory.events.local` (since Linux 5.2) those of the cgroup alone. A container is counted
with what is below it, such as crun's `container` or the units of a systemd inside: that is published nowhere else. A
pod is counted whole as well, as its number survives the container, which comes back as another cgroup with a new 0.
Slices and units are counted alone, or each kill would stand once more in every slice up to the root. So a sum needs
`container!=""`, as with all families, or `container=""`, which knows of containers that are gone.
"""

from exporters.cgroups.model import Cgroup, Cpu, Fields, Memory, limit_of, number_of, seconds, working_set
from exporters.pods.cgroup_path import Kind

_MICROSECONDS = 1_000_000


class V2Reader:
    """Every controller's files stand in the one folder of the cgroup."""

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

    def cpu(self, cgroup: Cgroup) -> Cpu:
        stat = self._cpu.of(cgroup.read("", "cpu.stat"))
        quota, period = _cpu_max(cgroup.read("", "cpu.max"))
        return Cpu(
            usage=seconds(stat.get(b"usage_usec"), _MICROSECONDS),
            user=seconds(stat.get(b"user_usec"), _MICROSECONDS),
            system=seconds(stat.get(b"system_usec"), _MICROSECONDS),
            periods=stat.get(b"nr_periods"),
            throttled_periods=stat.get(b"nr_throttled"),
            throttled=seconds(stat.get(b"throttled_usec"), _MICROSECONDS),
            burst_periods=stat.get(b"nr_bursts"),
            burst=seconds(stat.get(b"burst_usec"), _MICROSECONDS),
            quota=quota,
            period=period,
            shares=_shares(cgroup.number("", "cpu.weight")),
        )

    def memory(self, cgroup: Cgroup) -> Memory:
        usage = cgroup.number("", "memory.current")
        if usage is None:
            return Memory()  # the memory controller is not switched on here
        stat = self._memory.of(cgroup.read("", "memory.stat"))
        inactive_file = stat.get(b"inactive_file")
        events = self._events.of(cgroup.read("", "memory.events"))
        return Memory(
            usage=usage,
            working_set=working_set(usage, inactive_file),
            rss=stat.get(b"anon"),
            cache=stat.get(b"file"),
            mapped_file=stat.get(b"file_mapped"),
            swap=cgroup.number("", "memory.swap.current"),
            kernel=stat.get(b"kernel"),
            max_usage=cgroup.number("", "memory.peak"),
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
            limit=_limit(cgroup.read("", "memory.max")),
            swap_limit=_limit(cgroup.read("", "memory.swap.max")),
            reservation=_limit(cgroup.read("", "memory.min")),
            oom_kills=self._oom_kills(cgroup, events),
        )

    def _oom_kills(self, cgroup: Cgroup, events: dict[bytes, int]) -> int | None:
        """Killed processes: of a container and a pod with all below it, of others alone where the kernel says so."""
        if cgroup.place.kind is Kind.SLICE:
            events = self._events.of(cgroup.read("", "memory.events.local")) or events
        return events.get(b"oom_kill")


def _cpu_max(content: bytes | None) -> tuple[int | None, int | None]:
    """`max 100000` or `50000 100000` as (quota, period)."""
    quota, _, period = (content or b"").strip().partition(b" ")
    return number_of(quota), number_of(period)


def _limit(content: bytes | None) -> int | None:
    """A number, or 0 for `max`."""
    return 0 if content is not None and content.strip() == b"max" else limit_of(number_of(content))


def _shares(weight: int | None) -> int | None:
    """Weight 1 to 10000 as shares 2 to 262144, the inverse of how runtimes turn shares into a weight."""
    return None if weight is None else 2 + (weight - 1) * 262142 // 9999
