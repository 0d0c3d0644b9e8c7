"""Which processes are in a cgroup: cgroup.procs, one process id a line, of v1 and v2 alike (cgroups(7)).

The kernel lists the processes of that one cgroup and not those below it. In a container they may all be below it: crun
puts them into `container`, a systemd inside makes its own units. What is below a container belongs to it, so it is
looked for there when the container's own list is empty. A threaded cgroup of v2 has threads and can't list processes.
"""

import re

from exporters.cgroups.tree.model import Cgroup, number_of
from exporters.host import Tree, Unreadable
from exporters.pods.cgroup_path import Kind
from exporters.readers.process import STARTED, after_name

LIST = "cgroup.procs"
BY_CRUN = f"container/{LIST}"

_HIERARCHIES = ("", "cpu", "cpuacct", "memory")
"""Of these the first that the cgroup is in: v2, or on v1 the one that cAdvisor asks."""

CERTAIN_END = 2048
"""The kernel hands a list out by the page of 4096 bytes, up to the last id that fits: a shorter piece is all of it."""

_DEEPEST = 8
"""Levels below a container that are looked through."""

_EMPTY_FOLDER = 2
"""Links of a folder that has no other in it; file systems that do not count them say 1."""

_PROCESS = re.compile(r"^[1-9][0-9]{0,9}$", re.MULTILINE)


def processes(cgroup: Cgroup) -> bytes | None:
    """The ids, one a line. None for a cgroup that can't say, as it is threaded or gone."""
    hierarchy = _hierarchy(cgroup)
    ids = None if hierarchy is None else _kept(cgroup, hierarchy, LIST)
    if hierarchy is not None and ids == b"" and cgroup.place.kind is Kind.CONTAINER:
        return _kept(cgroup, hierarchy, BY_CRUN) or _below(cgroup, cgroup.folders[hierarchy], _DEEPEST)
    return ids


def processes_and_below(cgroup: Cgroup) -> bytes | None:
    """As `processes`, and of a container that has both processes and cgroups below it those of all of them."""
    hierarchy = _hierarchy(cgroup)
    own = None if hierarchy is None else _kept(cgroup, hierarchy, LIST)
    if hierarchy is None or not own or cgroup.place.kind is not Kind.CONTAINER:
        return processes(cgroup)
    folder = cgroup.folders[hierarchy]
    status = cgroup.tree.status(folder)
    if isinstance(status, Unreadable) or status.st_nlink == _EMPTY_FOLDER:
        return own
    return own + _below(cgroup, folder, _DEEPEST)


def ids_in(content: bytes | None) -> list[str] | None:
    """The processes of a list, each once: v2 may list one twice while it moves. None when nobody can say: there is no
    list, or all in it are 0, which are those that can't be seen from this process's namespace.
    """
    if content is None:
        return None
    ids = list(dict.fromkeys(_PROCESS.findall(content.decode("latin-1"))))
    return ids if ids or not content else None


def by_age(proc: Tree, pids: list[str]) -> list[str]:
    """The processes, the one first that is there for the longest time; one that has ended is last."""
    if len(pids) <= 1:
        return pids
    return sorted(pids, key=lambda pid: (started(proc, pid), int(pid)))


def started(proc: Tree, pid: str) -> float:
    """When a process was started, in ticks since the boot; infinity for one that has ended."""
    content = proc.read(f"{pid}/stat")
    words = [] if isinstance(content, Unreadable) else after_name(content)
    ticks = number_of(words[STARTED]) if len(words) > STARTED else None
    return float("inf") if ticks is None else ticks


def _hierarchy(cgroup: Cgroup) -> str | None:
    return next((hierarchy for hierarchy in _HIERARCHIES if hierarchy in cgroup.folders), None)


def _kept(cgroup: Cgroup, hierarchy: str, name: str) -> bytes | None:
    content = cgroup.read(hierarchy, name)
    if content is None or len(content) < CERTAIN_END:
        return content
    whole = cgroup.files[name].read()
    return whole if isinstance(whole, bytes) else None


def _below(cgroup: Cgroup, folder: str, levels: int) -> bytes:
    """The ids of all cgroups below a folder."""
    names = cgroup.tree.folders(folder) if levels else []
    found = b""
    for name in [] if isinstance(names, Unreadable) else names:
        child = f"{folder}/{name}" if folder else name
        ids = cgroup.tree.read(f"{child}/{LIST}")
        found += (ids if isinstance(ids, bytes) else b"") + _below(cgroup, child, levels - 1)
    return found
