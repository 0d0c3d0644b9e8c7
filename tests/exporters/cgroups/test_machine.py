"""The machine under cAdvisor's names: memory, how its CPUs are built, memory modules, and what runs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.machine import VersionInfo
from exporters.collector import Collector, Family, NoData
from exporters.testing import UNAME, FakeMachine, exposed, samples_in, text_of
from fenghuo import __version__

CPUS = "sys/devices/system/cpu"
MODULES = "sys/devices/system/edac/mc"


def machine(folder: Path) -> FakeMachine:
    """Two CPUs, 100 KiB of memory, no swap."""
    fake = FakeMachine(folder)
    fake.write("proc/stat", "cpu  1\ncpu0 1\ncpu1 1\nbtime 1600000000\n")
    fake.write("proc/meminfo", "MemTotal: 100 kB\nSwapTotal: 0 kB\n")
    return fake


def add_cpu(fake: FakeMachine, cpu: int, socket: int, core: int, **others: int | str) -> None:
    files = {"physical_package_id": socket, "core_id": core, **others}
    fake.write_all({name: f"{value}\n" for name, value in files.items()}, f"{CPUS}/cpu{cpu}/topology")


def collector(fake: FakeMachine) -> Collector:
    return cgroup_group(fake.host, {}).collectors["cgroup.machine"]


def published(of: Collector, now: float = 1.0) -> Mapping[str, float]:
    """Values by metric and the labels that follow the machine's own."""
    nobody = 'boot_id="",machine_id="",system_uuid=""'
    samples = samples_in(exposed(of, now))
    return {name.replace(f"{{{nobody}}}", "").replace(f"{nobody},", ""): value for name, value in samples.items()}


def test_the_machine_is_described(tmp_path: Path) -> None:
    """CPUs and memory under cAdvisor's names and labels."""
    fake = machine(tmp_path)
    fake.write("proc/sys/kernel/random/boot_id", "boot\n")
    fake.write("root/etc/machine-id", "machine\n")
    fake.write("sys/class/dmi/id/product_uuid", "uuid\n")
    who = 'boot_id="boot",machine_id="machine",system_uuid="uuid"'
    assert samples_in(exposed(collector(fake))) == {
        f"machine_cpu_cores{{{who}}}": 2,
        f"machine_memory_bytes{{{who}}}": 100 << 10,
        f"machine_swap_bytes{{{who}}}": 0,
        "machine_scrape_error": 0,
    }


@pytest.mark.parametrize(
    ("files", "uuid"),
    [
        ({}, "machine"),
        ({"proc/device-tree/vm,uuid": "vm\0"}, "vm"),
        ({"proc/device-tree/vm,uuid": "vm\0", "proc/device-tree/system-id": "system\0"}, "system"),
        ({"proc/device-tree/system-id": "system\0", "sys/class/dmi/id/product_uuid": "dmi\n"}, "dmi"),
    ],
)
def test_the_systems_uuid_is_where_the_architecture_has_it(tmp_path: Path, files: Mapping[str, str], uuid: str) -> None:
    """DMI, the device tree of POWER, and the machine's id where there is neither."""
    fake = machine(tmp_path)
    fake.write("root/var/lib/dbus/machine-id", "machine\n")
    fake.write_all(files)
    assert f'machine_id="machine",system_uuid="{uuid}"' in exposed(collector(fake))


