"""Times of processes by cgroup: sums with what is below, and counters that never fall."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.schedstat import SchedstatCollector, Times, parsed
from exporters.cgroups.tree.inventory import Inventory
from exporters.collector import Collector, NoData
from exporters.host import Access, Reason, Tree, Unreadable
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, v2_cgroup

DOCKER = f"docker/{APP}"


def machine_of(folder: Path, version: str = "v2") -> FakeMachine:
    machine = FakeMachine(folder)
    if version == "v2":
        v2_cgroup(machine, "")
    machine.write("proc/self/schedstat", "1 1 1\n")
    for path in ("", "a", "a/b", "a/c"):
        members(machine, path, version=version)
    return machine


def members(machine: FakeMachine, path: str, *pids: int, version: str = "v2") -> None:
    """A cgroup and its processes."""
    root = "cgroup" if version == "v2" else "cgroup/cpu"
    machine.write(f"{root}/{path}/cgroup.procs", "".join(f"{pid}\n" for pid in pids))


def ran(machine: FakeMachine, pid: int, seconds: int, waited: int = 0, periods: int = 0) -> None:
    machine.write(f"proc/{pid}/schedstat", f"{seconds * 10**9} {waited * 10**9} {periods}\n")


def collector_of(machine: FakeMachine) -> Collector:
    return cgroup_group(machine.host, {"cgroup.schedstat": True}).collectors["cgroup.schedstat"]


def run_seconds(collector: Collector, now: float = NOW) -> dict[str, float]:
    """By id."""
    found = samples_in(exposed(collector, now))
    return {
        name.partition('id="')[2].partition('"')[0]: value
        for name, value in found.items()
        if name.startswith("container_cpu_schedstat_run_seconds_total")
    }


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_cgroup_has_what_is_below_it(tmp_path: Path, version: str) -> None:
    """Each process is read once and stands in all of them."""
    machine = machine_of(tmp_path, version)
    members(machine, "a", 10, version=version)
    members(machine, "a/b", 11, 12, version=version)
    for pid, seconds in ((10, 1), (11, 2), (12, 4)):
        ran(machine, pid, seconds)
    assert run_seconds(collector_of(machine)) == {"/": 7, "/a": 7, "/a/b": 6, "/a/c": 0}


def test_the_three_numbers(tmp_path: Path) -> None:
    """Nanoseconds become seconds."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    machine.write("proc/10/schedstat", "1500000000 250000000 42\n")
    found = samples_in(exposed(collector_of(machine), NOW))
    assert {name.partition("{")[0]: value for name, value in found.items() if 'id="/a/b"' in name} == {
        "container_cpu_schedstat_run_seconds_total": 1.5,
        "container_cpu_schedstat_runqueue_seconds_total": 0.25,
        "container_cpu_schedstat_run_periods_total": 42,
    }


def test_what_a_process_did_stays_when_it_has_ended(tmp_path: Path) -> None:
    """In its cgroup and in those above, and with the cgroup's end still in those above."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10, 11)
    ran(machine, 10, 5)
    ran(machine, 11, 1)
    collector = collector_of(machine)
    assert run_seconds(collector, NOW) == {"/": 6, "/a": 6, "/a/b": 6, "/a/c": 0}
    machine.remove("proc/10")
    members(machine, "a/b", 11)
    ran(machine, 11, 2)
    for scrape in (1, 2):
        assert run_seconds(collector, NOW + scrape) == {"/": 7, "/a": 7, "/a/b": 7, "/a/c": 0}
    machine.remove("cgroup/a/b")
    for scrape in (3, 4):
        assert run_seconds(collector, NOW + scrape) == {"/": 7, "/a": 7, "/a/c": 0}


def test_a_process_that_ends_before_its_list_says_so(tmp_path: Path) -> None:
    """Its file is gone first."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    ran(machine, 10, 5)
    collector = collector_of(machine)
    assert run_seconds(collector, NOW)["/a/b"] == 5
    machine.remove("proc/10")
    assert run_seconds(collector, NOW + 1)["/a/b"] == 5


