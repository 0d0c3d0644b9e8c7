"""What /proc/cpuinfo says of each CPU, on each architecture."""

import re
from pathlib import Path

import pytest

from exporters.collector import Malformed, NoData
from exporters.node.cpu import Cpu, Options
from exporters.readers.cpuinfo import parse
from exporters.testing import FakeMachine, exposed, samples_in

X86 = """\
processor	: 0
vendor_id	: GenuineIntel
cpu family	: 6
model		: 142
model name	: Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz
stepping	: 10
microcode	: 0xb4
cpu MHz		: 799.998
cache size	: 8192 KB
physical id	: 0
core id		: 3
flags		: fpu sse sse2 fpu
bugs		: cpu_meltdown spectre_v1
power management:

"""
ARM = """\
Processor	: ARMv7 Processor rev 5 (v7l)
processor	: 0
BogoMIPS	: 2400.00

processor	: 1
BogoMIPS	: 2400.00

Features	: swp half thumb
Hardware	: sun8i
"""
S390 = """\
vendor_id       : IBM/S390
# processors    : 2
features\t: esan3 zarch
processor 0: version = FF,  identification = 2733E8,  machine = 2964
processor 1: version = FF,  identification = 2733E8,  machine = 2964

cpu number      : 0
physical id     : 2
core id         : 5
cpu MHz dynamic : 5000
cpu MHz static  : 5000

cpu number      : 1
physical id     : 2
core id         : 6
cpu MHz dynamic : 5000
"""
POWER = """\
processor	: 0
cpu		: POWER8E (raw), altivec supported
clock		: 3026.000000MHz
revision	: 2.1 (pvr 004b 0201)

timebase	: 512000000
platform	: pSeries
model		: IBM,8247-22L
"""
RISC_V = "processor\t: 0\nhart\t\t: 4\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\n"
MIPS = "system type\t\t: UBNT_E100\nmachine\t\t\t: Unknown\nprocessor\t\t: 0\ncpu model\t\t: Cavium Octeon+ V0.1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            X86,
            {
                "0": {
                    "cpu": "0",
                    "vendor": "GenuineIntel",
                    "family": "6",
                    "model": "142",
                    "stepping": "10",
                    "model_name": "Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz",
                    "microcode": "0xb4",
                    "frequency": "799.998",
                    "cachesize": "8192 KB",
                    "package": "0",
                    "core": "3",
                }
            },
        ),
        (ARM, {cpu: {"cpu": cpu, "model_name": "ARMv7 Processor rev 5 (v7l)"} for cpu in ("0", "1")}),
        (
            S390,
            {
                "0": {"cpu": "0", "vendor": "IBM/S390", "package": "2", "core": "5", "frequency": "5000"},
                "1": {"cpu": "1", "vendor": "IBM/S390", "package": "2", "core": "6", "frequency": "5000"},
            },
        ),
        (POWER, {"0": {"cpu": "0", "vendor": "POWER8E (raw), altivec supported", "frequency": "3026.000000MHz"}}),
        (RISC_V, {"0": {"cpu": "0", "core": "4", "model_name": "rv64imafdc"}}),
        (MIPS, {"0": {"cpu": "0", "vendor": "UBNT_E100", "model_name": "Cavium Octeon+ V0.1"}}),
    ],
    ids=["x86", "ARM", "s390", "POWER", "RISC-V", "MIPS"],
)
def test_each_architecture_has_its_own_names(text: str, expected: dict[str, dict[str, str]]) -> None:
    """What holds for all CPUs stands before the first one; what follows the last is of the machine."""
    assert parse(text, "cpuinfo").by_number == expected


@pytest.mark.parametrize(
    ("text", "flags"), [(X86, ["fpu", "sse", "sse2"]), (ARM, ["swp", "half", "thumb"]), (S390, ["esan3", "zarch"])]
)
def test_flags_are_those_of_the_first_cpu(text: str, flags: list[str]) -> None:
    """Wherever they stand, and each once."""
    assert parse(text, "cpuinfo").flags == flags


def machine_with(tmp_path: Path, cpuinfo: str) -> FakeMachine:
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4\n")
    machine.write("proc/cpuinfo", cpuinfo)
    return machine


def test_it_is_published_when_asked_for(tmp_path: Path) -> None:
    """Off by default; to choose flags or bugs switches it on, and each is published when its pattern matches."""
    machine = machine_with(tmp_path, X86)
    assert "node_cpu_info" not in exposed(Cpu(machine.host))
    options = Options(flags_include=re.compile("sse"), bugs_include=re.compile("^spectre"))
    samples = samples_in(exposed(Cpu(machine.host, options)))
    info = (
        'node_cpu_info{package="0",core="3",cpu="0",vendor="GenuineIntel",family="6",model="142",'
        'model_name="Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz",microcode="0xb4",stepping="10",cachesize="8192 KB"}'
    )
    words = ['node_cpu_flag_info{flag="sse"}', 'node_cpu_flag_info{flag="sse2"}', 'node_cpu_bug_info{bug="spectre_v1"}']
    assert [name for name in samples if "_info{" in name] == [info, *words]
    assert samples['node_cpu_frequency_hertz{package="0",core="3",cpu="0"}'] == 799_998_000


def test_info_alone_has_neither_flags_nor_bugs(tmp_path: Path) -> None:
    """They are many; an empty pattern stands for none."""
    text = exposed(Cpu(machine_with(tmp_path, X86).host, Options(info=True, flags_include=re.compile(""))))
    assert "node_cpu_info" in text
    assert "flag" not in text
    assert "bug" not in text


def test_cpufreq_knows_the_frequency_better(tmp_path: Path) -> None:
    """Where its collector publishes node_cpu_frequency_hertz, with other labels, this one does not."""
    machine = machine_with(tmp_path, X86)
    machine.write("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_cur_freq", "800000\n")
    assert "frequency" not in exposed(Cpu(machine.host, Options(info=True)))


def test_a_frequency_that_is_not_told_is_not_0(tmp_path: Path) -> None:
    """ARM says nothing of it."""
    assert "frequency" not in exposed(Cpu(machine_with(tmp_path, ARM).host, Options(info=True)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", r"cpuinfo: expected a line `processor : 0` for each CPU"),
        ("processor : x\n", r"cpuinfo:1: expected a number after processor, got 'x'"),
        ("vendor_id : a\nprocessor : " + "9" * 30, r"cpuinfo:2: expected a number after processor"),
    ],
)
def test_a_broken_file_is_named_and_does_not_cost_the_times(tmp_path: Path, content: str, expected: str) -> None:
    """File, line, what was expected and what stands there; the times were published before."""
    families = Cpu(machine_with(tmp_path, content).host, Options(info=True)).collect(0)
    assert next(iter(families)).metric.name == "node_cpu_seconds_total"
    with pytest.raises(Malformed, match=expected):
        list(families)


def test_a_machine_without_the_file_says_so(tmp_path: Path) -> None:
    """NoData names the file."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "cpu0 1 2 3 4\n")
    with pytest.raises(NoData, match="cpuinfo"):
        exposed(Cpu(machine.host, Options(info=True)))
