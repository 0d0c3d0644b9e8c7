"""Readings of cgroup v1. Files: Documentation/admin-guide/cgroup-v1 of the kernel.

`total_*` in memory.stat counts the cgroup and all below it, as v2 does always. Its refaults are left out: they are
pages or bytes, depending on the kernel. A killed process is counted in its own cgroup only, so that a pod's is 0.
"""

import os

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

_NANOSECONDS = 1_000_000_000


class V1Reader:
    """Each controller has a hierarchy of its own, and a cgroup need not be in all of them."""

    CPU: Files = (("cpuacct", "cpuacct.usage"), ("cpuacct", "cpuacct.stat"), ("cpu", "cpu.stat"))
    CPU_LIMITS: Files = tuple(("cpu", f"cpu.{name}") for name in ("cfs_quota_us", "cfs_period_us", "shares"))
    MEMORY: Files = tuple(
        ("memory", f"memory.{name}")
        for name in ("usage_in_bytes", "stat", "kmem.usage_in_bytes", "max_usage_in_bytes", "failcnt", "oom_control")
    )
    MEMORY_LIMITS: Files = tuple(
        ("memory", f"memory.{name}") for name in ("limit_in_bytes", "memsw.limit_in_bytes", "soft_limit_in_bytes")
    )

    def __init__(self, ticks_a_second: int = os.sysconf("SC_CLK_TCK")) -> None:
        self._ticks = ticks_a_second
        self._cpu = Fields(b"nr_periods", b"nr_throttled", b"throttled_time", b"nr_bursts", b"burst_time")
        self._split = Fields(b"user", b"system")
        self._memory = Fields(
            *(b"total_rss", b"total_cache", b"total_mapped_file", b"total_swap", b"total_dirty", b"total_writeback"),
            *(b"total_inactive_file", b"total_active_file", b"total_pgfault", b"total_pgmajfault"),
            *(b"pgfault", b"pgmajfault"),
        )
        self._oom = Fields(b"oom_kill_disable", b"oom_kill")

    def cpu(self, contents: Contents) -> Cpu:
        usage, times, throttling = contents
        split = self._split.of(times)
        stat = self._cpu.of(throttling)
        return Cpu(
            usage=seconds(count_of(usage), _NANOSECONDS),
            user=seconds(split.get(b"user"), self._ticks),
            system=seconds(split.get(b"system"), self._ticks),
            periods=stat.get(b"nr_periods"),
            throttled_periods=stat.get(b"nr_throttled"),
            throttled=seconds(stat.get(b"throttled_time"), _NANOSECONDS),
            burst_periods=stat.get(b"nr_bursts"),
            burst=seconds(stat.get(b"burst_time"), _NANOSECONDS),
        )

    def cpu_limits(self, contents: Contents) -> CpuLimits:
        return CpuLimits(*map(count_of, contents))  # a quota of -1 is none

    def memory_files(self, cgroup: Cgroup) -> Files:
        return self.MEMORY

    def memory(self, contents: Contents) -> Memory:
        in_use, details, kernel, most, failures, oom = contents
        usage = count_of(in_use)
        if usage is None:
            return Memory()  # not in the memory hierarchy
        stat = self._memory.of(details)
        inactive_file = stat.get(b"total_inactive_file")
        return Memory(
            usage=usage,
            working_set=working_set(usage, inactive_file),
            rss=stat.get(b"total_rss"),
            cache=stat.get(b"total_cache"),
            mapped_file=stat.get(b"total_mapped_file"),
            swap=stat.get(b"total_swap"),
            kernel=count_of(kernel),
            max_usage=count_of(most),
            failcnt=count_of(failures),
            pgfault=stat.get(b"total_pgfault"),
            pgmajfault=stat.get(b"total_pgmajfault"),
            own_pgfault=stat.get(b"pgfault"),
            own_pgmajfault=stat.get(b"pgmajfault"),
            active_file=stat.get(b"total_active_file"),
            inactive_file=inactive_file,
            file_dirty=stat.get(b"total_dirty"),
            file_writeback=stat.get(b"total_writeback"),
            oom_kills=self._oom.of(oom).get(b"oom_kill"),
        )

    def memory_limits(self, contents: Contents) -> MemoryLimits:
        return MemoryLimits(*(limit_of(count_of(content)) for content in contents))
