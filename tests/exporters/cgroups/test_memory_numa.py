"""Pages by NUMA node: the files of v1 and v2, and where the root's come from."""

import re
from pathlib import Path

import pytest

from exporters.cgroups.memory_numa import MemoryNumaCollector, numa_pages
from exporters.cgroups.tree.inventory import Inventory
from exporters.collector import NoData
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import NOW, v2_cgroup

V1 = """\
total=44611 N0=32631 N1=11980
file=44428 N0=32614 N1=11814
anon=183 N0=17 N1=166
unevictable=0 N0=0 N1=0
hierarchical_total=768133 N0=509113 N1=259020
hierarchical_file=722017 N0=496516 N1=225501
hierarchical_anon=46096 N0=12597 N1=33499
hierarchical_unevictable=20 N0=0 N1=20
numa_locality 0 0 0 0 0 0 0 0 0 0
"""
V2 = """\
anon N0=8192 N1=4096
file N0=12288 N1=0
kernel_stack N0=4096 N1=0
inactive_file N0=4096 N1=0
unevictable N0=0 N1=4096
"""
SCOPES = re.compile(r'id="([^"]*)".*type="(\w+)",scope="(\w+)",node="(\w+)"')


def published(machine: FakeMachine, path: str) -> dict[tuple[str, str, str], float]:
    """Pages of a cgroup by type, scope and node."""
    host = machine.host
    collector = MemoryNumaCollector(Inventory(host, Resolver([])), host, page=4096)
    found = [(SCOPES.findall(name)[0], value) for name, value in samples_in(exposed(collector, NOW)).items()]
    return {(what, scope, node): value for (who, what, scope, node), value in found if who == path}


def machine_of(folder: Path) -> FakeMachine:
    machine = FakeMachine(folder)
    machine.write(
        "sys/devices/system/node/node0/meminfo",
        "Node 0 MemTotal:       64 kB\nNode 0 Active(anon):     8 kB\nNode 0 Inactive(anon):  4 kB\n"
        "Node 0 Active(file):   12 kB\nNode 0 Inactive(file):  4 kB\nNode 0 Unevictable:     4 kB\n"
        "Node 0 FilePages:      20 kB\nNode 0 AnonPages:       8 kB\nNode 0 HugePages_Total: 0\n",
    )
    return machine


def test_v1_tells_the_cgroup_alone_and_with_what_is_below(tmp_path: Path) -> None:
    """In pages."""
    machine = machine_of(tmp_path)
    machine.write("cgroup/memory/a/memory.numa_stat", V1)
    assert published(machine, "/a") == {
        ("file", "container", "0"): 32614,
        ("file", "container", "1"): 11814,
        ("anon", "container", "0"): 17,
        ("anon", "container", "1"): 166,
        ("unevictable", "container", "0"): 0,
        ("unevictable", "container", "1"): 0,
        ("file", "hierarchy", "0"): 496516,
        ("file", "hierarchy", "1"): 225501,
        ("anon", "hierarchy", "0"): 12597,
        ("anon", "hierarchy", "1"): 33499,
        ("unevictable", "hierarchy", "0"): 0,
        ("unevictable", "hierarchy", "1"): 20,
    }


def test_the_bytes_of_v2_become_pages(tmp_path: Path) -> None:
    """Always with what is below."""
    machine = machine_of(tmp_path)
    v2_cgroup(machine, "a")
    machine.write("cgroup/a/memory.numa_stat", V2)
    assert published(machine, "/a") == {
        ("anon", "hierarchy", "0"): 2,
        ("anon", "hierarchy", "1"): 1,
        ("file", "hierarchy", "0"): 3,
        ("file", "hierarchy", "1"): 0,
        ("unevictable", "hierarchy", "0"): 0,
        ("unevictable", "hierarchy", "1"): 1,
    }


@pytest.mark.parametrize(("version", "file", "anon"), [("v1", 4, 3), ("v2", 5, 2)])
def test_the_root_is_the_machine(tmp_path: Path, version: str, file: int, anon: int) -> None:
    """By the nodes' own files; its numa_stat would have the kernel look through all cgroups."""
    machine = machine_of(tmp_path)
    if version == "v2":
        v2_cgroup(machine, "")
    machine.write("cgroup/memory.numa_stat" if version == "v2" else "cgroup/memory/memory.numa_stat", V1)
    assert published(machine, "/") == {
        ("file", "hierarchy", "0"): file,
        ("anon", "hierarchy", "0"): anon,
        ("unevictable", "hierarchy", "0"): 1,
    }


def test_a_kernel_without_numa_says_so(tmp_path: Path) -> None:
    """No cgroup is asked then."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, "a")
    with pytest.raises(NoData, match="devices/system/node"):
        published(machine, "/a")


@pytest.mark.parametrize(
    "line",
    ["file", "file N0", "file N0=-1", f"file N0={2**64}", f"file N0={'9' * 400}", "file N99999=1", "xfile N0=1", "\0"],
)
def test_a_line_that_makes_no_sense_costs_no_other(line: str) -> None:
    """What stands there twice counts once."""
    assert numa_pages(f"{line}\nanon N0=1\nanon N0=2\n".encode()) == {("anon", "container", "0"): 2}
