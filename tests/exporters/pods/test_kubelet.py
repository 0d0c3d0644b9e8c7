"""What a kubelet is asked for, how often, and what it may do instead of an answer."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exporters import catalog
from exporters.cgroups.tree.choice import Choice
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.fetch import Limits
from exporters.pods.identity import NOBODY, Identity
from exporters.pods.kubelet import Door, Kubelet
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine
from tests.exporters.machines import APP, NOW, UID, log_links
from tests.exporters.pods.places import ALONE, CONTAINER, PAUSE, POD, Script
from tests.exporters.pods.servers import TOKEN, Fake, kubelet, pod_list, web_pod
from tests.exporters.web.certificates import Pair, self_signed

WEB = Identity("shop", "web-0", workload="web", workload_kind="StatefulSet")
LIMITS = Limits(0.5, 100_000)
OTHER = Place(Kind.POD, "019c1fe8-0d92-4aa0-b61c-4df58bdde71c")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The kubelet's certificate, which vouches for itself."""
    return self_signed(tmp_path_factory.mktemp("kubelet"), "kubelet", "IP:127.0.0.1")


@pytest.fixture
def server(pair: Pair) -> Iterator[Fake]:
    """One that has the pod web-0 and asks for a token."""
    with kubelet(pair, TOKEN) as fake:
        fake.says(pod_list(web_pod({"app": "shop", "app.kubernetes.io/name": "web", "team": "a"})))
        yield fake


@pytest.fixture
def door(server: Fake, pair: Pair, tmp_path: Path) -> Door:
    """The way in."""
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    return Door(server.url, str(tmp_path / "token"), str(pair.certificate))


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path / "machine")


def test_it_tells_names_owner_and_labels(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Of a container, its pod, and a sandbox, of which it knows nothing else; one request tells all."""
    source = Kubelet(machine.host, door, ("app*",))
    labels = {"app": "shop", "app.kubernetes.io/name": "web"}
    pod = replace(WEB, labels=labels)
    app = replace(pod, container="app", image="registry/shop/app:1.2")
    assert [source.identity(place, NOW) for place in (CONTAINER, POD, PAUSE)] == [app, pod, pod]
    assert server.asked == ["/pods"]
    assert source.fault == ""


def test_labels_are_those_asked_for(server: Fake, door: Door, machine: FakeMachine) -> None:
    """None by default."""
    assert Kubelet(machine.host, door).identity(POD, NOW).labels == {}
    assert Kubelet(machine.host, door, ("team", "app")).identity(POD, NOW).labels == {"app": "shop", "team": "a"}


def test_it_is_asked_for_what_is_new_and_not_often(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Every ten seconds at most, and every minute for a container of a pod that is known."""
    source = Kubelet(machine.host, door)
    for second in range(30):
        source.identity(OTHER, NOW + second)
    assert len(server.asked) == 3
    for second in range(30, 150):
        source.identity(POD, NOW + second)
        source.identity(CONTAINER, NOW + second)
        source.identity(PAUSE, NOW + second)
    assert len(server.asked) == 5
    source.identity(Place(Kind.CONTAINER, container_id="f" * 64), NOW + 1000)
    assert len(server.asked) == 5


def test_a_container_is_known_without_its_pods_cgroup(server: Fake, door: Door, machine: FakeMachine) -> None:
    """By its id, once the list is there."""
    source = Kubelet(machine.host, door)
    assert source.identity(ALONE, NOW) == NOBODY
    source.identity(POD, NOW)
    assert source.identity(ALONE, NOW).container == "app"


def test_answers_are_kept_while_it_is_silent(server: Fake, door: Door, machine: FakeMachine) -> None:
    """And it is asked ever more seldom, as each try costs its patience."""
    source = Kubelet(machine.host, door, limits=LIMITS)
    source.identity(POD, NOW)
    server.status = 503
    for second in range(600):
        source.identity(OTHER, NOW + second)
        assert source.identity(POD, NOW + second).pod == "web-0"
    assert len(server.asked) == 7
    assert source.fault == f"{server.url}/pods: status 503"
    server.says(pod_list())
    assert source.identity(OTHER, NOW + 1000) == NOBODY
    assert source.fault == ""
    assert source.identity(POD, NOW + 1000) == NOBODY


def test_a_token_is_read_at_each_request(server: Fake, door: Door, machine: FakeMachine) -> None:
    """It is replaced every hour."""
    Path(door.token_file).write_text("an-old-one", encoding="ascii")
    source = Kubelet(machine.host, door)
    assert source.identity(POD, NOW) == NOBODY
    Path(door.token_file).write_text(TOKEN, encoding="ascii")
    assert source.identity(POD, NOW + 10).pod == "web-0"
    assert server.authorizations == ["Bearer an-old-one", f"Bearer {TOKEN}"]


def faults(machine: FakeMachine, door: Door) -> str:
    source = Kubelet(machine.host, door, limits=LIMITS)
    assert source.identity(POD, NOW) == NOBODY
    return source.fault


def test_a_refusal_says_what_to_do(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Which token it is, and never the token."""
    url = f"{server.url}/pods"
    server.token = "another"
    assert faults(machine, door) == f"{url}: status 401, the token in {door.token_file} is not accepted"
    server.token, server.status = "", 403
    expected = f"{url}: status 403, the token in {door.token_file} may get neither nodes/pods nor nodes/proxy"
    assert faults(machine, door) == expected
    Path(door.token_file).unlink()
    assert faults(machine, door) == f"{url}: status 403, there is no token in {door.token_file}"
    for unfit in (b"", b"a\r\nX-Evil: b", b"\xff\xfe", b"\0"):
        Path(door.token_file).write_bytes(unfit)
        assert faults(machine, door) == f"{url}: status 403, there is no token in {door.token_file}"
    assert server.authorizations[2:] == [""] * 5


def test_a_certificate_is_checked(server: Fake, door: Door, machine: FakeMachine, tmp_path: Path) -> None:
    """Against the file, and not when the operator says so; no token goes to a stranger."""
    other = self_signed(tmp_path, "other", "IP:127.0.0.1")
    assert faults(machine, door._replace(ca_file=str(other.certificate))).startswith(f"{server.url}/pods: self-signed")
    assert faults(machine, door._replace(ca_file="")).startswith(f"{server.url}/pods: self-signed")
    assert faults(machine, door._replace(ca_file=str(tmp_path / "absent"))).endswith(
        "absent: No such file or directory"
    )
    (tmp_path / "empty").touch()
    assert faults(machine, door._replace(ca_file=str(tmp_path / "empty"))).endswith(
        f"no certificates in {tmp_path}/empty"
    )
    assert server.asked == []
    assert Kubelet(machine.host, door._replace(ca_file="", insecure=True)).identity(POD, NOW).pod == "web-0"


def test_a_name_in_the_certificate_is_checked(machine: FakeMachine, tmp_path: Path) -> None:
    """One for another host is not the kubelet's."""
    stranger = self_signed(tmp_path, "stranger", "IP:192.0.2.1")
    with kubelet(stranger) as server:
        fault = faults(machine, Door(server.url, "", str(stranger.certificate)))
    assert "127.0.0.1" in fault
    assert "mismatch" in fault


def test_the_open_port_gets_no_token(machine: FakeMachine, door: Door) -> None:
    """It asks for none, and anybody could read it on the way."""
    with kubelet() as server:
        server.says(pod_list(web_pod()))
        assert Kubelet(machine.host, door._replace(url=f"{server.url}/")).identity(POD, NOW).pod == "web-0"
    assert (server.asked, server.authorizations) == (["/pods"], [""])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "expected a URL such as https://127.0.0.1:10250"),
        ("https://", "expected a URL such as https://127.0.0.1:10250"),
        ("https://[::1", "expected a URL such as https://127.0.0.1:10250"),
        ("https://host:port", "expected a URL such as https://127.0.0.1:10250"),
        ("ftp://127.0.0.1", "expected a URL such as https://127.0.0.1:10250"),
        ("http://user:secret@127.0.0.1:1", "http://127.0.0.1:1/pods: Connection refused"),
        ("http://[::1]:1/base", "http://[::1]:1/base/pods: "),
        ("http://a..b", "http://a..b:10255/pods: "),
    ],
)
def test_an_address_that_leads_nowhere(machine: FakeMachine, url: str, expected: str) -> None:
    """The fault says where it leads, without a password."""
    assert faults(machine, Door(url)).startswith(expected)


