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


V1_CONTROLLERS = ("cpu", "cpuacct", "memory")


def detect(host: Host) -> Layout:
    """Raises NoData when there is no cgroupfs."""
    if not isinstance(host.cgroup.status("cgroup.controllers"), Unreadable):
        return Layout(Version.V2, {"": ""})
    names = host.cgroup.folders("")
    if isinstance(names, Unreadable):
        raise NoData(str(names))
    # controllers that are mounted together share a folder, `cpu,cpuacct`; the single names are links to it
    folders = {controller: name for name in names for controller in name.split(",") if controller in V1_CONTROLLERS}
    if not folders:
        raise NoData(f"{host.cgroup.root}: no cgroup hierarchy is mounted there")
    return Layout(Version.V1, folders)
