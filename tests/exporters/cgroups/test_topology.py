"""Caches, threads and NUMA nodes: which cache is whose, machines without nodes, and what changes while it runs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import Collector, NoData
from exporters.readers.sysfs import REDISCOVERED_SECONDS
from exporters.testing import FakeMachine, exposed, samples_in

CPUS = "sys/devices/system/cpu"
NODES = "sys/devices/system/node"
NOW = 2 * REDISCOVERED_SECONDS


def add_cpu(fake: FakeMachine, cpu: int, socket: int, core: int, caches: Mapping[str, str] | None = None) -> None:
    """A CPU; a cache is `type level size mask`."""
    files = {"topology/physical_package_id": f"{socket}\n", "topology/core_id": f"{core}\n"}
    for index, cache in (caches or {}).items():
        values = zip(("type", "level", "size", "shared_cpu_map"), cache.split(), strict=True)
        files.update((f"cache/{index}/{name}", f"{value}\n") for name, value in values)
    fake.write_all(files, f"{CPUS}/cpu{cpu}")


def add_node(fake: FakeMachine, node: int, cpus: range, distances: str = "10", kilobytes: int = 1024) -> None:
    for cpu in cpus:
        fake.write(f"{NODES}/node{node}/cpu{cpu}/uevent", "")
    fake.write_all(
        {
            "meminfo": f"Node {node} MemTotal:  {kilobytes} kB\nNode {node} MemFree: 1 kB\n",
            "distance": f"{distances}\n",
            "hugepages/hugepages-2048kB/nr_hugepages": f"{node + 3}\n",
        },
        f"{NODES}/node{node}",
    )


def two_nodes(folder: Path) -> FakeMachine:
    """Two nodes, each a socket of one core of two threads."""
    fake = FakeMachine(folder)
    for cpu in range(4):
        add_cpu(fake, cpu, cpu // 2, 0)
    add_node(fake, 0, range(2), "10 21")
    add_node(fake, 1, range(2, 4), "21 10", 2048)
    return fake


def collector(fake: FakeMachine) -> Collector:
    return cgroup_group(fake.host, {"cgroup.cpu_topology": True}).collectors["cgroup.cpu_topology"]


def published(of: Collector, metric: str, now: float = NOW) -> dict[str, float]:
    """Values by the labels that follow the machine's own: those of one metric."""
    found = {}
    for series, value in samples_in(exposed(of, now)).items():
        name, _, labels = series.rstrip("}").partition('system_uuid="",')
        name = name.partition("{")[0].removeprefix("machine_")
        if name == metric:
            found[labels.replace('"', "")] = value
    return found


def test_threads_of_a_core(tmp_path: Path) -> None:
    """Each has the number of all that share its core."""
    assert published(collector(two_nodes(tmp_path)), "thread_siblings_count") == {
        "node_id=0,core_id=0,thread_id=0": 2,
        "node_id=0,core_id=0,thread_id=1": 2,
        "node_id=1,core_id=0,thread_id=2": 2,
        "node_id=1,core_id=0,thread_id=3": 2,
    }


def test_memory_pages_and_distances_of_a_node(tmp_path: Path) -> None:
    """Sizes of pages are in KiB, as at cAdvisor."""
    of = collector(two_nodes(tmp_path))
    assert published(of, "node_memory_capacity_bytes") == {"node_id=0": 1 << 20, "node_id=1": 2 << 20}
    assert published(of, "node_hugepages_count") == {"node_id=0,page_size=2048": 3, "node_id=1,page_size=2048": 4}
    assert published(of, "node_distance") == {
        "node_id=0,target_node_id=0": 10,
        "node_id=0,target_node_id=1": 21,
        "node_id=1,target_node_id=0": 21,
        "node_id=1,target_node_id=1": 10,
    }


def test_a_distance_is_to_the_node_of_that_number(tmp_path: Path) -> None:
    """Numbers may be left out."""
    fake = FakeMachine(tmp_path)
    add_cpu(fake, 0, 0, 0)
    add_node(fake, 0, range(1), "10 20")
    add_node(fake, 8, range(0), "20 10")
    assert published(collector(fake), "node_distance")["node_id=0,target_node_id=8"] == 20


@pytest.mark.parametrize(
    ("cache", "whose"),
    [
        ("Data 1 32K 1", "node_id=0,core_id=0,type=Data,level=1"),
        ("Unified 2 32K 1", "node_id=0,core_id=0,type=Unified,level=2"),
        ("Unified 2 32K 3", ""),  # a few cores': cAdvisor has no place for it
        ("Unified 3 32K f", "node_id=0,core_id=,type=Unified,level=3"),
        ("Unified 3 32K 3", "node_id=0,core_id=0,type=Unified,level=3"),
        ("Unified 3 32K 00000000,0000000f", "node_id=0,core_id=,type=Unified,level=3"),
        ("Unified 3 32M f", ""),
        ("Unified x 32K f", ""),
        ("Unified 3 32K x", ""),
    ],
)
def test_whose_a_cache_is(tmp_path: Path, cache: str, whose: str) -> None:
    """A core's if no other uses it, the node's if all do, and of each core's that share a large one."""
    fake = FakeMachine(tmp_path)
    for cpu in range(4):
        add_cpu(fake, cpu, 0, cpu, {"index0": cache} if cpu == 0 else {})
    add_node(fake, 0, range(4))
    assert published(collector(fake), "cpu_cache_capacity_bytes") == ({whose: 32 << 10} if whose else {})


def test_without_numa_sockets_stand_for_nodes(tmp_path: Path) -> None:
    """They have threads and caches, and no memory of 0 bytes."""
    fake = FakeMachine(tmp_path)
    add_cpu(fake, 0, 0, 0, {"index0": "Data 1 32K 1"})
    add_cpu(fake, 1, 1, 0)
    of = collector(fake)
    assert published(of, "thread_siblings_count") == {
        "node_id=0,core_id=0,thread_id=0": 1,
        "node_id=1,core_id=0,thread_id=1": 1,
    }
    assert published(of, "cpu_cache_capacity_bytes") == {"node_id=0,core_id=0,type=Data,level=1": 32 << 10}
    assert "machine_node" not in exposed(of)


def test_a_cpu_that_goes_is_seen_at_once_and_pages_after_minutes(tmp_path: Path) -> None:
    """The list of CPUs is read at each scrape, all else is looked at now and then."""
    fake = two_nodes(tmp_path)
    fake.write(f"{CPUS}/online", "0-3\n")
    of = collector(fake)
    assert len(published(of, "thread_siblings_count")) == 4
    fake.remove(f"{CPUS}/cpu3/topology")
    fake.write(f"{NODES}/node0/hugepages/hugepages-2048kB/nr_hugepages", "7\n")
    fake.write(f"{CPUS}/online", "0-2\n")
    assert len(published(of, "thread_siblings_count", NOW + 1)) == 3
    fake.write(f"{NODES}/node0/hugepages/hugepages-2048kB/nr_hugepages", "8\n")
    assert published(of, "node_hugepages_count", NOW + 2)["node_id=0,page_size=2048"] == 7
    assert published(of, "node_hugepages_count", NOW + REDISCOVERED_SECONDS)["node_id=0,page_size=2048"] == 8


def test_a_machine_without_cpus_in_sys_says_so(tmp_path: Path) -> None:
    """It names the folder."""
    with pytest.raises(NoData, match="devices/system/cpu"):
        exposed(collector(FakeMachine(tmp_path)))
