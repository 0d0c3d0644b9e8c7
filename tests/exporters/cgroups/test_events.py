"""Which cgroup a kill is counted in, and what reclaim, limits and bursts leave in the files of v1 and v2."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, UID, v2_cgroup

POD = f"kubepods/burstable/pod{UID}"
CONTAINER = f"{POD}/{APP}"
ANOTHER = f"{POD}/{'b' * 64}"


def published(machine: FakeMachine, collector: str) -> Mapping[str, Mapping[str, float]]:
    """Family → cgroup → value."""
    families: dict[str, dict[str, float]] = {}
    for name, value in samples_in(exposed(cgroup_group(machine.host, {}).collectors[collector], NOW)).items():
        families.setdefault(name.partition("{")[0], {})[name.split('id="')[1].split('"')[0]] = value
    return families


def of(path: str, families: Mapping[str, Mapping[str, float]], *words: str) -> Mapping[str, float]:
    """The families of one cgroup whose names hold one of the words."""
    return {
        name: cgroups[path]
        for name, cgroups in families.items()
        if path in cgroups and any(word in name for word in words)
    }


def kills(machine: FakeMachine) -> Mapping[str, float]:
    return published(machine, "cgroup.memory")["container_oom_events_total"]


def killed(machine: FakeMachine, path: str, below: int, local: int | None) -> None:
    """A cgroup with `below` kills in it and below it, of which `local` were in itself."""
    v2_cgroup(machine, path, oom_kills=below)
    if local is not None:
        machine.write(f"cgroup/{path}/memory.events.local", f"low 0\nhigh 0\nmax 0\noom 0\noom_kill {local}\n")


def test_a_kill_is_counted_in_the_container_and_its_pod_and_nowhere_above(tmp_path: Path) -> None:
    """A container with what runs in cgroups below it, a pod with its containers, a slice alone."""
    machine = FakeMachine(tmp_path)
    for path, below, local in (
        ("kubepods", 3, 0),
        ("kubepods/burstable", 3, 0),
        (POD, 3, 0),
        (CONTAINER, 3, 1),
        (f"{CONTAINER}/container", 2, 2),
        ("system.slice", 4, 0),
        ("system.slice/cron.service", 4, 4),
    ):
        killed(machine, path, below, local)
    assert kills(machine) == {
        "/kubepods": 0,
        "/kubepods/burstable": 0,
        f"/{POD}": 3,
        f"/{CONTAINER}": 3,
        "/system.slice": 0,
        "/system.slice/cron.service": 4,
    }


def test_the_pod_keeps_the_kills_of_a_container_that_was_replaced(tmp_path: Path) -> None:
    """The new one begins at 0, so that a container's counter need not ever tell of the kill that ended it."""
    machine = FakeMachine(tmp_path)
    killed(machine, POD, below=1, local=0)
    killed(machine, ANOTHER, below=0, local=0)
    assert kills(machine) == {f"/{POD}": 1, f"/{ANOTHER}": 0}


def test_without_local_counts_a_slice_has_all_that_is_below(tmp_path: Path) -> None:
    """A kernel before 5.2: too much for a slice is better than nothing for a unit."""
    machine = FakeMachine(tmp_path)
    killed(machine, "system.slice", below=2, local=None)
    killed(machine, "system.slice/cron.service", below=2, local=None)
    assert kills(machine) == {"/system.slice": 2, "/system.slice/cron.service": 2}


def test_reclaim_and_limits_on_v2(tmp_path: Path) -> None:
    """Each family is the line of memory.stat or memory.events that it is named after."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, CONTAINER)
    machine.write_all(
        {
            "memory.stat": "file_dirty 4096\nfile_writeback 8192\nworkingset_refault_anon 3\n"
            "workingset_refault_file 4\npgscan 20\npgsteal 10\npgscan_kswapd 15\npgsteal_kswapd 5\n",
            "memory.events": "low 1\nhigh 5\nmax 6\noom 7\noom_kill 8\noom_group_kill 9\n",
        },
        f"cgroup/{CONTAINER}",
    )
    memory = published(machine, "cgroup.memory")
    assert of(f"/{CONTAINER}", memory, "memory_file_", "pgs", "refault", "events") == {
        "container_memory_file_dirty_bytes": 4096,
        "container_memory_file_writeback_bytes": 8192,
        "container_memory_pgscan_total": 20,
        "container_memory_pgsteal_total": 10,
        "container_memory_workingset_refault_file_total": 4,
        "container_memory_workingset_refault_anon_total": 3,
        "container_memory_events_high_total": 5,
        "container_memory_events_max_total": 6,
        "container_oom_events_total": 8,
    }


def test_reclaim_and_limits_on_v1(tmp_path: Path) -> None:
    """Dirty pages are told, with those of the cgroups below; reclaim is not, and the refaults' unit is not known."""
    machine = FakeMachine(tmp_path)
    machine.write_all(
        {
            "memory.usage_in_bytes": "300\n",
            "memory.stat": "dirty 1\nwriteback 1\ntotal_dirty 4096\ntotal_writeback 8192\n"
            "total_workingset_refault_anon 3\ntotal_workingset_refault_file 4\n",
        },
        f"cgroup/memory/docker/{APP}",
    )
    memory = published(machine, "cgroup.memory")
    assert of(f"/docker/{APP}", memory, "memory_file_", "pgs", "refault", "events") == {
        "container_memory_file_dirty_bytes": 4096,
        "container_memory_file_writeback_bytes": 8192,
    }


def test_dirty_pages_of_the_root_are_the_machines(tmp_path: Path) -> None:
    """From /proc/meminfo, as all memory of the root is."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/meminfo", "Cached: 20 kB\nAnonPages: 30 kB\nDirty: 4 kB\nWriteback: 8 kB\n")
    v2_cgroup(machine, "")
    assert of("/", published(machine, "cgroup.memory"), "memory_file_") == {
        "container_memory_file_dirty_bytes": 4096,
        "container_memory_file_writeback_bytes": 8192,
    }


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("limited", [True, False])
def test_bursts_are_there_with_a_quota(tmp_path: Path, version: str, *, limited: bool) -> None:
    """Microseconds on v2 and nanoseconds on v1 become seconds."""
    machine = FakeMachine(tmp_path)
    path = f"docker/{APP}"
    if version == "v2":
        v2_cgroup(machine, path, quota="50000 100000" if limited else "max 100000")
        machine.write(f"cgroup/{path}/cpu.stat", "nr_bursts 6\nburst_usec 1500000\n")
    else:
        machine.write(f"cgroup/cpu/{path}/cpu.stat", "nr_bursts 6\nburst_time 1500000000\n")
        machine.write(f"cgroup/cpu/{path}/cpu.cfs_quota_us", "50000\n" if limited else "-1\n")
    expected = {"container_cpu_cfs_burst_periods_total": 6, "container_cpu_cfs_burst_seconds_total": 1.5}
    assert of(f"/{path}", published(machine, "cgroup.cpu"), "burst") == (expected if limited else {})
