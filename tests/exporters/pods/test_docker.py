"""What Docker's file of a container tells, and where it is."""

import json
from pathlib import Path

import pytest

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.docker import Docker, parse_docker
from exporters.pods.identity import NOBODY, Identity
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW
from tests.exporters.pods.places import ALONE, OF_ADA, PASSWD

OF_POD = {"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}


def config(name: str, labels: dict[str, str] | None = None) -> bytes:
    return json.dumps({"Name": name, "Config": {"Image": "nginx:1.27", "Labels": labels}}).encode()


@pytest.mark.parametrize(
    ("data_root", "place"),
    [
        ("var/lib/docker", ALONE),
        ("var/snap/docker/common/var-lib-docker", ALONE),
        ("home/ada/.local/share/docker", OF_ADA),
    ],
)
def test_name_and_image(tmp_path: Path, data_root: str, place: Place) -> None:
    """The image as it was asked for, the name without its slash, wherever Docker keeps its data."""
    machine = FakeMachine(tmp_path)
    machine.write(f"root/{data_root}/containers/{APP}/config.v2.json", config("/web"))
    machine.write("root/etc/passwd", PASSWD)
    assert Docker(machine.host).identity(place, NOW) == Identity(image="nginx:1.27", name="web")
    assert Docker(machine.host).identity(Place(Kind.CONTAINER, container_id=APP, runtime="crio"), NOW) == NOBODY


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        (
            "/k8s_app_web-0_shop_uid_0",
            OF_POD | {"io.kubernetes.container.name": "app", "io.kubernetes.docker.type": "container"},
            Identity("shop", "web-0", "app", "nginx:1.27", "k8s_app_web-0_shop_uid_0"),
        ),
        (
            "/k8s_POD_web-0_shop_uid_0",
            OF_POD | {"io.kubernetes.container.name": "POD", "io.kubernetes.docker.type": "podsandbox"},
            Identity("shop", "web-0", "POD", "nginx:1.27", "k8s_POD_web-0_shop_uid_0", sandbox=True),
        ),
        (
            "/k8s_POD_web-0_shop_uid_0",
            {},
            Identity("shop", "web-0", "POD", "nginx:1.27", "k8s_POD_web-0_shop_uid_0", sandbox=True),
        ),
        (
            "/shop-web-1",
            {"com.docker.compose.service": "web"},
            Identity(image="nginx:1.27", name="shop-web-1", workload="web", workload_kind="ComposeService"),
        ),
        (
            "/shop_web.1.x",
            {"com.docker.swarm.service.name": "shop_web"},
            Identity(image="nginx:1.27", name="shop_web.1.x", workload="shop_web", workload_kind="SwarmService"),
        ),
    ],
)
def test_labels_tell_more(name: str, labels: dict[str, str], expected: Identity) -> None:
    """Of a pod's container its pod, of a service's container its service; a sandbox by its label or its name."""
    assert parse_docker(config(name, labels)) == expected


def test_labels_of_an_image_make_no_pod_of_a_container(tmp_path: Path) -> None:
    """Nor hide it as a sandbox: they are whoever's who made the image."""
    machine = FakeMachine(tmp_path)
    labels = OF_POD | {"io.kubernetes.container.name": "etcd", "io.kubernetes.docker.type": "podsandbox"}
    machine.write(f"root/var/lib/docker/containers/{APP}/config.v2.json", config("/web", labels))
    assert Docker(machine.host).identity(ALONE, NOW) == Identity(image="nginx:1.27", name="web")
