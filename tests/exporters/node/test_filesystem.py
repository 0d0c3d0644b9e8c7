"""File systems: what is published, what is left out, and what a hanging one costs."""

import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from exporters.collector import Malformed
from exporters.node.filesystem import Filesystem, Options
from exporters.readers.mounts import Mount, parse_mounts
from exporters.readers.probe import HANGS, MountProbe
from exporters.testing import STATVFS, FakeMachine, exposed, samples_in

LINE = "29 1 259:2 / {point} {options} shared:1 - {fstype} {device} {super_options}\n"


def line(
    point: str = "/", fstype: str = "ext4", device: str = "/dev/sda1", options: str = "rw", super_options: str = "rw"
) -> str:
    return LINE.format(point=point, fstype=fstype, device=device, options=options, super_options=super_options)


class HangingMounts:
    """A statvfs that blocks at some paths until they are released."""

    def __init__(self, *paths: str) -> None:
        self.released = {path: threading.Event() for path in paths}
        self.asked: list[str] = []

    def __call__(self, path: str) -> os.statvfs_result:
        self.asked.append(path)
        if path in self.released:
            self.released[path].wait(30)
        return STATVFS


def machine(tmp_path: Path, *lines: str) -> FakeMachine:
    fake = FakeMachine(tmp_path)
    fake.write("proc/1/mountinfo", "".join(lines))
    return fake


def test_sizes_are_in_bytes(tmp_path: Path) -> None:
    """Blocks times their size; what only root may use is free but not available."""
    labels = '{device="/dev/sda1",mountpoint="/",fstype="ext4",device_error=""}'
    samples = samples_in(exposed(Filesystem(machine(tmp_path, line()).host)))
    assert {name.partition("{")[0]: value for name, value in samples.items() if name.endswith(labels)} == {
        "node_filesystem_size_bytes": 4_096_000,
        "node_filesystem_free_bytes": 2_457_600,
        "node_filesystem_avail_bytes": 2_048_000,
        "node_filesystem_files": 300,
        "node_filesystem_files_free": 200,
        "node_filesystem_purgeable_bytes": 0,
        "node_filesystem_readonly": 0,
        "node_filesystem_device_error": 0,
    }


@pytest.mark.parametrize(
    ("point", "fstype"),
    [
        ("/sys/fs/x", "ext4"),
        ("/var/lib/docker/overlay2/abc", "ext4"),
        ("/run/credentials/x", "ext4"),
        ("/", "overlay"),
        ("/", "squashfs"),
        ("/", "cgroup2"),
    ],
)
def test_what_holds_no_data_is_left_out(tmp_path: Path, point: str, fstype: str) -> None:
    """The default patterns of node_exporter."""
    assert exposed(Filesystem(machine(tmp_path, line(point, fstype)).host)) == ""


@pytest.mark.parametrize(("options", "super_options"), [("ro,noatime", "rw"), ("rw", "ro"), ("rw", "rw,emergency_ro")])
def test_read_only_is_told_by_either_options(tmp_path: Path, options: str, super_options: str) -> None:
    """A mount is read-only when it or its file system is."""
    text = exposed(Filesystem(machine(tmp_path, line(options=options, super_options=super_options)).host))
    assert 'node_filesystem_readonly{device="/dev/sda1",mountpoint="/",fstype="ext4",device_error=""} 1.0' in text


def test_an_error_is_published_with_its_reason(tmp_path: Path) -> None:
    """No sizes, but the mount, the error and whether it is read-only."""

    def fails(path: str) -> os.statvfs_result:
        raise PermissionError(13, "Permission denied")

    fake = machine(tmp_path, line())
    fake.answer(statvfs=fails)
    labels = '{device="/dev/sda1",mountpoint="/",fstype="ext4",device_error="permission denied"}'
    assert samples_in(exposed(Filesystem(fake.host))) == {
        f"node_filesystem_readonly{labels}": 0,
        f"node_filesystem_device_error{labels}": 1,
    }


