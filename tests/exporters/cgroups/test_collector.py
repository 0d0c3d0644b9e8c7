"""Containers as dashboards see them: layouts, limits, churn, and cgroups that go while they are read."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.memory import METRICS as MEMORY
from exporters.collector import Collector, NoData
from exporters.scrape import Group
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, UID, log_links, v2_cgroup

POD = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice"
CONTAINER = f"{POD}/cri-containerd-{APP}.scope"


def group(machine: FakeMachine) -> Group:
    return cgroup_group(machine.host, {})


def labels(path: str = f"/{CONTAINER}", container: str = "", name: str = "", pod: str = "", image: str = "") -> str:
    namespace = "shop" if pod else ""
    base = f'container="{container}",id="{path}",image="{image}",name="{name}",namespace="{namespace}",pod="{pod}"'
    return f'{base},workload="web",workload_kind="StatefulSet"' if pod else base


def published(collector: Collector, now: float = NOW) -> dict[str, float]:
    return samples_in(exposed(collector, now))


def ids(collector: Collector, now: float = NOW) -> set[str]:
    """The cgroups that a collector publishes anything of."""
    return {name.split('id="')[1].split('"')[0] for name in published(collector, now)}


def test_a_container_of_a_pod_on_v2(tmp_path: Path) -> None:
    """Every family with its value, and the names of pod and container from the log folders."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    v2_cgroup(machine, CONTAINER, oom_kills=3)
    collectors = group(machine).collectors
    who = labels(container="app", name=APP, pod="web-0")
    cpu = {name: value for name, value in published(collectors["cgroup.cpu"]).items() if f'id="/{CONTAINER}"' in name}
    assert cpu == {
        f'container_cpu_usage_seconds_total{{{who},cpu="total"}}': 12.5,
        f"container_cpu_user_seconds_total{{{who}}}": 10,
        f"container_cpu_system_seconds_total{{{who}}}": 2.5,
        f"container_spec_cpu_period{{{who}}}": 100_000,
        f"container_spec_cpu_quota{{{who}}}": 50_000,
        f"container_spec_cpu_shares{{{who}}}": 2597,
        f"container_cpu_cfs_periods_total{{{who}}}": 40,
        f"container_cpu_cfs_throttled_periods_total{{{who}}}": 10,
        f"container_cpu_cfs_throttled_seconds_total{{{who}}}": 3,
    }
    memory = published(collectors["cgroup.memory"])
    assert {name: value for name, value in memory.items() if "failures" not in name} == {
        f"container_memory_usage_bytes{{{who}}}": 300,
        f"container_memory_working_set_bytes{{{who}}}": 200,
        f"container_memory_rss{{{who}}}": 150,
        f"container_memory_cache{{{who}}}": 140,
        f"container_memory_mapped_file{{{who}}}": 20,
        f"container_memory_swap{{{who}}}": 0,
        f"container_memory_kernel_usage{{{who}}}": 10,
        f"container_memory_total_active_file_bytes{{{who}}}": 40,
        f"container_memory_total_inactive_file_bytes{{{who}}}": 100,
        f"container_memory_events_high_total{{{who}}}": 0,
        f"container_memory_events_max_total{{{who}}}": 2,
        f"container_spec_memory_limit_bytes{{{who}}}": 1000,
        f"container_spec_memory_swap_limit_bytes{{{who}}}": 0,
        f"container_spec_memory_reservation_limit_bytes{{{who}}}": 0,
        f"container_oom_events_total{{{who}}}": 3,
    }
    assert memory[f'container_memory_failures_total{{{who},failure_type="pgfault",scope="hierarchy"}}'] == 7


def test_the_pod_has_its_names_and_no_container(tmp_path: Path) -> None:
    """As the kubelet shows it: `sum by (pod)` needs `container!=""` there and here."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    v2_cgroup(machine, POD)
    v2_cgroup(machine, CONTAINER)
    cpu = published(group(machine).collectors["cgroup.cpu"])
    assert f'container_cpu_usage_seconds_total{{{labels(f"/{POD}", pod="web-0")},cpu="total"}}' in cpu


def test_without_a_quota_nothing_is_throttled(tmp_path: Path) -> None:
    """The CFS counters are there for cgroups with a quota only, and so is the quota."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, CONTAINER, quota="max 100000")
    text = exposed(group(machine).collectors["cgroup.cpu"])
    assert "container_spec_cpu_period" in text
    assert "cfs" not in text
    assert "quota" not in text


