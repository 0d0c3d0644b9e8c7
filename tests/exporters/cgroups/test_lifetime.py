"""When cgroups began, and that they are still there."""

import os
from pathlib import Path

from exporters.app import cgroup_group
from exporters.collector import Collector
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_collector import labels
from tests.exporters.machines import NOW, v2_cgroup


def machine(folder: Path, booted_at: int) -> FakeMachine:
    fake = FakeMachine(folder)
    fake.write("proc/stat", f"btime {booted_at}\n")
    v2_cgroup(fake, "a")
    return fake


def made_at(fake: FakeMachine, path: str, seconds: int) -> None:
    os.utime(fake.folder / path, (seconds, seconds))


def published(of: FakeMachine | Collector, now: float = NOW) -> dict[str, float]:
    """What is said of cgroup `a`, by metric."""
    collector = cgroup_group(of.host, {}).collectors["cgroup.lifetime"] if isinstance(of, FakeMachine) else of
    samples = samples_in(exposed(collector, now))
    return {
        name.removeprefix("container_").partition("{")[0]: value
        for name, value in samples.items()
        if name.endswith(f"{{{labels('/a')}}}")
    }


def test_the_oldest_time_of_a_cgroups_files_is_its_beginning(tmp_path: Path) -> None:
    """Creation and start are one: the cgroup's. The folder's own time moves when something is made in it."""
    fake = machine(tmp_path, 1_600_000_000)
    fake.write("cgroup/a/cgroup.events", "populated 1\n")
    made_at(fake, "cgroup/a/cgroup.events", 1_650_000_000)
    made_at(fake, "cgroup/a", 1_660_000_000)
    assert published(fake) == {
        "creation_time_seconds": 1_650_000_000,
        "start_time_seconds": 1_650_000_000,
        "last_seen": NOW,
    }


def test_nothing_begins_before_the_machine(tmp_path: Path) -> None:
    """A clock that was wrong at boot leaves times behind that are older than the kernel's own start."""
    fake = machine(tmp_path, 4_000_000_000)
    assert published(fake)["creation_time_seconds"] == published(fake)["start_time_seconds"] == 4_000_000_000


def test_a_beginning_stays_and_being_seen_moves(tmp_path: Path) -> None:
    """A child that is made later changes the folder's time."""
    fake = machine(tmp_path, 1_600_000_000)
    made_at(fake, "cgroup/a", 1_650_000_000)
    collector = cgroup_group(fake.host, {}).collectors["cgroup.lifetime"]
    assert published(collector)["creation_time_seconds"] == 1_650_000_000
    made_at(fake, "cgroup/a", 1_660_000_000)
    later = published(collector, NOW + 15)
    assert later["creation_time_seconds"] == 1_650_000_000
    assert later["last_seen"] == NOW + 15