def test_blocks_are_fragments_not_transfers(tmp_path: Path) -> None:
    """virtiofs transfers 1 MiB and counts 4 KiB blocks: 120 699 413 of them are 460 GiB, not 115 TiB."""
    fake = machine(tmp_path, line())
    virtiofs = os.statvfs_result((1 << 20, 4096, 120_699_413, 0, 0, 0, 0, 0, 0, 255))
    fake.answer(statvfs=lambda _: virtiofs)
    labels = '{device="/dev/sda1",mountpoint="/",fstype="ext4",device_error=""}'
    size = samples_in(exposed(Filesystem(fake.host)))[f"node_filesystem_size_bytes{labels}"]
    assert size == 120_699_413 * 4096


def test_what_is_mounted_last_hides_the_rest(tmp_path: Path) -> None:
    """Of several mounts at one place the last is asked, and its number and options are published."""
    first, last = line(options="ro"), line().replace("259:2", "259:7")
    samples = samples_in(exposed(Filesystem(machine(tmp_path, first, last).host)))
    assert samples['node_filesystem_mount_info{device="/dev/sda1",major="259",minor="7",mountpoint="/"}'] == 1
    assert [value for name, value in samples.items() if "readonly" in name] == [0]


def test_mount_points_are_asked_below_the_root(tmp_path: Path) -> None:
    """In a container the host's `/data` is `<rootfs>/data`; the label stays `/data`."""
    fake = machine(tmp_path, line("/data"))
    asked = HangingMounts()
    fake.answer(statvfs=asked)
    assert 'mountpoint="/data"' in exposed(Filesystem(fake.host))
    assert asked.asked == [str(tmp_path / "root/data")]


def test_our_own_table_is_read_when_that_of_process_1_is_hidden(tmp_path: Path) -> None:
    """Under hidepid a normal user still sees the file systems."""
    fake = FakeMachine(tmp_path)
    fake.write("proc/self/mountinfo", line("/own"))
    assert 'mountpoint="/own"' in exposed(Filesystem(fake.host))


def test_the_hosts_mounts_in_our_own_table_have_the_hosts_names(tmp_path: Path) -> None:
    """In a container the host's root is mounted below ours: `<rootfs>/data` is the host's `/data`."""
    fake = FakeMachine(tmp_path)
    root = tmp_path / "root"
    fake.write("proc/self/mountinfo", line(str(root)) + line(f"{root}/data"))
    asked = HangingMounts()
    fake.answer(statvfs=asked)
    text = exposed(Filesystem(fake.host))
    assert 'mountpoint="/",' in text
    assert 'mountpoint="/data",' in text
    assert asked.asked == [str(root), f"{root}/data"]


def test_a_mount_that_comes_is_found(tmp_path: Path) -> None:
    """The table is parsed anew when it changes."""
    fake = machine(tmp_path, line("/a"))
    collector = Filesystem(fake.host)
    assert 'mountpoint="/b"' not in exposed(collector)
    fake.write("proc/1/mountinfo", line("/a") + line("/b"))
    assert 'mountpoint="/b"' in exposed(collector)


def test_a_hanging_mount_costs_its_patience_once_and_one_thread() -> None:
    """The others are answered; it is not asked again until it answers, and then it is well again."""
    statvfs = HangingMounts("/dead")
    probe = MountProbe(statvfs, patience=0.05, deadline=1.0)
    before = threading.active_count()
    for _ in range(5):
        assert probe.ask(["/a", "/dead", "/b"]) == {"/a": STATVFS, "/dead": HANGS, "/b": STATVFS}
        assert threading.active_count() <= before + 2
    assert statvfs.asked.count("/dead") == 1
    (stuck,) = probe._patience._hanging.values()
    statvfs.released["/dead"].set()
    stuck.join(5)
    assert probe.ask(["/a", "/dead", "/b"]) == dict.fromkeys(["/a", "/dead", "/b"], STATVFS)


