"""How many lines of which level each namespace writes: the numbers behind "log error burst"."""

from collections import Counter

from log_pipeline.model.event import LEVELS, Event

MOST_NAMESPACES = 1_000
"""Namespaces that are told apart; what comes later counts as namespace `other`."""

UNKNOWN = "unknown"


class LineCounts:
    """Lines by (level, namespace); an unknown level is `unknown`, a line of no pod has an empty namespace.

    A namespace begins with all its levels at zero: a series that first appears at 50 would look, to a rule
    over its rate, as if nothing had happened.
    """

    def __init__(self, most: int = MOST_NAMESPACES) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._namespaces: set[str] = set()
        self._most = most

    def add(self, event: Event) -> None:
        namespace = event.pod.namespace if event.pod else ""
        if namespace not in self._namespaces:
            namespace = self._begin(namespace)
        self.counts[event.level or UNKNOWN, namespace] += 1

    def _begin(self, namespace: str) -> str:
        namespace = namespace if len(self._namespaces) < self._most else "other"
        if namespace not in self._namespaces:
            self._namespaces.add(namespace)
            self.counts.update({(level, namespace): 0 for level in (*LEVELS, UNKNOWN)})
        return namespace