def test_a_process_id_that_is_used_again_adds_to_the_sum(tmp_path: Path) -> None:
    """Its numbers begin anew, in the same cgroup or in another."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    ran(machine, 10, 5)
    collector = collector_of(machine)
    assert run_seconds(collector, NOW)["/a/b"] == 5
    ran(machine, 10, 1)
    assert run_seconds(collector, NOW + 1) == {"/": 6, "/a": 6, "/a/b": 6, "/a/c": 0}
    members(machine, "a/b")
    members(machine, "a/c", 10)
    machine.write("proc/10/schedstat", "500000000 0 0\n")
    assert run_seconds(collector, NOW + 2) == {"/": 6.5, "/a": 6.5, "/a/b": 6, "/a/c": 0.5}


def test_a_process_that_moves_counts_once_where_it_has_stayed(tmp_path: Path) -> None:
    """Those above both cgroups have it once; the old one does not fall."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    ran(machine, 10, 5)
    collector = collector_of(machine)
    run_seconds(collector, NOW)
    members(machine, "a/b")
    members(machine, "a/c", 10)
    ran(machine, 10, 6)
    for scrape in (1, 2):
        assert run_seconds(collector, NOW + scrape) == {"/": 6, "/a": 6, "/a/b": 5, "/a/c": 6}


@pytest.mark.parametrize("content", ["", "x", "1 2", "1 2 3 4", "-1 2 3", f"1 2 {2**64}", "9" * 5000])
def test_a_process_that_makes_no_sense_is_as_it_was(tmp_path: Path, content: str) -> None:
    """Otherwise it would count twice when it makes sense again."""
    assert parsed(content.encode()) is None
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    collector = collector_of(machine)
    machine.write("proc/10/schedstat", content)
    assert run_seconds(collector, NOW)["/a/b"] == 0
    ran(machine, 10, 5)
    assert run_seconds(collector, NOW + 1)["/a/b"] == 5
    machine.write("proc/10/schedstat", content)
    assert run_seconds(collector, NOW + 2)["/a/b"] == 5
    ran(machine, 10, 6)
    assert run_seconds(collector, NOW + 3)["/a/b"] == 6


def test_a_container_has_the_cgroups_in_it(tmp_path: Path) -> None:
    """A Docker inside has processes beside those that run it."""
    machine = machine_of(tmp_path)
    members(machine, DOCKER, 10)
    members(machine, f"{DOCKER}/docker/inner", 11)
    ran(machine, 10, 1)
    ran(machine, 11, 2)
    assert run_seconds(collector_of(machine))[f"/{DOCKER}"] == 3


def test_processes_that_can_not_be_seen_give_no_series(tmp_path: Path) -> None:
    """Those of another namespace are 0 in the list."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 0, 0)
    assert set(run_seconds(collector_of(machine))) == {"/", "/a", "/a/c"}


class Refusing(Tree):
    """A tree in which the files of one process may not be read while `refused` is set."""

    refused = False

    def read(self, relative: str) -> bytes | Unreadable:
        if self.refused and relative.startswith("10/"):
            return Unreadable(self.path(relative), Reason.NOT_PERMITTED)
        return super().read(relative)


def test_a_cgroup_that_can_not_say_for_once_counts_nothing_twice(tmp_path: Path) -> None:
    """Without a descriptor to spare, for one. Its processes have not ended for all that."""
    machine = machine_of(tmp_path)
    members(machine, "a", 10)
    ran(machine, 10, 5)
    collector = collector_of(machine)
    assert run_seconds(collector)["/a"] == 5
    members(machine, "a", 0)
    assert run_seconds(collector, NOW + 15) == {"/": 5, "/a/b": 0, "/a/c": 0}
    members(machine, "a", 10)
    ran(machine, 10, 6)
    found = run_seconds(collector, NOW + 30)
    assert (found["/"], found["/a"]) == (6, 6)


def test_a_process_that_may_not_be_read_has_not_ended(tmp_path: Path) -> None:
    """It is as it was, and does not count twice."""
    machine = machine_of(tmp_path)
    members(machine, "a/b", 10)
    ran(machine, 10, 5)
    host = machine.host
    host.proc = proc = Refusing(host.proc.root, Access())
    collector = SchedstatCollector(Inventory(host, Resolver([])), host)
    for scrape, refused in enumerate((False, True, False)):
        proc.refused = refused
        assert run_seconds(collector, NOW + scrape)["/a/b"] == 5


def test_a_kernel_without_the_account_says_so(tmp_path: Path) -> None:
    """No process is asked then, and there is no 0."""
    machine = machine_of(tmp_path)
    machine.remove("proc/self/schedstat")
    with pytest.raises(NoData, match="self/schedstat"):
        list(collector_of(machine).collect(NOW))


def test_times_are_added_and_compared_one_by_one() -> None:
    """A process that was here is the same later if no number fell."""
    assert Times(1, 2, 3).plus(Times(10, 20, 30)) == Times(11, 22, 33)
    assert Times(1, 2, 3).is_before(Times(1, 2, 3))
    assert not Times(1, 2, 3).is_before(Times(9, 9, 2))
