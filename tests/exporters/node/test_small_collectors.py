"""The collectors that read one file each: what they make of it, and what they say when it is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Malformed, NoData
from exporters.host import Host
from exporters.node.diskstats import DiskStats, properties
from exporters.node.loadavg import LoadAverage
from exporters.node.meminfo import MemInfo
from exporters.node.netdev import NetDev
from exporters.node.pressure import Pressure
from exporters.node.stat import Stat
from exporters.testing import FakeMachine, exposed, samples_in

HEADINGS = "Inter-|   Receive  |  Transmit\n face |bytes |bytes\n"


@pytest.mark.parametrize(
    ("collector", "file", "content", "expected"),
    [
        (LoadAverage, "loadavg", "0.21\n", "loadavg:1: expected three numbers"),
        (LoadAverage, "loadavg", "a b c\n", "loadavg:1: expected three numbers, got 'a b c'"),
        (MemInfo, "meminfo", "MemTotal: 1 kB\nMemFree 1 kB\n", r"meminfo:2: expected `Name: number \[kB\]`"),
        (MemInfo, "meminfo", "MemTotal: one kB\n", "meminfo:1: expected"),
        (MemInfo, "meminfo", "", "meminfo: expected lines such as"),
        (Stat, "stat", "ctxt x\n", "stat:1: expected a number after ctxt, got 'ctxt x'"),
        (Stat, "stat", "cpu 1\n", "stat: expected lines such as"),
        (NetDev, "net/dev", HEADINGS + "eth0: 1 2 3\n", "net/dev:3: expected a device and 16 numbers"),
        (NetDev, "net/dev", HEADINGS + "eth0: x\n", "net/dev:3: expected numbers after the device's name"),
        (NetDev, "net/dev", "", "net/dev:1: expected two lines of headings"),
        (DiskStats, "diskstats", "8 0 sda 1 2 3\n", "diskstats:1: expected 11 numbers after the device"),
        (DiskStats, "diskstats", "8 0\n", "diskstats:1: expected major, minor, device and numbers"),
        (Pressure, "pressure/cpu", "some avg10=0.00\n", "pressure/cpu:1: expected `some|full"),
        (Pressure, "pressure/cpu", "", "pressure/cpu: expected a line"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, collector: Callable[[Host], Collector], file: str, content: str, expected: str
) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write(f"proc/{file}", content)
    with pytest.raises(Malformed, match=expected):
        exposed(collector(machine.host))


def test_sizes_of_memory_are_bytes_and_counts_are_counts(tmp_path: Path) -> None:
    """kB means KiB; a field without a unit has no `_bytes`; parentheses become underscores."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/meminfo", "MemTotal: 2 kB\nActive(anon): 1 kB\nHugePages_Total: 3\n")
    assert samples_in(exposed(MemInfo(machine.host))) == {
        "node_memory_MemTotal_bytes": 2048,
        "node_memory_Active_anon_bytes": 1024,
        "node_memory_HugePages_Total": 3,
    }


def test_pressure_tells_waiting_and_stalled(tmp_path: Path) -> None:
    """`some` is waiting, `full` is stalled, microseconds become seconds; the cpu's `full` is left out."""
    machine = FakeMachine(tmp_path)
    for resource in ("cpu", "memory"):
        machine.write(f"proc/pressure/{resource}", "some avg10=0.00 total=1500000\nfull avg10=0.00 total=500000\n")
    assert samples_in(exposed(Pressure(machine.host))) == {
        "node_pressure_cpu_waiting_seconds_total": 1.5,
        "node_pressure_memory_waiting_seconds_total": 1.5,
        "node_pressure_memory_stalled_seconds_total": 0.5,
    }


def test_a_kernel_without_pressure_is_no_error(tmp_path: Path) -> None:
    """NoData names the file that is not there."""
    with pytest.raises(NoData, match="pressure/cpu"):
        exposed(Pressure(FakeMachine(tmp_path).host))


def test_devices_can_be_left_out(tmp_path: Path) -> None:
    """The interfaces of containers are, unless told otherwise."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/net/dev", HEADINGS + f"eth0: {'1 ' * 16}\nveth1:{'2 ' * 16}\n")
    text = exposed(NetDev(machine.host))
    assert 'node_network_receive_bytes_total{device="eth0"} 1\n' in text
    assert "veth1" not in text


def test_packets_without_a_handler_follow_the_device(tmp_path: Path) -> None:
    """The number comes from /sys while the device is there, and goes with it."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/class/net/eth0/statistics/rx_nohandler", "17\n")
    machine.write("proc/net/dev", HEADINGS + f"eth0: {'1 ' * 16}\n")
    collector = NetDev(machine.host)
    assert 'node_network_receive_nohandler_total{device="eth0"} 17\n' in exposed(collector)
    machine.write("proc/net/dev", HEADINGS)
    assert exposed(collector) == ""


def test_an_old_kernel_has_fewer_disk_columns(tmp_path: Path) -> None:
    """Discards and flushes are absent, not zero, where the kernel does not count them."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n")
    text = exposed(DiskStats(machine.host))
    assert 'node_disk_io_time_weighted_seconds_total{device="sda"} 0.011\n' in text
    assert "discard" not in text


@pytest.mark.parametrize(
    ("device", "published"),
    [
        ("sda", True),
        ("sda1", False),
        ("nvme0n1", True),
        ("nvme0n1p2", False),
        ("loop0", False),
        ("ram0", False),
        ("zram0", False),
        ("dm-0", True),
        ("vdb", True),
        ("mmcblk0", True),
    ],
)
def test_whole_disks_are_published(tmp_path: Path, device: str, published: bool) -> None:
    """Partitions and devices without a disk are left out."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/diskstats", f"8 0 {device} {'1 ' * 17}\n")
    assert (f'device="{device}"' in exposed(DiskStats(machine.host))) is published


def test_udev_properties() -> None:
    """Only lines of properties count; a value may hold an equals sign."""
    text = "S:disk/by-id/x\nE:ID_MODEL=A=B\nE:BROKEN\nE:ID_SERIAL=\n"
    assert properties(text) == {"ID_MODEL": "A=B", "ID_SERIAL": ""}
