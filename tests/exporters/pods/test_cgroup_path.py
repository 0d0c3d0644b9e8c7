"""Paths of cgroups as runtimes and kubelets really make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pods.cgroup_path import Kind, Place, goes_on, parse

UID = "4a163a05-439d-484b-8e53-2968bc15824f"
UID_ = UID.replace("-", "_")
HASH = "b53dfa9e2dc9b890f7fadb2770857b03"
ID = "cde6" * 16
OUTER, OUTER_UID = "0f1e" * 16, "019c1fe8-0d92-4aa0-b61c-4df58bdde71c"
USER = "/user.slice/user-1000.slice/user@1000.service"


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
        (f"{USER}/user.slice/libpod-{ID}.scope", Place(Kind.CONTAINER, container_id=ID, runtime="libpod", user="1000")),
        (
            f"{USER}/app.slice/web.service/libpod-payload-{ID}",
            Place(Kind.CONTAINER, container_id=ID, runtime="libpod", user="1000"),
        ),
        # a user calls cgroups what the kubelet calls others
        (f"{USER}/kubepods/pod{UID}", Place(Kind.POD, UID, qos="guaranteed", user="1000")),
        (f"{USER}/kubepods/pod{UID}/{ID}", Place(Kind.CONTAINER, UID, ID, "guaranteed", user="1000")),
        (f"/system.slice{USER}/{ID}", Place(Kind.CONTAINER, container_id=ID)),
        ("/system.slice/web.service/runtime", Place(Kind.SLICE)),
        (f"/machine.slice/machine-libpod_pod_{OUTER}.slice", Place(Kind.SLICE)),
        (
            f"/machine.slice/machine-libpod_pod_{OUTER}.slice/libpod-{ID}.scope",
            Place(Kind.CONTAINER, container_id=ID, runtime="libpod"),
        ),
        (f"/libpod_parent/{OUTER}", Place(Kind.SLICE)),
        (f"/libpod_parent/{OUTER}/libpod-{ID}", Place(Kind.CONTAINER, container_id=ID, runtime="libpod")),
        (f"/system.slice/nerdctl-{ID}.scope", Place(Kind.CONTAINER, container_id=ID, runtime="nerdctl")),
        (f"/system.slice:docker:{ID}", Place(Kind.CONTAINER, container_id=ID, runtime="docker")),
        ("/docker/buildkit/l5vv1tkmi1ij8imudoejr2jci", Place(Kind.SLICE)),
        ("/system.slice:buildkit:l5vv1tkmi1ij8imudoejr2jci", Place(Kind.SLICE)),
        # what is in a container is part of it ...
        (f"/kubepods.slice/kubepods-pod{UID_}.slice/crio-{ID}.scope/container", Place(Kind.SLICE)),
        (f"/docker/{ID}/system.slice/ssh.service", Place(Kind.SLICE)),
        # ... but for pods of a kubelet in it, whose pod is the inner one
        (f"/docker/{OUTER}/kubelet.slice", Place(Kind.SLICE)),
        (
            (
                f"/system.slice/docker-{OUTER}.scope/kubelet.slice/kubelet-kubepods.slice/"
                f"kubelet-kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope"
            ),
            Place(Kind.CONTAINER, UID, ID, "guaranteed", "cri-containerd", outer=OUTER),
        ),
        (f"/docker/{OUTER}/kubelet/kubepods/besteffort/pod{UID}", Place(Kind.POD, UID, qos="besteffort", outer=OUTER)),
        (
            f"/kubepods/burstable/pod{OUTER_UID}/{OUTER}/kubepods/pod{UID}/{ID}",
            Place(Kind.CONTAINER, UID, ID, "guaranteed", outer=OUTER),
        ),
        (f"/docker/{OUTER}/{ID}", Place(Kind.CONTAINER, container_id=ID)),
        # CRI-O without pause containers leaves an empty folder for each
        (f"/kubepods.slice/kubepods-pod{UID_}.slice/crio-{ID}", Place(Kind.HELPER)),
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


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (f"/docker/{ID}", ("kubelet", "kubelet.slice", "kubepods", "kubepods.slice", "kubelet-kubepods.slice")),
        ("/system.slice", ("docker.service", "container", "init.scope")),
        (f"/kubepods/pod{UID}", (ID,)),
        ("/", ("kubepods",)),
    ],
)
def test_there_are_cgroups_below(path: str, names: tuple[str, ...]) -> None:
    """Everywhere, and in a container those of a kubelet."""
    assert [name for name in names if not goes_on(parse(path), name)] == []


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (f"/docker/{ID}", ("container", "init.scope", "system.slice", "user.slice", "init", "kubelet.service", ID)),
        ("/system.slice/home.mount", ("kubepods",)),
    ],
)
def test_there_are_none_below(path: str, names: tuple[str, ...]) -> None:
    """A container, whatever it makes of itself, and a helper."""
    assert [name for name in names if goes_on(parse(path), name)] == []


parts = st.sampled_from(
    [
        *(
            "kubepods",
            "kubepods.slice",
            "burstable",
            "kubepods-besteffort.slice",
            "docker",
            "libpod_parent",
            "container",
            "user.slice",
            "user-1000.slice",
        ),
        *(f"pod{UID}", f"kubepods-pod{UID_}.slice", f"kubepods-burstable-pod{UID_}.slice:cri-containerd:{ID}"),
        *(ID, f"docker-{ID}.scope", f"crio-{OUTER}", f"libpod-payload-{ID}", f"crio-conmon-{ID}.scope", "a.mount"),
    ]
)


@given(st.lists(parts | st.text(max_size=20), max_size=8).map("/".join))
def test_no_path_is_a_surprise(path: str) -> None:
    """Any name that somebody gives a cgroup is something, and what it says can be said in a path of its own."""
    place = parse(f"/{path}")
    assert place.kind in Kind
    assert place.kind in (Kind.POD, Kind.CONTAINER) or place == Place(place.kind)
    if place.kind in (Kind.POD, Kind.CONTAINER):
        assert parse(plain(place)) == place


def plain(place: Place) -> str:
    """The shortest path that says the same."""
    qos = "" if place.qos in ("", "guaranteed") else f"/{place.qos}"
    around = f"/user.slice/user-{place.user}.slice/session-1.scope" if place.user else ""
    around += f"/{place.outer}/kubepods" if place.outer else ""
    pod = f"{around}/kubepods{qos}/pod{place.pod_uid}" if place.pod_uid else around
    runtime = f"{place.runtime}-" if place.runtime else ""
    return f"{pod}/{runtime}{place.container_id}" if place.container_id else pod