def test_one_that_hangs_or_talks_too_much(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Is waited for and listened to for so long."""
    server.body = b'{"items":[' + b" " * 200_000 + b"]}"
    assert faults(machine, door) == f"{server.url}/pods: the answer has more than 100000 bytes"
    server.body = b"<html>"
    assert faults(machine, door) == f"{server.url}/pods: the answer is no list of pods"
    server.go_on.clear()
    assert faults(machine, door) == f"{server.url}/pods: no answer within 0.5 s"


def test_the_token_is_in_no_message(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Nor in what the source looks like."""
    source = Kubelet(machine.host, door)
    server.raw = f"HTTP/1.0 400 {TOKEN}\r\n\r\n".encode()
    resolver = Resolver([source])
    resolver.identity(POD, NOW)
    assert TOKEN not in f"{resolver.faults()} {source!r} {vars(source)} {door}"


def test_it_completes_what_files_tell(server: Fake, door: Door, machine: FakeMachine) -> None:
    """Names come from the files, image, owner and labels from here; then it is not asked again."""
    log_links(machine)
    files = Script(Identity("shop", "web-0", "app", "image-of-the-file"))
    resolver = Resolver([files, Kubelet(machine.host, door, ("app",))])
    for second in range(0, 100, 5):
        who = resolver.identity(CONTAINER, NOW + second)
        resolver.identity(POD, NOW + second)
    assert who == replace(WEB, container="app", image="image-of-the-file", name=APP, labels={"app": "shop"})
    assert resolver.next_try(CONTAINER) == math.inf
    assert resolver.next_try(POD) == math.inf
    assert len(server.asked) == 1
    assert UID in server.body.decode()


def test_it_is_asked_when_an_operator_says_so(server: Fake, door: Door, machine: FakeMachine) -> None:
    """With the labels that are chosen, and by default not at all."""
    choice = Choice(
        pod_labels=("team",),
        kubelet=door.url,
        kubelet_token_file=door.token_file,
        kubelet_ca_file=door.ca_file,
    )
    assert catalog.resolver(machine.host, Choice()).identity(POD, NOW) == NOBODY
    assert server.asked == []
    assert catalog.resolver(machine.host, choice).identity(POD, NOW).labels == {"team": "a"}