def test_many_hanging_mounts_cost_no_more_than_the_deadline() -> None:
    """Past the deadline the rest are reported as hanging without being asked; those that are well come first then."""
    paths = [f"/dead{number}" for number in range(10)]
    statvfs = HangingMounts(*paths)
    probe = MountProbe(statvfs, patience=0.2, deadline=0.6, at_once=1)
    assert probe.ask([*paths, "/well"]) == dict.fromkeys([*paths, "/well"], HANGS)
    assert len(statvfs.asked) <= 3
    assert probe.ask(["/another", *paths, "/well"])["/another"] == STATVFS
    for event in statvfs.released.values():
        event.set()


def test_slow_mounts_are_waited_for_together() -> None:
    """Each of four that take long has all of its patience, and those behind them are answered meanwhile."""
    slow = [f"/slow{number}" for number in range(4)]
    statvfs = HangingMounts(*slow)

    def release_with_the_last(path: str) -> os.statvfs_result:
        if path == "/well":
            for event in statvfs.released.values():
                event.set()
        return statvfs(path)

    probe = MountProbe(release_with_the_last, patience=20, deadline=30, at_once=5)
    assert probe.ask([*slow, "/well"]) == dict.fromkeys([*slow, "/well"], STATVFS)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"mount_timeout": "soon"}, "expected a duration such as 30s"),
        ({"mount_timeout": "0"}, "must be more than 0"),
        ({"stat_workers": 0}, "must be more than 0"),
        ({"fs_types_include": re.compile("nfs"), "fs_types_exclude": re.compile("ext4")}, "can't be used together"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], problem: str) -> None:
    """The message says what is expected."""
    with pytest.raises(ValueError, match=problem):
        Options(**options)


def test_mounts_can_be_chosen(tmp_path: Path) -> None:
    """To include takes the place of excluding by default."""
    options = Options(fs_types_include=re.compile("^overlay$"))
    text = exposed(Filesystem(machine(tmp_path, line("/a"), line("/b", "overlay")).host, options))
    assert 'mountpoint="/b"' in text
    assert 'mountpoint="/a"' not in text


def test_a_hanging_mount_shows_as_device_error(tmp_path: Path) -> None:
    """`node_filesystem_device_error 1` with the reason that node_exporter writes."""
    fake = machine(tmp_path, line("/dead"))
    statvfs = HangingMounts(str(tmp_path / "root/dead"))
    fake.answer(statvfs=statvfs)
    host = fake.host
    text = exposed(Filesystem(host, probe=MountProbe(host.calls.statvfs, patience=0.02, deadline=0.02)))
    assert 'mountpoint="/dead",fstype="ext4",device_error="mountpoint timeout"} 1.0' in text
    statvfs.released[str(tmp_path / "root/dead")].set()


def test_escapes_in_mount_points_are_read() -> None:
    """Space, tab and backslash in a mount point; a device stays as it stands there."""
    (mount,) = parse_mounts(line(r"/a\040b\011c\134d", device=r"//nas/my\040share"), "mountinfo")
    assert mount == Mount(r"//nas/my\040share", "/a b\tc\\d", "ext4", "259", "2", read_only=False)


@pytest.mark.parametrize("text", ["", "29 1 259:2 / / rw shared:1 ext4 /dev/sda1 rw", "29 1 - ext4 /dev/sda1 rw"])
def test_a_line_of_another_form_is_named(text: str) -> None:
    """File and line stand in the error."""
    with pytest.raises(Malformed, match="mountinfo:2: expected"):
        parse_mounts(f"{line()}{text}\n", "mountinfo")


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_mount_point_with_an_odd_sign_is_one_line(odd: str) -> None:
    """Only a line feed ends a line; whoever may mount (FUSE) can't blind the collector by a name."""
    mounts = parse_mounts(line(f"/mnt/a{odd}b") + line("/data"), "mountinfo")
    assert [mount.mountpoint for mount in mounts] == [f"/mnt/a{odd}b", "/data"]
