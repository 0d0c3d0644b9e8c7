"""Alerts and notifications as JSON columns. Pure.

The columns outlive the program that wrote them: who adds a key reads it with a default.
"""

import json
from typing import Any

from alerting.model.alert import Alert
from alerting.notify.message import Notification


def encode_alert(alert: Alert) -> str:
    """An alert as JSON text; `decode_alert` reads it back."""
    return _dump(_alert(alert))


def decode_alert(text: str) -> Alert:
    """The alert that `encode_alert` wrote."""
    return _to_alert(json.loads(text))


def encode_notification(notification: Notification) -> str:
    """A notification as JSON text; `decode_notification` reads it back."""
    return _dump(
        {
            "groupKey": notification.group_key,
            "groupLabels": notification.group_labels,
            "receiver": notification.receiver,
            "alerts": [_alert(alert) for alert in notification.alerts],
            "at": notification.at,
            "repeatInterval": notification.repeat_interval,
            "patience": notification.patience,
            "reason": notification.reason,
        }
    )


def decode_notification(text: str) -> Notification:
    """The notification that `encode_notification` wrote."""
    data = json.loads(text)
    return Notification(
        group_key=data["groupKey"],
        group_labels=data["groupLabels"],
        receiver=data["receiver"],
        alerts=tuple(_to_alert(alert) for alert in data["alerts"]),
        at=data["at"],
        repeat_interval=data["repeatInterval"],
        patience=data["patience"],
        reason=data["reason"],
    )


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": alert.starts_at,
        "endsAt": alert.ends_at,
        "updatedAt": alert.updated_at,
        "generatorURL": alert.generator_url,
        "timeout": alert.timeout,
        "offsets": alert.offsets,
    }


def _to_alert(data: dict[str, Any]) -> Alert:
    return Alert(
        labels=data["labels"],
        annotations=data["annotations"],
        starts_at=data["startsAt"],
        ends_at=data["endsAt"],
        updated_at=data["updatedAt"],
        generator_url=data["generatorURL"],
        timeout=data["timeout"],
        offsets=(data["offsets"][0], data["offsets"][1]),
    )


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
