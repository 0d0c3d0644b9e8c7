"""Readings of cgroup v1. Files: Documentation/admin-guide/cgroup-v1 of the kernel.

`total_*` in memory.stat counts the cgroup and all below it, as v2 does always. Its refaults are left out: they are
pages or bytes, depending on the kernel. A killed process is counted in its own cgroup only, so that a pod's is 0.
"""

import os

from exporters.cgroups.model import Cgroup, Cpu, Memory, limit_of, number_in, seconds, working_set

_NANOSECONDS = 1_000_000_000
_NO_QUOTA = -1


class V1Reader:
    """Each controller has a hierarchy of its own, and a cgroup need not be in all of them."""

    def __init__(self, ticks_a_second: int = os.sysconf("SC_CLK_TCK")) -> None:
        self._ticks = ticks_a_second

    def cpu(self, cgroup: Cgroup) -> Cpu:
        stat = cgroup.numbers("cpu", "cpu.stat")
        split = cgroup.numbers("cpuacct", "cpuacct.stat")
        quota = cgroup.number("cpu", "cpu.cfs_quota_us")
        return Cpu(
            usage=seconds(cgroup.number("cpuacct", "cpuacct.usage"), _NANOSECONDS),
            user=seconds(number_in(split, b"user"), self._ticks),
            system=seconds(number_in(split, b"system"), self._ticks),
            periods=number_in(stat, b"nr_periods"),
            throttled_periods=number_in(stat, b"nr_throttled"),
            throttled=seconds(number_in(stat, b"throttled_time"), _NANOSECONDS),
            burst_periods=number_in(stat, b"nr_bursts"),
            burst=seconds(number_in(stat, b"burst_time"), _NANOSECONDS),
            quota=None if quota == _NO_QUOTA else quota,
            period=cgroup.number("cpu", "cpu.cfs_period_us"),
            shares=cgroup.number("cpu", "cpu.shares"),
        )

    def memory(self, cgroup: Cgroup) -> Memory:
        usage = cgroup.number("memory", "memory.usage_in_bytes")
        if usage is None:
            return Memory()  # not in the memory hierarchy
        stat = cgroup.numbers("memory", "memory.stat")
        inactive_file = number_in(stat, b"total_inactive_file")
        return Memory(
            usage=usage,
            working_set=working_set(usage, inactive_file),
            rss=number_in(stat, b"total_rss"),
            cache=number_in(stat, b"total_cache"),
            mapped_file=number_in(stat, b"total_mapped_file"),
            swap=number_in(stat, b"total_swap"),
            kernel=cgroup.number("memory", "memory.kmem.usage_in_bytes"),
            max_usage=cgroup.number("memory", "memory.max_usage_in_bytes"),
            failcnt=cgroup.number("memory", "memory.failcnt"),
            pgfault=number_in(stat, b"total_pgfault"),
            pgmajfault=number_in(stat, b"total_pgmajfault"),
            active_file=number_in(stat, b"total_active_file"),
            inactive_file=inactive_file,
            file_dirty=number_in(stat, b"total_dirty"),
            file_writeback=number_in(stat, b"total_writeback"),
            limit=limit_of(cgroup.number("memory", "memory.limit_in_bytes")),
            swap_limit=limit_of(cgroup.number("memory", "memory.memsw.limit_in_bytes")),
            reservation=limit_of(cgroup.number("memory", "memory.soft_limit_in_bytes")),
            oom_kills=number_in(cgroup.numbers("memory", "memory.oom_control"), b"oom_kill"),
        )
