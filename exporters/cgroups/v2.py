"""Readings of cgroup v2. Files: Documentation/admin-guide/cgroup-v2.rst of the kernel.

Which of the two counts of killed processes is read depends on what the cgroup is. `memory.events` has those of the
cgroup and of all below it, `memory.events.local` (since Linux 5.2) those of the cgroup alone. A container is counted
with what is below it, such as crun's `container` or the units of a systemd inside: that is published nowhere else. A
pod is counted whole as well, as its number survives the container, which comes back as another cgroup with a new 0.
Slices and units are counted alone, or each kill would stand once more in every slice up to the root. So a sum needs
`container!=""`, as with all families, or `container=""`, which knows of containers that are gone.
"""

from exporters.cgroups.model import Cgroup, Cpu, Memory, limit_of, number_in, number_of, seconds, working_set
from exporters.pods.cgroup_path import Kind

_MICROSECONDS = 1_000_000


class V2Reader:
    """Every controller's files stand in the one folder of the cgroup."""

    def cpu(self, cgroup: Cgroup) -> Cpu:
        stat = cgroup.numbers("", "cpu.stat")
        quota, period = _cpu_max(cgroup.read("", "cpu.max"))
        return Cpu(
            usage=seconds(number_in(stat, b"usage_usec"), _MICROSECONDS),
            user=seconds(number_in(stat, b"user_usec"), _MICROSECONDS),
            system=seconds(number_in(stat, b"system_usec"), _MICROSECONDS),
            periods=number_in(stat, b"nr_periods"),
            throttled_periods=number_in(stat, b"nr_throttled"),
            throttled=seconds(number_in(stat, b"throttled_usec"), _MICROSECONDS),
            burst_periods=number_in(stat, b"nr_bursts"),
            burst=seconds(number_in(stat, b"burst_usec"), _MICROSECONDS),
            quota=quota,
            period=period,
            shares=_shares(cgroup.number("", "cpu.weight")),
        )

    def memory(self, cgroup: Cgroup) -> Memory:
        usage = cgroup.number("", "memory.current")
        if usage is None:
            return Memory()  # the memory controller is not switched on here
        stat = cgroup.numbers("", "memory.stat")
        inactive_file = number_in(stat, b"inactive_file")
        events = cgroup.numbers("", "memory.events")
        return Memory(
            usage=usage,
            working_set=working_set(usage, inactive_file),
            rss=number_in(stat, b"anon"),
            cache=number_in(stat, b"file"),
            mapped_file=number_in(stat, b"file_mapped"),
            swap=cgroup.number("", "memory.swap.current"),
            kernel=number_in(stat, b"kernel"),
            max_usage=cgroup.number("", "memory.peak"),
            pgfault=number_in(stat, b"pgfault"),
            pgmajfault=number_in(stat, b"pgmajfault"),
            active_file=number_in(stat, b"active_file"),
            inactive_file=inactive_file,
            file_dirty=number_in(stat, b"file_dirty"),
            file_writeback=number_in(stat, b"file_writeback"),
            pgscan=number_in(stat, b"pgscan"),
            pgsteal=number_in(stat, b"pgsteal"),
            refault_file=number_in(stat, b"workingset_refault_file"),
            refault_anon=number_in(stat, b"workingset_refault_anon"),
            events_high=number_in(events, b"high"),
            events_max=number_in(events, b"max"),
            limit=_limit(cgroup.read("", "memory.max")),
            swap_limit=_limit(cgroup.read("", "memory.swap.max")),
            reservation=_limit(cgroup.read("", "memory.min")),
            oom_kills=_oom_kills(cgroup, events),
        )


def _oom_kills(cgroup: Cgroup, events: dict[bytes, bytes]) -> int | None:
    """Killed processes: of a container and a pod with all below it, of others alone where the kernel says so."""
    if cgroup.place.kind is Kind.SLICE:
        events = cgroup.numbers("", "memory.events.local") or events
    return number_in(events, b"oom_kill")


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
