"""A machine's cgroups as they are added, one by one, and written with numbers that add up.

Each cgroup has a load of its own that follows from its path: that of processes is large, a group of others has the
little that is left of those who are gone. What a cgroup uses is its own load and that of all below it, as the kernel
counts. So a container's values are not another's, and a pod has more than its containers together.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees import v1, v2
from tests.exporters.cgroups.trees.processes import HOST, Processes
from tests.exporters.cgroups.trees.v2 import NONE, Limits

MADE = 1_699_990_000
"""When the first cgroup was made, in Unix seconds; the next one a minute later, and so on."""


@dataclass
class Cgroup:
    """One cgroup. `controllers` are those that its parent passes on to it, on v2."""

    path: str
    own: int
    limits: Limits = NONE
    kills: int = 0
    pids: list[int] = field(default_factory=list)
    controllers: str = v2.CONTROLLERS
    passes_on: str = v2.CONTROLLERS


class Layout:
    """The cgroups of one machine. `write` lays them out; until then they are added in any order."""

    def __init__(self, machine: FakeMachine, *, root: str = "/", bfq: bool = False, processors: int = 8) -> None:
        """`root` is what process 1 is in; another than `/` is a machine that is a container itself, as with kind."""
        self.machine = machine
        self.processes = Processes(machine, processors)
        self._bfq = bfq
        self._is_container = root != "/"
        self._cgroups = {"/": Cgroup("/", own=_own_load("/", busy=False))}

    def add(
        self,
        path: str,
        *networks: str,
        limits: Limits = NONE,
        kills: int = 0,
        idle: bool = False,
        passes_on: str = v2.CONTROLLERS,
    ) -> None:
        """A cgroup with a process in each of `networks`, and the groups that it is in.

        `kills` are its processes that were killed for want of memory. What it `passes_on` to those below it are
        controllers of v2.
        """
        parent = path.rpartition("/")[0] or "/"
        if parent not in self._cgroups:
            self.add(parent)
        self._cgroups[path] = Cgroup(
            path,
            _own_load(path, busy=bool(networks) and not idle),
            limits,
            kills,
            [self.processes.start(path, network) for network in networks],
            passes_on=passes_on,
        )

    def add_units(self, *paths: str) -> None:
        """Units of systemd, each with one process on the host's network."""
        for path in paths:
            self.add(path, HOST)

    def write_v2(self) -> None:
        """All cgroups below `cgroup`."""
        for number, cgroup in enumerate(self._cgroups.values()):
            parent = self._cgroups[cgroup.path.rpartition("/")[0] or "/"]
            if parent is not cgroup:
                cgroup.controllers = " ".join(name for name in parent.passes_on.split() if name in parent.controllers)
            folder = f"cgroup{cgroup.path}".rstrip("/")
            self.machine.write_all(self._files_of_v2(cgroup), folder)
            _date(self.machine.folder / folder, MADE + 60 * number)

    def write_v1(self) -> None:
        """All cgroups below each of the hierarchies, and links for those that are mounted together."""
        for number, cgroup in enumerate(self._cgroups.values()):
            below = list(self._below(cgroup))
            load = sum(one.own for one in below)
            threads = sum(self.processes.threads(pid) for one in below for pid in one.pids)
            found = v1.files(cgroup.own, load, cgroup.limits, cgroup.kills, threads, bfq=self._bfq)
            for hierarchy, files in found.items():
                if cgroup.path == "/":
                    files.pop("pids.current", None), files.pop("pids.max", None)
                folder = f"cgroup/{hierarchy}{cgroup.path}".rstrip("/")
                self.machine.write_all(
                    files | {"cgroup.procs": _lines(cgroup.pids), "tasks": _lines(cgroup.pids)}, folder
                )
                _date(self.machine.folder / folder, MADE + 60 * number)
        for name in ("cpu", "cpuacct"):
            (self.machine.folder / "cgroup" / name).symlink_to("cpu,cpuacct")

    def _files_of_v2(self, cgroup: Cgroup) -> dict[str, str]:
        below = list(self._below(cgroup))
        load = sum(one.own for one in below)
        files = {
            "cgroup.controllers": f"{cgroup.controllers}\n",
            "cgroup.procs": _lines(cgroup.pids),
            "cgroup.subtree_control": f"{cgroup.passes_on if len(below) > 1 else ''}\n",
            "cgroup.threads": _lines(cgroup.pids),
        }
        if cgroup.path == "/" and not self._is_container:
            return files | v2.root(load, len(below) - 1)
        pids = [pid for one in below for pid in one.pids]
        limits = cgroup.limits
        of_controllers = {
            "cpu": v2.cpu(load, limits.quota),
            "memory": v2.memory(load, limits.memory, cgroup.kills, sum(one.kills for one in below)),
            "io": v2.io(load),
            "pids": v2.pids(sum(map(self.processes.threads, pids))),
            "cpuset": v2.cpuset(limits.processors),
            "hugetlb": v2.hugetlb(load),
        }
        files |= v2.core(load, populated=bool(pids), descendants=len(below) - 1)
        for controller in cgroup.controllers.split():
            files |= of_controllers.get(controller, {})
        return files

    def _below(self, cgroup: Cgroup) -> Iterator[Cgroup]:
        """This cgroup and those below it."""
        stem = cgroup.path.rstrip("/") + "/"
        yield from (one for path, one in self._cgroups.items() if one is cgroup or path.startswith(stem))


def _own_load(path: str, *, busy: bool) -> int:
    digits = zlib.crc32(path.encode())
    return 100_000 + digits % 900_000 if busy else 1000 + digits % 19_000


def _lines(pids: list[int]) -> str:
    return "".join(f"{pid}\n" for pid in pids)


def _date(folder: Path, made: int) -> None:
    """When a cgroup was made is told by its folder and its files."""
    for path in (*folder.iterdir(), folder):
        if path.is_file() or path == folder:
            os.utime(path, (made, made))
