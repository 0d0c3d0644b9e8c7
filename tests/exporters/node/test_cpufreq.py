"""Frequencies and governors: whole policies, drivers that come late and go, files that tell nothing."""

from pathlib import Path

from exporters.node.cpufreq import CpuFreq
from exporters.testing import FakeMachine, exposed, samples_in

CPU = "sys/devices/system/cpu"
FILES = {
    "cpuinfo_min_freq": "800000\n",
    "scaling_cur_freq": "1200000\n",
    "scaling_governor": "powersave\n",
    "scaling_available_governors": "performance powersave \n",
}


def test_kilohertz_become_hertz_and_one_governor_decides(tmp_path: Path) -> None:
    """A file that the driver does not have is no sample."""
    machine = FakeMachine(tmp_path)
    machine.write_all(FILES, f"{CPU}/cpu0/cpufreq")
    assert samples_in(exposed(CpuFreq(machine.host))) == {
        'node_cpu_frequency_min_hertz{cpu="0"}': 800_000_000,
        'node_cpu_scaling_frequency_hertz{cpu="0"}': 1_200_000_000,
        'node_cpu_scaling_governor{cpu="0",governor="performance"}': 0,
        'node_cpu_scaling_governor{cpu="0",governor="powersave"}': 1,
    }


def test_cpus_of_one_policy_have_the_same_values(tmp_path: Path) -> None:
    """Their folders are links to the policy's."""
    machine = FakeMachine(tmp_path)
    machine.write_all({"scaling_max_freq": "3000000\n"}, f"{CPU}/cpufreq/policy0")
    for cpu in (0, 1):
        (tmp_path / CPU / f"cpu{cpu}").mkdir()
        (tmp_path / CPU / f"cpu{cpu}/cpufreq").symlink_to("../cpufreq/policy0")
    assert samples_in(exposed(CpuFreq(machine.host))) == {
        'node_cpu_scaling_frequency_max_hertz{cpu="0"}': 3e9,
        'node_cpu_scaling_frequency_max_hertz{cpu="1"}': 3e9,
    }


def test_a_cpu_that_is_offline_is_left_out(tmp_path: Path) -> None:
    """It has no frequency; it is published again when it is back."""
    machine = FakeMachine(tmp_path)
    for cpu in (0, 1):
        machine.write_all(FILES, f"{CPU}/cpu{cpu}/cpufreq")
    machine.write(f"{CPU}/offline", "1\n")
    collector = CpuFreq(machine.host)
    assert 'cpu="1"' not in exposed(collector)
    machine.write(f"{CPU}/offline", "\n")
    assert 'cpu="1"' in exposed(collector)


def test_a_driver_may_come_late_and_go(tmp_path: Path) -> None:
    """No frequencies are no error: most virtual machines have none."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{CPU}/cpu0/uevent", "")
    collector = CpuFreq(machine.host)
    assert exposed(collector) == ""
    machine.write_all(FILES, f"{CPU}/cpu0/cpufreq")
    assert "1200000000" in exposed(collector)
    machine.write_all(dict.fromkeys(FILES, ""), f"{CPU}/cpu0/cpufreq")  # what is open of it reads no more
    machine.remove(f"{CPU}/cpu0/cpufreq")
    assert exposed(collector) == exposed(collector) == ""
    machine.write_all({**FILES, "scaling_cur_freq": "900000\n"}, f"{CPU}/cpu0/cpufreq")
    assert "900000000" in exposed(collector)


def test_a_file_with_rubbish_is_no_sample(tmp_path: Path) -> None:
    """Drivers write `<unknown>` when the CPU does not answer; node_exporter then publishes nothing at all."""
    machine = FakeMachine(tmp_path)
    machine.write_all({**FILES, "cpuinfo_cur_freq": "<unknown>\n"}, f"{CPU}/cpu0/cpufreq")
    text = exposed(CpuFreq(machine.host))
    assert "node_cpu_frequency_hertz" not in text
    assert "node_cpu_scaling_frequency_hertz" in text
