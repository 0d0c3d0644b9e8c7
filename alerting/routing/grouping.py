"""Aggregation groups: alerts of one route that share their group labels, told about together. Pure.

A group knows its alerts and when it is due; it reads no clock and sends nothing. Semantics: dispatch/group.go of
Alertmanager.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from alerting.model.alert import Alert
from alerting.model.labels import Labels
from alerting.routing.order import alert_order
from alerting.routing.tree import Route, labels_text

LEAST_PATIENCE = 10.0
"""Seconds that a message always has to reach its receiver before it counts as late."""


@dataclass(frozen=True, slots=True)
class Flush:
    """One tick of one group, as it goes down the pipeline: everything a stage may want to know.

    `alerts` are sorted; those that fire have no `ends_at`, so that none resolves on its way. `now` is the tick's
    time in Unix seconds, the only time that a decision may use. `patience` is how long, in seconds, the message
    may take before it counts as late. `reason` is why it is sent, once that is decided.
    """

    group_key: str
    group_labels: Labels
    receiver: str
    repeat_interval: float
    patience: float
    now: float
    alerts: tuple[Alert, ...]
    reason: str = ""

    @property
    def firing(self) -> frozenset[str]:
        """Fingerprints of the alerts that fire."""
        return frozenset(alert.fingerprint for alert in self.alerts if not alert.resolved_at(self.now))

    @property
    def resolved(self) -> frozenset[str]:
        """Fingerprints of the alerts that are over."""
        return frozenset(alert.fingerprint for alert in self.alerts if alert.resolved_at(self.now))


def group_labels(route: Route, labels: Labels) -> Labels:
    """The part of an alert's labels that its group is made of."""
    wanted = labels if route.group_by is None else route.group_by & labels.keys()
    return {name: labels[name] for name in sorted(wanted)}


@dataclass(slots=True)
class Group:
    """The alerts of one route and one set of group labels.

    `due` is the monotonic time of the next flush; `flushed` whether there has been one; `flushing` whether one is
    on its way.
    """

    route: Route
    labels: Labels
    due: float
    alerts: dict[str, Alert] = field(default_factory=dict)
    flushed: bool = False
    flushing: bool = False

    @property
    def key(self) -> str:
        """Alertmanager's group key, by which the notification log remembers: `{}:{alertname="A"}`."""
        return f"{self.route.key}:{labels_text(self.labels)}"

    def insert(self, alert: Alert) -> None:
        self.alerts[alert.fingerprint] = alert

    def flush(self, now: float) -> Flush:
        """What there is to tell at `now` (Unix seconds)."""
        told = sorted((_as_of(alert, now) for alert in self.alerts.values()), key=alert_order)
        return Flush(
            group_key=self.key,
            group_labels=self.labels,
            receiver=self.route.receiver,
            repeat_interval=self.route.repeat_interval,
            patience=max(self.route.group_interval, LEAST_PATIENCE),
            now=now,
            alerts=tuple(told),
        )

    def forget(self, told: Iterable[Alert], now: float) -> None:
        """After a flush that succeeded: drop the resolved alerts, unless one has changed meanwhile."""
        for alert in told:
            held = self.alerts.get(alert.fingerprint)
            if alert.resolved_at(now) and held is not None and held == alert:
                del self.alerts[alert.fingerprint]


def _as_of(alert: Alert, now: float) -> Alert:
    return alert if alert.resolved_at(now) else replace(alert, ends_at=None)
