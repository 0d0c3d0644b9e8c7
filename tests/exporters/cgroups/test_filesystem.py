"""Sizes of the machine's file systems: which there are, what they are called, and what a hanging one costs."""

import os
import threading
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.filesystem import local
from exporters.collector import Collector, Malformed
from exporters.readers.mounts import parse_mounts
from exporters.testing import STATVFS, FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_collector import labels
from tests.exporters.machines import APP, UID, v2_cgroup


def line(point: str = "/", fstype: str = "ext4", device: str = "/dev/sda1") -> str:
    return f"29 1 259:2 / {point} rw shared:1 - {fstype} {device} rw\n"


def machine(folder: Path, *lines: str) -> FakeMachine:
    fake = FakeMachine(folder)
    v2_cgroup(fake, "")
    fake.write("proc/1/mountinfo", "".join(lines))
    return fake


def collector(of: FakeMachine) -> Collector:
    return cgroup_group(of.host, {}).collectors["cgroup.filesystem"]


def places(*lines: str) -> dict[str, str]:
    """Device → where it is mounted, as far as it is published."""
    return {device: mount.mountpoint for device, mount in local(parse_mounts("".join(lines), "")).items()}


def test_sizes_are_the_roots(tmp_path: Path) -> None:
    """What is used is what is not free, reserved blocks included; of no other cgroup is any size known."""
    fake = machine(tmp_path, line())
    v2_cgroup(fake, f"docker/{APP}")
    assert samples_in(exposed(collector(fake))) == {
        f'container_fs_{name}{{{labels("/")},device="/dev/sda1"}}': value
        for name, value in {
            "limit_bytes": 4_096_000,
            "usage_bytes": 4_096_000 - 2_457_600,
            "inodes_total": 300,
            "inodes_free": 200,
        }.items()
    }


def test_what_is_not_counted_has_no_series(tmp_path: Path) -> None:
    """The inodes of btrfs: it has as many as there is space for."""
    fake = machine(tmp_path, line(fstype="btrfs"))
    fake.answer(statvfs=lambda _: os.statvfs_result((4096, 4096, 1000, 600, 500, 0, 0, 0, 0, 255)))
    assert {name.partition("{")[0] for name in samples_in(exposed(collector(fake)))} == {
        "container_fs_limit_bytes",
        "container_fs_usage_bytes",
    }


@pytest.mark.parametrize("fstype", ["ext2", "ext4", "xfs", "btrfs", "zfs", "squashfs", "vfat", "f2fs", "iso9660"])
def test_file_systems_of_disks_have_their_devices_names(fstype: str) -> None:
    """As in the mount table."""
    assert places(line("/data", fstype, "/dev/sdb1")) == {"/dev/sdb1": "/data"}


@pytest.mark.parametrize(
    "fstype", ["nfs", "nfs4", "cifs", "ceph", "9p", "virtiofs", "fuse.sshfs", "autofs", "proc", "cgroup2", "devtmpfs"]
)
def test_what_is_remote_or_no_storage_is_left_out(fstype: str) -> None:
    """Even cAdvisor's NFS: a server that is away would hold the scrape up."""
    assert places(line("/data", fstype, "server:/export")) == {}


def test_each_device_comes_once() -> None:
    """With the first place, the root before all others; bind mounts show the same sizes."""
    assert places(
        line("/boot", device="/dev/sda2"), line("/run/netns"), line("/"), line("/mnt"), line("/old", device="/dev/sda2")
    ) == {"/dev/sda2": "/boot", "/dev/sda1": "/"}


def test_tmpfs_has_the_name_of_its_place() -> None:
    """Its device is called tmpfs everywhere."""
    assert places(line("/run", "tmpfs", "tmpfs"), line("/dev/shm", "tmpfs", "shm")) == {
        "/run": "/run",
        "/dev/shm": "/dev/shm",
    }


@pytest.mark.parametrize(
    "place",
    [
        f"/run/containerd/io.containerd.grpc.v1.cri/sandboxes/{APP}/shm",
        f"/run/k3s/containerd/io.containerd.grpc.v1.cri/sandboxes/{APP}/shm",
        f"/var/lib/docker/containers/{APP}/mounts/shm",
        f"/var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~projected/kube-api-access-x",
        "/run/credentials/systemd-sysusers.service",
    ],
)
def test_tmpfs_of_containers_and_pods_is_left_out(place: str) -> None:
    """They come and go with them, and each would be four series."""
    assert places(line(place, "tmpfs", "shm")) == {}


def test_a_volume_on_a_disk_is_published() -> None:
    """However its driver names the folder in which it mounts it first."""
    first = f"/var/lib/kubelet/plugins/kubernetes.io/csi/rbd.csi.ceph.com/{APP}/globalmount"
    assert places(line(first, device="/dev/rbd0"), line(f"/var/lib/kubelet/pods/{UID}/volumes/x/mount")) == {
        "/dev/rbd0": first,
        "/dev/sda1": f"/var/lib/kubelet/pods/{UID}/volumes/x/mount",
    }


def test_an_overlay_counts_only_as_the_root() -> None:
    """Elsewhere it is a container's, and shows the sizes of the file system that it lies on."""
    assert places(
        line("/", "overlay", "overlay"),
        line(f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{APP}/rootfs", "overlay", "overlay"),
        line("/merged", "overlay", "overlay"),
    ) == {"overlay": "/"}


def test_what_another_mount_hides_is_not_asked() -> None:
    """The one on top would answer, and it may be remote."""
    assert places(line("/data"), line("/data", "nfs4", "server:/export"), line("/", device="/dev/sdb1")) == {
        "/dev/sdb1": "/"
    }


def test_a_file_system_that_fails_or_hangs_costs_no_other(tmp_path: Path) -> None:
    """It has no series until it answers, and is not asked by a second thread meanwhile."""
    released = threading.Event()
    asked: list[str] = []

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        if path.endswith("/hangs"):
            released.wait(30)
        if path.endswith("/fails"):
            raise OSError(5, "Input/output error")
        return STATVFS

    fake = machine(tmp_path, line(), line("/hangs", device="/dev/sdb"), line("/fails", device="/dev/sdc"))
    fake.answer(statvfs=statvfs)
    of = collector(fake)
    for now in (1.0, 2.0):
        samples = samples_in(exposed(of, now))
        assert {name.rpartition("device=")[2] for name in samples} == {'"/dev/sda1"}'}
    released.set()
    assert sum(path.endswith("/hangs") for path in asked) == 1


def test_mounts_that_come_and_go_are_followed(tmp_path: Path) -> None:
    """Unlike at cAdvisor, which reads the table once."""
    fake = machine(tmp_path, line())
    of = collector(fake)
    assert "/dev/sdb1" not in exposed(of, 1.0)
    fake.write("proc/1/mountinfo", line() + line("/data", device="/dev/sdb1"))
    assert "/dev/sdb1" in exposed(of, 2.0)


def test_a_broken_mount_table_is_named(tmp_path: Path) -> None:
    """With its line."""
    fake = machine(tmp_path, line(), "rubbish\n")
    with pytest.raises(Malformed, match="mountinfo:2"):
        exposed(collector(fake))
