"""Ask every source who a cgroup is, and remember it.

A container's cgroup exists before its runtime has written anything down, so "unknown" means "not yet known":
it is asked again soon, then ever more seldom, and what is known is never asked for again.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from exporters.patience import Patience
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.workload import Owner, workload_of
from fenghuo.backoff import Backoff
from fenghuo.clock import SystemClock

ASK_AGAIN_AFTER = Backoff(first=1.0, limit=300.0, jitter=0.0)
"""Seconds for which an incomplete answer stands: what is new has its names at the second scrape."""

PATIENCE = 3.0
"""Seconds that one source may take, such as a file on a file server that does not answer."""


SHARE_TOGETHER = 1 / 3
"""Of that patience, what all sources together have for all that are due: when that hangs, there must be time left in a
scrape to find out by single questions who it is.
"""

FOR_A_USER = 0.1
"""Seconds of a scrape after which no more of a user's containers are asked for: their files cost what the user likes,
and there are as many as the user likes.
"""


@dataclass(slots=True)
class _Known:
    """An answer; an incomplete one has the time of the next try."""

    identity: Identity = NOBODY
    tries: int = 0
    asked: float = -math.inf
    next_try: float = -math.inf


@dataclass(slots=True)
class _Pod:
    """What is known of a pod from any of those in it."""

    identity: Identity = NOBODY
    members: set[Place] = field(default_factory=set)


_Asked = tuple[int, str]
"""A source, and the user whose files it reads: whoever makes them hang does so for their own containers alone."""


@dataclass(slots=True)
class _Question:
    """What all sources are asked, and what they have found so far."""

    place: Place
    now: float
    found: Identity


_Answers = dict[Place, dict[_Asked, Identity | str]]
_TOGETHER = "all that are due"


class Resolver:
    """Remembers complete answers for as long as their cgroup lives. `node` is this machine's name, which the names of
    static pods end with.
    """

    def __init__(self, sources: Sequence[Source], node: str = "", patience: float = PATIENCE) -> None:
        self._sources = sources
        self._node = node.lower()
        self._known: dict[Place, _Known] = {}
        self._pods: dict[str, _Pod] = {}
        self._patience: Patience[_Asked, Identity | str] = Patience(self._answer, patience, 2 * patience)
        self._late = f"no answer within {patience:g} s"
        self._question = _Question(Place(Kind.ROOT), 0.0, NOBODY)
        self._together: Patience[str, _Answers] = Patience(
            lambda _: self._answer_together(), SHARE_TOGETHER * patience, SHARE_TOGETHER * patience
        )
        self._due: list[_Question] = []
        self._answers: _Answers = {}
        self._faults: dict[int, str] = {}
        self._monotonic = SystemClock().monotonic
        self._spent: tuple[float, dict[str, float]] = (-math.inf, {})

    def identity(self, place: Place, now: float) -> Identity:
        """Who `place` is, as far as it is known by now."""
        if place.kind not in (Kind.POD, Kind.CONTAINER):
            return NOBODY
        if place.outer:  # its files are in that container: what has the same id out here is somebody else
            return Identity(name=place.container_id)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = _Known(Identity(name=place.container_id))
            if place.pod:
                self._pods.setdefault(place.pod, _Pod()).members.add(place)
        if not known.asked <= now < known.next_try:  # also when the clock was set back
            self._learn_in_time(place, known, now)
        return known.identity

    def prepare(self, places: Iterable[Place], now: float) -> None:
        """Ask for all of them that `identity` is going to be asked for, in one go: to wait for another thread for each
        takes longer than to ask. If that hangs they are asked one by one.
        """
        self._due = [_Question(place, now, NOBODY) for place in places if not (place.user or place.outer)]
        asked = self._together.ask([_TOGETHER]) if self._due else {}
        self._due = []
        self._answers = asked.get(_TOGETHER, {})

    def next_try(self, place: Place) -> float:
        """When asking again may tell more, in Unix seconds; infinity for never."""
        known = self._known.get(place)
        return math.inf if known is None else known.next_try

    def forget(self, place: Place) -> None:
        """The cgroup is gone."""
        self._known.pop(place, None)
        pod = self._pods.get(place.pod)
        if pod is not None:
            pod.members.discard(place)
            if not pod.members:
                del self._pods[place.pod]

    def faults(self) -> dict[str, str]:
        """The sources that can't answer although they should, and why."""
        faults = [(source, self._faults.get(at) or source.fault) for at, source in enumerate(self._sources)]
        return {type(source).__name__.lower(): fault for source, fault in faults if fault}

    def _learn_in_time(self, place: Place, known: _Known, now: float) -> None:
        """Unless it is a user's, and there was enough for that user in this scrape."""
        if self._spent[0] != now:
            self._spent = (now, {})
        spent = self._spent[1]
        if place.user and spent.get(place.user, 0.0) >= FOR_A_USER:
            return
        began = self._monotonic()
        self._learn(place, known, now)
        if place.user:
            spent[place.user] = spent.get(place.user, 0.0) + self._monotonic() - began

    def _learn(self, place: Place, known: _Known, now: float) -> None:
        pod = self._pods.get(place.pod, _Pod())
        found, waits = self._ask_all(place, now, pod.identity if place.kind is Kind.POD else NOBODY)
        pod.identity = pod.identity.filled_from(replace(found, container="", image="", name="", sandbox=False))
        found = found.filled_from(pod.identity)
        is_final = not waits and _is_complete(found, place)
        known.identity = self._with_workload(found.filled_from(Identity(name=place.container_id)), place)
        known.asked = now
        known.next_try = math.inf if is_final else now + ASK_AGAIN_AFTER.delay(known.tries)
        known.tries += 1

    def _ask_all(self, place: Place, now: float, found: Identity) -> tuple[Identity, bool]:
        """What all sources know together, and whether one has no answer yet that must not be missing.

        One that hangs is not asked again until it is done, and none takes the others with it.
        """
        asked = self._asked_for(place)
        answers = self._answers.pop(place, None)
        if answers is None:
            self._question = _Question(place, now, found)
            answers = self._patience.ask(asked)
        waits = False
        for at, user in asked:
            source, answer = self._sources[at], answers.get((at, user), self._late)
            self._faults[at] = answer if isinstance(answer, str) else ""
            answer = NOBODY if isinstance(answer, str) else answer
            waits |= source.essential and bool(place.pod_uid) and answer == NOBODY
            found = found.filled_from(answer)
        return found, waits

    def _asked_for(self, place: Place) -> list[_Asked]:
        return [(at, place.user) for at, source in enumerate(self._sources) if source.of_users or not place.user]

    def _answer_together(self) -> _Answers:
        """The answers of all sources to all that are due. Runs in a thread that may be left behind."""
        due = self._due
        answers: _Answers = {}
        for question in due:
            if self._due is not due:
                break  # nobody waits any more
            asked = self._asked_for(question.place)
            answers[question.place] = {one: self._answer(one, question) for one in asked}
        return answers

    def _answer(self, asked: _Asked, question: _Question | None = None) -> Identity | str:
        """A source's answer, if it is needed, or why there is none. Runs in a thread that may be left behind."""
        question, source = question if question is not None else self._question, self._sources[asked[0]]
        is_needed = source.essential and question.place.pod_uid
        if not is_needed and _is_complete(question.found, question.place):
            return NOBODY
        try:
            answer = source.identity(question.place, question.now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other sources are asked
            return f"{type(error).__name__}: {error}"
        if question.place.user:  # could be any: it is the kubelet's word that makes a pod
            answer = replace(answer, namespace="", pod="", container="")
        question.found = question.found.filled_from(answer)
        return answer

    def _with_workload(self, who: Identity, place: Place) -> Identity:
        """Where no owner is known, the pod's name tells what made it; a static pod's uid is no UUID but a hash."""
        if who.workload or not who.pod:
            return who
        is_static = bool(place.pod_uid) and "-" not in place.pod_uid
        workload, kind = workload_of(who.pod, Owner("Node", self._node) if is_static else None)
        return replace(who, workload=workload, workload_kind=kind)


def _is_complete(identity: Identity, place: Place) -> bool:
    """Nothing that a dashboard selects by is missing. A sandbox has no container name in containerd."""
    if place.kind is Kind.POD:
        return bool(identity.pod or place.user)
    if identity.sandbox:
        return bool(identity.pod or not place.pod_uid or place.user)
    if place.pod_uid and not place.user:
        return bool(identity.pod and identity.container and identity.image)
    return bool(identity.image and identity.name)
