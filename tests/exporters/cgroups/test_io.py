"""What cgroups read and wrote, by device: both versions, v1's many files, and devices that come and go."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.readers.io_files import V1_SOURCES
from exporters.collector import Collector
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_collector import labels
from tests.exporters.machines import APP, NOW, UID, log_links

POD = f"kubepods/burstable/pod{UID}"
CONTAINER = f"{POD}/{APP}"
DISKS = "   8  0 sda 1 2 3\n   8  1 sda1 1 2 3\n 252  0 dm-0 1 2 3\n   7  0 loop0 1 2 3\n   7  1 loop1 1 2 3\n"
STAT = "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=512 dios=1\n"
Samples = Mapping[tuple[str, ...], float]

SDA: Samples = {
    ("fs_reads_bytes_total", "/dev/sda"): 4096,
    ("fs_writes_bytes_total", "/dev/sda"): 8192,
    ("fs_reads_total", "/dev/sda"): 1,
    ("fs_writes_total", "/dev/sda"): 2,
    ("blkio_device_usage_total", "/dev/sda", "8", "0", "Read"): 4096,
    ("blkio_device_usage_total", "/dev/sda", "8", "0", "Write"): 8192,
}


def counts(read: int, write: int, device: str = "8:0") -> str:
    """A file of v1."""
    total = read + write
    return (
        f"{device} Read {read}\n{device} Write {write}\n{device} Sync {read}\n{device} Async {write}\n"
        f"{device} Discard 0\n{device} Total {total}\nTotal {total}\n"
    )


def v2(machine: FakeMachine, path: str = CONTAINER, stat: str = STAT) -> None:
    machine.write("proc/diskstats", DISKS)
    machine.write("cgroup/cgroup.controllers", "io\n")
    machine.write(f"cgroup/{path}/io.stat", stat)


def v1(machine: FakeMachine, files: Mapping[str, str], path: str = CONTAINER) -> None:
    """A cgroup with these files of blkio; the root has the same, without counts, as the kernel makes them."""
    machine.write("proc/diskstats", DISKS)
    machine.write(f"cgroup/cpu/{path}/cpu.shares", "1024\n")
    machine.write_all({f"blkio.{name}": "Total 0\n" for name in files}, "cgroup/blkio")
    machine.write_all({f"blkio.{name}": content for name, content in files.items()}, f"cgroup/blkio/{path}")


def collector(machine: FakeMachine) -> Collector:
    return cgroup_group(machine.host, {}).collectors["cgroup.io"]


def published(of: Collector | FakeMachine, path: str = CONTAINER, now: float = NOW) -> dict[tuple[str, ...], float]:
    """(metric, device, major, minor, operation), without what is empty → value, of one cgroup."""
    found = {}
    for series, value in samples_in(exposed(collector(of) if isinstance(of, FakeMachine) else of, now)).items():
        name, _, labels = series.rstrip("}").partition("{")
        pairs = dict(pair.split("=", 1) for pair in labels.replace('"', "").split(","))
        extra = (pairs[key] for key in ("device", "major", "minor", "operation") if key in pairs)
        if pairs["id"] == f"/{path}":
            found[name.removeprefix("container_"), *extra] = value
    return found


def test_a_container_on_v2(tmp_path: Path) -> None:
    """Bytes and requests by the disk's name; what was discarded is no transfer, as at cAdvisor."""
    machine = FakeMachine(tmp_path)
    v2(machine)
    assert published(machine) == SDA


