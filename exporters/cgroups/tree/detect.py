"""Which cgroup hierarchies a machine has, told by the folders below the root of cgroupfs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporters.collector import NoData
from exporters.host import Host, Unreadable


class Version(StrEnum):
    """How resources are accounted for."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True)
class Layout:
    """The hierarchies: controller → folder below the root of cgroupfs.

    On v2 there is one hierarchy for all, under the name "" and at the root. On v1, and on hybrid machines, whose
    unified hierarchy holds no controller, each controller has its own folder.
    """

    version: Version
    folders: Mapping[str, str] = field(default_factory=dict)

    @property
    def walked(self) -> set[str]:
        """The folders of the hierarchies in which cgroups are looked for."""
        return {folder for controller, folder in self.folders.items() if controller not in ASSUMED}


WALKED = ("cpu", "cpuacct", "memory")
"""Controllers of v1 whose hierarchies are looked through: a cgroup that is in none of them uses nothing."""

ASSUMED = ("blkio", "cpuset", "hugetlb", "pids")
"""Controllers of v1 in which a cgroup is taken to have the path that it has in the others, as every runtime does."""


def detect(host: Host) -> Layout:
    """Raises NoData when there is no cgroupfs."""
    if not isinstance(host.cgroup.status("cgroup.controllers"), Unreadable):
        return Layout(Version.V2, {"": ""})
    names = host.cgroup.folders("")
    if isinstance(names, Unreadable):
        raise NoData(str(names))
    # controllers that are mounted together share a folder, `cpu,cpuacct`; the single names are links to it
    folders = {
        controller: name for name in names for controller in name.split(",") if controller in (*WALKED, *ASSUMED)
    }
    if folders.keys().isdisjoint(WALKED):
        raise NoData(f"{host.cgroup.root}: no cgroup hierarchy is mounted there")
    return Layout(Version.V1, folders)
