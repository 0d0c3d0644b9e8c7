"""Huge pages of cgroups: sizes, the two accounts, and what v2 does not keep."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import NoData
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_collector import labels
from tests.exporters.machines import v2_cgroup


def machine_with(folder: Path, *kilobytes: int) -> FakeMachine:
    """A machine with these sizes of pages."""
    machine = FakeMachine(folder)
    for size in kilobytes:
        machine.write(f"sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages", "0\n")
    return machine


def published(machine: FakeMachine) -> dict[str, float]:
    """What is published of cgroup `a`, by metric and size."""
    samples = samples_in(exposed(cgroup_group(machine.host, {"cgroup.hugetlb": True}).collectors["cgroup.hugetlb"]))
    return {
        series.removeprefix("container_hugetlb_").replace(f'{{{labels("/a")},pagesize="', " ").removesuffix('"}'): value
        for series, value in samples.items()
        if 'id="/a"' in series
    }


def on_v1(machine: FakeMachine, account: str, usage: int, highest: int, failures: int) -> None:
    machine.write("cgroup/memory/a/memory.usage_in_bytes", "1\n")
    files = {"usage_in_bytes": usage, "max_usage_in_bytes": highest, "failcnt": failures}
    machine.write_all({f"{account}.{name}": f"{value}\n" for name, value in files.items()}, "cgroup/hugetlb/a")


def test_on_v1(tmp_path: Path) -> None:
    """Use, the highest use, and refusals."""
    machine = machine_with(tmp_path, 2048)
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    assert published(machine) == {"usage_bytes 2MB": 4, "max_usage_bytes 2MB": 8, "failcnt 2MB": 3}


def test_what_is_reserved_counts_where_the_kernel_tells_it(tmp_path: Path) -> None:
    """As in cAdvisor: a program reserves pages before it touches them."""
    machine = machine_with(tmp_path, 2048)
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    on_v1(machine, "hugetlb.2MB.rsvd", 6, 9, 1)
    assert published(machine) == {"usage_bytes 2MB": 6, "max_usage_bytes 2MB": 9, "failcnt 2MB": 1}


@pytest.mark.parametrize(("rsvd", "usage"), [("", 4), ("6\n", 6)], ids=["before Linux 5.7", "since"])
def test_on_v2(tmp_path: Path, rsvd: str, usage: int) -> None:
    """Refusals are counted for both accounts together; there is no highest use, and no 0 for it."""
    machine = machine_with(tmp_path, 2048)
    v2_cgroup(machine, "a")
    machine.write_all({"hugetlb.2MB.current": "4\n", "hugetlb.2MB.events": "max 3\n"}, "cgroup/a")
    if rsvd:
        machine.write("cgroup/a/hugetlb.2MB.rsvd.current", rsvd)
    assert published(machine) == {"usage_bytes 2MB": usage, "failcnt 2MB": 3}


@pytest.mark.parametrize(
    ("kilobytes", "size"), [(64, "64KB"), (2048, "2MB"), (32768, "32MB"), (1048576, "1GB"), (16777216, "16GB")]
)
def test_sizes_are_called_as_in_the_names_of_files(tmp_path: Path, kilobytes: int, size: str) -> None:
    """In the largest unit that is not above the size, without a fraction."""
    machine = machine_with(tmp_path, kilobytes)
    on_v1(machine, f"hugetlb.{size}", 4, 8, 3)
    assert published(machine)[f"usage_bytes {size}"] == 4


def test_each_size_has_its_own_series(tmp_path: Path) -> None:
    """A folder that is no size is none."""
    machine = machine_with(tmp_path, 2048, 1048576)
    machine.write("sys/kernel/mm/hugepages/hugepages-xkB/nr_hugepages", "0\n")
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    on_v1(machine, "hugetlb.1GB", 5, 9, 0)
    assert {name: value for name, value in published(machine).items() if name.startswith("usage")} == {
        "usage_bytes 2MB": 4,
        "usage_bytes 1GB": 5,
    }


def test_failures_are_a_counter_without_total(tmp_path: Path) -> None:
    """So cAdvisor has it, and a counter is never negative."""
    machine = machine_with(tmp_path, 2048)
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    collector = cgroup_group(machine.host, {"cgroup.hugetlb": True}).collectors["cgroup.hugetlb"]
    text = exposed(collector)
    assert "# TYPE container_hugetlb_failcnt counter\ncontainer_hugetlb_failcnt{" in text
    on_v1(machine, "hugetlb.2MB", 4, 8, -3)
    assert "failcnt 2MB" not in published(machine)


@pytest.mark.parametrize("content", ["", "max\n", "rubbish\n", "9" * 400 + "\n"])
def test_what_is_no_number_has_no_series(tmp_path: Path, content: str) -> None:
    """The others have theirs."""
    machine = machine_with(tmp_path, 2048)
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    machine.write("cgroup/hugetlb/a/hugetlb.2MB.max_usage_in_bytes", content)
    assert published(machine) == {"usage_bytes 2MB": 4, "failcnt 2MB": 3}


def test_a_machine_without_huge_pages_says_so(tmp_path: Path) -> None:
    """It names the folder; and on v1 that the hierarchy is not mounted."""
    machine = machine_with(tmp_path)
    machine.write("cgroup/memory/a/memory.usage_in_bytes", "1\n")
    with pytest.raises(NoData, match="hierarchy is not mounted"):
        published(machine)
    on_v1(machine, "hugetlb.2MB", 4, 8, 3)
    with pytest.raises(NoData, match="kernel/mm/hugepages"):
        published(machine)
