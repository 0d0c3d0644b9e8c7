"""The files of a cgroup of v2, after Documentation/admin-guide/cgroup-v2.rst and a recorded tree of Linux 6.8.

Each number is that of a cgroup of load WHOLE; one of another load has its share. `scaled` leaves names, numbers of
devices and of nodes alone.
"""

import re
from dataclasses import dataclass

WHOLE = 1_000_000

CONTROLLERS = "cpuset cpu io memory hugetlb pids rdma misc"

_COUNT = re.compile(r"(?<=[ =])\d+(?![\d:])")

_CPU = "usage_usec 126686449\nuser_usec 90043112\nsystem_usec 36643337\ncore_sched.force_idle_usec 0\n"
_THROTTLED = "nr_periods 84021\nnr_throttled 9310\nthrottled_usec 514204117\nnr_bursts 412\nburst_usec 8120044\n"
_NOT_LIMITED = "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n"

_CURRENT, _PEAK, _SWAP = 61_235_200, 74_600_448, 2_113_536
_EVENTS = {"low": 0, "high": 31, "max": 12, "oom": 0}

_PRESSURE = {"cpu": (1_403_678, 940_110), "memory": (84_940, 61_201), "io": (15_988_680, 15_922_961)}

_SHARES = "avg10=0.18 avg60=0.34 avg300=0.10"

_IO = (
    "7:1 7:0 8:0 rbytes=14592000 wbytes=314773504 rios=1921 wios=3535 dbytes=1048576 dios=17\n"
    "252:0 rbytes=14581760 wbytes=314773504 rios=1901 wios=3510 dbytes=1048576 dios=17\n"
)
"""Loop devices that moved nothing stand before the disk on a line of its own, as some kernels write them."""

_MEMORY = """\
anon 22609920
file 30161920
kernel 7565312
kernel_stack 983040
pagetables 1597440
sec_pagetables 0
percpu 1822080
sock 409600
vmalloc 65536
shmem 1048576
zswap 0
zswapped 0
file_mapped 9461760
file_dirty 405504
file_writeback 135168
swapcached 98304
anon_thp 4194304
file_thp 0
shmem_thp 0
inactive_anon 22405120
active_anon 204800
inactive_file 18997120
active_file 10116224
unevictable 0
slab_reclaimable 3251760
slab_unreclaimable 2582240
slab 5834000
workingset_refault_anon 311
workingset_refault_file 9071
workingset_activate_anon 101
workingset_activate_file 2504
workingset_restore_anon 52
workingset_restore_file 811
workingset_nodereclaim 0
pgscan 51204
pgsteal 48115
pgscan_kswapd 40102
pgscan_direct 11102
pgsteal_kswapd 38051
pgsteal_direct 10064
pgfault 1108244
pgmajfault 3210
pgrefill 6004
pgactivate 12044
pgdeactivate 5310
pglazyfree 0
pglazyfreed 0
zswpin 0
zswpout 0
thp_fault_alloc 210
thp_collapse_alloc 14
"""

_NUMA = """\
anon N0=14609920 N1=8000000
file N0=20161920 N1=10000000
kernel_stack N0=655360 N1=327680
shmem N0=1048576 N1=0
file_mapped N0=9461760 N1=0
file_dirty N0=405504 N1=0
file_writeback N0=135168 N1=0
inactive_anon N0=14405120 N1=8000000
active_anon N0=204800 N1=0
inactive_file N0=12997120 N1=6000000
active_file N0=7116224 N1=3000000
unevictable N0=0 N1=0
slab_reclaimable N0=2251760 N1=1000000
slab_unreclaimable N0=1582240 N1=1000000
workingset_refault_anon N0=211 N1=100
workingset_refault_file N0=6071 N1=3000
"""


@dataclass(frozen=True)
class Limits:
    """What a cgroup may use: microseconds of CPU in each tenth of a second, bytes, and processors such as `2-3`."""

    quota: int | None = None
    memory: int | None = None
    processors: str = ""


NONE = Limits()


