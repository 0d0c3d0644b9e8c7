"""Paths of cgroups as runtimes and kubelets really make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pods.cgroup_path import Kind, Place, parse

UID = "4a163a05-439d-484b-8e53-2968bc15824f"
UID_ = UID.replace("-", "_")
HASH = "b53dfa9e2dc9b890f7fadb2770857b03"
ID = "cde6" * 16


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Place(Kind.ROOT)),
        ("/system.slice", Place(Kind.SLICE)),
        ("/system.slice/ssh.service", Place(Kind.SLICE)),
        ("/kubepods", Place(Kind.SLICE)),
        ("/kubepods.slice/kubepods-burstable.slice", Place(Kind.SLICE)),
        (f"/kubepods/burstable/pod{UID}", Place(Kind.POD, UID, qos="burstable")),
        (f"/kubepods/pod{UID}", Place(Kind.POD, UID, qos="guaranteed")),
        (f"/kubepods/burstable/pod{UID}/{ID}", Place(Kind.CONTAINER, UID, ID, "burstable")),
        (f"/kubepods/burstable/pod{HASH}/{ID}", Place(Kind.CONTAINER, HASH, ID, "burstable")),
        (f"/kubepods/besteffort/pod{UID}/crio-{ID}", Place(Kind.CONTAINER, UID, ID, "besteffort", "crio")),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice",
            Place(Kind.POD, UID, qos="burstable"),
        ),
        (
            f"/kubepods.slice/kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope",
            Place(Kind.CONTAINER, UID, ID, "guaranteed", "cri-containerd"),
        ),
        (
            f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UID_}.slice/docker-{ID}.scope",
            Place(Kind.CONTAINER, UID, ID, "besteffort", "docker"),
        ),
        (
            f"/kubepods-burstable-pod{UID_}.slice:cri-containerd:{ID}",
            Place(Kind.CONTAINER, UID, ID, "burstable", "cri-containerd"),
        ),
        (
            f"/system.slice/containerd.service/kubepods-burstable-pod{UID_}.slice:cri-containerd:{ID}",
            Place(Kind.CONTAINER, UID, ID, "burstable", "cri-containerd"),
        ),
        (
            (
                f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
                f"kubelet-kubepods-burstable-pod{UID_}.slice/cri-containerd-{ID}.scope"
            ),
            Place(Kind.CONTAINER, UID, ID, "burstable", "cri-containerd"),
        ),
        (
            (
                f"/container.slice/container-kubepods.slice/container-kubepods-burstable.slice/"
                f"container-kubepods-burstable-pod{UID_}.slice/crio-{ID}.scope"
            ),
            Place(Kind.CONTAINER, UID, ID, "burstable", "crio"),
        ),
        (f"/docker/{ID}", Place(Kind.CONTAINER, container_id=ID)),
        (f"/system.slice/docker-{ID}.scope", Place(Kind.CONTAINER, container_id=ID, runtime="docker")),
        (f"/machine.slice/libpod-{ID}.scope", Place(Kind.CONTAINER, container_id=ID, runtime="libpod")),
        (f"/machine.slice/libpod-conmon-{ID}.scope", Place(Kind.HELPER)),
        (f"/kubepods.slice/kubepods-pod{UID_}.slice/crio-conmon-{ID}.scope", Place(Kind.HELPER)),
        ("/system.slice/dev-hugepages.mount", Place(Kind.HELPER)),
        # another tool's hex names are no containers
        ("/process_api/352c0a0a6ec4da60c43a1d2f0d3ef267", Place(Kind.SLICE)),
        (f"/user.slice/app-{ID}x.scope", Place(Kind.SLICE)),
    ],
)
def test_paths_say_what_they_are(path: str, expected: Place) -> None:
    """Pod, container, quality of service and runtime of each layout."""
    assert parse(path) == expected


@given(st.text(max_size=200))
def test_no_path_is_a_surprise(path: str) -> None:
    """Any name that somebody gives a cgroup is something."""
    assert parse(f"/{path}").kind in Kind
