"""Cgroups of this machine that a test makes, fills with processes and takes away again. Needs root.

A cgroup is its path, such as `/fenghuo-test-1-kubepods/pod…`: on v1 a folder in the hierarchy of each controller, on v2
one folder. A test that names files takes them from the table below.
"""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from exporters.app import cgroup_group
from exporters.collector import Collector
from exporters.host import Host, Roots
from exporters.testing import exposed, samples_in
from tests.stack.servers.waiting import wait_until

CGROUPS = Path("/sys/fs/cgroup")
UNIFIED = CGROUPS / "unified" if (CGROUPS / "unified").exists() else CGROUPS
"""The hierarchy of v2: on a hybrid machine it stands beside those of v1, without their controllers."""

CONTROLLERS = ("cpu", "cpuacct", "memory", "blkio", "pids")
"""Hierarchies of v1 in which the cgroups are made."""

HANDED_DOWN = "+cpu +memory +io +pids"
"""Controllers that a cgroup of v2 gives to those below it."""

ENTER = """
import os, pathlib, sys
for folder in sys.argv[1].split(os.pathsep): pathlib.Path(folder, "cgroup.procs").write_text(str(os.getpid()))
"""


class Setting(NamedTuple):
    """A file of a cgroup: the controller that has it on v1, and its name there and on v2."""

    controller: str
    v1: str
    v2: str


CPU_STAT = Setting("cpu", "cpu.stat", "cpu.stat")
CPU_USAGE = Setting("cpuacct", "cpuacct.usage", "cpu.stat")
CPU_BURST = Setting("cpu", "cpu.cfs_burst_us", "cpu.max.burst")
CPU_SHARES = Setting("cpu", "cpu.shares", "cpu.weight")
MEMORY_USAGE = Setting("memory", "memory.usage_in_bytes", "memory.current")
MEMORY_LIMIT = Setting("memory", "memory.limit_in_bytes", "memory.max")
SWAP_LIMIT = Setting("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
RESERVATION = Setting("memory", "memory.soft_limit_in_bytes", "memory.min")
LIMIT_HITS = Setting("memory", "memory.failcnt", "memory.events")


def is_v1() -> bool:
    return UNIFIED != CGROUPS


def folders_of(path: str) -> tuple[Path, ...]:
    """A cgroup's folders: one a controller on v1, one on v2."""
    below = path.strip("/")
    return tuple(CGROUPS / controller / below for controller in CONTROLLERS) if is_v1() else (CGROUPS / below,)


def file_of(path: str, setting: Setting) -> Path:
    """A cgroup's file."""
    below = path.strip("/")
    return CGROUPS / setting.controller / below / setting.v1 if is_v1() else CGROUPS / below / setting.v2


def make(path: str) -> None:
    """Make a cgroup, in all hierarchies, and those above it that are not there."""
    parts = path.strip("/").split("/")
    for depth in range(len(parts)):
        if not is_v1():
            (CGROUPS.joinpath(*parts[:depth]) / "cgroup.subtree_control").write_text(HANDED_DOWN)
        for folder in folders_of("/".join(parts[: depth + 1])):
            folder.mkdir(exist_ok=True)


def remove(path: str) -> None:
    """End the processes of a cgroup that has none below it, and take it away, in whichever hierarchies it is."""
    for folder in folders_of(path):
        _remove(folder)


def _remove(folder: Path) -> None:
    def is_gone() -> bool:
        """A process that was killed leaves its cgroup a little later."""
        try:
            for pid in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            folder.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EBUSY):
                raise
        return not folder.exists()

    wait_until(is_gone, f"the processes to leave {folder}", 10, 0.01)


@contextlib.contextmanager
def own_pods(name: str = "kubepods") -> Iterator[str]:
    """The path of a cgroup for pods; all that is below it at the end goes."""
    top = f"/fenghuo-test-{os.getpid()}-{name}"
    make(top)
    try:
        yield top
    finally:
        for folder in folders_of(top):
            for below, _, _ in os.walk(folder, topdown=False):
                _remove(Path(below))


def container_path(top: str, pod: int, container: int) -> str:
    """The path of a container in a pod, as kubelet names them without systemd; ids are this process's own."""
    return f"{pod_path(top, pod)}/{os.getpid():032x}{container:032x}"


def pod_path(top: str, pod: int) -> str:
    """The path of a pod."""
    return f"{top}/pod{pod:08x}-0000-4000-8000-{os.getpid():012x}"


def limit_cpu(path: str, quota: int | str, period: int) -> None:
    """Microseconds of processor time in each period of so many."""
    if is_v1():
        folder = CGROUPS / "cpu" / path.strip("/")
        (folder / "cpu.cfs_period_us").write_text(str(period))
        (folder / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (CGROUPS / path.strip("/") / "cpu.max").write_text(f"{quota} {period}")


def limit_memory(path: str, limit: int) -> None:
    """Not a byte more, swap included: it counts with the memory on v1, and by itself on v2."""
    file_of(path, MEMORY_LIMIT).write_text(str(limit))
    if file_of(path, SWAP_LIMIT).exists():
        file_of(path, SWAP_LIMIT).write_text(str(limit if is_v1() else 0))


def numbers_in(path: str, setting: Setting) -> dict[str, int]:
    """A file of lines `key value`."""
    words = file_of(path, setting).read_text().split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def processor_seconds(path: str) -> float:
    """What a cgroup has used of the processor by now."""
    if is_v1():
        return int(file_of(path, CPU_USAGE).read_text()) / 1e9
    return numbers_in(path, CPU_USAGE)["usage_usec"] / 1e6


@contextlib.contextmanager
def own_cgroup(hierarchy: Path) -> Iterator[Path]:
    """A cgroup's folder; whatever is in it at the end is killed."""
    folder = hierarchy / f"fenghuo-test-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        folder.rmdir()


@contextlib.contextmanager
def working_in(cgroup: Path | str, script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process in a cgroup, given as one folder or as its path, that runs a script, which may tell by a line how far
    it is and go on when it is told to; it is ended in all cases.
    """
    folders: Iterable[Path] = (cgroup,) if isinstance(cgroup, Path) else folders_of(cgroup)
    command = [sys.executable, "-c", ENTER + script, os.pathsep.join(map(str, folders)), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    """The next line that a process tells."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> str:
    """Let a process that waits for a line go on; what it tells then."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return told(process)


def published(collector: str, of: Path, root: Path = CGROUPS) -> dict[str, float]:
    """What a collector publishes of one cgroup of this machine, without the labels."""
    samples = samples_in(exposed(cgroup_group(Host(Roots(cgroupfs=str(root))), {}).collectors[collector]))
    return {name.partition("{")[0]: value for name, value in samples.items() if f'id="/{of.name}"' in name}


def own_collector(name: str) -> Collector:
    """A collector of this machine's cgroups that goes on from scrape to scrape."""
    return cgroup_group(Host(Roots()), {name: True}).collectors[name]


def series_of(collector: Collector, path: str, later: float = 0.0) -> dict[str, float]:
    """What it publishes of one cgroup now: the metric, with the failure_type and scope of those that have one. Seconds
    that the clock is put forward make it read again what it reads seldom.
    """
    found: dict[str, float] = {}
    for series, value in samples_in(exposed(collector, time.time() + later)).items():
        name, _, labels = series.partition("{")
        if f'id="{path}"' in labels:
            words = [pair for pair in labels.rstrip("}").split(",") if pair.startswith(("failure_type", "scope"))]
            found[" ".join([name, *(word.split('"')[1] for word in words)])] = value
    return found
