"""What is said of the machine itself and of when a cgroup was made, against what the system's own tools say. Needs root
to mount a file system and to make a cgroup.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.testing import exposed, samples_in
from tests.stack.cgroups import CGROUPS, is_v1, own_cgroup, own_collector, published

pytestmark = pytest.mark.stack

MIB = 1 << 20

WRITE = """
import mmap, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_DIRECT)
buffer = mmap.mmap(-1, 1 << 20)  # direct transfers want memory that begins at a page
for at in range(int(sys.argv[2])):
    assert os.pwritev(file, [buffer], at << 20) == 1 << 20
"""


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A file system of our own, 16 MiB and 1000 inodes."""
    folder = tmp_path / "tmpfs"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,nr_inodes=1000", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def of_root(collector: str, device: str) -> dict[str, float]:
    """What a collector publishes of the root's device, by metric."""
    samples = samples_in(exposed(own_collector(collector), time.time()))
    return {
        series.partition("{")[0].removeprefix("container_fs_"): value
        for series, value in samples.items()
        if 'id="/"' in series and f'device="{device}"' in series
    }


def columns(*command: str) -> list[list[str]]:
    """A tool's table without its comments."""
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.replace(",", " ").split() for line in lines if not line.startswith("#")]


def test_a_file_system_that_fills_up(tmpfs: Path) -> None:
    """To the byte and to the inode."""
    before = of_root("cgroup.filesystem", str(tmpfs))
    assert before == {"limit_bytes": 16 * MIB, "usage_bytes": 0, "inodes_total": 1000, "inodes_free": 999}
    (tmpfs / "five").write_bytes(bytes(5 * MIB))
    assert of_root("cgroup.filesystem", str(tmpfs)) == {**before, "usage_bytes": 5 * MIB, "inodes_free": 998}


def test_the_disk_below_the_root(tmp_path: Path) -> None:
    """It has written at least what was written past all caches, whoever else writes meanwhile; a time in progress is
    not longer than what has passed.
    """
    ((device, size),) = columns("df", "--block-size=1", "--output=source,size", str(tmp_path))[1:]
    before, started = of_root("cgroup.io", device), time.monotonic()
    subprocess.run(["python3", "-c", WRITE, str(tmp_path / "file"), "8"], check=True)
    after = of_root("cgroup.io", device)
    passed = time.monotonic() - started
    assert after["sector_writes_total"] - before["sector_writes_total"] >= 8 * MIB / 512
    assert after["writes_total"] > before["writes_total"]
    assert after["write_seconds_total"] > before["write_seconds_total"]
    assert 0 < after["io_time_seconds_total"] - before["io_time_seconds_total"] <= passed + 0.1
    sizes = of_root("cgroup.filesystem", device)
    assert sizes["limit_bytes"] == int(size)


def test_how_the_machine_is_built() -> None:
    """As lscpu tells it."""
    samples = samples_in(exposed(own_collector("cgroup.machine")))
    cpus = columns("lscpu", "-p=CPU,CORE,SOCKET")
    expected = {
        "machine_cpu_cores": len(cpus),
        "machine_cpu_physical_cores": len({core for _, core, _ in cpus}),
        "machine_cpu_sockets": len({socket for *_, socket in cpus}),
        "machine_scrape_error": 0,
    }
    assert {
        name: value for series, value in samples.items() if (name := series.partition("{")[0]) in expected
    } == expected


def test_the_caches_of_a_core() -> None:
    """Each cache that lscpu knows, of that size, with its level and type."""
    known = {tuple(words) for words in columns("lscpu", "-B", "-C=LEVEL,TYPE,ONE-SIZE")[1:]}
    found = {
        (labels.split('level="')[1].split('"')[0], labels.split('type="')[1].split('"')[0], str(int(value)))
        for labels, value in samples_in(exposed(own_collector("cgroup.cpu_topology"))).items()
        if labels.startswith("machine_cpu_cache_capacity_bytes")
    }
    assert known
    assert found == known


def test_a_cgroup_was_made_when_it_was_made() -> None:
    """To the second."""
    before = time.time()
    with own_cgroup(CGROUPS / "cpu" if is_v1() else CGROUPS) as folder:
        times = published("cgroup.lifetime", folder)
        assert before - 1 <= times["container_creation_time_seconds"] <= time.time() + 1
        assert times["container_start_time_seconds"] == times["container_creation_time_seconds"]
