"""Real processes, threads and descriptors in cgroups of this machine: what was made is published. Needs root."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import Collector
from exporters.host import Host, Roots
from exporters.testing import exposed, samples_in
from tests.stack.cgroups import CGROUPS, UNIFIED, is_v1, own_cgroup, told, working_in
from tests.stack.servers.waiting import wait_until

pytestmark = pytest.mark.stack

HOLDER = """
import resource, signal, socket, threading
pathlib.Path(sys.argv[2], "cgroup.procs").write_text(str(os.getpid()))
resource.setrlimit(resource.RLIMIT_NOFILE, (123, 456))
held = [open("/dev/null") for _ in range(10)] + [socket.socket() for _ in range(5)]
for _ in range(3):
    threading.Thread(target=signal.pause, daemon=True).start()
print("ready", flush=True)
signal.pause()
"""

CROWD = """
import signal
for _ in range(899):
    if os.fork() == 0:
        break
else:
    print("ready", flush=True)
signal.pause()
"""

CHURN = """
import subprocess
print("ready", flush=True)
while True:
    subprocess.run(["true"])
"""


def collector(name: str, root: Path = CGROUPS) -> Collector:
    """A collector of this machine's cgroups."""
    return cgroup_group(Host(Roots(cgroupfs=str(root))), {name: True}).collectors[name]


def published(of: Collector, path: str) -> dict[str, float]:
    """What it publishes of one cgroup, without the labels."""
    samples = samples_in(exposed(of, time.time()))
    return {name.partition("{")[0]: value for name, value in samples.items() if f'id="/{path}"' in name}


@contextlib.contextmanager
def counted_cgroup() -> Iterator[tuple[Path, Path]]:
    """A cgroup's folders for its list of processes and for the count of its threads, which are one on v2."""
    if not is_v1():
        with own_cgroup(CGROUPS) as folder:
            yield folder, folder
        return
    with own_cgroup(CGROUPS / "cpu") as folder, own_cgroup(CGROUPS / "pids") as pids:
        yield folder, pids


@contextlib.contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """Whatever is in the cgroup at the end is killed, and has left it."""
    try:
        yield
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: not (folder / "cgroup.procs").read_text(), "the cgroup is empty")


def test_a_process_its_threads_and_what_it_holds_open() -> None:
    """Four threads of 77; standard input, output and errors, ten files, five sockets, of 123."""
    with counted_cgroup() as (folder, pids):
        (pids / "pids.max").write_text("77")
        with working_in(folder, HOLDER, str(pids)) as process:
            assert told(process) == "ready"
            processes = published(collector("cgroup.processes"), folder.name)
            descriptors = published(collector("cgroup.descriptors"), folder.name)
    assert processes == {"container_processes": 1, "container_threads": 4, "container_threads_max": 77}
    assert descriptors == {"container_file_descriptors": 18, "container_sockets": 5, "container_ulimits_soft": 123}


def test_more_processes_than_the_kernel_lists_at_once() -> None:
    """It hands out about 680 ids in a read, however much is asked for."""
    with counted_cgroup() as (folder, _), emptied(folder), working_in(folder, CROWD) as process:
        assert told(process) == "ready"
        assert published(collector("cgroup.processes"), folder.name)["container_processes"] == 900


def test_processes_that_end_while_they_are_asked() -> None:
    """A cgroup whose processes live for a millisecond: every scrape succeeds, and finds one or a few."""
    with counted_cgroup() as (folder, _), emptied(folder), working_in(folder, CHURN) as process:
        assert told(process) == "ready"
        descriptors = collector("cgroup.descriptors")
        found = [published(descriptors, folder.name) for _ in range(50)]
    assert all(scrape["container_file_descriptors"] >= 3 for scrape in found)


def test_a_threaded_cgroup_has_no_list_of_processes() -> None:
    """The kernel refuses it (EOPNOTSUPP): no series and no failure. Those of the domain above are all there."""
    with (
        own_cgroup(UNIFIED) as folder,
        working_in(folder, "import signal; print('ready', flush=True); signal.pause()") as process,
    ):
        (folder / "threaded").mkdir()
        try:
            (folder / "threaded" / "cgroup.type").write_text("threaded")
            assert told(process) == "ready"
            (folder / "threaded" / "cgroup.threads").write_text(str(process.pid))
            processes, descriptors = (collector(f"cgroup.{name}", UNIFIED) for name in ("processes", "descriptors"))
            assert "container_processes" not in published(processes, f"{folder.name}/threaded")
            assert published(descriptors, f"{folder.name}/threaded") == {}
            assert published(processes, folder.name)["container_processes"] == 1
        finally:
            process.kill()
            process.wait()
            (folder / "threaded").rmdir()


def test_a_cgroup_that_goes_is_left_out() -> None:
    """At the next scrape its list can't be read any more, through the descriptor that was kept."""
    with counted_cgroup() as (folder, _):
        processes = collector("cgroup.processes")
        assert published(processes, folder.name)["container_processes"] == 0
    assert published(processes, folder.name) == {}
