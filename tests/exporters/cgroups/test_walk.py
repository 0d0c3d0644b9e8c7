"""Cgroups that are in some hierarchies of v1 only, or not in all of them at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.cpu import CpuCollector, Options
from exporters.cgroups.tree.inventory import Inventory
from exporters.cgroups.tree.walk import Folder, Walk
from exporters.host import Reason, Tree, Unreadable
from exporters.pods.cgroup_path import Place, parse
from exporters.pods.identity import Identity
from exporters.pods.resolver import Resolver
from exporters.scrape import Group
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import NOW

STEP = 15.0


class Strained(Resolver):
    """One that may fail."""

    fails = False

    def identity(self, place: Place, now: float) -> Identity:
        if self.fails:
            raise RuntimeError("can't start new thread")
        return super().identity(place, now)


def used(machine: FakeMachine, path: str, seconds: int) -> None:
    machine.write(f"cgroup/cpuacct/{path}/cpuacct.usage", f"{seconds * 10**9}\n")
    machine.write(f"cgroup/cpu/{path}/cpu.shares", "1024\n")


def holds(machine: FakeMachine, path: str, size: int) -> None:
    machine.write(f"cgroup/memory/{path}/memory.usage_in_bytes", f"{size}\n")


def readings(group: Group, now: float) -> dict[str, tuple[float | None, float | None]]:
    """Seconds used and bytes held, by the cgroup's path."""
    cpu = samples_in(exposed(group.collectors["cgroup.cpu"], now))
    memory = samples_in(exposed(group.collectors["cgroup.memory"], now))
    wanted = ("container_cpu_usage_seconds_total", "container_memory_usage_bytes")
    found: dict[str, list[float | None]] = {}
    for place, samples in enumerate((cpu, memory)):
        for name, value in samples.items():
            if name.startswith(wanted[place]):
                found.setdefault(name.split('id="')[1].split('"')[0], [None, None])[place] = value
    return {path: (row[0], row[1]) for path, row in found.items()}


def test_cgroups_that_are_not_in_all_hierarchies(tmp_path: Path) -> None:
    """Each is published with what accounts for it."""
    machine = FakeMachine(tmp_path)
    group = cgroup_group(machine.host, {})
    used(machine, "a/both", 1)
    holds(machine, "a/both", 10)
    used(machine, "a/cpu", 2)
    holds(machine, "b/memory", 20)
    expected = {"/a/both": (1, 10), "/a/cpu": (2, None), "/b/memory": (None, 20)}
    assert readings(group, NOW) == expected
    assert readings(group, NOW + STEP) == expected
    for path in ("cpu/a/cpu", "cpuacct/a/cpu", "memory/b/memory"):
        machine.remove(f"cgroup/{path}")
    assert readings(group, NOW + 2 * STEP) == {"/a/both": (1, 10)}


def test_a_cgroup_that_comes_to_another_hierarchy_later(tmp_path: Path) -> None:
    """Runtimes make folders one after the other, and a scrape may come between two of them."""
    machine = FakeMachine(tmp_path)
    group = cgroup_group(machine.host, {})
    used(machine, "a", 1)
    holds(machine, "other", 5)
    assert readings(group, NOW)["/a"] == (1, None)
    holds(machine, "a", 10)
    assert readings(group, NOW + STEP)["/a"] == (1, 10)
    machine.remove("cgroup/memory/a")
    assert readings(group, NOW + 2 * STEP)["/a"] == (1, None)


def test_a_slice_that_has_its_units_in_one_hierarchy_only(tmp_path: Path) -> None:
    """systemd makes a unit's cgroup where it accounts for something, and the slices above it in more hierarchies."""
    machine = FakeMachine(tmp_path)
    group = cgroup_group(machine.host, {})
    used(machine, "system.slice", 1)
    holds(machine, "system.slice", 10)
    holds(machine, "system.slice/cron.service", 2)
    assert readings(group, NOW) == {"/system.slice": (1, 10), "/system.slice/cron.service": (None, 2)}
    holds(machine, "system.slice/late.service", 3)
    machine.remove("cgroup/memory/system.slice/cron.service")
    assert readings(group, NOW + STEP) == {"/system.slice": (1, 10), "/system.slice/late.service": (None, 3)}


def test_a_hierarchy_that_is_mounted_later(tmp_path: Path) -> None:
    """Without systemd a script mounts one after the other, and a scrape may come between two of them."""
    machine = FakeMachine(tmp_path)
    group = cgroup_group(machine.host, {})
    used(machine, "a", 1)
    assert readings(group, NOW) == {"/a": (1, None)}
    holds(machine, "a", 10)
    holds(machine, "memory", 20)
    machine.write("cgroup/pids/a/pids.current", "7\n")
    assert readings(group, NOW + STEP) == {"/a": (1, 10), "/memory": (None, 20)}
    processes = samples_in(exposed(group.collectors["cgroup.processes"], NOW + STEP))
    assert [value for name, value in processes.items() if "threads{" in name and 'id="/a"' in name] == [7]


