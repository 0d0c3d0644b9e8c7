"""How many lines of which level each namespace writes: the numbers behind "log error burst"."""

from collections import Counter

from log_pipeline.model.event import Event

MOST_SERIES = 5_000
"""Pairs of level and namespace that are told apart; what comes later counts as namespace `other`."""


class LineCounts:
    """Lines by (level, namespace); an unknown level is `unknown`, a line of no pod has an empty namespace."""

    def __init__(self, most: int = MOST_SERIES) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._most = most

    def add(self, event: Event) -> None:
        key = (event.level or "unknown", event.pod.namespace if event.pod else "")
        if key not in self.counts and len(self.counts) >= self._most:
            key = (key[0], "other")
        self.counts[key] += 1
