"""Alerts, notifications and integrations for the tests of this package."""

from alerting.model.alert import Alert
from alerting.notify.message import Notification
from alerting.notify.ports import Integration, Receiver
from alerting.routing.grouping import Flush

START = 1_700_000_000.0


def firing(name: str, summary: str = "", **labels: str) -> Alert:
    return Alert({"alertname": name, **labels}, {"summary": summary} if summary else {}, START, updated_at=START)


def resolved(name: str, **labels: str) -> Alert:
    return Alert({"alertname": name, **labels}, {}, START, ends_at=START + 60, updated_at=START + 60)


def notification(*alerts: Alert, receiver: str = "team", at: float = START + 60) -> Notification:
    return Notification(
        group_key='{}:{alertname="A"}',
        group_labels={"alertname": "A"},
        receiver=receiver,
        alerts=alerts,
        at=at,
        repeat_interval=3600.0,
        patience=300.0,
        reason="first_notification",
    )


def flush(*alerts: Alert, receiver: str = "team", at: float = START + 60) -> Flush:
    return Flush(
        group_key='{}:{alertname="A"}',
        group_labels={"alertname": "A"},
        receiver=receiver,
        repeat_interval=3600.0,
        patience=300.0,
        now=at,
        alerts=alerts,
    )


def integration(receiver: Receiver, name: str = "team", index: int = 0, send_resolved: bool = True) -> Integration:
    return Integration(name, "fake", index, send_resolved, receiver)
