"""Cgroups that look like the containers of pods, with a process that sleeps in each, as a container engine makes them.

They are in every hierarchy that is mounted: all of v1, or the one of v2. A path is `/fenghuo-bench-PID/podUID/ID`.
"""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

TOP = f"fenghuo-bench-{os.getpid()}"
"""A name of our own: the machine may be a node of a cluster."""

PER_POD = 5


@contextmanager
def containers(count: int) -> Iterator[int]:
    """So many containers, `PER_POD` in each pod; the value is how many cgroups there are of them.

    Whatever was made is gone at the end, whatever happens. Raises OSError where there is no right to make them, or no
    cgroupfs.
    """
    ids = random.Random(count)  # the same at each run
    hierarchies = mounted(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    if not hierarchies:
        raise FileNotFoundError("no cgroupfs is mounted")
    with ExitStack() as stack:
        pods = [f"{TOP}/pod{UUID(int=ids.getrandbits(128), version=4)}" for _ in range(0, count, PER_POD)]
        paths = [f"{pods[number // PER_POD]}/{ids.getrandbits(256):064x}" for number in range(count)]
        for path in (TOP, *pods, *paths):
            for hierarchy in hierarchies:
                _make(hierarchy / path, stack)
        for path in paths:
            _sleep_in([hierarchy / path for hierarchy in hierarchies], stack)
        yield 1 + len(pods) + len(paths)


def mounted(mounts: str) -> list[Path]:
    """Where /proc/self/mounts has the hierarchies: those of v1, for they have the controllers, else that of v2."""
    lines = [line.split() for line in mounts.splitlines()]
    of_kind = {kind: [Path(line[1]) for line in lines if line[2] == kind] for kind in ("cgroup", "cgroup2")}
    return of_kind["cgroup"] or of_kind["cgroup2"][:1]


def _make(folder: Path, stack: ExitStack) -> None:
    """A cgroup; it is removed at the end."""
    handed_down = (
        folder.parent / "cgroup.subtree_control"
    )  # v2; what a hierarchy's root hands down is the machine's own
    if folder.name != TOP and handed_down.exists():
        controllers = (folder.parent / "cgroup.controllers").read_text(encoding="ascii").split()
        handed_down.write_text(" ".join(f"+{controller}" for controller in controllers), encoding="ascii")
    folder.mkdir()
    stack.callback(folder.rmdir)
    if (folder / "cpuset.mems").exists() and not handed_down.exists():  # v1 begins without CPUs, and takes no process
        for name in ("cpuset.cpus", "cpuset.mems"):
            (folder / name).write_bytes((folder.parent / name).read_bytes())


def _sleep_in(folders: list[Path], stack: ExitStack) -> None:
    """A process in a cgroup; it is ended at the end, before its cgroup is removed."""
    process = subprocess.Popen(["sleep", "infinity"])
    stack.callback(process.wait)
    stack.callback(process.kill)
    for folder in folders:
        (folder / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