def scaled(text: str, load: int) -> str:
    """The counts of a text as a cgroup of this load has them."""
    return _COUNT.sub(lambda match: str(int(match[0]) * load // WHOLE), text)


def core(load: int, *, populated: bool, descendants: int) -> dict[str, str]:
    """What every cgroup has, whatever controllers are on."""
    files = {
        f"{resource}.pressure": scaled(f"some {_SHARES} total={some}\nfull {_SHARES} total={full}\n", load)
        for resource, (some, full) in _PRESSURE.items()
    }
    return files | {
        "cgroup.events": f"populated {populated:d}\nfrozen 0\n",
        "cgroup.freeze": "0\n",
        "cgroup.max.depth": "max\n",
        "cgroup.max.descendants": "max\n",
        "cgroup.pressure": "1\n",
        "cgroup.stat": f"nr_descendants {descendants}\nnr_dying_descendants {load // 150_000}\n",
        "cgroup.type": "domain\n",
        "cpu.stat": scaled(_CPU, load),
    }


def cpu(load: int, quota: int | None) -> dict[str, str]:
    return {
        "cpu.idle": "0\n",
        "cpu.max": f"{'max' if quota is None else quota} 100000\n",
        "cpu.max.burst": "0\n",
        "cpu.stat": scaled(_CPU + (_NOT_LIMITED if quota is None else _THROTTLED), load),
        "cpu.weight": f"{1 + load % 10_000}\n",
        "cpu.weight.nice": "0\n",
    }


def memory(load: int, limit: int | None, kills: int, kills_below: int) -> dict[str, str]:
    """`kills` are those of the cgroup alone, `kills_below` those of all below it as well."""
    most = "max" if limit is None else str(limit)
    events = scaled("".join(f"{name} {count}\n" for name, count in _EVENTS.items()), load)
    return {
        "memory.current": f"{_CURRENT * load // WHOLE}\n",
        "memory.events": f"{events}oom_kill {kills_below}\noom_group_kill 0\n",
        "memory.events.local": f"low 0\nhigh 0\nmax 0\noom 0\noom_kill {kills}\noom_group_kill 0\n",
        "memory.high": "max\n",
        "memory.low": "0\n",
        "memory.max": f"{most}\n",
        "memory.min": "0\n",
        "memory.numa_stat": scaled(_NUMA, load),
        "memory.oom.group": "0\n",
        "memory.peak": f"{_PEAK * load // WHOLE}\n",
        "memory.stat": scaled(_MEMORY, load),
        "memory.swap.current": f"{_SWAP * load // WHOLE}\n",
        "memory.swap.events": "high 0\nmax 0\nfail 0\n",
        "memory.swap.high": "max\n",
        "memory.swap.max": f"{most}\n",
        "memory.swap.peak": f"{2 * _SWAP * load // WHOLE}\n",
        "memory.zswap.current": "0\n",
        "memory.zswap.max": "max\n",
    }


def io(load: int) -> dict[str, str]:
    return {"io.max": "", "io.stat": scaled(_IO, load), "io.weight": "default 100\n"}


def pids(threads: int) -> dict[str, str]:
    return {
        "pids.current": f"{threads}\n",
        "pids.events": "max 0\n",
        "pids.max": "max\n" if threads % 2 else "4915\n",
        "pids.peak": f"{threads + 3}\n",
    }


def cpuset(processors: str) -> dict[str, str]:
    """`processors` are those that the cgroup is bound to; empty is all."""
    return {
        "cpuset.cpus": f"{processors}\n",
        "cpuset.cpus.effective": f"{processors or '0-7'}\n",
        "cpuset.cpus.partition": "member\n",
        "cpuset.mems": "\n",
        "cpuset.mems.effective": "0-1\n",
    }


def hugetlb(load: int) -> dict[str, str]:
    pages = 2_097_152 * (load // 250_000)
    return {
        "hugetlb.2MB.current": f"{pages}\n",
        "hugetlb.2MB.events": f"max {load // 300_000}\n",
        "hugetlb.2MB.events.local": "max 0\n",
        "hugetlb.2MB.max": "max\n",
        "hugetlb.2MB.numa_stat": f"total={pages} N0={pages} N1=0\n",
        "hugetlb.2MB.rsvd.current": f"{pages}\n",
        "hugetlb.2MB.rsvd.max": "max\n",
    }


def root(load: int, descendants: int) -> dict[str, str]:
    """The root of the hierarchy has the counts of the machine, and no limits."""
    files = core(load, populated=True, descendants=descendants)
    kept = ("cgroup.max.depth", "cgroup.max.descendants", "cgroup.stat", "cpu.stat")
    return {name: content for name, content in files.items() if name in kept or name.endswith(".pressure")} | {
        "cpuset.cpus.effective": "0-7\n",
        "cpuset.mems.effective": "0-1\n",
        "io.stat": scaled(_IO, load),
        "memory.numa_stat": scaled(_NUMA, load),
        "memory.stat": scaled(_MEMORY, load),
    }
