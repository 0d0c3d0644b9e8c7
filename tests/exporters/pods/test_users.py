"""What users write in their own folders tells of their own containers, and holds nobody up."""

import fcntl
import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.host import Tree, Unreadable
from exporters.pods.bundles import Bundles
from exporters.pods.cgroup_path import Kind, Place, parse
from exporters.pods.docker import Docker
from exporters.pods.identity import NOBODY, Identity
from exporters.pods.podman import Podman
from exporters.pods.resolver import FOR_A_USER, Resolver
from exporters.pods.users import LONGEST, folders_of
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, SANDBOX, UID
from tests.exporters.pods.places import ALONE, CONTAINER, OF_ADA, PASSWD, POD, Script

HOME, GUEST = "home/ada", "home/guest"
OF_DOCKER = f"root/{HOME}/.local/share/docker/containers/{APP}/config.v2.json"
OF_PODMAN = f"root/{HOME}/.local/share/containers/storage/overlay-containers/containers.json"
OF_CONTAINERD = f"root/run/user/1000/containerd/io.containerd.runtime.v2.task/default/{APP}/config.json"
FILES = {
    OF_DOCKER: json.dumps({"Name": "/mine", "Config": {"Image": "of/docker"}}),
    OF_PODMAN: json.dumps([{"id": APP, "names": ["mine"], "metadata": json.dumps({"image-name": "of/podman"})}]),
    OF_CONTAINERD: json.dumps({"annotations": {"nerdctl/name": "mine", "nerdctl/image-ref": "of/nerdctl"}}),
}


def machine_of_ada(folder: Path, **files: str) -> FakeMachine:
    machine = FakeMachine(folder)
    machine.write_all({"root/etc/passwd": PASSWD, **files})
    return machine


def resolver(machine: FakeMachine) -> Resolver:
    return Resolver([Bundles(machine.host), Docker(machine.host), Podman(machine.host)], patience=20.0)


@pytest.mark.parametrize("file", FILES)
def test_a_user_names_the_users_containers_and_no_others(tmp_path: Path, file: str) -> None:
    """Neither those of root, also where root's files are elsewhere, nor another user's, nor pods."""
    asked = resolver(machine_of_ada(tmp_path, **{file: FILES[file]}))
    assert asked.identity(OF_ADA, NOW).name == "mine"
    assert asked.next_try(OF_ADA) == math.inf
    for other in (ALONE, CONTAINER, replace(OF_ADA, user="1001"), replace(ALONE, runtime="docker")):
        assert asked.identity(other, NOW).image == ""


def test_what_root_keeps_does_not_name_a_users_container(tmp_path: Path) -> None:
    """A user may call a cgroup by anybody's id."""
    machine = machine_of_ada(tmp_path)
    machine.write(f"root/var/lib/docker/containers/{APP}/config.v2.json", FILES[OF_DOCKER])
    machine.write(OF_PODMAN.replace(f"{HOME}/.local/share", "var/lib"), FILES[OF_PODMAN])
    asked = resolver(machine)
    assert asked.identity(OF_ADA, NOW) == Identity(name=APP)
    assert asked.identity(ALONE, NOW).name == "mine"


def test_a_user_has_no_pods() -> None:
    """Whatever the cgroup is called and the files say: it would be counted as a pod of somebody's."""

    class Liar(Script):
        of_users = True

    trusted, liar = Script(essential=True), Liar(Identity("bank", "vault-0", "vault", "image", "name"))
    asked = Resolver([trusted, liar])
    slices = "/user.slice/user-1000.slice/user@1000.service"
    mine, my_pod = (parse(f"{slices}/kubepods/pod{UID}{below}") for below in (f"/{APP}", ""))
    assert (mine.kind, my_pod.kind) == (Kind.CONTAINER, Kind.POD)
    assert asked.identity(mine, NOW) == Identity(image="image", name="name")
    assert asked.identity(my_pod, NOW) == NOBODY
    assert asked.next_try(mine) == math.inf
    assert asked.next_try(my_pod) == math.inf
    assert trusted.asked == []
    liar.known = NOBODY
    assert asked.identity(POD, NOW) == NOBODY
    assert my_pod.pod != POD.pod


def test_what_is_in_a_container_is_nobody_outside_of_it() -> None:
    """Whoever may make cgroups in a container calls them like those of another's pod."""
    source = Script(Identity("bank", "vault-0", "vault", "image", "name"))
    asked = Resolver([source])
    outer = f"/machine.slice/libpod-{SANDBOX}.scope"
    fake, fake_pod = (parse(f"{outer}/kubepods/pod{UID}{below}") for below in (f"/{APP}", ""))
    assert asked.identity(fake, NOW) == Identity(name=APP)
    assert asked.identity(fake_pod, NOW) == NOBODY
    assert asked.next_try(fake) == math.inf
    assert source.asked == []
    assert fake_pod.pod not in ("", POD.pod)


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fails what waits for longer."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def as_fifo(path: Path) -> None:
    os.mkfifo(path)


