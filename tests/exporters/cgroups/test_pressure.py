"""How long the tasks of a cgroup waited for CPU, memory and IO, as the kernel's pressure files tell."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import NoData
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, UID, log_links, v2_cgroup

CONTAINER = f"kubepods/burstable/pod{UID}/{APP}"
BOTH = "some avg10=0.10 avg60=0.00 avg300=0.00 total={some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
WAITING, STALLED = 1_500_000, 250_000
IDLE = BOTH.format(some=0, full=0)


def of_machine(machine: FakeMachine, cpu: str = IDLE) -> None:
    machine.write_all({"cpu": cpu, "memory": IDLE, "io": IDLE}, "proc/pressure")


def published(machine: FakeMachine, now: float = NOW) -> Mapping[str, float]:
    return samples_in(exposed(cgroup_group(machine.host, {}).collectors["cgroup.pressure"], now))


def of(path: str, samples: Mapping[str, float]) -> Mapping[str, float]:
    """What is published of one cgroup, without the labels."""
    return {name.partition("{")[0]: value for name, value in samples.items() if f'id="{path}"' in name}


def test_waiting_and_stalled_of_a_container(tmp_path: Path) -> None:
    """`some` is waiting, `full` is stalled, microseconds become seconds; the labels are those of all families."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    of_machine(machine)
    v2_cgroup(machine, CONTAINER)
    for at, resource in enumerate(("cpu", "memory", "io")):
        content = BOTH.format(some=WAITING + at, full=STALLED + at)
        machine.write(f"cgroup/{CONTAINER}/{resource}.pressure", content)
    samples = published(machine)
    assert of(f"/{CONTAINER}", samples) == {
        "container_pressure_cpu_waiting_seconds_total": 1.5,
        "container_pressure_cpu_stalled_seconds_total": 0.25,
        "container_pressure_memory_waiting_seconds_total": 1.500001,
        "container_pressure_memory_stalled_seconds_total": 0.250001,
        "container_pressure_io_waiting_seconds_total": 1.500002,
        "container_pressure_io_stalled_seconds_total": 0.250002,
    }
    who = f'container="app",id="/{CONTAINER}",image="",name="{APP}",namespace="shop",pod="web-0"'
    who += ',workload="web",workload_kind="StatefulSet"'
    assert f"container_pressure_cpu_waiting_seconds_total{{{who}}}" in samples


def test_the_root_is_the_machine(tmp_path: Path) -> None:
    """Its pressure is /proc/pressure's, where `full` of the cpu means nothing and is left out."""
    machine = FakeMachine(tmp_path)
    of_machine(machine, BOTH.format(some=7_000_000, full=0))
    v2_cgroup(machine, "")
    assert of("/", published(machine)) == {
        "container_pressure_cpu_waiting_seconds_total": 7,
        "container_pressure_memory_waiting_seconds_total": 0,
        "container_pressure_memory_stalled_seconds_total": 0,
        "container_pressure_io_waiting_seconds_total": 0,
        "container_pressure_io_stalled_seconds_total": 0,
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n", {"waiting": 2}),  # cpu before Linux 5.13
        (BOTH.format(some=(1 << 64) - 1, full=0), {"waiting": ((1 << 64) - 1) / 1e6, "stalled": 0}),
        (BOTH.format(some=1_000_000, full=0) * 2, {"waiting": 1, "stalled": 0}),
        (None, {}),  # `echo 0 >cgroup.pressure`
        ("", {}),
        ("some avg10=0.00\n", {}),
        ("some total=max\nfull total=1\n", {}),
        (BOTH.format(some=-1, full=0), {}),
        (BOTH.format(some="9" * 300, full=0), {}),
        (b"\xff\xfe\x00some total=".decode("latin-1"), {}),
    ],
)
def test_a_file_that_is_odd_costs_that_cgroup_only(
    tmp_path: Path, content: str | None, expected: Mapping[str, float]
) -> None:
    """What can't be read has no series, never a 0; the other cgroups and resources have theirs."""
    machine = FakeMachine(tmp_path)
    of_machine(machine)
    for path in ("odd", "sound"):
        v2_cgroup(machine, path)
        machine.write(f"cgroup/{path}/cpu.pressure", IDLE)
        machine.write(f"cgroup/{path}/io.pressure", IDLE)
    if content is None:
        machine.remove("cgroup/odd/cpu.pressure")
    else:
        machine.write("cgroup/odd/cpu.pressure", content)
    samples = published(machine)
    odd = {name: value for name, value in of("/odd", samples).items() if "cpu" in name}
    assert odd == {f"container_pressure_cpu_{kind}_seconds_total": value for kind, value in expected.items()}
    assert of("/sound", samples)["container_pressure_cpu_stalled_seconds_total"] == 0
    assert of("/odd", samples)["container_pressure_io_waiting_seconds_total"] == 0


def test_a_cgroup_that_goes_between_list_and_read_is_left_out(tmp_path: Path) -> None:
    """It is simply gone."""
    machine = FakeMachine(tmp_path)
    of_machine(machine)
    for path in ("stays", "goes"):
        v2_cgroup(machine, path)
        machine.write(f"cgroup/{path}/cpu.pressure", IDLE)
    collectors = cgroup_group(machine.host, {}).collectors
    exposed(collectors["cgroup.lifetime"], NOW)
    machine.remove("cgroup/goes")
    samples = samples_in(exposed(collectors["cgroup.pressure"], NOW))
    assert of("/stays", samples)
    assert not of("/goes", samples)


def test_a_kernel_without_pressure_is_no_error(tmp_path: Path) -> None:
    """NoData names the machine's file; the cgroups are not asked."""
    machine = FakeMachine(tmp_path)
    v2_cgroup(machine, "some")
    machine.write("cgroup/some/cpu.pressure", IDLE)
    with pytest.raises(NoData, match="pressure/cpu"):
        published(machine)


def test_v1_has_none(tmp_path: Path) -> None:
    """A hybrid machine's unified hierarchy has such files, for cgroups that hold nothing of what is accounted."""
    machine = FakeMachine(tmp_path)
    of_machine(machine)
    machine.write(f"cgroup/cpu/docker/{APP}/cpu.stat", "nr_periods 0\n")
    machine.write("cgroup/unified/cgroup.controllers", "")
    machine.write("cgroup/unified/cpu.pressure", IDLE)
    with pytest.raises(NoData, match="v1"):
        published(machine)
