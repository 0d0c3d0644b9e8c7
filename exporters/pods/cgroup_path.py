"""A cgroup's path to what it says: pod uid, container id, quality of service, runtime. Pure.

Patterns were collected from kubelet (cgroupfs and systemd drivers), containerd, CRI-O, Docker and Podman on
cgroup v1 and v2, nested kubelets included:

    /kubepods/burstable/pod<uid>/<id>
    /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid_>.slice/cri-containerd-<id>.scope
    /kubepods-burstable-pod<uid_>.slice:cri-containerd:<id>
    /docker/<id>      /system.slice/docker-<id>.scope      /machine.slice/libpod-<id>.scope
"""

import re
from dataclasses import dataclass
from enum import StrEnum

# a uid is a UUID (systemd writes `_` for `-`, which is its separator), or the hash of a static pod's manifest
_POD = re.compile(
    r"(?:^|[/-])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?=[:/]|$)"
)
_QOS = re.compile(r"kubepods(?:\.slice)?[/-](?:kubepods-)?(burstable|besteffort)")
_CONTAINER = re.compile(
    r"(?:^|[:-])(?:(cri-containerd|crio|docker|libpod|nerdctl|containerd)[-:])?([0-9a-f]{64})(?:\.scope)?$"
)
_HELPER = re.compile(r"^(?:crio-conmon-|libpod-conmon-)|\.mount$")


class Kind(StrEnum):
    """What a cgroup is to its reader."""

    ROOT = "root"
    SLICE = "slice"
    """A group of others, or a systemd unit."""
    POD = "pod"
    CONTAINER = "container"
    HELPER = "helper"
    """A runtime's monitor process or a mount unit: nobody asks for these."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says. Fields that it does not say are empty."""

    kind: Kind
    pod_uid: str = ""
    container_id: str = ""
    qos: str = ""
    runtime: str = ""


def parse(path: str) -> Place:
    """Read the path of a cgroup, relative to the hierarchy's root, with a leading slash.

    Only the last part makes a container: cgroups below one belong to it, and a walk need not go there.
    """
    name = path.rpartition("/")[2]
    if not name:
        return Place(Kind.ROOT)
    if _HELPER.search(name):
        return Place(Kind.HELPER)
    pod = _POD.search(path)
    uid = pod.group(1).replace("_", "-") if pod else ""
    qos = _qos(path) if pod else ""
    container = _CONTAINER.search(name)
    if container:
        return Place(Kind.CONTAINER, uid, container.group(2), qos, container.group(1) or "")
    if pod and pod.end() == len(path):
        return Place(Kind.POD, uid, qos=qos)
    return Place(Kind.SLICE)


def _qos(path: str) -> str:
    match = _QOS.search(path)
    return match.group(1) if match else "guaranteed"
