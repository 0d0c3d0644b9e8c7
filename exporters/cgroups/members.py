"""Which processes are in a cgroup: cgroup.procs, one process id a line, of v1 and v2 alike (cgroups(7)).

The kernel lists the processes of that one cgroup and not those below it. In a container they may all be below it: crun
puts them into `container`, a systemd inside makes its own units. What is below a container belongs to it, so it is
looked for there when the container's own list is empty. A threaded cgroup of v2 has threads and can't list processes.
"""

from exporters.cgroups.model import Cgroup
from exporters.host import Unreadable
from exporters.pods.cgroup_path import Kind

LIST = "cgroup.procs"
BY_CRUN = f"container/{LIST}"

_HIERARCHIES = ("", "cpu", "cpuacct", "memory")
"""Of these the first that the cgroup is in: v2, or on v1 the one that cAdvisor asks."""

_CERTAIN_END = 2048
"""The kernel hands a list out by the page of 4096 bytes, up to the last id that fits: a shorter piece is all of it."""

_DEEPEST = 8
"""Levels below a container that are looked through."""


def processes(cgroup: Cgroup) -> bytes | None:
    """The ids, one a line. None for a cgroup that can't say, as it is threaded or gone."""
    for hierarchy in _HIERARCHIES:
        if hierarchy in cgroup.folders:
            break
    else:
        return None
    ids = _kept(cgroup, hierarchy, LIST)
    if ids == b"" and cgroup.place.kind is Kind.CONTAINER:
        return _kept(cgroup, hierarchy, BY_CRUN) or _below(cgroup, cgroup.folders[hierarchy], _DEEPEST)
    return ids


def _kept(cgroup: Cgroup, hierarchy: str, name: str) -> bytes | None:
    content = cgroup.read(hierarchy, name)
    if content is None or len(content) < _CERTAIN_END:
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
