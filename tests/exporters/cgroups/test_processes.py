"""Processes of cgroups and what they hold open: whose they are, limits, and those that end while they are asked."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.descriptors import DescriptorsCollector
from exporters.cgroups.tree.inventory import Inventory
from exporters.collector import Collector
from exporters.host import Access, Reason, Tree, Unreadable
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, opened, v2_cgroup

V1 = {"": "cgroup/cpu,cpuacct", "pids": "cgroup/pids"}
V2 = {"": "cgroup", "pids": "cgroup"}
VERSIONS = pytest.mark.parametrize("folders", [V1, V2], ids=["v1", "v2"])
DOCKER = f"docker-{APP}.scope"


def published(machine: FakeMachine, name: str, path: str) -> dict[str, float]:
    """What a collector publishes of one cgroup, by the metric's name without `container_`."""
    return of(path, cgroup_group(machine.host, {f"cgroup.{name}": True}).collectors[f"cgroup.{name}"])


def of(path: str, collector: Collector) -> dict[str, float]:
    return {
        series.partition("{")[0].removeprefix("container_"): value
        for series, value in samples_in(exposed(collector)).items()
        if f'id="/{path}"' in series
    }


def cgroup(
    machine: FakeMachine, path: str, procs: str, folders: dict[str, str] = V2, *, threads: str = "3", most: str = "max"
) -> None:
    if folders is V2:
        v2_cgroup(machine, "")
    machine.write(f"{folders['']}/{path}/cgroup.procs", procs)
    machine.write_all({"pids.current": f"{threads}\n", "pids.max": f"{most}\n"}, f"{folders['pids']}/{path}")


def process(machine: FakeMachine, pid: int, started: int, name: str = "app") -> None:
    """A process's stat, with the time of its start in ticks."""
    machine.write(f"proc/{pid}/stat", f"{pid} ({name}) S {' '.join(['0'] * 18)} {started} 0 0\n")


@VERSIONS
@pytest.mark.parametrize(("most", "limit"), [("max", 0), ("512", 512)])
def test_processes_and_threads(tmp_path: Path, folders: dict[str, str], most: str, limit: int) -> None:
    """Lines of the list, the controller's count, and its limit, of which `max` is 0."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n11\n", folders, most=most)
    assert published(machine, "processes", "a") == {"processes": 2, "threads": 3, "threads_max": limit}


@VERSIONS
def test_a_cgroup_without_processes_has_none(tmp_path: Path, folders: dict[str, str]) -> None:
    """The kernel says so: a slice has no processes of its own, and the threads of all below it."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "system.slice", "", folders)
    cgroup(machine, "system.slice/a.service", "10\n", folders)
    assert published(machine, "processes", "system.slice") == {"processes": 0, "threads": 3, "threads_max": 0}


@VERSIONS
@pytest.mark.parametrize("content", ["", "rubbish\n", "9" * 400 + "\n"])
def test_what_is_no_number_has_no_series(tmp_path: Path, folders: dict[str, str], content: str) -> None:
    """Never a 0 that the kernel did not write."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n", folders)
    machine.write(f"{folders['pids']}/a/pids.max", content)
    assert published(machine, "processes", "a") == {"processes": 1, "threads": 3}
    machine.write(f"{folders['pids']}/a/pids.current", content)
    assert published(machine, "processes", "a") == {"processes": 1}


@VERSIONS
def test_without_the_pids_controller_threads_are_unknown(tmp_path: Path, folders: dict[str, str]) -> None:
    """So they are at the root of every hierarchy."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n", folders)
    machine.remove(f"{folders['pids']}/a/pids.current")
    assert published(machine, "processes", "a") == {"processes": 1}


def test_a_cgroup_of_v1_in_the_memory_hierarchy_only(tmp_path: Path) -> None:
    """Its list is read there."""
    machine = FakeMachine(tmp_path)
    machine.write("cgroup/memory/a/cgroup.procs", "10\n")
    machine.write("cgroup/cpu/b/cgroup.procs", "11\n12\n")
    assert published(machine, "processes", "a") == {"processes": 1}
    assert published(machine, "processes", "b") == {"processes": 2}


