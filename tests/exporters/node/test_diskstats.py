"""Block devices: which are published, and what udev and /sys say of them."""

import re
from pathlib import Path

import pytest

from exporters.node.diskstats import DiskStats, Options
from exporters.testing import FakeMachine, exposed, samples_in

LINE = "   8       0 {} 1 2 3 4 5 6 7 8 {} 10 11 12 13 14 15 16 17\n"


def machine(tmp_path: Path, *devices: str) -> FakeMachine:
    fake = FakeMachine(tmp_path)
    fake.write("proc/diskstats", "".join(LINE.format(device, 9) for device in devices))
    return fake


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), {"sda"}),
        (Options(device_exclude=re.compile("^sd")), {"loop0"}),
        (Options(device_include=re.compile("loop|1$")), {"loop0", "sda1"}),
        (Options(device_exclude=re.compile("")), {"sda", "sda1", "loop0"}),
    ],
)
def test_devices_can_be_chosen(tmp_path: Path, options: Options, expected: set[str]) -> None:
    """To include takes the place of excluding by default; an empty pattern excludes nothing."""
    samples = samples_in(exposed(DiskStats(machine(tmp_path, "sda", "sda1", "loop0").host, options)))
    assert set(re.findall(r'io_now\{device="(\w+)"', "".join(samples))) == expected


def test_to_include_and_to_exclude_is_a_contradiction() -> None:
    """Both were asked for."""
    with pytest.raises(ValueError, match="device-include and device-exclude can't be used together"):
        Options(device_include=re.compile("a"), device_exclude=re.compile("b"))


def test_what_udev_says_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """udev writes a new file in the place of the old one."""
    fake = machine(tmp_path, "sda")
    fake.write("udev/b8:0", "E:ID_MODEL=old\nE:ID_SERIAL_SHORT=1\n")
    collector = DiskStats(fake.host)
    assert 'model="old",serial="1"' in exposed(collector)
    fake.write("udev/new", "E:ID_MODEL=new\nE:ID_FS_TYPE=ext4\nE:ID_ATA=1\nE:ID_ATA_ROTATION_RATE_RPM=7200\n")
    (tmp_path / "udev/new").replace(tmp_path / "udev/b8:0")
    text = exposed(collector)
    assert 'model="new",serial=""' in text
    assert 'node_disk_filesystem_info{device="sda",type="ext4",usage="",uuid="",version=""} 1\n' in text
    assert samples_in(text)['node_disk_ata_rotation_rate_rpm{device="sda"}'] == 7200
    fake.remove("udev/b8:0")
    assert "new" not in exposed(collector)


def test_a_name_may_come_to_stand_for_another_device(tmp_path: Path) -> None:
    """With another number it has another entry of udev's."""
    fake = machine(tmp_path, "sda")
    fake.write_all({"b8:0": "E:ID_MODEL=one\n", "b8:16": "E:ID_MODEL=two\n"}, "udev")
    collector = DiskStats(fake.host)
    assert 'model="one"' in exposed(collector)
    fake.write("proc/diskstats", LINE.format("sda", 9).replace("8       0", "8      16"))
    assert 'model="two"' in exposed(collector)


@pytest.mark.parametrize(("content", "expected"), [("1\n", "1"), ("0\n", "0"), ("maybe\n", "0"), (None, "0")])
def test_a_disk_turns_or_not(tmp_path: Path, content: str | None, expected: str) -> None:
    """Whatever is not said to turn does not; a slash in a name is `!` in /sys."""
    fake = machine(tmp_path, "cciss/c0d0")
    if content is not None:
        fake.write("sys/block/cciss!c0d0/queue/rotational", content)
    assert f'rotational="{expected}"' in exposed(DiskStats(fake.host))


def test_no_counter_is_below_zero(tmp_path: Path) -> None:
    """Some old kernels had less than nothing in flight, and that is a gauge."""
    fake = FakeMachine(tmp_path)
    fake.write("proc/diskstats", LINE.format("sda", -1).replace(" 5 ", " -5 "))
    samples = samples_in(exposed(DiskStats(fake.host)))
    assert samples['node_disk_io_now{device="sda"}'] == -1
    assert 'node_disk_writes_completed_total{device="sda"}' not in samples
    assert samples['node_disk_reads_completed_total{device="sda"}'] == 1


def test_a_device_that_stands_there_twice_is_published_once(tmp_path: Path) -> None:
    """No series comes twice."""
    text = exposed(DiskStats(machine(tmp_path, "sda", "sda").host))
    assert text.count('node_disk_io_now{device="sda"}') == 1
