"""What CRI-O's socket tells, and when it is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.crio import Crio
from exporters.pods.fetch import Limits
from exporters.pods.identity import NOBODY, Identity
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, UID
from tests.exporters.pods.places import CONTAINER, POD
from tests.exporters.pods.servers import Fake, crio

PLACE = Place(Kind.CONTAINER, UID, APP, runtime="crio")
OF_POD = {"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}
SOCKET = "var/run/crio/crio.sock"


class Socket:
    """A CRI-O, and the source that asks it."""

    def __init__(self, fake: Fake, root: Path) -> None:
        self.fake = fake
        self.machine = FakeMachine(root)
        self.source = Crio(self.machine.host, SOCKET, Limits(0.1, 10_000))

    def describes(self, container: str, name: str) -> None:
        labels = OF_POD | {"io.kubernetes.container.name": container}
        self.fake.says({"name": name, "image": "nginx:1.27", "labels": labels, "annotations": {}, "pid": 1})


@pytest.fixture
def socket() -> Iterator[Socket]:
    with crio() as (fake, root):
        yield Socket(fake, root)


def test_it_describes_a_container(socket: Socket) -> None:
    """With all names; the socket is in /run, to which /var/run leads."""
    socket.describes("app", "k8s_app_web-0_shop_uid_0")
    assert socket.source.identity(PLACE, NOW) == Identity(
        "shop", "web-0", "app", "nginx:1.27", "k8s_app_web-0_shop_uid_0"
    )
    assert socket.fake.asked == [f"/containers/{APP}"]


def test_a_sandbox_is_one_by_its_label_or_name(socket: Socket) -> None:
    """As in the files."""
    socket.describes("POD", "k8s_POD_web-0_shop_uid_0")
    assert socket.source.identity(PLACE, NOW).sandbox
    socket.fake.says({"name": "k8s_web-0_shop_uid_0", "image": "pause", "labels": None})
    who = socket.source.identity(PLACE, NOW)
    assert (who.pod, who.container, who.sandbox) == ("web-0", "POD", True)


@pytest.mark.parametrize("status", [404, 500])
def test_one_that_does_not_know_is_no_fault(socket: Socket, status: int) -> None:
    """It is asked again when the container is."""
    socket.fake.status = status
    for second in range(3):
        assert socket.source.identity(PLACE, NOW + second) == NOBODY
    assert len(socket.fake.asked) == 3
    assert socket.source.fault == ""


def test_one_that_does_not_answer_is_left_alone_for_a_while(socket: Socket) -> None:
    """So that a hundred containers do not wait for it one after the other."""
    socket.fake.go_on.clear()
    for second in (0, 1, 29):
        assert socket.source.identity(PLACE, NOW + second) == NOBODY
    assert len(socket.fake.asked) == 1
    assert socket.source.fault == f"{socket.machine.roots.rootfs}/run/crio/crio.sock: no answer within 0.1 s"
    socket.fake.go_on.set()
    socket.describes("app", "k8s_app_web-0_shop_uid_0")
    assert socket.source.identity(PLACE, NOW + 31).pod == "web-0"
    assert socket.source.fault == ""


def test_nobody_listens(tmp_path: Path) -> None:
    """Without a socket there is no fault, most machines have none; with a dead one there is."""
    machine = FakeMachine(tmp_path)
    source = Crio(machine.host, SOCKET)
    assert source.identity(PLACE, NOW) == NOBODY
    assert source.fault == ""
    machine.write("root/run/crio/crio.sock", "")
    assert source.identity(PLACE, NOW) == NOBODY
    assert source.fault


@pytest.mark.parametrize("place", [CONTAINER, POD, Place(Kind.POD, UID, runtime="crio")])
def test_others_are_not_asked_for(socket: Socket, place: Place) -> None:
    """Only containers of CRI-O."""
    assert socket.source.identity(place, NOW) == NOBODY
    assert socket.fake.asked == []
