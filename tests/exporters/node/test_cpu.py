"""CPU time: modes, counters that go back, CPUs that come back; and which CPUs there are."""

from pathlib import Path

import pytest

from exporters.collector import Malformed, NoData
from exporters.node.cpu import Cpu, Options
from exporters.readers.cputopology import cpu_list
from exporters.testing import FakeMachine, exposed, samples_in


def seconds(machine: FakeMachine, collector: Cpu, line: str) -> dict[str, float]:
    """Seconds of cpu0 by mode, after /proc/stat has become `line`."""
    machine.write("proc/stat", f"cpu  0 0 0 0 0 0 0 0 0 0\n{line}\nintr 1\n")
    samples = samples_in(exposed(collector))
    prefix = 'node_cpu_seconds_total{cpu="0",mode="'
    return {name.removeprefix(prefix).rstrip('"}'): value for name, value in samples.items() if name.startswith(prefix)}


def test_ticks_become_seconds(tmp_path: Path) -> None:
    """A hundred ticks are a second, and guests have a metric of their own."""
    machine = FakeMachine(tmp_path)
    collector = Cpu(machine.host, ticks_a_second=100)
    assert seconds(machine, collector, "cpu0 100 200 300 400 500 600 700 800 900 1000") == {
        "user": 1,
        "nice": 2,
        "system": 3,
        "idle": 4,
        "iowait": 5,
        "irq": 6,
        "softirq": 7,
        "steal": 8,
    }
    assert 'node_cpu_guest_seconds_total{cpu="0",mode="nice"} 10.0\n' in exposed(collector)


def test_a_counter_that_goes_back_is_held(tmp_path: Path) -> None:
    """idle and iowait fall by a little on real kernels; a falling counter would look like a restart."""
    machine = FakeMachine(tmp_path)
    collector = Cpu(machine.host, ticks_a_second=100)
    seconds(machine, collector, "cpu0 100 0 0 1000 500 0 0 0 0 0")
    later = seconds(machine, collector, "cpu0 200 0 0 999 400 0 0 0 0 0")
    assert (later["user"], later["idle"], later["iowait"]) == (2, 10, 5)


def test_a_cpu_that_came_back_starts_anew(tmp_path: Path) -> None:
    """An idle time that falls by three seconds is another life of the CPU."""
    machine = FakeMachine(tmp_path)
    collector = Cpu(machine.host, ticks_a_second=100)
    seconds(machine, collector, "cpu0 100 0 0 1000 0 0 0 0 0 0")
    later = seconds(machine, collector, "cpu0 1 0 0 700 0 0 0 0 0 0")
    assert (later["user"], later["idle"]) == (0.01, 7)


def test_an_old_kernel_has_fewer_modes(tmp_path: Path) -> None:
    """What it does not count is zero."""
    machine = FakeMachine(tmp_path)
    assert seconds(machine, Cpu(machine.host, ticks_a_second=100), "cpu0 100 0 0 400")["steal"] == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("cpu  1 2 3 4\nintr 5\n", r"stat:1: expected a line for each CPU"),
        ("cpu  1 2 3 4\ncpu0 1 2 x 4\n", r"stat:2: expected numbers after the CPU's name, got 'cpu0 1 2 x 4'"),
        ("cpu0 1 2\n", r"stat:1: expected four numbers or more"),
        ("cpu0 1 2 3 4\ncpu0 1 2 3 4\n", r"stat:2: expected one line for each CPU's number"),
        ("cpu0 1 2 -3 4\n", r"stat:1: expected numbers of 64 bits after the CPU's name"),
        (f"cpu0 1 2 3 {'9' * 400}\n", r"stat:1: expected numbers of 64 bits after the CPU's name"),
        ("cpux 1 2 3 4\n", r"stat:1: expected one line for each CPU's number"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: str, expected: str) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", content)
    with pytest.raises(Malformed, match=expected):
        exposed(Cpu(machine.host))


