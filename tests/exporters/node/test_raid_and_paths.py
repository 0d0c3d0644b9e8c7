"""Arrays of software RAID and disks of several paths: which are whole, and what they say when a file is broken."""

from pathlib import Path

import pytest

from exporters.collector import NoData
from exporters.node.dmmultipath import DmMultipath
from exporters.node.mdadm import Array, Mdadm, parse
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.node.partly import until_it_fails

HEAD = "Personalities : [raid0] [raid1] [raid6]\n"
TAIL = "\nunused devices: <none>\n"
WELL = "md1 : active raid1 sda2[0] sdb2[1]\n      100 blocks super 1.2 [2/2] [UU]\n      \n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((WELL,), Array("md1", "active", 2, 2, 0, 0, 100, 100)),
        (
            (
                "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n",
                "      200 blocks [2/1] [U_]\n",
                "      [=>...]  recovery =  8.5% (17/200) finish=17.0min speed=259783K/sec\n",
            ),
            Array("md6", "recovering", 1, 2, 1, 1, 200, 17),
        ),
        (
            (
                "md7 : active raid6 sda[0] sdb[1]\n",
                "      200 blocks super 1.2 [2/2] [UU]\n",
                "      bitmap: 0/30 pages [0KB], 65536KB chunk\n",
                "      [=>...]  check =  5.7% (11/200) finish=0.2min speed=114176K/sec\n",
            ),
            Array("md7", "check", 2, 2, 0, 0, 200, 11),
        ),
        (
            ("md8 : active raid1 sda[0]\n", "      200 blocks [2/1] [U_]\n", "      resync=DELAYED\n"),
            Array("md8", "resync", 1, 2, 0, 0, 200, 0),
        ),
        (
            ("md9 : active (auto-read-only) raid0 sda[0] sdb[1]\n", "      300 blocks 64k chunks\n"),
            Array("md9", "active", 2, 2, 0, 0, 300, 300),
        ),
        (
            ("md2 : inactive sdb[2](S) sdc[1](S)\n", "      79 blocks super external:imsm\n"),
            Array("md2", "inactive", 0, 0, 0, 2, 79, 79),
        ),
    ],
)
def test_an_array_is_read_from_its_lines(lines: tuple[str, ...], expected: Array) -> None:
    """State, disks that are active and needed, failed and spare ones, blocks, and how many are in sync."""
    assert list(parse(HEAD + "".join(lines) + TAIL, "mdstat")) == [expected]


def test_an_array_that_is_not_understood_costs_no_other(tmp_path: Path) -> None:
    """The rest is published, and the failure names file and line."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/mdstat", f"{HEAD}md0 : active raid1 sda[0]\n      x blocks\n\n{WELL}{TAIL}")
    samples, failure = until_it_fails(Mdadm(machine.host))
    assert "mdstat:2: expected an array" in failure
    assert samples['node_md_disks_required{device="md1"}'] == 2


def test_an_array_that_stands_there_twice_is_published_once(tmp_path: Path) -> None:
    """No series comes twice."""
    assert len(list(parse(HEAD + WELL + WELL, "mdstat"))) == 1


@pytest.mark.parametrize(
    ("level", "disks", "raid_disks", "degraded"),
    [
        ("raid1", "2", 2, 1),
        ("raid6", "11 (10)", 11, 1),
        ("raid0", "4", 4, 0),
        ("container", "0", None, 0),
        ("raid5", "", None, 1),
    ],
)
def test_sysfs_tells_how_many_disks_an_array_lacks(
    tmp_path: Path, level: str, disks: str, raid_disks: int | None, degraded: int
) -> None:
    """Only levels that can do without a disk have one to lack; in a reshape the new number of disks counts."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/mdstat", HEAD)
    machine.write_all({"level": level, "raid_disks": disks, "degraded": "1"}, "sys/block/md0/md")
    samples = samples_in(exposed(Mdadm(machine.host)))
    assert samples.get('node_md_raid_disks{device="md0"}') == raid_disks
    assert samples['node_md_degraded{device="md0"}'] == degraded


def test_an_array_that_is_stopped_is_forgotten(tmp_path: Path) -> None:
    """Its samples go with it."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/mdstat", HEAD)
    machine.write_all({"level": "raid0", "raid_disks": "2"}, "sys/block/md0/md")
    collector = Mdadm(machine.host)
    assert 'device="md0"' in exposed(collector)
    machine.remove("sys/block/md0")
    assert exposed(collector) == ""


def test_a_kernel_without_arrays_has_no_data(tmp_path: Path) -> None:
    """NoData names the file."""
    with pytest.raises(NoData, match="proc/mdstat: No such file"):
        exposed(Mdadm(FakeMachine(tmp_path).host))


def multipath(machine: FakeMachine, name: str, paths: dict[str, str], uuid: str = "mpath-3600") -> None:
    """A device of the device mapper and the states of its paths."""
    attributes = {"dm/uuid": uuid, "dm/name": "disks", "dm/suspended": "0", "size": "2048\n"}
    machine.write_all(attributes, f"sys/block/{name}")
    for path, state in paths.items():
        machine.write(f"sys/block/{name}/slaves/{path}/at", "")
        machine.write(f"sys/block/{path}/device/state", f"{state}\n")


def test_paths_that_work_are_told_from_those_that_do_not(tmp_path: Path) -> None:
    """SCSI says running, NVMe live; everything else is failed."""
    machine = FakeMachine(tmp_path)
    multipath(machine, "dm-1", {"sda": "running", "nvme0n1": "live", "sdb": "offline", "sdc": "blocked"})
    device = 'device="disks",sysfs_name="dm-1"'
    samples = samples_in(exposed(DmMultipath(machine.host)))
    assert samples[f"node_dmmultipath_device_paths{{{device}}}"] == 4
    assert samples[f"node_dmmultipath_device_paths_active{{{device}}}"] == 2
    assert samples[f"node_dmmultipath_device_paths_failed{{{device}}}"] == 2
    assert samples[f"node_dmmultipath_device_size_bytes{{{device}}}"] == 1 << 20
    assert samples['node_dmmultipath_path_state{device="disks",path="sdb",state="offline"}'] == 1


def test_a_path_without_a_state_is_counted_as_failed(tmp_path: Path) -> None:
    """It is about to go, while the device still names it."""
    machine = FakeMachine(tmp_path)
    multipath(machine, "dm-1", {"sda": "running", "sdb": "running"})
    machine.remove("sys/block/sdb")
    samples = samples_in(exposed(DmMultipath(machine.host)))
    assert samples['node_dmmultipath_device_paths_failed{device="disks",sysfs_name="dm-1"}'] == 1
    assert not [name for name in samples if 'path="sdb"' in name]


def test_other_mapped_devices_are_left_out(tmp_path: Path) -> None:
    """Volumes and encrypted disks have no paths."""
    machine = FakeMachine(tmp_path)
    multipath(machine, "dm-0", {}, uuid="LVM-abc")
    assert exposed(DmMultipath(machine.host)) == ""


def test_a_suspended_device_is_not_active(tmp_path: Path) -> None:
    """1 is in use, 0 is suspended."""
    machine = FakeMachine(tmp_path)
    multipath(machine, "dm-1", {})
    machine.write("sys/block/dm-1/dm/suspended", "1\n")
    samples = samples_in(exposed(DmMultipath(machine.host)))
    assert samples['node_dmmultipath_device_active{device="disks",sysfs_name="dm-1"}'] == 0
