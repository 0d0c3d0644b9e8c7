"""The notification: what one receiver is told of one group, complete, so that it can be stored and sent later."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerting.model.alert import Alert
from alerting.model.labels import Labels
from alerting.routing.grouping import Flush

FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to be.

    An alert without `ends_at` fires, one with it is over. `at` is the flush's time in Unix seconds, `repeat_interval`
    and `patience` (how long it may take before it counts as late) are seconds; `reason` is why it is sent.
    """

    group_key: str
    group_labels: dict[str, str]
    receiver: str
    alerts: tuple[Alert, ...]
    at: float
    repeat_interval: float
    patience: float
    reason: str

    @property
    def firing(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.ends_at is None)

    @property
    def resolved(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.ends_at is not None)

    @property
    def status(self) -> str:
        return status_of(self.alerts)

    @property
    def common_labels(self) -> dict[str, str]:
        """The labels that every alert has with the same value."""
        return common(alert.labels for alert in self.alerts)

    @property
    def common_annotations(self) -> dict[str, str]:
        """The annotations that every alert has with the same value."""
        return common(alert.annotations for alert in self.alerts)


def status_of(alerts: Iterable[Alert]) -> str:
    """`firing` when any alert fires."""
    return FIRING if any(alert.ends_at is None for alert in alerts) else RESOLVED


def common(sets: Iterable[Labels]) -> dict[str, str]:
    """The pairs that are in every set, sorted by name."""
    rest = iter(sets)
    shared = dict(next(rest, {}))
    for pairs in rest:
        shared = {name: value for name, value in shared.items() if pairs.get(name) == value}
    return dict(sorted(shared.items()))


def notification_of(flush: Flush) -> Notification:
    """The message that a flush asks for."""
    return Notification(
        group_key=flush.group_key,
        group_labels=dict(flush.group_labels),
        receiver=flush.receiver,
        alerts=flush.alerts,
        at=flush.now,
        repeat_interval=flush.repeat_interval,
        patience=flush.patience,
        reason=flush.reason,
    )
