"""The files of a cgroup of v1, after Documentation/admin-guide/cgroup-v1, a recorded tree, and Linux 6.18.

Each number is that of a cgroup of load WHOLE. `own` is the load of the cgroup alone, `load` that of all below it too.
"""

from tests.exporters.cgroups.trees.v2 import WHOLE, Limits, scaled

HIERARCHIES = ("cpu,cpuacct", "memory", "blkio", "pids", "hugetlb", "cpuset", "systemd")

_UNLIMITED = 9_223_372_036_854_771_712
_USER, _SYSTEM = 90_043_112_204, 36_643_337_112
_THROTTLED = "nr_periods 84021\nnr_throttled 9310\nthrottled_time 514204117000\nnr_bursts 412\nburst_time 8120044000\n"
_NOT_LIMITED = "nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n"
_USAGE, _HIGHEST, _KERNEL, _SWAP = 61_235_200, 74_600_448, 7_565_312, 2_113_536

_MEMORY = """\
cache 30161920
rss 22609920
rss_huge 4194304
shmem 1048576
mapped_file 9461760
dirty 405504
writeback 135168
workingset_refault_anon 311
workingset_refault_file 9071
swap 2113536
swapcached 98304
pgpgin 312440
pgpgout 299556
pgfault 1108244
pgmajfault 3210
inactive_anon 22405120
active_anon 204800
inactive_file 18997120
active_file 10116224
unevictable 0
"""
_NUMA = "total=12884 N0=8884 N1=4000\nfile=7363 N0=4363 N1=3000\nanon=5521 N0=4521 N1=1000\nunevictable=0 N0=0 N1=0\n"

_BYTES = (("8:0", 14_592_000, 314_773_504), ("252:0", 14_581_760, 314_773_504))
_REQUESTS = (("8:0", 1921, 3535), ("252:0", 1901, 3510))


def files(own: int, load: int, limits: Limits, kills: int, threads: int, *, bfq: bool) -> dict[str, dict[str, str]]:
    """Hierarchy → name → content. With the scheduler `bfq` that one counts what goes to disks as well."""
    common = {"cgroup.clone_children": "0\n", "notify_on_release": "0\n"}
    of_all = {
        "cpu,cpuacct": _cpu(load, limits.quota) | _cpuacct(load),
        "memory": _memory(own, load, limits.memory, kills),
        "blkio": _blkio(own, load, bfq=bfq),
        "pids": {"pids.current": f"{threads}\n", "pids.max": "max\n" if threads % 2 else "4915\n"},
        "hugetlb": _hugetlb(load),
        "cpuset": _cpuset(),
        "systemd": {},
    }
    return {hierarchy: common | content for hierarchy, content in of_all.items()}


def _cpu(load: int, quota: int | None) -> dict[str, str]:
    return {
        "cpu.cfs_burst_us": "0\n",
        "cpu.cfs_period_us": "100000\n",
        "cpu.cfs_quota_us": f"{-1 if quota is None else quota}\n",
        "cpu.rt_period_us": "1000000\n",
        "cpu.rt_runtime_us": "0\n",
        "cpu.shares": f"{2 + load % 1024}\n",
        "cpu.stat": scaled(_NOT_LIMITED if quota is None else _THROTTLED, load),
    }


