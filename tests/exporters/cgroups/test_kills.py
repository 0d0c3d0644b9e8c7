"""Kills that a pod on cgroup v1 keeps when its containers are gone, and who is counted."""

from pathlib import Path

from exporters.app import cgroup_group
from exporters.collector import Collector
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, UID

POD = f"kubepods/burstable/pod{UID}"
OTHER = "b" * 64
CONTROLLERS = ("cpu", "memory")


def cgroup(machine: FakeMachine, path: str, kills: int) -> None:
    machine.write(f"cgroup/cpu/{path}/cpu.shares", "1024\n")
    machine.write(f"cgroup/memory/{path}/memory.usage_in_bytes", "4096\n")
    machine.write(f"cgroup/memory/{path}/memory.oom_control", f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n")


def kills(collector: Collector, now: float) -> dict[str, float]:
    """By the first letters of the cgroup's name."""
    samples = samples_in(exposed(collector, now))
    found = {name: value for name, value in samples.items() if name.startswith("container_oom_events_total")}
    return {name.split('id="')[1].split('"')[0].rpartition("/")[2][:8]: value for name, value in found.items()}


def test_a_container_that_goes_piece_by_piece_is_counted_once(tmp_path: Path) -> None:
    """Runtimes remove it from one hierarchy after the other, and a scrape may come between two of them."""
    machine = FakeMachine(tmp_path)
    collector = cgroup_group(machine.host, {}).collectors["cgroup.memory"]
    pod = f"pod{UID}"[:8]
    cgroup(machine, POD, 0)
    cgroup(machine, f"{POD}/{APP}", 3)
    assert kills(collector, NOW) == {pod: 3, "aaaaaaaa": 3}
    machine.remove(f"cgroup/cpu/{POD}/{APP}")
    assert kills(collector, NOW + 15) == {pod: 3, "aaaaaaaa": 3}
    machine.remove(f"cgroup/memory/{POD}/{APP}")
    assert kills(collector, NOW + 30) == {pod: 3}


def test_a_container_that_is_made_anew_adds_to_what_was(tmp_path: Path) -> None:
    """Between two scrapes, so that none sees it gone."""
    machine = FakeMachine(tmp_path)
    collector = cgroup_group(machine.host, {}).collectors["cgroup.memory"]
    pod = f"pod{UID}"[:8]
    cgroup(machine, POD, 0)
    cgroup(machine, f"{POD}/{APP}", 3)
    kills(collector, NOW)
    cgroup(machine, f"{POD}/{APP}", 1)
    assert kills(collector, NOW + 15)[pod] == 4


def test_a_pod_keeps_the_kills_of_containers_that_are_gone(tmp_path: Path) -> None:
    """The kernel forgets them with the container's cgroup, and counts none at the pod's."""
    machine = FakeMachine(tmp_path)
    collector = cgroup_group(machine.host, {}).collectors["cgroup.memory"]

    cgroup(machine, "kubepods", 0)
    cgroup(machine, POD, 0)
    cgroup(machine, f"{POD}/{APP}", 1)
    pod = f"pod{UID}"[:8]
    assert kills(collector, NOW) == {"kubepods": 0, pod: 1, "aaaaaaaa": 1}
    cgroup(machine, f"{POD}/{APP}", 3)
    cgroup(machine, f"{POD}/{OTHER}", 2)
    assert kills(collector, NOW + 15) == {"kubepods": 0, pod: 5, "aaaaaaaa": 3, "bbbbbbbb": 2}
    for controller in CONTROLLERS:
        machine.remove(f"cgroup/{controller}/{POD}/{APP}")
    assert kills(collector, NOW + 30) == {"kubepods": 0, pod: 5, "bbbbbbbb": 2}
    cgroup(machine, f"{POD}/{APP}", 1)
    assert kills(collector, NOW + 45) == {"kubepods": 0, pod: 6, "aaaaaaaa": 1, "bbbbbbbb": 2}
    for controller in CONTROLLERS:
        machine.remove(f"cgroup/{controller}/{POD}")
    assert kills(collector, NOW + 60) == {"kubepods": 0}
    cgroup(machine, POD, 0)
    assert kills(collector, NOW + 75) == {"kubepods": 0, pod: 0}
