"""A cgroup's path to what it says: pod uid, container id, quality of service, runtime. Pure.

Patterns were collected from kubelet (cgroupfs and systemd drivers), containerd, CRI-O, Docker and Podman on
cgroup v1 and v2, nested kubelets included:

    /kubepods/burstable/pod<uid>/<id>
    /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid_>.slice/cri-containerd-<id>.scope
    /kubepods-burstable-pod<uid_>.slice:cri-containerd:<id>
    /docker/<id>      /system.slice/docker-<id>.scope      /machine.slice/libpod-<id>.scope
    /system.slice/<unit>.service/libpod-payload-<id>

A container may be a node with a kubelet of its own, as with kind, k3d and minikube. Its pods are below its cgroup:

    /docker/<id>/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod<uid_>.slice/cri-containerd-<id>.scope
"""

import re
from dataclasses import dataclass
from enum import StrEnum

# a uid is a UUID (systemd writes `_` for `-`, which is its separator), or the hash of a static pod's manifest
_POD = re.compile(
    r"(?:^|[/-])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?=[:/]|\Z)"
)
_QOS = re.compile(r"kubepods(?:\.slice)?[/-](?:kubepods-)?(burstable|besteffort)")
_RUNTIME = r"(?:^|[:-])(?:(cri-containerd|crio|docker|libpod|nerdctl|containerd)(?:-payload)?[-:])?"
_CONTAINER = re.compile(rf"{_RUNTIME}([0-9a-f]{{64}})(?:\.scope)?\Z")
_HELPER = re.compile(r"^(?:crio-conmon-|libpod-conmon-)|\.mount\Z")
_DROPPED_SANDBOX = re.compile(r"\.slice/crio-[0-9a-f]{64}\Z")
"""CRI-O with systemd's driver and no pause container: all containers are scopes, and this is an empty folder."""
_POD_OF_PODMAN = re.compile(r"/libpod_parent/[0-9a-f]{64}\Z")
"""Podman with the cgroupfs driver: a pod's id, with the containers below it."""
_AROUND = re.compile(r"^.*[0-9a-f]{64}(?:\.scope)?(?=/)", re.DOTALL)
"""The containers that a cgroup is in, down to the innermost."""
_USER = re.compile(r"/user\.slice/user-([0-9]+)\.slice/")
_OUTER = re.compile(r"^.*([0-9a-f]{64})(?:\.scope)?/(?:kubelet|[a-z0-9_-]*kubepods)", re.DOTALL)
"""The container with a kubelet that a cgroup is in, the innermost of several."""
_NODE = re.compile(r"^(?:kubelet|kubelet\.slice|(?:[a-z0-9_-]+-)?kubepods(?:\.slice)?)\Z")


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
    user: str = ""
    """The uid of the user who made it: below systemd's slice of a user anybody may call a cgroup what they like."""

    outer: str = ""
    """The id of the container with a kubelet that it is in. Whoever runs in there may call a cgroup what they like."""

    @property
    def pod(self) -> str:
        """What tells a pod from all others, also from those that others call alike; empty outside of pods."""
        within = self.outer or self.user
        return f"{within}:{self.pod_uid}" if within and self.pod_uid else self.pod_uid


def parse(path: str) -> Place:
    """Read the path of a cgroup, relative to the hierarchy's root, with a leading slash.

    Only the last part makes a container: what is below one belongs to it, see `goes_on`. Of pods in pods the innermost
    counts.
    """
    name = path.rpartition("/")[2]
    if not name:
        return Place(Kind.ROOT)
    if _HELPER.search(name) or _DROPPED_SANDBOX.search(path):
        return Place(Kind.HELPER)
    inside = _AROUND.sub("", path)
    pod = _POD.search(inside)
    uid = pod.group(1).replace("_", "-") if pod else ""
    qos = _qos(inside) if pod else ""
    owner = _USER.match(path)
    user = owner.group(1) if owner else ""
    node = _OUTER.match(path)
    outer = node.group(1) if node else ""
    container = _CONTAINER.search(name)
    if container and not _POD_OF_PODMAN.search(path):
        return Place(Kind.CONTAINER, uid, container.group(2), qos, container.group(1) or "", user, outer)
    if pod and pod.end() == len(inside):
        return Place(Kind.POD, uid, qos=qos, user=user, outer=outer)
    return Place(Kind.SLICE)


def goes_on(place: Place, name: str) -> bool:
    """Whether the folder `name` in a cgroup is a cgroup of its own.

    What is below a container belongs to it, such as the `container` of crun and the units of a systemd in it, unless it
    is where a kubelet in the container keeps its pods. Nothing below a helper is of interest.
    """
    if place.kind is Kind.CONTAINER:
        return _NODE.search(name) is not None
    return place.kind is not Kind.HELPER


def _qos(path: str) -> str:
    match = _QOS.search(path)
    return match.group(1) if match else "guaranteed"
