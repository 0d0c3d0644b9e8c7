"""What the kubelet's folders of logs tell."""

from pathlib import Path

import pytest

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity
from exporters.pods.logdirs import LogFolders
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, UID, log_links
from tests.exporters.pods.places import CONTAINER, PAUSE, POD

WEB = Identity("shop", "web-0")
APP_OF_WEB = Identity("shop", "web-0", "app")


def test_they_tell_all_but_the_image(tmp_path: Path) -> None:
    """Links name the container, folders name the pod by its uid, also that of a sandbox."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    logs = LogFolders(machine.host)
    assert logs.identity(CONTAINER, NOW) == APP_OF_WEB
    assert logs.identity(POD, NOW) == WEB
    assert logs.identity(PAUSE, NOW) == WEB


def test_a_static_pod_is_found_by_the_hash_of_its_manifest(tmp_path: Path) -> None:
    """Its folder is called after what stands in the cgroup's path as well."""
    machine = FakeMachine(tmp_path)
    uid = "b53dfa9e2dc9b890f7fadb2770857b03"
    machine.write(f"root/var/log/pods/kube-system_etcd-node-1_{uid}/etcd/0.log", "")
    logs = LogFolders(machine.host)
    assert logs.identity(Place(Kind.POD, uid), NOW) == Identity("kube-system", "etcd-node-1")


def test_folders_are_listed_when_they_have_changed(tmp_path: Path) -> None:
    """What is new is found at once, and what is unknown costs no listing."""
    machine = FakeMachine(tmp_path)
    logs = LogFolders(machine.host)
    assert logs.identity(CONTAINER, NOW) == NOBODY
    log_links(machine)
    assert logs.identity(CONTAINER, NOW) == APP_OF_WEB
    machine.remove("root/var/log")
    assert logs.identity(CONTAINER, NOW) == APP_OF_WEB
    assert logs.identity(PAUSE, NOW) == NOBODY
    assert logs.identity(CONTAINER, NOW) == NOBODY


@pytest.mark.parametrize(("digits", "is_sure"), [(63, True), (12, True), (11, False), (0, False)])
def test_a_link_whose_name_was_cut(tmp_path: Path, digits: int, is_sure: bool) -> None:
    """It leads to the names, and is the container's if enough of its id is left; the pod is known in any case."""
    machine = FakeMachine(tmp_path)
    namespace, container = "s" * 63, "a" * 63
    pod = "w" * (251 - digits - len(f"_{namespace}_{container}-"))
    folder = f"var/log/pods/{namespace}_{pod}_{UID}"
    machine.write(f"root/{folder}/{container}/0.log", "")
    links = tmp_path / "root/var/log/containers"
    links.mkdir(parents=True)
    link = f"{pod}_{namespace}_{container}-{APP}"[:251]
    (links / f"{link}.log").symlink_to(f"/{folder}/{container}/0.log")
    logs = LogFolders(machine.host)
    assert logs.identity(CONTAINER, NOW) == Identity(namespace, pod, container if is_sure else "")
    assert logs.identity(PAUSE, NOW) == Identity(namespace, pod)
    assert logs.identity(Place(Kind.CONTAINER, "another", APP), NOW) == NOBODY


@pytest.mark.parametrize("target", ["", "/dev/null", "/var/log/pods/shop_other_uid/app/0.log"])
def test_a_link_that_leads_elsewhere_tells_nothing(tmp_path: Path, target: str) -> None:
    """It is not the kubelet's."""
    machine = FakeMachine(tmp_path)
    links = tmp_path / "root/var/log/containers"
    links.mkdir(parents=True)
    name = f"{'w' * 200}_shop_app-{APP}"[:251] + ".log"
    (links / name).symlink_to(target) if target else (links / name).touch()
    assert LogFolders(machine.host).identity(CONTAINER, NOW) == NOBODY
