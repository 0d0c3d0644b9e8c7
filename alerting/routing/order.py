"""The order in which Alertmanager lists alerts and groups. Pure.

`LabelSet.Before` in prometheus/common (model/labelset.go) and `AlertSlice.Less` in Alertmanager.
"""

from functools import cmp_to_key
from typing import Any

from alerting.model.alert import Alert
from alerting.model.labels import Labels


def alert_order(alert: Alert) -> tuple[Any, ...]:
    """A sort key: by job, then by instance, an alert without either last; then by all labels."""
    job, instance = alert.labels.get("job"), alert.labels.get("instance")
    return job is None, job or "", instance is None, instance or "", label_order(alert.labels)


def _compare(one: Labels, other: Labels) -> int:
    """Fewer labels first; then the first name, in the order of all names, that only one has or both have otherwise."""
    if len(one) != len(other):
        return len(one) - len(other)
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name), other.get(name)
        if mine != theirs:
            if mine is None or theirs is None:
                return -1 if mine is None else 1
            return -1 if mine < theirs else 1
    return 0


label_order = cmp_to_key(_compare)
"""A sort key for label sets."""
