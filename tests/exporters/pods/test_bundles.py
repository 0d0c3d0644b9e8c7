"""What the bundles of each runtime tell, and where they are."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.pods.bundles import Bundles, parse_bundle
from exporters.pods.identity import NOBODY, Identity
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, SANDBOX
from tests.exporters.pods.places import CONTAINER, OF_ADA, POD

CRI = "io.kubernetes.cri."
CRIO = "io.kubernetes.cri-o."
OF_POD = {f"{CRI}sandbox-namespace": "shop", f"{CRI}sandbox-name": "web-0"}
APP_OF_CONTAINERD = OF_POD | {
    f"{CRI}container-type": "container",
    f"{CRI}container-name": "app",
    f"{CRI}image-name": "registry/shop/web:1.2",
}
POD_OF_CRIO = {"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}


def bundle(annotations: dict[str, str]) -> bytes:
    return json.dumps({"ociVersion": "1.1.0", "annotations": annotations}).encode()


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (APP_OF_CONTAINERD, Identity("shop", "web-0", "app", "registry/shop/web:1.2", APP)),
        (
            OF_POD | {f"{CRI}container-type": "sandbox", f"{CRI}podsandbox.image-name": "pause:3.10"},
            Identity("shop", "web-0", "", "pause:3.10", APP, sandbox=True),
        ),
        (
            POD_OF_CRIO
            | {
                f"{CRIO}ContainerType": "container",
                f"{CRIO}ImageName": "registry/shop/web:1.2",
                f"{CRIO}Image": "0123",
                f"{CRIO}Name": "k8s_app_web-0_shop_uid_0",
                "io.kubernetes.container.name": "app",
                "io.container.manager": "cri-o",
            },
            Identity("shop", "web-0", "app", "registry/shop/web:1.2", "k8s_app_web-0_shop_uid_0"),
        ),
        (
            {
                f"{CRIO}ContainerType": "sandbox",
                f"{CRIO}Namespace": "shop",
                f"{CRIO}KubeName": "web-0",
                f"{CRIO}Image": "registry/pause:3.9",
                f"{CRIO}Name": "k8s_POD_web-0_shop_uid_0",
            },
            Identity("shop", "web-0", "POD", "registry/pause:3.9", "k8s_POD_web-0_shop_uid_0", sandbox=True),
        ),
        (
            {"nerdctl/name": "web", "com.docker.compose.service": "shop"},
            Identity(name="web", workload="shop", workload_kind="ComposeService"),
        ),
        # Podman, which once called every container a sandbox, and Docker's containerd know no names
        ({f"{CRIO}ContainerType": "sandbox", "io.container.manager": "libpod"}, NOBODY),
        ({f"{CRIO}ContainerType": "sandbox"}, NOBODY),
        ({}, NOBODY),
    ],
)
def test_annotations_tell_who_it_is(annotations: dict[str, str], expected: Identity) -> None:
    """Each runtime has keys of its own, and calls its sandboxes as the kubelet shows them."""
    assert parse_bundle(bundle(annotations), APP) == expected


@pytest.mark.parametrize(
    ("path", "runtime"),
    [
        ("run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json", "cri-containerd"),
        ("run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json", "cri-containerd"),
        ("run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json", ""),
        ("var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json", ""),
        ("run/user/1000/containerd/io.containerd.runtime.v2.task/default/{}/config.json", "nerdctl"),
        ("run/containers/storage/overlay-containers/{}/userdata/config.json", "crio"),
        ("var/lib/containers/storage/overlay-containers/{}/userdata/config.json", "crio"),
        ("run/user/1000/containers/overlay-containers/{}/userdata/config.json", ""),
    ],
)
def test_bundles_are_found_where_runtimes_keep_them(tmp_path: Path, path: str, runtime: str) -> None:
    """containerd's own place and those of distributions, CRI-O's two, and those of users."""
    machine = FakeMachine(tmp_path)
    bundles = Bundles(machine.host)
    place = replace(OF_ADA, user="1000" if path.startswith("run/user") else "", runtime=runtime)
    assert bundles.identity(place, NOW) == NOBODY
    machine.write(f"root/{path.format(APP)}", bundle(APP_OF_CONTAINERD))
    assert bundles.identity(place, NOW).pod == "web-0"


def test_a_pod_has_no_bundle(tmp_path: Path) -> None:
    """Bundles are found by a container's id only."""
    machine = FakeMachine(tmp_path)
    machine.write(f"root/run/containers/storage/overlay-containers/{SANDBOX}/userdata/config.json", bundle({}))
    assert Bundles(machine.host).identity(POD, NOW) == NOBODY
    assert Bundles(machine.host).identity(CONTAINER, NOW) == NOBODY
