"""States of threads and the averages: how they are counted, and how they decay."""

import math
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.load import Averages, LoadCollector
from exporters.cgroups.tree.inventory import Inventory
from exporters.collector import Collector
from exporters.host import Access, Reason, Tree, Unreadable
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import NOW, v2_cgroup

NONE = {"sleeping": 0, "running": 0, "stopped": 0, "uninterruptible": 0}
SHORT = re.compile(r'container_(\w+)\{.*id="/a"[^}]*?(?:,state="(\w+)")?\}$')


def stat(state: str, threads: int) -> str:
    return f"10 (a) R (b) {state} {' '.join(['0'] * 16)} {threads} 0 77 0 0 0\n"


def process(machine: FakeMachine, pid: int, states: str) -> None:
    """A process with a thread in each state, the first of which is the process's own."""
    machine.write(f"proc/{pid}/stat", stat(states[0], len(states)))
    for number, state in enumerate(states):
        machine.write(f"proc/{pid}/task/{pid + number}/stat", stat(state, len(states)))


def members(machine: FakeMachine, *pids: int) -> None:
    v2_cgroup(machine, "a")
    machine.write("cgroup/a/cgroup.procs", "".join(f"{pid}\n" for pid in pids))


def collector_of(machine: FakeMachine) -> Collector:
    return cgroup_group(machine.host, {"cgroup.load": True}).collectors["cgroup.load"]


def published(collector: Collector, now: float = NOW) -> Mapping[str, float]:
    """Of the cgroup `/a`, by state or by what follows `container_`."""
    found = [(SHORT.match(name), value) for name, value in samples_in(exposed(collector, now)).items()]
    return {match[2] or match[1]: value for match, value in found if match is not None}


def states(collector: Collector, now: float = NOW) -> dict[str, float]:
    return {name: value for name, value in published(collector, now).items() if name in (*NONE, "iowaiting")}


def test_all_threads_of_all_processes_are_counted(tmp_path: Path) -> None:
    """By letters: zombies, idle kernel threads and what is traced are in no state, as in the kernel's own count."""
    machine = FakeMachine(tmp_path)
    members(machine, 10, 20)
    process(machine, 10, "SSRRRT")
    process(machine, 20, "DIZtXS")
    assert states(collector_of(machine)) == {"sleeping": 3, "running": 3, "stopped": 1, "uninterruptible": 1}


def test_a_process_with_one_thread_is_one_file(tmp_path: Path) -> None:
    """Its folder of threads is not looked at."""
    machine = FakeMachine(tmp_path)
    members(machine, 10)
    machine.write("proc/10/stat", stat("R", 1))
    machine.write("proc/10/task/11/stat", stat("R", 1))
    assert states(collector_of(machine)) == NONE | {"running": 1}


@pytest.mark.parametrize("content", ["", "10 (a", "10 (a) ", ") R", f"10 (a) {'R' * 9000}"])
def test_processes_that_are_gone_or_make_no_sense_are_in_no_state(tmp_path: Path, content: str) -> None:
    """They cost no other."""
    machine = FakeMachine(tmp_path)
    members(machine, 9, 10, 20)
    machine.write("proc/10/stat", content)
    process(machine, 20, "S")
    found = states(collector_of(machine))
    assert found["sleeping"] == 1
    assert found["running"] <= 1


def test_an_empty_cgroup_has_none_and_a_hidden_one_no_series(tmp_path: Path) -> None:
    """Processes of another namespace are 0 in the list."""
    machine = FakeMachine(tmp_path)
    members(machine)
    assert states(collector_of(machine)) == NONE
    members(machine, 0)
    assert published(collector_of(machine)) == {}


class Refusing(Tree):
    """A tree in which one file may not be read."""

    def read(self, relative: str) -> bytes | Unreadable:
        if relative == "10/stat":
            return Unreadable(self.path(relative), Reason.NOT_PERMITTED)
        return super().read(relative)


def test_a_count_without_some_processes_would_be_wrong(tmp_path: Path) -> None:
    """So there is none."""
    machine = FakeMachine(tmp_path)
    members(machine, 10, 20)
    process(machine, 20, "S")
    host = machine.host
    host.proc = Refusing(host.proc.root, Access())
    assert published(LoadCollector(Inventory(host, Resolver([])), host)) == {}


def test_averages_move_by_the_time_that_has_passed(tmp_path: Path) -> None:
    """In thousandths. The first is the number itself; ten seconds leave a third of what was."""
    machine = FakeMachine(tmp_path)
    members(machine, 10)
    process(machine, 10, "RRD")
    collector = collector_of(machine)
    found = published(collector, NOW)
    assert (found["cpu_load_average_10s"], found["cpu_load_d_average_10s"]) == (2000, 1000)
    assert published(collector, NOW + 15) == found
    process(machine, 10, "SSS")
    left = math.exp(-1)
    found = published(collector, NOW + 25)
    assert (found["cpu_load_average_10s"], found["cpu_load_d_average_10s"]) == (round(2000 * left), round(1000 * left))
    again = published(collector, NOW + 20)
    assert again["cpu_load_average_10s"] == found["cpu_load_average_10s"], "a clock that was set back"


def test_a_cgroup_that_was_made_anew_begins_anew(tmp_path: Path) -> None:
    """Under the same name."""
    machine = FakeMachine(tmp_path)
    members(machine, 10)
    process(machine, 10, "R")
    collector = collector_of(machine)
    assert published(collector, NOW)["cpu_load_average_10s"] == 1000
    (machine.folder / "cgroup/a").rename(machine.folder / "cgroup/b")
    members(machine, 20)
    process(machine, 20, "S")
    assert published(collector, NOW + 1)["cpu_load_average_10s"] == 0


def test_averages_do_not_depend_on_how_often_they_are_asked() -> None:
    """Two scrapers at once leave the same as one."""
    once = Averages(4.0, 2.0).after(15, 1, 0)
    twice = Averages(4.0, 2.0).after(7, 1, 0).after(8, 1, 0)
    assert once.running == pytest.approx(twice.running)
    assert once.waiting == pytest.approx(twice.waiting)
