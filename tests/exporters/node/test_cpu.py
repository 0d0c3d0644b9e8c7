"""CPU time: modes, counters that go back, CPUs that come back."""

from pathlib import Path

import pytest

from exporters.collector import Malformed, NoData
from exporters.node.cpu import Cpu, cpu_list
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
    collector = Cpu(machine.host, 100)
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
    collector = Cpu(machine.host, 100)
    seconds(machine, collector, "cpu0 100 0 0 1000 500 0 0 0 0 0")
    later = seconds(machine, collector, "cpu0 200 0 0 999 400 0 0 0 0 0")
    assert (later["user"], later["idle"], later["iowait"]) == (2, 10, 5)


def test_a_cpu_that_came_back_starts_anew(tmp_path: Path) -> None:
    """An idle time that falls by three seconds is another life of the CPU."""
    machine = FakeMachine(tmp_path)
    collector = Cpu(machine.host, 100)
    seconds(machine, collector, "cpu0 100 0 0 1000 0 0 0 0 0 0")
    later = seconds(machine, collector, "cpu0 1 0 0 700 0 0 0 0 0 0")
    assert (later["user"], later["idle"]) == (0.01, 7)


def test_an_old_kernel_has_fewer_modes(tmp_path: Path) -> None:
    """What it does not count is zero."""
    machine = FakeMachine(tmp_path)
    assert seconds(machine, Cpu(machine.host, 100), "cpu0 100 0 0 400")["steal"] == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("cpu  1 2 3 4\nintr 5\n", r"stat:1: expected a line for each CPU"),
        ("cpu  1 2 3 4\ncpu0 1 2 x 4\n", r"stat:2: expected numbers after the CPU's name, got 'cpu0 1 2 x 4'"),
        ("cpu0 1 2\n", r"stat:1: expected four numbers or more"),
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("3", ["3"]),
        ("0-2,7", ["0", "1", "2", "7"]),
        ("nonsense", []),
        ("1-", []),
        ("5-3", []),
        ("²", []),
    ],
)
def test_the_kernels_lists_of_cpus(text: str, expected: list[str]) -> None:
    """Ranges and single numbers; anything else gives nothing."""
    assert cpu_list(text) == expected