def as_folder(path: Path) -> None:
    path.mkdir()


def as_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def as_loop(path: Path) -> None:
    path.symlink_to(path.name)


def as_link_to_a_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("fifo"))
    path.symlink_to("fifo")


def as_too_long(path: Path) -> None:
    path.write_bytes(b"[]")
    os.truncate(path, LONGEST + 1)


@pytest.mark.parametrize(
    "make", [as_fifo, as_folder, as_device, as_loop, as_link_to_a_fifo, as_too_long], ids=lambda make: make.__name__
)
@pytest.mark.parametrize("file", FILES)
def test_nothing_waits_for_what_is_no_file(tmp_path: Path, file: str, make: Callable[[Path], None]) -> None:
    """A user puts anything there."""
    machine = machine_of_ada(tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    make(path)
    with within(10):
        for source in (Bundles(machine.host), Docker(machine.host), Podman(machine.host)):
            assert source.identity(OF_ADA, NOW) == NOBODY


def test_a_file_on_which_its_owner_holds_a_lease_is_not_waited_for(tmp_path: Path) -> None:
    """An open would wait until the lease is given back, fcntl(2)."""
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("r+b") as held, within(5):
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            assert isinstance(Tree(str(tmp_path)).read_of("", "file", 100), Unreadable)
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        finally:
            signal.signal(signal.SIGIO, before)
    assert Tree(str(tmp_path)).read_of("", "file", 100) == b"content"


def test_only_what_belongs_to_whom_the_folder_belongs_to_is_read(tmp_path: Path) -> None:
    """No link leads to what is root's, /etc/shadow among it."""
    tree = Tree(str(tmp_path))
    (tmp_path / "home").mkdir()
    (tmp_path / "home/file").symlink_to("/etc/passwd")
    if os.getuid() == 0:
        assert isinstance(tree.read_of("home", "file", LONGEST), bytes)
        os.chown(tmp_path / "home", 12345, -1)
    assert isinstance(tree.read_of("home", "file", LONGEST), Unreadable)
    assert isinstance(tree.read_of("home", "absent", LONGEST), Unreadable)
    assert isinstance(tree.read_of("absent", "file", LONGEST), Unreadable)


def test_a_users_file_may_be_a_link_to_the_users_own(tmp_path: Path) -> None:
    """As where storage was moved to a larger disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/list").write_bytes(b"[]")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/storage").symlink_to(tmp_path / "disk")
    assert Tree(str(tmp_path)).read_of("home", "storage/list", 2) == b"[]"


def test_homes_are_where_passwd_has_them_or_whose_they_are(tmp_path: Path) -> None:
    """A user from a directory server is in no passwd, but the folder is the user's."""
    machine = machine_of_ada(tmp_path)
    machine.write(f"root/{GUEST}/file", "")
    tree, user = machine.host.root, str(os.getuid())
    machine.write("root/etc/passwd", f"broken\nada:x:{user}:0::/srv/people/ada:/bin/sh\n")
    assert list(folders_of(tree, user, "in", "run")) == [("srv/people/ada", "in"), (f"run/user/{user}", "run")]
    machine.write("root/etc/passwd", b"\xff:x:1::")
    assert list(folders_of(tree, user, "in", "")) == [(GUEST, "in")]
    assert list(folders_of(tree, "4294967294", "in", "")) == []


def test_a_user_costs_a_scrape_so_much_and_no_more() -> None:
    """The rest of the user's containers are asked for at the next one, and others at once."""
    go_on = threading.Event()

    class Slow(Script):
        of_users = True

        def identity(self, place: Place, now: float) -> Identity:
            if place == OF_ADA:
                go_on.wait(60)
            return super().identity(place, now)

    slow = Slow(Identity(image="image", name="name"))
    asked = Resolver([slow], patience=FOR_A_USER)
    asked.identity(OF_ADA, NOW)
    second = replace(OF_ADA, container_id=SANDBOX)
    assert asked.identity(second, NOW) == Identity(name=SANDBOX)
    assert asked.next_try(second) < math.inf
    assert asked.identity(ALONE, NOW).image == "image"
    assert asked.identity(replace(second, user="1001"), NOW).image == "image"
    go_on.set()


def test_a_user_whose_files_hang_has_no_names_and_others_have_them() -> None:
    """On a file server that does not answer, or a file system that the user answers for."""

    class OfUsers(Script):
        of_users = True

    go_on = threading.Event()

    class Hanging(OfUsers):
        def identity(self, place: Place, now: float) -> Identity:
            if place.user == "1000":
                go_on.wait(60)
            return super().identity(place, now)

    asked = Resolver([Hanging(Identity(image="image", name="name"))], patience=0.05)
    assert asked.identity(OF_ADA, NOW).image == ""
    assert asked.identity(replace(OF_ADA, user="1001"), NOW).image == "image"
    assert asked.identity(ALONE, NOW).image == "image"
    go_on.set()