def test_cores_and_sockets(tmp_path: Path) -> None:
    """Two sockets of two cores of two threads: the same core's number in another socket is another core."""
    fake = machine(tmp_path)
    for cpu in range(8):
        add_cpu(fake, cpu, socket=cpu // 4, core=cpu % 2)
    samples = published(collector(fake))
    assert samples["machine_cpu_physical_cores"] == 4
    assert samples["machine_cpu_sockets"] == 2


def test_threads_tell_cores_that_have_the_same_number_apart(tmp_path: Path) -> None:
    """Some processors number the cores of each of their chips from 0."""
    fake = machine(tmp_path)
    for cpu in range(4):
        add_cpu(fake, cpu, socket=0, core=0, thread_siblings_list=f"{cpu}")
    assert published(collector(fake))["machine_cpu_physical_cores"] == 4


def test_books_and_drawers_are_those_of_s390(tmp_path: Path) -> None:
    """A book's number counts in its drawer. No other machine has any, and that is known."""
    fake = machine(tmp_path / "other")
    add_cpu(fake, 0, socket=0, core=0)
    samples = published(collector(fake))
    assert (samples["machine_cpu_books"], samples["machine_cpu_drawers"]) == (0, 0)
    fake = machine(tmp_path / "s390")
    for cpu in range(8):
        add_cpu(fake, cpu, socket=0, core=cpu, book_id=cpu // 2 % 2, drawer_id=cpu // 4)
    samples = published(collector(fake))
    assert (samples["machine_cpu_books"], samples["machine_cpu_drawers"]) == (4, 2)
    assert samples["machine_cpu_sockets"] == 4


def test_cpus_are_counted_again_when_one_goes(tmp_path: Path) -> None:
    """An offline CPU has no topology."""
    fake = machine(tmp_path)
    fake.write(f"{CPUS}/online", "0-1\n")
    for cpu in range(2):
        add_cpu(fake, cpu, socket=cpu, core=0)
    of = collector(fake)
    assert published(of)["machine_cpu_sockets"] == 2
    fake.remove(f"{CPUS}/cpu1/topology")
    assert published(of)["machine_cpu_sockets"] == 2
    fake.write(f"{CPUS}/online", "0\n")
    assert published(of)["machine_cpu_sockets"] == 1


def test_memory_modules_by_type(tmp_path: Path) -> None:
    """Over all controllers; a module whose driver does not tell both is left out, and so is what is no module."""
    fake = machine(tmp_path)
    ddr4 = {"dimm_mem_type": "Unbuffered-DDR4\n", "size": "16384\n"}
    for place in ("mc0/dimm0", "mc0/dimm1", "mc1/dimm0"):
        fake.write_all(ddr4, f"{MODULES}/{place}")
    fake.write_all({"dimm_mem_type": "Non-volatile-RAM\n", "size": "131072\n"}, f"{MODULES}/mc1/dimm1")
    fake.write_all({"dimm_mem_type": "Registered-DDR4\n", "size": "much\n"}, f"{MODULES}/mc1/dimm2")
    fake.write_all(ddr4, f"{MODULES}/mc1/rank0")
    fake.write_all(ddr4, f"{MODULES}/power/dimm0")
    samples = published(collector(fake))
    assert {name: value for name, value in samples.items() if "dimm" in name} == {
        'machine_dimm_count{type="Unbuffered-DDR4"}': 3,
        'machine_dimm_count{type="Non-volatile-RAM"}': 1,
        'machine_dimm_capacity_bytes{type="Unbuffered-DDR4"}': 3 * 16384 << 20,
        'machine_dimm_capacity_bytes{type="Non-volatile-RAM"}': 131072 << 20,
    }


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"proc/meminfo": "MemFree: 1 kB\n"}, "meminfo"),
        ({"proc/meminfo": f"MemTotal: {'9' * 300} kB\n"}, "meminfo"),
        ({"proc/meminfo": "MemTotal: -1 kB\n"}, "meminfo"),
        ({"proc/stat": "intr 1\n"}, "stat"),
    ],
)
def test_a_machine_that_does_not_tell_its_size_is_an_error(
    tmp_path: Path, files: Mapping[str, str], named: str
) -> None:
    """The metric for it is 1, the file is named, and the rest is there."""
    fake = machine(tmp_path)
    fake.write_all(files)
    of = collector(fake)
    families: list[Family] = []
    with pytest.raises(NoData, match=named):
        families.extend(of.collect(1.0))
    values = samples_in(text_of(families))
    assert values.pop("machine_scrape_error") == 1
    assert values


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, "Linux"),
        (
            {"etc/os-release": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'},
            "Debian GNU/Linux 12 (bookworm)",
        ),
        ({"usr/lib/os-release": "PRETTY_NAME=Clear\n"}, "Clear"),
        ({"etc/os-release": "", "usr/lib/os-release": "PRETTY_NAME=Clear\n"}, "Linux"),
    ],
)
def test_what_runs(tmp_path: Path, files: Mapping[str, str], name: str) -> None:
    """Under cAdvisor's name and labels: boards take the list of machines from it."""
    fake = machine(tmp_path)
    fake.write_all(files, "root")
    fake.answer(uname=lambda: UNAME)
    labels = f'cadvisorRevision="fenghuo",cadvisorVersion="{__version__}",dockerVersion=""'
    assert samples_in(exposed(VersionInfo(fake.host))) == {
        f'cadvisor_version_info{{{labels},kernelVersion="6.1.0",osVersion="{name}"}}': 1
    }