def test_the_labels_are_those_of_all_families_and_the_device(tmp_path: Path) -> None:
    """All are counters under cAdvisor's names."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    v2(machine)
    text = exposed(collector(machine))
    who = labels(f"/{CONTAINER}", container="app", name=APP, pod="web-0")
    (read,) = (line for line in text.splitlines() if line.startswith(f"container_fs_reads_bytes_total{{{who}"))
    assert read.endswith(',device="/dev/sda"} 4096')
    usage = [line for line in text.splitlines() if line.startswith(f"container_blkio_device_usage_total{{{who}")]
    assert usage[1].endswith(',device="/dev/sda",major="8",minor="0",operation="Write"} 8192')
    assert text.count("# TYPE") == text.count(" counter\n") == 5


def test_a_container_on_v1(tmp_path: Path) -> None:
    """Every operation that the kernel tells is one of the device's usage."""
    machine = FakeMachine(tmp_path)
    throttle = {
        "throttle.io_service_bytes_recursive": counts(4096, 8192),
        "throttle.io_serviced_recursive": counts(1, 2),
    }
    v1(machine, throttle)
    assert published(machine) == {
        **SDA,
        ("blkio_device_usage_total", "/dev/sda", "8", "0", "Sync"): 4096,
        ("blkio_device_usage_total", "/dev/sda", "8", "0", "Async"): 8192,
        ("blkio_device_usage_total", "/dev/sda", "8", "0", "Discard"): 0,
        ("blkio_device_usage_total", "/dev/sda", "8", "0", "Total"): 12288,
    }


@pytest.mark.parametrize("first", range(len(V1_SOURCES)))
def test_on_v1_the_first_source_with_counts_is_taken(tmp_path: Path, first: int) -> None:
    """BFQ, CFQ, throttling with what is below, throttling without; those before it are there and have none."""
    machine = FakeMachine(tmp_path)
    files = {}
    for at, (stem, scope) in enumerate(V1_SOURCES):
        there = at >= first or stem != "throttle."
        for name in ("io_service_bytes", "io_serviced") if there else ():
            files[f"{stem}{name}{scope}"] = "Total 0\n" if at < first else counts(at + 1, 0)
    v1(machine, files)
    samples = published(machine)
    assert samples["fs_reads_bytes_total", "/dev/sda"] == first + 1
    assert samples["fs_reads_total", "/dev/sda"] == first + 1


def test_what_the_kernel_does_not_say_has_no_series(tmp_path: Path) -> None:
    """No file, an empty one, a device without counts, a cgroup that is not in the hierarchy of v1. Nor has a kernel
    without BFQ, CFQ or io.cost any series of what only those count.
    """
    machine = FakeMachine(tmp_path / "v2")
    v2(machine, "used")
    v2(machine, "unused", "")
    v2(machine, "discards", "8:0 dbytes=1 dios=1\n")
    machine.write("cgroup/absent/cpu.stat", "")
    samples = {path: published(machine, path) for path in ("used", "unused", "discards", "absent")}
    assert [path for path, found in samples.items() if found] == ["used"]
    machine = FakeMachine(tmp_path / "v1")
    v1(machine, {"throttle.io_service_bytes_recursive": "Total 0\n"}, "unused")
    machine.write("cgroup/cpu/elsewhere/cpu.shares", "1\n")
    assert exposed(collector(machine)) == ""


DEBUG = {
    "io_service_bytes": counts(4096, 8192),
    "io_serviced": counts(1, 2),
    "io_merged": counts(3, 4),
    "io_service_time": counts(1_500_000_000, 500_000_000),
    "io_queued": counts(1, 1),
    "sectors": "8:0 24\n",
    "time": "8:0 7\n",
}
OF_DEBUG: Samples = {
    ("fs_reads_merged_total", "/dev/sda"): 3,
    ("fs_writes_merged_total", "/dev/sda"): 4,
    ("fs_read_seconds_total", "/dev/sda"): 1.5,
    ("fs_write_seconds_total", "/dev/sda"): 0.5,
    ("fs_io_time_seconds_total", "/dev/sda"): 2,
    ("fs_io_current", "/dev/sda"): 2,
    ("fs_sector_reads_total", "/dev/sda"): 8,
    ("fs_sector_writes_total", "/dev/sda"): 16,
}


def only_fs(samples: Samples) -> dict[tuple[str, ...], float]:
    """Without the device's usage."""
    return {series: value for series, value in samples.items() if series[0].startswith("fs_")}


@pytest.mark.parametrize("stem", ["", "bfq."], ids=["CFQ", "BFQ, built for debugging"])
def test_schedulers_that_count_more(tmp_path: Path, stem: str) -> None:
    """Merged requests, time in seconds, the requests that wait now, and sectors of each direction, which the kernel has
    only together.
    """
    machine = FakeMachine(tmp_path)
    v1(machine, {f"{stem}{name}_recursive": content for name, content in DEBUG.items()})
    assert only_fs(published(machine)) == {**only_fs(SDA), **OF_DEBUG}


