"""What holds of every source of names, whatever stands behind it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporters.pods.bundles import Bundles
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.crio import Crio
from exporters.pods.docker import Docker
from exporters.pods.identity import NOBODY, Source
from exporters.pods.kubelet import Door, Kubelet
from exporters.pods.logdirs import LogFolders
from exporters.pods.podman import Podman
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, SANDBOX, UID
from tests.exporters.pods.servers import crio, kubelet, pod_list, web_pod

NAME = "k8s_app_web-0_shop_uid_0"
LABELS = {
    "io.kubernetes.pod.name": "web-0",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.container.name": "app",
}


@dataclass
class Setting:
    """A source, how to write what it reads, the content that names the container `place`, and its runtime."""

    source: Source
    write: Callable[[bytes], None]
    whole: bytes
    place: Place


def bundles(machine: FakeMachine, _: ExitStack) -> Setting:
    path = f"root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{APP}/config.json"
    cri = "io.kubernetes.cri."
    annotations = {f"{cri}sandbox-name": "web-0", f"{cri}sandbox-namespace": "shop", f"{cri}container-name": "app"}
    whole = json.dumps({"annotations": annotations}).encode()
    return Setting(Bundles(machine.host), lambda content: machine.write(path, content), whole, of("cri-containerd"))


def docker(machine: FakeMachine, _: ExitStack) -> Setting:
    path = f"root/var/lib/docker/containers/{APP}/config.v2.json"
    whole = json.dumps({"Name": f"/{NAME}", "Config": {"Labels": LABELS}}).encode()
    return Setting(Docker(machine.host), lambda content: machine.write(path, content), whole, of("docker"))


def podman(machine: FakeMachine, _: ExitStack) -> Setting:
    path = "root/var/lib/containers/storage/overlay-containers/containers.json"
    whole = json.dumps([{"id": APP, "names": [NAME]}]).encode()
    return Setting(Podman(machine.host), lambda content: machine.write(path, content), whole, of("crio"))


def logs(machine: FakeMachine, _: ExitStack) -> Setting:
    def write(content: bytes) -> None:
        """As a name: the content of the files is of no interest."""
        name = content.decode("latin-1").replace("/", "").replace("\0", "")[:255]
        machine.write(f"root/var/log/containers/{name or 'x'}", "")
        machine.write(f"root/var/log/pods/{name or 'x'}/0.log", "")

    return Setting(LogFolders(machine.host), write, f"web-0_shop_app-{APP}.log".encode(), of(""))


def crio_socket(_: FakeMachine, stack: ExitStack) -> Setting:
    fake, root = stack.enter_context(crio())

    def write(content: bytes) -> None:
        fake.status, fake.body = 200, content

    whole = json.dumps({"name": NAME, "labels": LABELS}).encode()
    return Setting(Crio(FakeMachine(root).host, "run/crio/crio.sock"), write, whole, of("crio"))


def kubelet_pods(machine: FakeMachine, stack: ExitStack) -> Setting:
    fake = stack.enter_context(kubelet())

    def write(content: bytes) -> None:
        fake.body = content

    whole = json.dumps(pod_list(web_pod())).encode()
    return Setting(Kubelet(machine.host, Door(fake.url)), write, whole, of("cri-containerd"))


def of(runtime: str) -> Place:
    return Place(Kind.CONTAINER, UID, APP, "burstable", runtime)


@pytest.fixture(params=[bundles, docker, podman, logs, crio_socket, kubelet_pods], ids=lambda make: make.__name__)
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setting]:
    """Each source in turn."""
    with ExitStack() as stack:
        made: Setting = request.param(FakeMachine(tmp_path), stack)
        yield made


def test_it_names_a_container(setting: Setting) -> None:
    """With its pod."""
    setting.write(setting.whole)
    who = setting.source.identity(setting.place, NOW)
    assert (who.namespace, who.pod, who.container) == ("shop", "web-0", "app")
    assert setting.source.fault == ""


def test_it_knows_nobody_else(setting: Setting) -> None:
    """Neither a container of another pod nor that pod."""
    setting.write(setting.whole)
    setting.source.identity(setting.place, NOW)
    other = Place(Kind.CONTAINER, "019c1fe8-0d92-4aa0-b61c-4df58bdde71c", SANDBOX, runtime=setting.place.runtime)
    if not isinstance(setting.source, Crio):  # the fake describes whatever it is asked for
        assert setting.source.identity(other, NOW) == NOBODY
    assert setting.source.identity(Place(Kind.POD, other.pod_uid), NOW) == NOBODY


def test_it_knows_nobody_where_there_is_nothing(setting: Setting) -> None:
    """A machine without what it reads."""
    assert setting.source.identity(setting.place, NOW) == NOBODY
    assert setting.source.identity(Place(Kind.POD, UID), NOW) == NOBODY


BROKEN = [
    *(b"", b"\0", b"\xff\xfe\xfd", b"{", b"null", b"[]", b"{}", b'"text"', b"1e999", b"9" * 5000, b"[" * 50_000),
    *(b'{"annotations": [], "Config": 1, "labels": "x", "items": {}}', b'[{"id": "x"}, null, {"names": 1}]'),
    *(b'{"items": [null, [], {"metadata": []}]}', b"_-.log", b"__", b"a" * 255),
]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:12]))
def test_nobody_is_known_by_broken_content(setting: Setting, content: bytes) -> None:
    """And once it is whole, the container is known."""
    setting.write(content)
    assert setting.source.identity(setting.place, NOW) == NOBODY
    setting.write(setting.whole)
    assert setting.source.identity(setting.place, NOW + 400).pod == "web-0"


def test_nobody_is_known_by_cut_content(setting: Setting) -> None:
    """Wherever it was cut."""
    for at in range(1, len(setting.whole), max(1, len(setting.whole) // 20)):
        setting.write(setting.whole[:at])
        assert setting.source.identity(setting.place, NOW + 400 * at) == NOBODY


def test_there_is_an_end_to_what_is_read(setting: Setting) -> None:
    """A file or an answer of many megabytes is left alone."""
    setting.write(b" " * (33 << 20) + setting.whole)
    assert setting.source.identity(setting.place, NOW) == NOBODY