@pytest.mark.parametrize(
    ("below", "count"),
    [
        ({"container": "10\n11\n"}, 2),
        ({"container": "", "container/init.scope": "10\n", "container/system.slice/a.service": "11\n12\n"}, 3),
        ({"init.scope": "10\n", "threaded": ""}, 1),
        ({}, 0),
    ],
    ids=["crun", "crun and systemd", "systemd", "none"],
)
def test_a_container_has_what_is_below_it(tmp_path: Path, below: dict[str, str], count: int) -> None:
    """v2 allows no processes above others: crun and systemd put those of a container one level down."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, DOCKER, "")
    for path, procs in below.items():
        cgroup(machine, f"{DOCKER}/{path}", procs)
    assert published(machine, "processes", DOCKER)["processes"] == count


def test_a_list_that_is_handed_out_by_the_page_is_read_to_its_end(tmp_path: Path) -> None:
    """Also one that is longer than what a single read of any size brings."""
    machine = FakeMachine(tmp_path)
    for count in (600, 20_000):
        cgroup(machine, "a", "".join(f"{pid}\n" for pid in range(1000, 1000 + count)))
        assert published(machine, "processes", "a")["processes"] == count


def test_descriptors_sockets_and_the_limit(tmp_path: Path) -> None:
    """Of all processes together; the limit is that of the one that was there first."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "11\n10\n")
    process(machine, 11, started=500)
    process(machine, 10, started=700, name="a) S (b")
    opened(machine, 10, ["/dev/null", "socket:[1]"])
    opened(machine, 11, ["socket:[2]", "pipe:[3]", "/run/socket"], soft_limit="1024")
    assert published(machine, "descriptors", "a") == {"file_descriptors": 5, "sockets": 2, "ulimits_soft": 1024}


@pytest.mark.parametrize(
    ("soft_limit", "value"), [("unlimited", -1), ("0", 0), ("x", None), ("9" * 400, None)], ids=str
)
def test_soft_limits(tmp_path: Path, soft_limit: str, value: int | None) -> None:
    """`unlimited` is -1, as in cAdvisor."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n")
    opened(machine, 10, [], soft_limit=soft_limit)
    assert published(machine, "descriptors", "a").get("ulimits_soft") == value


def test_the_limit_of_the_root_is_that_of_process_1(tmp_path: Path) -> None:
    """The processes in the root are the kernel's."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "", "2\n")
    opened(machine, 1, [], soft_limit="77")
    opened(machine, 2, [], soft_limit="88")
    assert published(machine, "descriptors", "")["ulimits_soft"] == 77


@pytest.mark.parametrize("procs", ["10\n11\n", "10\n10\n", "10\n0\n", "10\n-4\nx\n../10\n" + "7" * 400 + "\n"])
def test_processes_that_are_gone_or_hidden_hold_nothing(tmp_path: Path, procs: str) -> None:
    """One that ended, one that is listed twice, one of another namespace (0), and what is no process at all."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", procs)
    opened(machine, 10, ["socket:[1]"])
    assert published(machine, "descriptors", "a") == {"file_descriptors": 1, "sockets": 1, "ulimits_soft": 65536}


def test_when_all_processes_have_ended(tmp_path: Path) -> None:
    """No failure, and no limit."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n11\n")
    assert published(machine, "descriptors", "a") == {"file_descriptors": 0, "sockets": 0}


class Refusing(Tree):
    """A tree in which some reads are answered as a test says."""

    def __init__(self, tree: Tree, answers: dict[str, Reason]) -> None:
        super().__init__(tree.root, Access())
        self._answers = answers

    def names(self, relative: str) -> list[str] | Unreadable:
        return self._refusal(relative) or super().names(relative)

    def target(self, relative: str) -> str | Unreadable:
        return self._refusal(relative) or super().target(relative)

    def _refusal(self, relative: str) -> Unreadable | None:
        reason = self._answers.get(relative)
        return None if reason is None else Unreadable(self.path(relative), reason)


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ({"10/fd": Reason.NOT_PERMITTED}, {}),
        ({"10/fd/0": Reason.NOT_PERMITTED}, {"file_descriptors": 3}),
        ({"10/fd/0": Reason.ABSENT}, {"file_descriptors": 3, "sockets": 2}),
        ({"10/fd": Reason.ABSENT}, {"file_descriptors": 1, "sockets": 1}),
    ],
    ids=["a folder", "a link", "closed meanwhile", "ended meanwhile"],
)
def test_what_may_not_be_seen_has_no_series(
    tmp_path: Path, refused: dict[str, Reason], expected: dict[str, float]
) -> None:
    """A count of half of them would be wrong. The limit may be read by all, and is another matter."""
    machine = FakeMachine(tmp_path)
    cgroup(machine, "a", "10\n11\n")
    opened(machine, 10, ["socket:[1]", "socket:[2]"])
    opened(machine, 11, ["socket:[3]"])
    host = machine.host
    host.proc = Refusing(host.proc, refused)
    found = of("a", DescriptorsCollector(Inventory(host, Resolver([])), host))
    assert {name: value for name, value in found.items() if name != "ulimits_soft"} == expected
