"""Readings of cgroup v2. Files: Documentation/admin-guide/cgroup-v2.rst of the kernel."""

from exporters.cgroups.model import Cgroup, Cpu, Memory, limit_of, number_in, number_of, seconds, working_set

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
            limit=_limit(cgroup.read("", "memory.max")),
            swap_limit=_limit(cgroup.read("", "memory.swap.max")),
            reservation=_limit(cgroup.read("", "memory.min")),
            oom_kills=number_in(cgroup.numbers("", "memory.events"), b"oom_kill"),
        )


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
