"""Whether memory migrates: a file of v1."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import Collector, NoData
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import NOW, v2_cgroup


def collector_of(machine: FakeMachine) -> Collector:
    return cgroup_group(machine.host, {"cgroup.cpuset": True}).collectors["cgroup.cpuset"]


@pytest.mark.parametrize(("content", "values"), [("1\n", [1]), ("0\n", [0]), ("", []), ("-1\n", []), ("x\n", [])])
def test_the_file_of_v1(tmp_path: Path, content: str, values: list[float]) -> None:
    """1 or 0; nothing else is a status."""
    machine = FakeMachine(tmp_path)
    machine.write("cgroup/cpu/a/cgroup.procs", "")
    machine.write("cgroup/cpuset/a/cpuset.memory_migrate", content)
    found = samples_in(exposed(collector_of(machine), NOW))
    assert [value for name, value in found.items() if 'id="/a"' in name] == values


def test_machines_without_it_say_why(tmp_path: Path) -> None:
    """v2 has no such file, and v1 need not have the hierarchy."""
    machine = FakeMachine(tmp_path / "v1")
    machine.write("cgroup/cpu/a/cgroup.procs", "")
    with pytest.raises(NoData, match="cpuset hierarchy"):
        list(collector_of(machine).collect(NOW))
    machine = FakeMachine(tmp_path / "v2")
    v2_cgroup(machine, "a")
    with pytest.raises(NoData, match="v2"):
        list(collector_of(machine).collect(NOW))