def test_a_scheduler_that_counts_no_more(tmp_path: Path) -> None:
    """BFQ of most kernels has two of the files, and what it does not count is no 0."""
    machine = FakeMachine(tmp_path)
    v1(machine, {f"bfq.{name}_recursive": DEBUG[name] for name in ("io_service_bytes", "io_serviced")})
    assert only_fs(published(machine)) == only_fs(SDA)


def test_a_file_that_is_gone_costs_no_other(tmp_path: Path) -> None:
    """The root has it, this cgroup no longer."""
    machine = FakeMachine(tmp_path)
    v1(machine, {f"{name}_recursive": content for name, content in DEBUG.items()})
    machine.remove(f"cgroup/blkio/{CONTAINER}/blkio.io_merged_recursive")
    merged = {series: value for series, value in OF_DEBUG.items() if "merged" not in series[0]}
    assert only_fs(published(machine)) == {**only_fs(SDA), **merged}


COST = "cost.usage=1500000 cost.wait=2000000 cost.indebt=3000000 cost.indelay=4000000"
OF_COST: Samples = {
    ("fs_io_cost_usage_seconds_total", "/dev/sda"): 1.5,
    ("fs_io_cost_wait_seconds_total", "/dev/sda"): 2,
    ("fs_io_cost_indebt_seconds_total", "/dev/sda"): 3,
    ("fs_io_cost_indelay_seconds_total", "/dev/sda"): 4,
}
USAGE_COST: Samples = dict(list(OF_COST.items())[:1])


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        (f"{STAT[:-1]} {COST}\n", {**SDA, **OF_COST}),
        (f"{STAT[:-1]} cost.vrate=100.00 {COST}\n", {**SDA, **OF_COST}),
        (f"{STAT[:-1]} cost.usage=1500000\n", {**SDA, **USAGE_COST}),
        (f"8:0 cost.usage=1500000\n7:0 {STAT}", {**SDA, **USAGE_COST}),
        (f"{STAT[:-1]} cost.usage=-1\n", SDA),
        (f"{STAT[:-1]} cost.usage={'9' * 20}\n", SDA),
        (f"{STAT[:-1]} cost.usage=1500000 cost.wait=x\n", {**SDA, **USAGE_COST}),
    ],
)
def test_costs(tmp_path: Path, stat: str, expected: Samples) -> None:
    """In seconds, of the controller io.cost, which says more when the kernel's statistics for debugging are on."""
    machine = FakeMachine(tmp_path)
    v2(machine, stat=stat)
    assert published(machine) == expected


DISKSTATS = (
    "   8  0 sda 9 9 9 9 9 9 9 9 9 9 9\n"
    "   8  1 sda1 1 2 3 4000 5 6 7 8000 9 10000 11000\n"
    " 252  0 dm-0 12 0 0 0 0 0 0 0 0 0 0 1 2 3\n"
    " 259  0 nvme0n1 13 0 0 0 0 0 0 0 0 0 0\n"
    "   7  0 loop0 14 0 0 0 0 0 0 0 0 0 0\n"
    " 259  1 nvme1n1 15 0 0 0 0 0 x 0 0 0 0\n"
    " 259  2 nvme2n1 16 0\n"
)
MOUNTS = "".join(
    f"29 1 {number} / {place} rw - {kind} {device} rw\n"
    for number, place, kind, device in (
        ("8:1", "/", "ext4", "/dev/sda1"),
        ("8:1", "/bind", "ext4", "/dev/sda1"),
        ("252:0", "/var", "xfs", "/dev/mapper/vg-var"),
        ("0:40", "/data", "btrfs", "/dev/nvme0n1"),
        ("7:0", "/snap", "squashfs", "/dev/loop0"),
        ("259:1", "/broken", "ext4", "/dev/nvme1n1"),
        ("259:2", "/cut", "ext4", "/dev/nvme2n1"),
        ("0:5", "/run", "tmpfs", "tmpfs"),
    )
)
ROOT_OF_SDA1 = {
    "reads_total": 1,
    "reads_merged_total": 2,
    "sector_reads_total": 3,
    "read_seconds_total": 4,
    "writes_total": 5,
    "writes_merged_total": 6,
    "sector_writes_total": 7,
    "write_seconds_total": 8,
    "io_current": 9,
    "io_time_seconds_total": 10,
    "io_time_weighted_seconds_total": 11,
}


