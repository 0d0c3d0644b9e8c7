"""File systems that hang for real: the exporter as a process, and a FUSE server that takes requests and is silent.

A thread that waits for it can't be interrupted, not even by SIGKILL, as with a dead NFS server.
"""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.exporters.beside import parse, running_process
from tests.stack.fuse import AVAILABLE, BLOCK, BLOCKS, FileSystems, file_systems
from tests.stack.servers.waiting import wait_until

pytestmark = pytest.mark.stack

PATIENCE, DEADLINE = 2.0, 4.0
"""Seconds that the exporter waits for a mount, and for all together."""

DEAD = 3


@dataclass(frozen=True)
class Exporter:
    """A running exporter that publishes file systems, and how to ask it."""

    port: int
    pid: int

    def scrape(self) -> tuple[float, dict[str, dict[str, float]]]:
        """Seconds that a scrape took, and each metric of file systems by mount point and error."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        start = time.monotonic()
        client.request("GET", "/metrics")
        text = client.getresponse().read().decode()
        took = time.monotonic() - start
        client.close()
        found: dict[str, dict[str, float]] = {}
        for name, metric in parse(text).items():
            if name.startswith("node_filesystem_"):
                rows = ((dict(labels), value) for labels, value in metric.samples.items())
                found[name.removeprefix("node_filesystem_")] = {
                    " ".join(filter(None, (row["mountpoint"], row.get("device_error")))): value for row, value in rows
                }
        return took, found

    def held(self) -> tuple[int, int]:
        """Its threads and open files."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        threads = next(line.split()[1] for line in status.splitlines() if line.startswith("Threads:"))
        return int(threads), len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Mount points."""
    made = [tmp_path / f"dead{number}" for number in range(DEAD)]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def mounted(folders: list[Path]) -> Iterator[FileSystems]:
    """File systems at the folders, which answer until they are told to hang."""
    with file_systems(folders) as server:
        yield server


@contextmanager
def exporting(mounted: FileSystems, folder: Path) -> Iterator[Exporter]:
    """The exporter, in the namespace of the mounts; it takes its own table of mounts for the host's."""
    (folder / "proc").mkdir()
    (folder / "proc/self").symlink_to("/proc/self")
    only = ["--collect=node", "--collector.disable-defaults", "--collector.filesystem"]
    command = [*mounted.enter, sys.executable, "-m", "exporters", *only, f"--path.procfs={folder / 'proc'}"]
    with running_process(command) as (port, process):
        try:
            yield Exporter(port, process.pid)
        finally:
            mounted.process.kill()  # or an exporter that still waits for it could not be ended


@pytest.fixture
def exporter(mounted: FileSystems, tmp_path: Path) -> Iterator[Exporter]:
    """An exporter that starts while all is well."""
    with exporting(mounted, tmp_path) as running:
        yield running


def errors(folders: list[Path]) -> dict[str, float]:
    """What `device_error` says of mounts that hang."""
    return {f"{folder} mountpoint timeout": 1 for folder in folders}


def test_file_systems_that_hang_cost_one_delay_and_are_told(
    mounted: FileSystems, exporter: Exporter, folders: list[Path]
) -> None:
    """The first scrape waits for them once and together, the others not at all; each shows as an error, what is well
    is published as ever, there is a thread for each and no more, and when they answer again all is as it was.
    """
    _, before = exporter.scrape()
    threads, files = exporter.held()
    others = {place for place in before["size_bytes"] if place not in map(str, folders)}
    assert set(before["size_bytes"]) == {*map(str, folders), *others}
    assert "/" in others
    assert not any(before["device_error"].values())

    mounted.say("hang")
    took, hanging = exporter.scrape()
    assert PATIENCE <= took < DEADLINE
    for scrape in range(20):
        assert {place: error for place, error in hanging["device_error"].items() if error} == errors(folders), scrape
        assert set(hanging["size_bytes"]) == others
        assert set(hanging["mount_info"]) == others
        took, hanging = exporter.scrape()
        assert took < PATIENCE
    held = exporter.held()
    assert held[0] <= threads + DEAD
    assert held[1] <= files

    mounted.say("answer")
    wait_until(lambda: exporter.scrape()[1]["device_error"] == before["device_error"], "the file systems to be well")
    wait_until(lambda: exporter.held()[0] <= threads, "the threads that waited to end")
    assert set(exporter.scrape()[1]["size_bytes"]) == set(before["size_bytes"])


def test_hanging_again_and_again_leaks_nothing(mounted: FileSystems, exporter: Exporter, folders: list[Path]) -> None:
    """After several deaths of the server the process holds what it held before."""
    exporter.scrape()
    threads, files = exporter.held()
    for _ in range(3):
        mounted.say("hang")
        _, hanging = exporter.scrape()
        assert errors(folders).items() <= hanging["device_error"].items()
        mounted.say("answer")
        wait_until(lambda: not any(exporter.scrape()[1]["device_error"].values()), "the file systems to be well")
        wait_until(lambda: exporter.held()[0] <= threads, "the threads that waited to end")
    assert exporter.held()[1] <= files


def test_an_exporter_that_starts_beside_dead_mounts_publishes_the_others(
    mounted: FileSystems, folders: list[Path], tmp_path: Path
) -> None:
    """Also its very first scrape has all mounts that are well."""
    mounted.say("hang")
    with exporting(mounted, tmp_path) as exporter:
        took, hanging = exporter.scrape()
        assert took < DEADLINE
        assert "/" in hanging["size_bytes"]
        assert errors(folders).items() <= hanging["device_error"].items()


def test_sizes_are_those_of_df_where_a_transfer_is_larger_than_a_block(
    mounted: FileSystems, exporter: Exporter, folders: list[Path]
) -> None:
    """Blocks are counted in fragments: node_exporter would publish 256 times as much."""
    command = [*mounted.enter, "df", "--block-size=1", "--output=size,avail", str(folders[0])]
    row = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()[1]
    _, published = exporter.scrape()
    place = str(folders[0])
    sizes = [published["size_bytes"][place], published["avail_bytes"][place]]
    assert sizes == [float(word) for word in row.split()]
    assert sizes == [BLOCKS * BLOCK, AVAILABLE * BLOCK]
