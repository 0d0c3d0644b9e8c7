"""Who is asked when, and what is remembered for how long."""

import math
import threading

import pytest

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.resolver import PATIENCE, SHARE_TOGETHER, Resolver
from exporters.scrape import Limits
from tests.exporters.machines import APP, NOW, UID
from tests.exporters.pods.places import ALONE, CONTAINER, PAUSE, POD, Script

WEB = Identity("shop", "web-0", "app", "image", "name")
KNOWN = Identity("shop", "web-0", "app", "image", "name", workload="web", workload_kind="StatefulSet")


def test_sources_complete_one_another() -> None:
    """What the first lacks comes from the next; the first wins where both know."""
    sources: list[Source] = [Script(Identity(image="image-1")), Script(Identity("shop", "web-0", "app", "image-2"))]
    who = Resolver(sources).identity(CONTAINER, NOW)
    assert (who.namespace, who.pod, who.container, who.image, who.name) == ("shop", "web-0", "app", "image-1", APP)


def test_a_complete_answer_is_asked_for_once() -> None:
    """It stands for as long as the container lives, and no longer."""
    source, other = Script(WEB), Script()
    resolver = Resolver([source, other])
    for second in range(100):
        assert resolver.identity(CONTAINER, NOW + 1000 * second) == KNOWN
    assert (len(source.asked), len(other.asked)) == (1, 0)
    assert resolver.next_try(CONTAINER) == math.inf
    resolver.forget(CONTAINER)
    resolver.identity(CONTAINER, NOW)
    assert len(source.asked) == 2


def test_unknown_means_not_yet_known() -> None:
    """It is asked again within a second, then ever more seldom, and an answer that comes late is taken."""
    source = Script()
    resolver = Resolver([source])
    asked_at = []
    for second in range(100):
        before = len(source.asked)
        assert resolver.identity(CONTAINER, NOW + second) == Identity(name=APP)
        asked_at += [second] * (len(source.asked) - before)
    assert asked_at == [0, 1, 3, 7, 15, 31, 63]
    assert resolver.next_try(CONTAINER) < math.inf
    source.known = WEB
    assert resolver.identity(CONTAINER, NOW + 500) == KNOWN
    assert resolver.next_try(CONTAINER) == math.inf


def test_what_stays_unknown_is_asked_for_every_five_minutes() -> None:
    """And again at once when it comes anew, or when the clock is set back."""
    source = Script()
    resolver = Resolver([source])
    for second in range(0, 100_000, 100):
        resolver.identity(CONTAINER, NOW + second)
    before = len(source.asked)
    for second in range(100_000, 103_000, 100):
        resolver.identity(CONTAINER, NOW + second)
    assert len(source.asked) - before == 10
    resolver.identity(CONTAINER, NOW)
    assert len(source.asked) - before == 11
    resolver.forget(CONTAINER)
    resolver.identity(CONTAINER, NOW + 1)
    assert len(source.asked) - before == 12


@pytest.mark.parametrize(
    ("known", "place", "is_final"),
    [
        (Identity("shop", "web-0"), POD, True),
        (Identity("shop", "web-0"), CONTAINER, False),
        (Identity("shop", "web-0", "app"), CONTAINER, False),
        (Identity("shop", "web-0", "app", "image"), CONTAINER, True),
        (Identity("shop", "web-0", sandbox=True), PAUSE, True),
        (Identity(image="image"), ALONE, False),
        (Identity(image="image", name="web"), ALONE, True),
    ],
)
def test_what_is_enough(known: Identity, place: Place, is_final: bool) -> None:
    """A pod's container has all names, its sandbox need have none, and one in no pod has its own."""
    resolver = Resolver([Script(known)])
    resolver.identity(place, NOW)
    assert (resolver.next_try(place) == math.inf) == is_final


def test_a_pod_is_known_by_any_of_its_containers() -> None:
    """As long as one of them is there, also by those that no source knows."""

    class OneContainer(Script):
        def identity(self, place: Place, now: float) -> Identity:
            return WEB if place == CONTAINER else NOBODY

    resolver = Resolver([OneContainer()])
    assert resolver.identity(POD, NOW) == NOBODY
    resolver.identity(CONTAINER, NOW)
    pod = Identity("shop", "web-0", workload="web", workload_kind="StatefulSet")
    assert resolver.identity(POD, NOW + 1) == pod
    assert resolver.next_try(POD) == math.inf
    assert resolver.identity(PAUSE, NOW + 1).pod == "web-0"
    resolver.forget(CONTAINER)
    resolver.forget(POD)
    assert resolver.identity(POD, NOW + 2) == pod
    for place in (POD, PAUSE):
        resolver.forget(place)
    assert resolver.identity(POD, NOW + 3) == NOBODY


def test_one_that_must_not_be_missing_is_waited_for() -> None:
    """It is asked even of what others know, and only of pods; what it says goes to the whole pod."""
    owner = Script(essential=True)
    resolver = Resolver([Script(WEB), owner])
    assert resolver.identity(CONTAINER, NOW) == KNOWN
    assert resolver.next_try(CONTAINER) < math.inf
    owner.known = Identity("shop", "web-0", workload="shop", workload_kind="Database", labels={"app": "web"})
    who = resolver.identity(CONTAINER, NOW + 1)
    assert (who.container, who.workload, who.workload_kind, who.labels) == ("app", "shop", "Database", {"app": "web"})
    assert resolver.next_try(CONTAINER) == math.inf
    resolver.identity(ALONE, NOW)
    assert owner.asked == [CONTAINER, CONTAINER]


