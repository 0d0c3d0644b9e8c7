"""Processes of a cgroup: what a list says, and which came first."""

from pathlib import Path

import pytest

from exporters.cgroups.readers.members import by_age, ids_in, processes_and_below
from exporters.cgroups.tree.model import Cgroup
from exporters.pods.cgroup_path import parse
from exporters.testing import FakeMachine
from tests.exporters.machines import APP


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (None, None),
        (b"", []),
        (b"10\n9\n10\n", ["10", "9"]),
        (b"0\n10\n", ["10"]),
        (b"0\n0\n", None),
        (b"-4\n../10\nx\n" + b"7" * 400 + b"\n11\n", ["11"]),
        (bytes(range(128, 256)), None),
    ],
)
def test_ids(content: bytes | None, ids: list[str] | None) -> None:
    """Each once; a list of processes that are all hidden is no empty one."""
    assert ids_in(content) == ids


def test_the_oldest_is_first(tmp_path: Path) -> None:
    """By the start of the process, then by its id; those that have ended are last. Names may hold anything."""
    machine = FakeMachine(tmp_path)
    for pid, name, started in (("30", "a) S (b", 500), ("4", "x y", 700), ("5", ")", 700)):
        machine.write(f"proc/{pid}/stat", f"{pid} ({name}) S {'0 ' * 18}{started} 0\n")
    machine.write("proc/6/stat", "6 (cut")
    assert by_age(machine.host.proc, ["7", "6", "5", "4", "30"]) == ["30", "4", "5", "6", "7"]
    assert by_age(machine.host.proc, ["7"]) == ["7"]


@pytest.mark.parametrize(
    ("own", "below", "all_ids"), [("1\n", "2\n", "1\n2\n"), ("", "2\n", "2\n"), ("1\n", "", "1\n")]
)
def test_a_container_with_those_below_it(tmp_path: Path, own: str, below: str, all_ids: str) -> None:
    """Also where it has processes itself, as on v1."""
    machine = FakeMachine(tmp_path)
    path = f"docker/{APP}"
    machine.write(f"cgroup/cpu/{path}/cgroup.procs", own)
    machine.write(f"cgroup/cpu/{path}/docker/inner/cgroup.procs", below)
    container = Cgroup(f"/{path}", parse(f"/{path}"), {"cpu": f"cpu/{path}"}, machine.host.cgroup)
    assert processes_and_below(container) == all_ids.encode()
    slices = Cgroup("/docker", parse("/docker"), {"cpu": "cpu/docker"}, machine.host.cgroup)
    machine.write("cgroup/cpu/docker/cgroup.procs", "3\n")
    assert processes_and_below(slices) == b"3\n"
