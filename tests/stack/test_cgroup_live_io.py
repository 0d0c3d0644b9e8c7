"""A process in a cgroup of ours reads and writes a known number of bytes of a disk of ours, in requests of known size.
Needs root, a free loop device, and the blkio controller of v1 or the io controller of v2. On v1 each of those who count
is tried: throttling, and BFQ where this kernel has it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.host import Host, Roots
from exporters.testing import exposed, samples_in

pytestmark = pytest.mark.stack

CGROUPS = Path("/sys/fs/cgroup")
IS_V2 = (CGROUPS / "cgroup.controllers").exists()
HAS_BFQ = (CGROUPS / "blkio/blkio.bfq.io_serviced_recursive").exists()
NAME = f"fenghuo-{os.getpid()}-io"
BLOCK = 1 << 16
READS, WRITES = 64, 16

WORK = """
import mmap, os, sys
cgroup, disk, block, reads, writes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
with open(f"{cgroup}/cgroup.procs", "w") as procs:
    procs.write(str(os.getpid()))
buffer = mmap.mmap(-1, block)  # direct transfers want memory that begins at a page
file = os.open(disk, os.O_RDWR | os.O_DIRECT)
for at in range(reads):
    assert os.preadv(file, [buffer], at * block) == block
for at in range(writes):
    assert os.pwritev(file, [buffer], at * block) == block
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A loop device of our own, 4 MiB."""
    image = tmp_path / "disk"
    image.write_bytes(bytes(READS * BLOCK))
    found = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=True)
    device = Path(found.stdout.strip())
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture(params=["always", *(["bfq"] if HAS_BFQ else [])])
def cgroup(disk: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A cgroup whose transfers are counted. Throttling on v1 counts from the first limit on, so there is one that
    limits nothing; BFQ counts for the disks that it schedules.
    """
    folder = (CGROUPS if IS_V2 else CGROUPS / "blkio") / NAME
    walked = folder if IS_V2 else CGROUPS / "cpu" / NAME
    for path in {folder, walked}:
        path.mkdir()
    if request.param == "bfq":
        Path(f"/sys/block/{disk.name}/queue/scheduler").write_text("bfq")
    elif not IS_V2:
        number = Path(f"/sys/block/{disk.name}/dev").read_text(encoding="ascii").strip()
        (folder / "blkio.throttle.read_bps_device").write_text(f"{number} {1 << 40}")
    yield folder
    if request.param == "bfq":
        Path(f"/sys/block/{disk.name}/queue/scheduler").write_text("none")
    for path in {folder, walked}:
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()


def of_ours() -> dict[str, float]:
    """Metric and operation → value, of our cgroup and the device's numbers."""
    samples = samples_in(exposed(cgroup_group(Host(Roots()), {}).collectors["cgroup.io"], time.time()))
    ours = {series: value for series, value in samples.items() if f'id="/{NAME}"' in series}
    return {
        f"{series.partition('{')[0]} {series.partition('operation=')[2][:-1]}".strip(): value
        for series, value in ours.items()
    }


def test_a_cgroup_is_told_what_it_moved(cgroup: Path, disk: Path) -> None:
    """To the byte and to the request: nothing reads ahead of direct transfers."""
    assert not of_ours().get("container_fs_reads_bytes_total")
    arguments = (str(cgroup), str(disk), *map(str, (BLOCK, READS, WRITES)))
    subprocess.run([sys.executable, "-c", WORK, *arguments], check=True, timeout=60)
    samples = of_ours()
    assert samples["container_fs_reads_bytes_total"] == READS * BLOCK
    assert samples["container_fs_writes_bytes_total"] == WRITES * BLOCK
    assert samples["container_fs_reads_total"] == READS
    assert samples["container_fs_writes_total"] == WRITES
    assert samples['container_blkio_device_usage_total "Read"'] == READS * BLOCK
    assert samples['container_blkio_device_usage_total "Write"'] == WRITES * BLOCK