@pytest.mark.parametrize(
    ("place", "pod", "expected"),
    [
        (POD, "web-7d9f8b6c5-x2k4q", ("web", "Deployment")),
        (CONTAINER, "web-7d9f8b6c5-x2k4q", ("web", "Deployment")),
        (Place(Kind.POD, "b53dfa9e2dc9b890f7fadb2770857b03"), "etcd-node-1", ("etcd", "Node")),
    ],
)
def test_a_workload_is_told_by_the_name(place: Place, pod: str, expected: tuple[str, str]) -> None:
    """Of pods and their containers alike; a static pod, whose uid is a hash, is called after the node too."""
    who = Resolver([Script(Identity("shop", pod))], node="Node-1").identity(place, NOW)
    assert (who.workload, who.workload_kind) == expected


class Broken(Script):
    """A source that raises."""

    def identity(self, place: Place, now: float) -> Identity:
        raise ZeroDivisionError("by nothing")


class Hanging(Script):
    """A source that does not come back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def identity(self, place: Place, now: float) -> Identity:
        super().identity(place, now)
        self.go_on.wait(60)
        return WEB


def test_one_that_raises_does_not_take_the_others_with_it() -> None:
    """Its fault is known, by its name."""
    resolver = Resolver([Broken(), Script(WEB)])
    assert resolver.identity(CONTAINER, NOW) == KNOWN
    assert resolver.faults() == {"broken": "ZeroDivisionError: by nothing"}


def test_one_that_hangs_does_not_take_the_others_with_it() -> None:
    """It is given up after a while and not asked again before it is done."""
    hanging = Hanging()
    resolver = Resolver([hanging, Script(WEB)], patience=0.05)
    assert resolver.identity(CONTAINER, NOW) == KNOWN
    assert resolver.identity(PAUSE, NOW).pod == "web-0"
    assert hanging.asked == [CONTAINER]
    assert resolver.faults() == {"hanging": "no answer within 0.05 s"}
    hanging.go_on.set()


def test_many_are_asked_for_in_one_go() -> None:
    """Each once of each source, and what they say stands where it is asked for."""
    source = Script(WEB)
    resolver = Resolver([source])
    resolver.prepare([CONTAINER, PAUSE], NOW)
    assert source.asked == [CONTAINER, PAUSE]
    assert resolver.identity(CONTAINER, NOW) == KNOWN
    assert resolver.identity(PAUSE, NOW).pod == "web-0"
    assert source.asked == [CONTAINER, PAUSE]


def test_one_that_hangs_when_many_are_asked_for() -> None:
    """They are asked for one by one, as if nobody had asked before."""
    hanging = Hanging()
    resolver = Resolver([hanging, Script(WEB)], patience=0.05)
    for at in range(2):
        resolver.prepare([CONTAINER, PAUSE], NOW + at)
        assert resolver.identity(CONTAINER, NOW + at) == KNOWN
        assert resolver.identity(PAUSE, NOW + at).pod == "web-0"
    assert hanging.asked == [CONTAINER, CONTAINER]
    assert resolver.faults() == {"hanging": "no answer within 0.05 s"}
    hanging.go_on.set()


def test_a_source_that_hangs_leaves_a_scrape_its_time() -> None:
    """What asking together and one by one may take is less than a collector may: else all containers would be lost."""
    assert Limits().collector > PATIENCE * (SHARE_TOGETHER + 1)


def test_a_sources_own_fault_is_shown() -> None:
    """As long as it has one."""
    source = Script(fault="it is dead")
    resolver = Resolver([source])
    assert resolver.faults() == {"script": "it is dead"}
    source.fault = ""
    assert resolver.faults() == {}


def test_nothing_is_left_of_what_has_gone() -> None:
    """Pods and containers come and go, and so does what is remembered of them."""
    resolver = Resolver([Script(Identity("shop", "web-0"))])
    for at in range(500):
        places = (Place(Kind.POD, str(at)), Place(Kind.CONTAINER, str(at), f"{at:064x}"))
        for place in places:
            resolver.identity(place, NOW + at)
        for place in places:
            resolver.forget(place)
    assert not resolver._known
    assert not resolver._pods


@pytest.mark.parametrize("kind", [Kind.ROOT, Kind.SLICE, Kind.HELPER])
def test_what_is_no_container_has_no_names(kind: Kind) -> None:
    """Nobody is asked."""
    source = Script()
    assert Resolver([source]).identity(Place(kind), NOW) == NOBODY
    assert source.asked == []


def test_a_container_of_a_pod_that_is_in_no_pods_cgroup() -> None:
    """Its runtime says whose it is."""
    who = Resolver([Script(WEB)]).identity(ALONE, NOW)
    assert (who.pod, who.workload) == ("web-0", "web")
    assert UID not in Resolver([])._pods
