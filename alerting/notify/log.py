"""What the notification log remembers of a message, and for how long. Pure."""

from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification

RETENTION = 120 * 3600.0
"""Seconds after which an entry goes in any case (`--data.retention` of Alertmanager)."""


def entry_of(notification: Notification, now: float, refused: bool = False) -> LogEntry:
    """The entry for a message that was answered at `now`; kept for twice its repeat interval."""
    return LogEntry(
        firing=frozenset(alert.fingerprint for alert in notification.firing),
        resolved=frozenset(alert.fingerprint for alert in notification.resolved),
        at=now,
        expires_at=now + min(2 * notification.repeat_interval, RETENTION),
        refused=refused,
    )
