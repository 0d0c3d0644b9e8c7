"""btrfs: space, commits and devices, from /sys and, where it can be asked, from the file system."""

import errno
import os
import struct
from pathlib import Path

import pytest

from exporters.calls import BtrfsDevice
from exporters.kernel import btrfs as kernel
from exporters.node.btrfs import Btrfs, ratio
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.node.partly import until_it_fails

UUID = "0abb23a9-579b-43e6-ad30-227ef47fcb9d"
OTHER = "7f07c59f-6136-449c-ab87-e1cf2328731b"
MOUNTS = "29 1 0:40 / /data rw shared:1 - btrfs /dev/sda rw\n30 1 259:2 / / rw shared:1 - ext4 /dev/sdz rw\n"
DEVICE = BtrfsDevice("sda", "61fa92e1-d9f3-4516-b54c-b7897d1c21f4", 600, 1000, (1, 2, 3, 4, 5))


def file_system(machine: FakeMachine, uuid: str = UUID) -> None:
    """One with one device of a MiB."""
    machine.write_all(
        {
            "label": "data\n",
            "metadata_uuid": f"{uuid}\n",
            "allocation/global_rsv_size": "16\n",
            "allocation/data/bytes_reserved": "8\n",
            "allocation/data/raid1/used_bytes": "100\n",
            "allocation/data/raid1/total_bytes": "200\n",
            "devices/sda/size": "2048\n",
            "commit_stats": "commits 7\nlast_commit_ms 1500\nmax_commit_ms 2500\ntotal_commit_ms 9000\nnews 1\n",
        },
        f"sys/fs/btrfs/{uuid}",
    )


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """One file system, mounted at /data."""
    fake = FakeMachine(tmp_path)
    file_system(fake)
    fake.write("proc/1/mountinfo", MOUNTS)
    return fake


def test_space_and_commits_come_from_sys(machine: FakeMachine) -> None:
    """Milliseconds become seconds, sectors bytes; each kind of data has its layouts."""
    samples = samples_in(exposed(Btrfs(machine.host)))
    layout = f'uuid="{UUID}",block_group_type="data",mode="raid1"'
    expected = {
        f'node_btrfs_info{{uuid="{UUID}",label="data"}}': 1,
        f'node_btrfs_global_rsv_size_bytes{{uuid="{UUID}"}}': 16,
        f'node_btrfs_reserved_bytes{{uuid="{UUID}",block_group_type="data"}}': 8,
        f"node_btrfs_used_bytes{{{layout}}}": 100,
        f"node_btrfs_size_bytes{{{layout}}}": 200,
        f"node_btrfs_allocation_ratio{{{layout}}}": 2,
        f'node_btrfs_commits_total{{uuid="{UUID}"}}': 7,
        f'node_btrfs_last_commit_seconds{{uuid="{UUID}"}}': 1.5,
        f'node_btrfs_max_commit_seconds{{uuid="{UUID}"}}': 2.5,
        f'node_btrfs_commit_seconds_total{{uuid="{UUID}"}}': 9,
        f'node_btrfs_device_size_bytes{{uuid="{UUID}",device="sda"}}': 1 << 20,
    }
    assert expected.items() <= samples.items()


def test_devices_are_asked_for_at_a_mount_point(machine: FakeMachine) -> None:
    """Errors and unused space are told by ioctl only; the host's mount points are below the root."""
    asked: list[str] = []

    def answers(path: str) -> tuple[str, list[BtrfsDevice]]:
        asked.append(path)
        return UUID, [DEVICE]

    machine.answer(btrfs=answers)
    samples = samples_in(exposed(Btrfs(machine.host)))
    device = f'device="sda",btrfs_dev_uuid="{DEVICE.uuid}"'
    assert asked == [str(machine.folder / "root/data")]
    assert samples[f'node_btrfs_device_size_bytes{{uuid="{UUID}",{device}}}'] == 1000
    assert samples[f'node_btrfs_device_unused_bytes{{uuid="{UUID}",{device}}}'] == 400
    assert [
        samples[f'node_btrfs_device_errors_total{{uuid="{UUID}",type="{kind}",{device}}}']
        for kind in ("write", "read", "flush", "corruption", "generation")
    ] == [1, 2, 3, 4, 5]