def test_what_a_look_that_broke_off_has_found_is_not_lost(tmp_path: Path) -> None:
    """A machine without a thread to spare can't ask for names; what was removed meanwhile has no series after it."""
    machine = FakeMachine(tmp_path)
    resolver = Strained([])
    inventory = Inventory(machine.host, resolver)
    used(machine, f"docker/{'a' * 64}", 1)
    used(machine, "gone", 1)
    inventory.current(NOW)
    machine.remove("cgroup/cpu/gone")
    machine.remove("cgroup/cpuacct/gone")
    resolver.fails = True
    with pytest.raises(RuntimeError):
        inventory.current(NOW + STEP)
    resolver.fails = False
    assert "/gone" not in [cgroup.path for cgroup in inventory.current(NOW + 2 * STEP)]


def test_one_that_is_made_again_begins_anew(tmp_path: Path) -> None:
    """`docker restart` makes a cgroup of the same path, in each hierarchy."""
    machine = FakeMachine(tmp_path)
    group = cgroup_group(machine.host, {})
    used(machine, "docker/a", 100)
    holds(machine, "docker/a", 10)
    assert readings(group, NOW) == {"/docker/a": (100, 10)}
    for controller in ("cpu", "cpuacct", "memory"):
        (machine.folder / f"cgroup/{controller}/docker/a").rename(machine.folder / f"gone-{controller}")
    used(machine, "docker/a", 1)
    holds(machine, "docker/a", 7)
    assert readings(group, NOW + STEP) == {"/docker/a": (1, 7)}


def test_the_use_of_each_processor(tmp_path: Path) -> None:
    """As cAdvisor has it: two digits, and none for a processor that was never used; on v1 only."""
    machine = FakeMachine(tmp_path)
    used(machine, "a", 3)
    machine.write("cgroup/cpuacct/a/cpuacct.usage_percpu", "1000000000 0 2500000000 \n")
    group = cgroup_group(machine.host, {}, {"cgroup.cpu": Options(per_cpu=True)})
    collector = group.collectors["cgroup.cpu"]
    assert isinstance(collector, CpuCollector)
    samples = samples_in(exposed(collector, NOW))
    shown = {name.split('cpu="')[1]: value for name, value in samples.items() if "cpu_usage" in name}
    assert shown == {'cpu00"}': 1.0, 'cpu02"}': 2.5}


class Between(Tree):
    """A tree in which something happens just before a folder is listed."""

    def __init__(self, root: Path, happens: Callable[[], list[str] | Unreadable | None]) -> None:
        super().__init__(str(root))
        self.happens = happens

    def folders(self, relative: str) -> list[str] | Unreadable:
        answer = self.happens()
        return super().folders(relative) if answer is None else answer


def below(tree: Tree, root: Folder) -> set[str]:
    """The names below a root after another look."""
    Walk(tree).look([root])
    return {folder.path.lstrip("/") for folder in root.all() if folder.is_there and folder is not root}


def test_one_that_goes_while_it_is_looked_for_does_not_hide_the_next(tmp_path: Path) -> None:
    """The count of links is that of the folder as it was listed, and not as it was a moment before."""
    for name in "ab":
        (tmp_path / name).mkdir()
    root = Folder("/", "", parse("/"))

    def happens() -> None:
        if (tmp_path / "b").exists():
            (tmp_path / "b").rmdir()

    tree = Between(tmp_path, happens)
    assert below(tree, root) == {"a"}
    (tmp_path / "c").mkdir()
    assert below(tree, root) == {"a", "c"}


def test_a_folder_that_can_not_be_listed_keeps_what_was_known(tmp_path: Path) -> None:
    """No descriptor may be left for a moment: nothing is lost by that, and what came is found afterwards."""
    (tmp_path / "a").mkdir()
    root = Folder("/", "", parse("/"))
    answer: list[Unreadable] = []
    tree = Between(tmp_path, lambda: answer[0] if answer else None)
    assert below(tree, root) == {"a"}
    (tmp_path / "b").mkdir()
    answer.append(Unreadable(str(tmp_path), Reason.FAILED, "Too many open files"))
    assert below(tree, root) == {"a"}
    (tmp_path / "a").rmdir()
    assert below(tree, root) == set()
    answer.clear()
    assert below(tree, root) == {"b"}