def test_a_machine_without_the_file_says_so(tmp_path: Path) -> None:
    """NoData names the file."""
    with pytest.raises(NoData, match=r"proc/stat: No such file or directory"):
        exposed(Cpu(FakeMachine(tmp_path).host))


def test_a_cpu_that_went_offline_is_forgotten(tmp_path: Path) -> None:
    """When it comes back it starts where the kernel says, be that lower than before."""
    machine = FakeMachine(tmp_path)
    collector = Cpu(machine.host, ticks_a_second=100)
    seconds(machine, collector, "cpu0 100 0 0 1000 0 0 0 0 0 0")
    assert seconds(machine, collector, "cpu1 100 0 0 1000 0 0 0 0 0 0") == {}
    assert seconds(machine, collector, "cpu0 90 0 0 1000 0 0 0 0 0 0")["user"] == 0.9


def test_guests_can_be_left_out(tmp_path: Path) -> None:
    """Their time is part of user and nice anyway."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4 5 6 7 8 9 10\n")
    assert "guest" not in exposed(Cpu(machine.host, Options(guest=False)))


def test_cpus_online_and_isolated(tmp_path: Path) -> None:
    """One list tells which are online; a CPU that is hot-plugged is found when the list changes."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4\n")
    machine.write_all({"isolated": "1-2,2\n", "online": "0-1\n", "cpu0/online": "1\n"}, "sys/devices/system/cpu")
    machine.write("sys/devices/system/cpu/cpu1/uevent", "")
    collector = Cpu(machine.host)
    text = exposed(collector)
    assert {name: value for name, value in samples_in(text).items() if "isolated" in name or "online" in name} == {
        'node_cpu_isolated{cpu="1"}': 1,
        'node_cpu_isolated{cpu="2"}': 1,
        'node_cpu_online{cpu="0"}': 1,
        'node_cpu_online{cpu="1"}': 1,
    }
    machine.write("sys/devices/system/cpu/cpu2/uevent", "")
    machine.write("sys/devices/system/cpu/online", "0,2\n")
    text = exposed(collector)
    assert 'node_cpu_online{cpu="1"} 0' in text
    assert 'node_cpu_online{cpu="2"} 1' in text


def test_where_no_cpu_can_go_offline_none_is_said_to_be_online(tmp_path: Path) -> None:
    """The first CPU has no switch on most machines; so it is with node_exporter."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4\n")
    machine.write_all({"online": "0\n", "cpu0/uevent": ""}, "sys/devices/system/cpu")
    assert "online" not in exposed(Cpu(machine.host))


def test_threads_of_a_core_share_its_throttles(tmp_path: Path) -> None:
    """One sample a core and one a package; rubbish in the file is no sample."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4\n")
    for cpu, core in enumerate(("0", "0", "1")):
        machine.write_all(
            {
                "topology/physical_package_id": "0\n",
                "topology/core_id": f"{core}\n",
                "thermal_throttle/core_throttle_count": f"{cpu + 5}\n" if cpu < 2 else "many\n",
                "thermal_throttle/package_throttle_count": "30\n",
            },
            f"sys/devices/system/cpu/cpu{cpu}",
        )
    samples = samples_in(exposed(Cpu(machine.host)))
    assert {name: value for name, value in samples.items() if "throttles" in name} == {
        'node_cpu_core_throttles_total{package="0",core="0"}': 5,
        'node_cpu_package_throttles_total{package="0"}': 30,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("3", ["3"]),
        ("0-2,7", ["0", "1", "2", "7"]),
        ("0-2,1-3", ["0", "1", "2", "3"]),
        ("nonsense", []),
        ("1-", []),
        ("5-3", []),
        ("²", []),
    ],
)
def test_the_kernels_lists_of_cpus(text: str, expected: list[str]) -> None:
    """Ranges and single numbers; anything else gives nothing."""
    assert cpu_list(text) == expected