def v1_cgroup(machine: FakeMachine, path: str) -> None:
    for controller, files in {
        "cpu,cpuacct": {
            "cpuacct.usage": "12500000000\n",
            "cpuacct.stat": "user 1000\nsystem 250\n",
            "cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 3000000000\n",
            "cpu.cfs_quota_us": "50000\n",
            "cpu.cfs_period_us": "100000\n",
            "cpu.shares": "512\n",
        },
        "memory": {
            "memory.usage_in_bytes": "300\n",
            "memory.stat": "cache 1\nrss 1\ntotal_cache 140\ntotal_rss 150\ntotal_inactive_file 400\n",
            "memory.failcnt": "5\n",
            "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        },
    }.items():
        machine.write_all(files, f"cgroup/{controller}/{path}")


def test_a_container_on_v1(tmp_path: Path) -> None:
    """Nanoseconds and ticks become seconds, no limit is 0, the working set has a floor, failcnt no `_total`."""
    machine = FakeMachine(tmp_path)
    v1_cgroup(machine, f"docker/{APP}")
    collectors = group(machine).collectors
    cpu = published(collectors["cgroup.cpu"])
    memory = published(collectors["cgroup.memory"])
    who = labels(f"/docker/{APP}", name=APP)
    assert cpu[f'container_cpu_usage_seconds_total{{{who},cpu="total"}}'] == 12.5
    assert cpu[f"container_cpu_user_seconds_total{{{who}}}"] == 10
    assert cpu[f"container_cpu_cfs_throttled_seconds_total{{{who}}}"] == 3
    assert cpu[f"container_spec_cpu_shares{{{who}}}"] == 512
    assert memory[f"container_memory_rss{{{who}}}"] == 150
    assert memory[f"container_memory_working_set_bytes{{{who}}}"] == 0
    assert memory[f"container_memory_failcnt{{{who}}}"] == 5
    assert memory[f"container_spec_memory_limit_bytes{{{who}}}"] == 0
    assert memory[f"container_oom_events_total{{{who}}}"] == 2


def test_a_hybrid_machine_accounts_in_v1(tmp_path: Path) -> None:
    """A unified hierarchy beside the old ones holds no controller and is not published."""
    machine = FakeMachine(tmp_path)
    v1_cgroup(machine, "system.slice")
    machine.write("cgroup/unified/cgroup.controllers", "")
    machine.write("cgroup/unified/only-there/cgroup.procs", "")
    assert ids(group(machine).collectors["cgroup.lifetime"]) >= {"/", "/system.slice"}
    assert "/only-there" not in ids(group(machine).collectors["cgroup.lifetime"])


def test_a_cgroup_of_one_hierarchy_only_has_that_ones_families(tmp_path: Path) -> None:
    """What the other controller would say is absent, never 0."""
    machine = FakeMachine(tmp_path)
    v1_cgroup(machine, "both")
    machine.write("cgroup/memory/memory-only/memory.usage_in_bytes", "1\n")
    collectors = group(machine).collectors
    assert "/memory-only" in ids(collectors["cgroup.memory"])
    assert "/memory-only" not in ids(collectors["cgroup.cpu"])


def test_the_root_is_the_machine(tmp_path: Path) -> None:
    """Its memory comes from /proc/meminfo; its memory.stat, which costs seconds, is not read."""
    machine = FakeMachine(tmp_path)
    machine.write(
        "proc/meminfo",
        "MemTotal: 100 kB\nBuffers: 1 kB\nCached: 20 kB\nSwapCached: 0 kB\nInactive(file): 5 kB\nAnonPages: 30 kB\n"
        "SwapTotal: 8 kB\nSwapFree: 6 kB\n",
    )
    v2_cgroup(machine, "")
    memory = published(group(machine).collectors["cgroup.memory"])
    who = labels("/")
    assert memory[f"container_memory_usage_bytes{{{who}}}"] == 51 << 10
    assert memory[f"container_memory_working_set_bytes{{{who}}}"] == 46 << 10
    assert memory[f"container_memory_swap{{{who}}}"] == 2 << 10
    assert memory[f"container_spec_memory_limit_bytes{{{who}}}"] == 100 << 10


def test_monitors_mounts_and_what_is_inside_a_container_are_no_cgroups_of_their_own(tmp_path: Path) -> None:
    """conmon, mount units, and the child that crun makes."""
    machine = FakeMachine(tmp_path)
    for path in (f"{POD}/crio-conmon-{APP}.scope", "system.slice/dev-hugepages.mount", f"{CONTAINER}/container"):
        v2_cgroup(machine, path)
    found = ids(group(machine).collectors["cgroup.lifetime"])
    assert f"/{CONTAINER}" in found
    assert not any("conmon" in path or path.endswith((".mount", "/container")) for path in found)


def test_cgroups_come_and_go(tmp_path: Path) -> None:
    """Those that are there are published, at every scrape, also when one goes as another comes."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, "a")
    collector = group(machine).collectors["cgroup.cpu"]
    assert ids(collector, NOW) == {"/a"}
    v2_cgroup(machine, "b")
    assert ids(collector, NOW + 1) == {"/a", "/b"}
    machine.remove("cgroup/a")
    v2_cgroup(machine, "c")
    assert ids(collector, NOW + 2) == {"/b", "/c"}
    v2_cgroup(machine, "c/deep/er")
    assert "/c/deep/er" in ids(collector, NOW + 3)


def test_a_name_that_is_used_again_is_another_cgroup(tmp_path: Path) -> None:
    """Nothing of the old one is left: neither its open files nor its numbers."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, "again")
    collector = group(machine).collectors["cgroup.memory"]
    usage = f"container_memory_usage_bytes{{{labels('/again')}}}"
    assert published(collector, NOW)[usage] == 300
    # moved, not removed: a common file system would give the new folder the old one's inode, cgroupfs does not
    (tmp_path / "cgroup/again").rename(tmp_path / "was-again")
    v2_cgroup(machine, "again")
    machine.write("cgroup/again/memory.current", "7\n")
    assert published(collector, NOW + 1)[usage] == 7


def test_churn_leaves_no_open_files_behind(tmp_path: Path) -> None:
    """After a hundred generations as many descriptors are open as after the first."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/pressure/cpu", "some total=1\n")
    v2_cgroup(machine, "")
    collectors = group(machine).collectors
    descriptors = Path("/proc/self/fd")
    counts = []
    for generation in range(100):
        v2_cgroup(machine, f"gen-{generation}")
        for resource in ("cpu", "memory", "io"):
            machine.write(f"cgroup/gen-{generation}/{resource}.pressure", "some total=1\n")
        for collector in collectors.values():
            with contextlib.suppress(NoData):  # of what this machine has no files
                exposed(collector, NOW + generation)
        counts.append(len(list(descriptors.iterdir())))
        machine.remove(f"cgroup/gen-{generation}")
    assert max(counts[5:]) <= counts[4]


def test_a_cgroup_that_goes_between_list_and_read_is_left_out(tmp_path: Path) -> None:
    """No zeros and no error: it is simply gone."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, "stays")
    v2_cgroup(machine, "goes")
    collectors = group(machine).collectors
    assert "/goes" in ids(collectors["cgroup.lifetime"], NOW)
    machine.remove("cgroup/goes")
    assert ids(collectors["cgroup.memory"], NOW) == {"/stays"}


def test_names_that_come_late_are_taken(tmp_path: Path) -> None:
    """The cgroup is there before the runtime has written anything down."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, CONTAINER)
    collector = group(machine).collectors["cgroup.cpu"]
    first = published(collector, NOW)
    log_links(machine)
    later = published(collector, NOW + 6)
    assert f'container_cpu_usage_seconds_total{{{labels(name=APP)},cpu="total"}}' in first
    assert f'container_cpu_usage_seconds_total{{{labels(container="app", name=APP, pod="web-0")},cpu="total"}}' in later


@pytest.mark.parametrize("prepare", [lambda machine: None, lambda machine: machine.remove("cgroup")])
def test_a_machine_without_cgroups_says_so(tmp_path: Path, prepare: Callable[[FakeMachine], None]) -> None:
    """NoData names the folder, and it is looked for again at the next scrape."""
    machine = FakeMachine(tmp_path)
    prepare(machine)
    collector = group(machine).collectors["cgroup.cpu"]
    with pytest.raises(NoData, match="cgroup"):
        exposed(collector, NOW)
    v2_cgroup(machine, "late")
    assert ids(collector, NOW + 1) == {"/late"}


def test_every_memory_metric_has_a_name_of_its_own() -> None:
    """The table has no line twice."""
    names = [metric.name for metric in MEMORY.values()]
    assert len(names) == len(set(names))
