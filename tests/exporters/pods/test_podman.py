"""What the lists of containers/storage tell, and where they are."""

import json
from pathlib import Path

import pytest

from exporters.pods.cgroup_path import Place
from exporters.pods.identity import NOBODY, Identity
from exporters.pods.podman import Podman, parse_containers
from exporters.pods.users import MOST
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, SANDBOX
from tests.exporters.pods.places import ALONE, OF_ADA, PASSWD

NGINX = Identity(image="docker.io/library/nginx:1.27", name="web")


def rows(*names: str, container_id: str = APP) -> str:
    metadata = json.dumps({"image-name": "docker.io/library/nginx:1.27", "name": "not-this"})
    return json.dumps([{"id": container_id, "names": [name], "metadata": metadata} for name in names])


@pytest.mark.parametrize("file", ["overlay-containers/containers.json", "vfs-containers/volatile-containers.json"])
@pytest.mark.parametrize(
    ("storage", "place"),
    [
        ("var/lib/containers/storage", ALONE),
        ("run/containers/storage", ALONE),
        ("home/ada/.local/share/containers/storage", OF_ADA),
        ("run/user/1000/containers", OF_ADA),
    ],
)
def test_lists_are_found_where_they_are_kept(tmp_path: Path, storage: str, place: Place, file: str) -> None:
    """Of root and of users, of containers that stay and of those that go away when they stop."""
    machine = FakeMachine(tmp_path)
    machine.write("root/etc/passwd", PASSWD)
    podman = Podman(machine.host)
    assert podman.identity(place, NOW) == NOBODY
    machine.write(f"root/{storage}/{file}", rows("web"))
    assert podman.identity(place, NOW) == NGINX


def test_a_list_is_read_when_it_has_changed(tmp_path: Path) -> None:
    """A container that came is found, and one that went is forgotten when the next one is looked for."""
    machine = FakeMachine(tmp_path)
    podman = Podman(machine.host)
    path = "root/var/lib/containers/storage/overlay-containers/containers.json"
    machine.write(path, rows("other", container_id=SANDBOX))
    assert podman.identity(ALONE, NOW) == NOBODY
    machine.write(path, rows("web"))
    assert podman.identity(ALONE, NOW) == NGINX
    machine.write(path, "[]")
    assert podman.identity(ALONE, NOW) == NGINX
    machine.remove(path)
    assert Podman(machine.host).identity(ALONE, NOW) == NOBODY


def test_the_container_of_a_pods_namespaces_is_a_sandbox() -> None:
    """Podman calls it after the pod's id, CRI-O as the kubelet does; the kubelet's names tell the pod."""
    assert parse_containers(rows("0123456789ab-infra").encode())[APP].sandbox
    assert not parse_containers(rows("my-infra").encode())[APP].sandbox
    of_crio = parse_containers(rows("k8s_app_web-0_shop_uid_0").encode())[APP]
    assert (of_crio.namespace, of_crio.pod, of_crio.container) == ("shop", "web-0", "app")


def test_of_a_users_list_so_many_are_remembered(tmp_path: Path) -> None:
    """A row of a few bytes becomes one of hundreds."""
    machine = FakeMachine(tmp_path)
    many = [{"id": str(at)} for at in range(MOST)]
    for end, expected in ((-1, NGINX), (None, NOBODY)):
        content = json.dumps([*many[:end], *json.loads(rows("web"))])
        machine.write("root/run/user/1000/containers/overlay-containers/containers.json", content)
        assert Podman(machine.host).identity(OF_ADA, NOW) == expected
    assert len(parse_containers(content.encode())) == MOST + 1