def _cpuacct(load: int) -> dict[str, str]:
    """Two processors, of which the first did three quarters of the work."""
    user, system = _USER * load // WHOLE, _SYSTEM * load // WHOLE
    users, systems = (user - user // 4, user // 4), (system - system // 4, system // 4)
    rows = "".join(f"{number} {users[number]} {systems[number]}\n" for number in range(2))
    return {
        "cpuacct.stat": f"user {user // 10_000_000}\nsystem {system // 10_000_000}\n",
        "cpuacct.usage": f"{user + system}\n",
        "cpuacct.usage_all": f"cpu user system\n{rows}",
        "cpuacct.usage_percpu": "".join(f"{users[number] + systems[number]} " for number in range(2)) + "\n",
        "cpuacct.usage_percpu_sys": "".join(f"{count} " for count in systems) + "\n",
        "cpuacct.usage_percpu_user": "".join(f"{count} " for count in users) + "\n",
        "cpuacct.usage_sys": f"{system}\n",
        "cpuacct.usage_user": f"{user}\n",
    }


def _memory(own: int, load: int, limit: int | None, kills: int) -> dict[str, str]:
    most = _UNLIMITED if limit is None else limit
    totals = "".join(f"total_{line}\n" for line in scaled(_MEMORY, load).splitlines())
    hierarchical = "".join(f"hierarchical_{line}\n" for line in scaled(_NUMA, load).splitlines())
    limits = f"hierarchical_memory_limit {most}\nhierarchical_memsw_limit {most}\n"
    usage, highest, swap = (number * load // WHOLE for number in (_USAGE, _HIGHEST, _SWAP))
    return {
        "memory.failcnt": f"{load // 7_700}\n",
        "memory.kmem.failcnt": "0\n",
        "memory.kmem.limit_in_bytes": f"{_UNLIMITED}\n",
        "memory.kmem.max_usage_in_bytes": f"{2 * _KERNEL * load // WHOLE}\n",
        "memory.kmem.usage_in_bytes": f"{_KERNEL * load // WHOLE}\n",
        "memory.limit_in_bytes": f"{most}\n",
        "memory.max_usage_in_bytes": f"{highest}\n",
        "memory.memsw.failcnt": "0\n",
        "memory.memsw.limit_in_bytes": f"{most}\n",
        "memory.memsw.max_usage_in_bytes": f"{highest + swap}\n",
        "memory.memsw.usage_in_bytes": f"{usage + swap}\n",
        "memory.numa_stat": scaled(_NUMA, own) + hierarchical,
        "memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n",
        "memory.soft_limit_in_bytes": f"{_UNLIMITED}\n",
        "memory.stat": scaled(_MEMORY, own) + limits + totals,
        "memory.swappiness": "60\n",
        "memory.usage_in_bytes": f"{usage}\n",
        "memory.use_hierarchy": "1\n",
    }


def _blkio(own: int, load: int, *, bfq: bool) -> dict[str, str]:
    found = {}
    for what, counts in (("bytes", _BYTES), ("requests", _REQUESTS)):
        name = "io_service_bytes" if what == "bytes" else "io_serviced"
        for scope, share in (("", own), ("_recursive", load)):
            found[f"blkio.throttle.{name}{scope}"] = _operations(counts, share)
            found[f"blkio.bfq.{name}{scope}"] = _operations(counts[:1], share) if bfq else "Total 0\n"
    return found


def _operations(counts: tuple[tuple[str, int, int], ...], load: int) -> str:
    lines, total = "", 0
    for device, read, written in counts:
        done, made = read * load // WHOLE, written * load // WHOLE
        rows = {"Read": done, "Write": made, "Sync": made, "Async": done, "Discard": 0, "Total": done + made}
        lines += "".join(f"{device} {operation} {count}\n" for operation, count in rows.items())
        total += done + made
    return f"{lines}Total {total}\n"


def _hugetlb(load: int) -> dict[str, str]:
    pages = 2_097_152 * (load // 250_000)
    return {
        f"hugetlb.2MB.{account}{name}": content
        for account in ("", "rsvd.")
        for name, content in (
            ("failcnt", f"{load // 300_000}\n"),
            ("limit_in_bytes", f"{_UNLIMITED}\n"),
            ("max_usage_in_bytes", f"{2 * pages}\n"),
            ("usage_in_bytes", f"{pages}\n"),
        )
    }


def _cpuset() -> dict[str, str]:
    return {
        "cpuset.cpu_exclusive": "0\n",
        "cpuset.cpus": "0-1\n",
        "cpuset.effective_cpus": "0-1\n",
        "cpuset.effective_mems": "0-1\n",
        "cpuset.mems": "0-1\n",
        "cpuset.sched_load_balance": "1\n",
        "cpuset.sched_relax_domain_level": "-1\n",
    }
