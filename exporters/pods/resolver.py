"""Ask every source who a cgroup is, and remember it.

A container's cgroup exists before its runtime has written anything down, so "unknown" means "not yet known":
it is asked again after a few seconds, and not at every scrape.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity, Source
from fenghuo.backoff import Backoff

ASK_AGAIN_AFTER = Backoff(first=5.0, limit=300.0, jitter=0.0)
"""Seconds for which an incomplete answer stands: soon for what is new, seldom for what stays unknown."""


@dataclass(slots=True)
class _Known:
    """An answer; an incomplete one has the time of the next try."""

    identity: Identity
    tries: int = 0
    next_try: float = math.inf


class Resolver:
    """Remembers complete answers for as long as their cgroup lives."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._known: dict[Place, _Known] = {}

    def identity(self, place: Place, now: float) -> Identity:
        """Who `place` is, as far as it is known by now."""
        if place.kind not in (Kind.POD, Kind.CONTAINER):
            return NOBODY
        known = self._known.setdefault(place, _Known(NOBODY, next_try=now))
        if now >= known.next_try:
            known.identity = self._container(place, now) if place.container_id else self._pod(place.pod_uid, now)
            complete = _is_complete(known.identity, place)
            known.next_try = math.inf if complete else now + ASK_AGAIN_AFTER.delay(known.tries)
            known.tries += 1
        return known.identity

    def is_final(self, place: Place) -> bool:
        """Whether asking again can't tell more."""
        return place not in self._known or self._known[place].next_try == math.inf

    def forget(self, place: Place) -> None:
        """The cgroup is gone."""
        self._known.pop(place, None)

    def _container(self, place: Place, now: float) -> Identity:
        found = NOBODY
        for source in self._sources:
            found = found.filled_from(source.container(place.container_id, now))
            if _is_complete(found, place):
                break
        if place.pod_uid and not found.pod:
            found = found.filled_from(self._pod(place.pod_uid, now))
        return found.filled_from(Identity(name=place.container_id))

    def _pod(self, uid: str, now: float) -> Identity:
        answers = (source.pod(uid, now) for source in self._sources)
        return next((answer for answer in answers if answer.pod), NOBODY)


def _is_complete(identity: Identity, place: Place) -> bool:
    """Nothing that a dashboard selects by is missing. A sandbox has no container name and is complete without."""
    in_pod = bool(place.pod_uid)
    if place.kind is Kind.POD:
        return bool(identity.pod)
    return bool(identity.image and identity.name and (identity.pod or not in_pod))
