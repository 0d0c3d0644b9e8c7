"""Lists of pods as kubelets write them, and as they do not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pods.identity import Identity
from exporters.pods.pod_list import PodList, parse_pods
from tests.exporters.machines import APP, SANDBOX, UID
from tests.exporters.pods.servers import pod_list, statuses, web_pod

HASH = "b53dfa9e2dc9b890f7fadb2770857b03"


def parsed(*pods: object) -> PodList:
    found = parse_pods(json.dumps(pod_list(*pods)).encode(), lambda label: label == "app")
    assert found is not None
    return found


def test_pods_and_their_containers() -> None:
    """Names, image, owner, and those labels that are wanted; containers of all three kinds."""
    pod = web_pod(labels={"app": "shop", "pod-template-hash": "x"})
    pod["status"]["initContainerStatuses"] = statuses(("init", SANDBOX))
    pod["status"]["ephemeralContainerStatuses"] = [{"name": "debug", "containerID": ""}]
    found = parsed(pod)
    of_pod = Identity("shop", "web-0", workload="web", workload_kind="StatefulSet", labels={"app": "shop"})
    assert found.pods == {UID: of_pod}
    assert found.containers == {
        APP: replace(of_pod, container="app", image="registry/shop/app:1.2"),
        SANDBOX: replace(of_pod, container="init", image="registry/shop/init:1.2"),
    }


def static_pod(**annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "etcd-node-1",
            "namespace": "kube-system",
            "uid": UID,
            "annotations": {f"kubernetes.io/config.{key}": value for key, value in annotations.items()},
        },
        "spec": {"nodeName": "node-1"},
        "status": {},
    }


def test_a_static_pod_has_the_uid_that_its_cgroup_has() -> None:
    """The hash of its manifest, beside that of its mirror; the node owns it."""
    expected = Identity("kube-system", "etcd-node-1", workload="etcd", workload_kind="Node")
    assert parsed(static_pod(hash=HASH, source="file")).pods == {UID: expected, HASH: expected}
    assert parsed(static_pod(mirror=HASH, source="http")).pods == {UID: expected, HASH: expected}


def test_no_pod_takes_anothers_place() -> None:
    """A hash is an annotation, which whoever makes a pod may set to what he likes."""
    static, other = static_pod(hash=HASH, source="file"), web_pod()
    static["metadata"]["uid"] = HASH
    for uid in (UID, HASH):
        other["metadata"] |= {"uid": "1", "annotations": {"kubernetes.io/config.hash": uid}}
        for pods in ((static, web_pod(), other), (other, web_pod(), static)):
            found = parsed(*pods).pods
            assert (found[UID].pod, found[HASH].pod, found["1"].pod) == ("web-0", "etcd-node-1", "web-0")
    other["metadata"]["name"] = "evil"
    assert parsed(static, web_pod(), other).pods[UID].pod == "web-0"


def test_the_owner_that_controls_the_pod_counts() -> None:
    """Of several; without any the name tells."""
    pod = web_pod()
    pod["metadata"]["ownerReferences"] = [
        {"kind": "Audit", "name": "x"},
        {"kind": "Cache", "name": "y", "controller": True},
    ]
    assert parsed(pod).pods[UID].workload_kind == "Cache"
    pod["metadata"]["ownerReferences"] = None
    assert parsed(pod).pods[UID].workload_kind == "StatefulSet"


@pytest.mark.parametrize("content", [b'{"items":[]}', b'{"items": null}', b'{\n "items" : [\n ]\n}'])
def test_a_list_may_be_empty(content: bytes) -> None:
    """As it is before the first pod."""
    assert parse_pods(content, bool) == PodList({}, {})


WHOLE = json.dumps(pod_list(web_pod(), web_pod())).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"Unauthorized",
        b"\xff\xfe",
        b'{"items":[' + b"[" * 100_000,
        b'{"items":[{]}',
        WHOLE[:-3],
        WHOLE[:200],
    ],
)
def test_what_is_no_list_is_none(content: bytes) -> None:
    """Also when it is cut: half a list would say that the other half is gone."""
    assert parse_pods(content, bool) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
keys = st.sampled_from(
    ["metadata", "status", "spec", "name", "uid", "ownerReferences", "containerStatuses", "annotations"]
)
pods = st.recursive(
    json_values, lambda inner: st.dictionaries(keys, inner) | st.lists(inner, max_size=2), max_leaves=20
)


@given(st.lists(pods, max_size=3))
def test_no_pod_is_a_surprise(values: list[object]) -> None:
    """Whatever a pod is made of."""
    found = parse_pods(json.dumps({"items": values}).encode(), bool)
    assert found is not None
    assert all(found.pods)
