"""Ask every source who a cgroup is, and remember it.

A container's cgroup exists before its runtime has written anything down, so "unknown" means "not yet known":
it is asked again soon, then ever more seldom, and what is known is never asked for again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from exporters.patience import Patience
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.workload import Owner, workload_of
from fenghuo.backoff import Backoff

ASK_AGAIN_AFTER = Backoff(first=1.0, limit=300.0, jitter=0.0)
"""Seconds for which an incomplete answer stands: what is new has its names at the second scrape."""

PATIENCE = 3.0
"""Seconds that one source may take, such as a file on a file server that does not answer."""


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


class Resolver:
    """Remembers complete answers for as long as their cgroup lives. `node` is this machine's name, which the names of
    static pods end with.
    """

    def __init__(self, sources: Sequence[Source], node: str = "", patience: float = PATIENCE) -> None:
        self._sources = sources
        self._node = node.lower()
        self._known: dict[Place, _Known] = {}
        self._pods: dict[str, _Pod] = {}
        self._patience: Patience[int, Identity | str] = Patience(self._answer, patience, patience)
        self._late = f"no answer within {patience:g} s"
        self._question = (Place(Kind.ROOT), 0.0)
        self._faults: dict[int, str] = {}

    def identity(self, place: Place, now: float) -> Identity:
        """Who `place` is, as far as it is known by now."""
        if place.kind not in (Kind.POD, Kind.CONTAINER):
            return NOBODY
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = _Known()
            if place.pod_uid:
                self._pods.setdefault(place.pod_uid, _Pod()).members.add(place)
        if not known.asked <= now < known.next_try:  # also when the clock was set back
            self._learn(place, known, now)
        return known.identity

    def is_final(self, place: Place) -> bool:
        """Whether asking again can't tell more."""
        return place not in self._known or self._known[place].next_try == math.inf

    def forget(self, place: Place) -> None:
        """The cgroup is gone."""
        self._known.pop(place, None)
        pod = self._pods.get(place.pod_uid)
        if pod is not None:
            pod.members.discard(place)
            if not pod.members:
                del self._pods[place.pod_uid]

    def faults(self) -> dict[str, str]:
        """The sources that can't answer although they should, and why."""
        faults = {at: source.fault for at, source in enumerate(self._sources)} | self._faults
        return {type(self._sources[at]).__name__.lower(): fault for at, fault in faults.items() if fault}

    def _learn(self, place: Place, known: _Known, now: float) -> None:
        pod = self._pods.get(place.pod_uid, _Pod())
        found, waits = self._ask_all(place, now, pod.identity if place.kind is Kind.POD else NOBODY)
        pod.identity = pod.identity.filled_from(replace(found, container="", image="", name="", sandbox=False))
        found = found.filled_from(pod.identity)
        is_final = not waits and _is_complete(found, place)
        known.identity = self._with_workload(found.filled_from(Identity(name=place.container_id)), place)
        known.asked = now
        known.next_try = math.inf if is_final else now + ASK_AGAIN_AFTER.delay(known.tries)
        known.tries += 1

    def _ask_all(self, place: Place, now: float, found: Identity) -> tuple[Identity, bool]:
        """What all sources know together, and whether one has no answer yet that must not be missing."""
        self._question = place, now
        waits = False
        for at, source in enumerate(self._sources):
            essential = source.essential and bool(place.pod_uid)
            if essential or not _is_complete(found, place):
                answer = self._ask(at)
                waits |= essential and answer == NOBODY
                found = found.filled_from(answer)
        return found, waits

    def _ask(self, at: int) -> Identity:
        """One source's answer. One that hangs is not asked again until it is done; none takes the others with it."""
        answer = self._patience.ask([at]).get(at, self._late)
        if isinstance(answer, Identity):
            self._faults.pop(at, None)
            return answer
        self._faults[at] = answer
        return NOBODY

    def _answer(self, at: int) -> Identity | str:
        """A source's answer, or why there is none. Runs in a thread of its own."""
        try:
            return self._sources[at].identity(*self._question)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other sources are asked
            return f"{type(error).__name__}: {error}"

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
        return bool(identity.pod)
    if identity.sandbox:
        return bool(identity.pod or not place.pod_uid)
    if place.pod_uid:
        return bool(identity.pod and identity.container and identity.image)
    return bool(identity.image and identity.name)
