"""Who knows a container's names: each source, its broken files, and the resolver that asks them all."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pods.bundles import Bundles, parse_bundle
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.engines import Docker, Podman, parse_docker, parse_podman
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.logdirs import LogFolders
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, SANDBOX, UID, log_links

CRI = "io.kubernetes.cri."
CONTAINERD_BUNDLE = {
    "ociVersion": "1.1.0",
    "annotations": {
        f"{CRI}container-type": "container",
        f"{CRI}sandbox-namespace": "shop",
        f"{CRI}sandbox-name": "web-0",
        f"{CRI}container-name": "app",
        f"{CRI}image-name": "registry/shop/web:1.2",
    },
}


def test_containerd_bundles_tell_everything() -> None:
    """Namespace, pod, container and image, from the annotations of the CRI plugin; the name is the id."""
    assert parse_bundle(json.dumps(CONTAINERD_BUNDLE).encode(), APP) == Identity(
        "shop", "web-0", "app", "registry/shop/web:1.2", APP
    )


def test_crio_bundles_tell_everything() -> None:
    """CRI-O has other keys, and calls the sandbox POD."""
    annotations = {
        "io.kubernetes.cri-o.ContainerType": "sandbox",
        "io.kubernetes.cri-o.Namespace": "shop",
        "io.kubernetes.cri-o.KubeName": "web-0",
        "io.kubernetes.cri-o.ImageName": "registry/pause:3.9",
        "io.kubernetes.cri-o.Name": "k8s_POD_web-0_shop_uid_0",
    }
    assert parse_bundle(json.dumps({"annotations": annotations}).encode(), SANDBOX) == Identity(
        "shop", "web-0", "POD", "registry/pause:3.9", "k8s_POD_web-0_shop_uid_0"
    )


@pytest.mark.parametrize(
    "path",
    [
        "run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json",
        "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json",
    ],
)
def test_bundles_are_found_where_runtimes_keep_them(tmp_path: Path, path: str) -> None:
    """containerd's own place, and that of k3s."""
    machine = FakeMachine(tmp_path)
    machine.write(f"root/{path.format(id=APP)}", json.dumps(CONTAINERD_BUNDLE))
    assert Bundles(machine.host).container(APP, NOW).pod == "web-0"


def test_docker_tells_name_and_image(tmp_path: Path) -> None:
    """The image as it was asked for, the name without its slash."""
    machine = FakeMachine(tmp_path)
    config = {"Name": "/web", "Config": {"Image": "nginx:1.27", "Labels": None}}
    machine.write(f"root/var/lib/docker/containers/{APP}/config.v2.json", json.dumps(config))
    assert Docker(machine.host).container(APP, NOW) == Identity(image="nginx:1.27", name="web")


def test_podman_tells_name_and_image_and_sees_changes(tmp_path: Path) -> None:
    """One list for all containers, read again when it has changed."""
    machine = FakeMachine(tmp_path)
    podman = Podman(machine.host)
    assert podman.container(APP, NOW) == NOBODY
    row = {"id": APP, "names": ["web"], "metadata": json.dumps({"image-name": "docker.io/library/nginx:1.27"})}
    machine.write("root/var/lib/containers/storage/overlay-containers/containers.json", json.dumps([row]))
    assert podman.container(APP, NOW) == Identity(image="docker.io/library/nginx:1.27", name="web")


def test_log_folders_tell_all_but_the_image(tmp_path: Path) -> None:
    """Links name the container, folders name the pod by its uid."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    logs = LogFolders(machine.host)
    assert logs.container(APP, NOW) == Identity("shop", "web-0", "app")
    assert logs.pod(UID, NOW) == Identity("shop", "web-0")


def test_log_folders_are_listed_again_after_a_while(tmp_path: Path) -> None:
    """A new container is found within seconds, an unknown one does not cost a listing each time."""
    machine = FakeMachine(tmp_path)
    logs = LogFolders(machine.host)
    assert logs.container(APP, NOW) == NOBODY
    log_links(machine)
    assert logs.container(APP, NOW + 1) == NOBODY
    assert logs.container(APP, NOW + 6) == Identity("shop", "web-0", "app")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
shapes = st.one_of(
    json_values,
    st.fixed_dictionaries({"annotations": json_values}),
    st.fixed_dictionaries({"Name": json_values, "Config": json_values}),
    st.lists(st.fixed_dictionaries({"id": st.text(max_size=5), "names": json_values, "metadata": json_values})),
)


@given(st.one_of(st.binary(max_size=50), shapes.map(lambda value: json.dumps(value).encode())))
def test_no_content_of_a_runtimes_file_is_a_surprise(content: bytes) -> None:
    """Broken JSON, JSON of another shape, or no JSON: nobody is known, and nothing is raised."""
    assert isinstance(parse_bundle(content, APP), Identity)
    assert isinstance(parse_docker(content), Identity)
    assert all(isinstance(identity, Identity) for identity in parse_podman(content).values())


class Script:
    """A source that knows what it is told, and counts how often it is asked."""

    def __init__(self, container: Identity = NOBODY, pod: Identity = NOBODY) -> None:
        self.known, self.known_pod, self.asked = container, pod, 0

    def container(self, container_id: str, now: float) -> Identity:
        self.asked += 1
        return self.known

    def pod(self, uid: str, now: float) -> Identity:
        return self.known_pod


PLACE = Place(Kind.CONTAINER, UID, APP)


def test_sources_complete_one_another() -> None:
    """What the first lacks comes from the next; the first wins where both know."""
    sources: list[Source] = [Script(Identity(image="image-1")), Script(Identity("shop", "web-0", "app", "image-2"))]
    assert Resolver(sources).identity(PLACE, NOW) == Identity("shop", "web-0", "app", "image-1", APP)


def test_a_complete_answer_is_asked_for_once() -> None:
    """It stands for as long as the container lives, and no longer."""
    source = Script(Identity("shop", "web-0", "app", "image", "name"))
    resolver = Resolver([source])
    for second in range(100):
        resolver.identity(PLACE, NOW + 1000 * second)
    assert source.asked == 1
    assert resolver.is_final(PLACE)
    resolver.forget(PLACE)
    resolver.identity(PLACE, NOW)
    assert source.asked == 2


def test_unknown_means_not_yet_known() -> None:
    """It is asked again soon, then ever more seldom, and an answer that comes late is taken."""
    source = Script()
    resolver = Resolver([source])
    assert resolver.identity(PLACE, NOW) == Identity(name=APP)
    assert not resolver.is_final(PLACE)
    resolver.identity(PLACE, NOW + 4)
    assert source.asked == 1
    source.known = Identity("shop", "web-0", "app", "image", "name")
    assert resolver.identity(PLACE, NOW + 5).pod == "web-0"
    assert resolver.is_final(PLACE)


def test_a_sandbox_gets_its_pods_names() -> None:
    """A container that no source knows still has the pod that its path names."""
    resolver = Resolver([Script(pod=Identity("shop", "web-0"))])
    assert resolver.identity(PLACE, NOW) == Identity("shop", "web-0", name=APP)
    assert resolver.identity(Place(Kind.POD, UID), NOW) == Identity("shop", "web-0")


@pytest.mark.parametrize("kind", [Kind.ROOT, Kind.SLICE, Kind.HELPER])
def test_what_is_no_container_has_no_names(kind: Kind) -> None:
    """Nobody is asked."""
    source = Script()
    assert Resolver([source]).identity(Place(kind), NOW) == NOBODY
    assert source.asked == 0