def root_with_disks(machine: FakeMachine, **roots: str) -> dict[tuple[str, ...], float]:
    """What is published of the root of a machine with these disks, mounts, and files of its root cgroup."""
    machine.write("proc/diskstats", DISKSTATS)
    machine.write("proc/1/mountinfo", MOUNTS)
    machine.write("cgroup/cgroup.controllers", "io\n")
    machine.write_all({name.replace("_", "."): content for name, content in roots.items()}, "cgroup")
    return only_fs(published(machine, ""))


def test_the_root_has_the_disks_that_are_mounted(tmp_path: Path) -> None:
    """By their names in the mount table, with times in seconds; loop devices are counted at the disk below them."""
    samples = root_with_disks(FakeMachine(tmp_path))
    assert {(name, device) for name, device in samples if device == "/dev/sda1"} == {
        (f"fs_{name}", "/dev/sda1") for name in ROOT_OF_SDA1
    }
    assert {name: samples[f"fs_{name}", "/dev/sda1"] for name in ROOT_OF_SDA1} == ROOT_OF_SDA1
    assert samples["fs_reads_total", "/dev/mapper/vg-var"] == 12
    assert samples["fs_reads_total", "/dev/nvme0n1"] == 13
    assert {device for _, device in samples} == {"/dev/sda1", "/dev/mapper/vg-var", "/dev/nvme0n1"}


def test_what_the_root_cgroup_tells_itself_comes_first(tmp_path: Path) -> None:
    """v2's root has an io.stat since Linux 5.6; each series is there once."""
    samples = root_with_disks(FakeMachine(tmp_path), io_stat="259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n")
    assert samples["fs_reads_total", "/dev/nvme0n1"] == 3
    assert samples["fs_reads_bytes_total", "/dev/nvme0n1"] == 1
    assert samples["fs_io_current", "/dev/nvme0n1"] == 0


@pytest.mark.parametrize("path", ["proc/diskstats", "proc/1/mountinfo"])
def test_without_disks_or_mounts_the_root_has_what_its_cgroup_says(tmp_path: Path, path: str) -> None:
    """That the mount table is broken is for the collector of file systems to say."""
    machine = FakeMachine(tmp_path)
    root_with_disks(machine)
    machine.write(path, "rubbish\n")
    assert published(machine, "") == {}


def test_a_machine_without_blkio_has_no_series(tmp_path: Path) -> None:
    """A hierarchy that is not mounted."""
    machine = FakeMachine(tmp_path)
    machine.write("cgroup/cpu/a/cpu.shares", "1\n")
    assert exposed(collector(machine)) == ""


def test_devices_without_counts_before_another_on_its_line(tmp_path: Path) -> None:
    """Some kernels forget to end the line; the numbers belong to the last."""
    machine = FakeMachine(tmp_path)
    v2(machine, stat=f"7:1 7:0 {STAT}")
    assert published(machine) == SDA


@pytest.mark.parametrize(
    "line",
    [
        "8:0 rbytes=x wbytes=1 rios=1 wios=1\n",
        "8:0 rbytes=-1 wbytes=1 rios=1 wios=1\n",
        f"8:0 rbytes={'9' * 400} wbytes=1 rios=1 wios=1\n",
        f"8:0 rbytes=1 wbytes=1 rios=1 wios={'9' * 20}\n",
        "8 rbytes=1 wbytes=1 rios=1 wios=1\n",
        "../..:0 rbytes=1 wbytes=1 rios=1 wios=1\n",
    ],
)
def test_a_line_that_says_nothing_costs_no_other(tmp_path: Path, line: str) -> None:
    """Broken lines are left out, and a line that is there twice counts once."""
    machine = FakeMachine(tmp_path)
    v2(machine, stat=f"{line}{STAT}{STAT}")
    assert published(machine) == SDA