def test_a_file_system_that_can_not_be_asked_has_sizes_from_sys(machine: FakeMachine) -> None:
    """Beside one that can the label of the device's UUID is empty: a metric has one set of labels."""
    file_system(machine, OTHER)
    machine.answer(btrfs=lambda _: (UUID, [DEVICE]))
    samples = samples_in(exposed(Btrfs(machine.host)))
    assert samples[f'node_btrfs_device_size_bytes{{uuid="{OTHER}",device="sda",btrfs_dev_uuid=""}}'] == 1 << 20


def test_a_mount_point_that_may_not_be_opened_is_noted(machine: FakeMachine) -> None:
    """The operator learns which right it takes; the sizes come from /sys."""

    def refuses(_: str) -> tuple[str, list[BtrfsDevice]]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    machine.answer(btrfs=refuses)
    host = machine.host
    assert "node_btrfs_device_size_bytes" in exposed(Btrfs(host))
    assert host.denied == {str(machine.folder / "root/data"): "CAP_DAC_READ_SEARCH"}


def test_clones_of_the_same_file_system_are_told_apart(machine: FakeMachine) -> None:
    """They share the UUID of the metadata, and no series may come twice."""
    file_system(machine, OTHER)
    machine.write(f"sys/fs/btrfs/{OTHER}/metadata_uuid", UUID)
    samples = samples_in(exposed(Btrfs(machine.host)))
    assert {f'node_btrfs_commits_total{{uuid="{uuid}"}}' for uuid in (UUID, OTHER)} <= samples.keys()


def test_a_kernel_without_commit_statistics_has_zeros(machine: FakeMachine) -> None:
    """As node_exporter has them; Linux before 6.0."""
    machine.remove(f"sys/fs/btrfs/{UUID}/commit_stats")
    assert samples_in(exposed(Btrfs(machine.host)))[f'node_btrfs_commits_total{{uuid="{UUID}"}}'] == 0


def test_broken_commit_statistics_are_named_and_cost_nothing_else(machine: FakeMachine) -> None:
    """File and line stand in the failure."""
    machine.write(f"sys/fs/btrfs/{UUID}/commit_stats", "commits 7\nlast_commit_ms -1\n")
    samples, failure = until_it_fails(Btrfs(machine.host))
    assert "commit_stats:2: expected a name and a whole number, got 'last_commit_ms -1'" in failure
    assert samples[f'node_btrfs_commits_total{{uuid="{UUID}"}}'] == 7


@pytest.mark.parametrize(
    ("layout", "devices", "expected"),
    [("single", 1, 1), ("raid1c4", 4, 4), ("raid5", 4, 4 / 3), ("raid6", 4, 2), ("raid5", 1, 0), ("new", 9, 0)],
)
def test_the_ratio_tells_what_a_byte_of_data_takes(layout: str, devices: int, expected: float) -> None:
    """Copies, or what parity takes of the devices; 0 where it is not known."""
    assert ratio(layout, devices) == expected


def test_without_btrfs_no_mount_is_looked_at(tmp_path: Path) -> None:
    """The file of mounts need not even be readable."""
    assert exposed(Btrfs(FakeMachine(tmp_path).host)) == ""


def answer(descriptor: int, request: int, room: bytearray) -> None:
    """The ioctls of a file system whose devices are number 1 and 3."""
    number = struct.unpack_from("=Q", room)[0]
    if request == kernel.GET_FS_INFO:
        struct.pack_into("=QQ16s", room, 0, 3, 2, bytes.fromhex(UUID.replace("-", "")))
    elif number not in (1, 3):
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    elif request == kernel.GET_DEV_INFO:
        struct.pack_into("=Q16sQQ", room, 0, number, bytes(range(16)), 600, 1000)
        struct.pack_into("=1024s", room, 3072, b"/dev/mapper/sd%d" % number)
    else:
        assert request == kernel.GET_DEV_STATS
        struct.pack_into("=5Q", room, 24, 1, 2, 3, 4, 5)


def test_the_kernels_answers_are_read(tmp_path: Path) -> None:
    """Numbers of devices have gaps; a device is named without its folder."""
    device = ("00010203-0405-0607-0809-0a0b0c0d0e0f", 600, 1000, (1, 2, 3, 4, 5))
    assert kernel.read(str(tmp_path), answer) == (UUID, [("sd1", *device), ("sd3", *device)])


@pytest.mark.parametrize("path", ["/proc", "/no/such/folder", "/a\0b"])
def test_what_is_no_btrfs_raises_an_oserror(path: str) -> None:
    """And nothing else, as all system calls of the exporters."""
    with pytest.raises(OSError, match=r".+"):
        kernel.read(path)