def test_what_is_no_disk_has_no_name_and_is_added_up(tmp_path: Path) -> None:
    """Loop devices, whose bytes the disk below counts as well, and a device that nobody knows: as at cAdvisor
    without a name, and in one series, since labels can't tell them apart. The usage has their numbers.
    """
    machine = FakeMachine(tmp_path)
    lines = (
        f"{number} rbytes={count} wbytes=0 rios=1 wios=0\n" for number, count in (("7:0", 1), ("7:1", 2), ("9:9", 4))
    )
    v2(machine, stat="".join(lines) + STAT)
    samples = published(machine)
    assert samples["fs_reads_bytes_total", ""] == 7
    assert samples["fs_reads_total", ""] == 3
    assert samples["blkio_device_usage_total", "", "7", "1", "Read"] == 2
    assert samples["fs_reads_bytes_total", "/dev/sda"] == 4096


def test_a_disk_that_is_counted_under_two_numbers_has_one_series(tmp_path: Path) -> None:
    """One series twice would cost Prometheus the whole scrape."""
    machine = FakeMachine(tmp_path)
    v2(machine, stat="259:0 rbytes=1 wbytes=2 rios=3 wios=4\n259:1 rbytes=10 wbytes=20 rios=30 wios=40\n")
    machine.write("proc/diskstats", " 259  0 nvme0n1 1 2 3\n 259  1 nvme0n1 1 2 3\n")
    lines = [line for line in exposed(collector(machine), NOW).splitlines() if "fs_reads_total{" in line]
    assert [line.rpartition(" ")[2] for line in lines] == ["33"]


def test_counts_and_names_that_change_are_published(tmp_path: Path) -> None:
    """What is kept from the scrape before is kept only as long as neither counts nor labels are others."""
    machine = FakeMachine(tmp_path)
    v2(machine)
    of = collector(machine)
    assert published(of) == SDA
    assert published(of, now=NOW + 1) == SDA
    v2(machine, stat=STAT.replace("4096", "5000"))
    assert published(of, now=NOW + 2)["fs_reads_bytes_total", "/dev/sda"] == 5000
    log_links(machine)
    assert 'pod="web-0"' in exposed(of, NOW + 10)


def test_a_device_that_becomes_known_gets_its_name(tmp_path: Path) -> None:
    """Even when the cgroup has moved nothing since."""
    machine = FakeMachine(tmp_path)
    v2(machine)
    machine.write("proc/diskstats", "")
    of = collector(machine)
    assert published(of)["fs_reads_total", ""] == 1
    machine.write("proc/diskstats", DISKS)
    assert published(of, now=NOW + 1) == SDA


def test_a_number_that_comes_back_may_have_another_name(tmp_path: Path) -> None:
    """A device that no cgroup has any more is forgotten, and no other costs a look."""
    machine = FakeMachine(tmp_path)
    v2(machine, stat="252:0 rbytes=1 wbytes=0 rios=1 wios=0\n")
    of = collector(machine)
    assert ("fs_reads_total", "/dev/dm-0") in published(of)
    v2(machine, stat="")
    assert published(of, now=NOW + 1) == {}
    v2(machine, stat="252:0 rbytes=1 wbytes=0 rios=1 wios=0\n")
    machine.write("proc/diskstats", " 252 0 nvme0n1 1 2 3\n")
    assert ("fs_reads_total", "/dev/nvme0n1") in published(of, now=NOW + 2)


def test_a_cgroup_that_goes_between_list_and_read_is_left_out(tmp_path: Path) -> None:
    """No zeros and no error: it is simply gone."""
    machine = FakeMachine(tmp_path)
    v2(machine, "stays")
    v2(machine, "goes")
    collectors = cgroup_group(machine.host, {}).collectors
    assert "/goes" in exposed(collectors["cgroup.lifetime"], NOW)
    machine.remove("cgroup/goes")
    assert published(collectors["cgroup.io"], "goes") == {}
    assert published(collectors["cgroup.io"], "stays") == SDA
