"""A notification as plain text for people. Pure.

FIRING  HostDown  3 alerts (2 firing, 1 resolved)
  FIRING    summary of the alert
            instance="a" job="node"
            since 2026-11-21T09:30:00Z (5m)
"""

from alerting.model.alert import Alert
from alerting.notify.message import RESOLVED, Notification
from fenghuo.clock import rfc3339
from fenghuo.durations import format_duration

LONGEST_LIST = 50
"""Alerts that are written out; the rest is counted."""

_INDENT = " " * 12


def title_of(notification: Notification) -> str:
    """One line: `FIRING HostDown: 2 firing, 1 resolved`."""
    firing, resolved = len(notification.firing), len(notification.resolved)
    counts = [f"{count} {word}" for count, word in ((firing, "firing"), (resolved, "resolved")) if count]
    return f"{notification.status.upper()} {_subject(notification)}: {', '.join(counts)}"


def text_of(notification: Notification, now: float) -> str:
    """Title and alerts, as the console prints them."""
    lines = [title_of(notification)]
    for alert in notification.alerts[:LONGEST_LIST]:
        lines += _alert_lines(alert, now)
    if len(notification.alerts) > LONGEST_LIST:
        lines.append(f"  and {len(notification.alerts) - LONGEST_LIST} more")
    return "\n".join(lines)


def _subject(notification: Notification) -> str:
    """The group's name: its alertname if all share one, and the other labels that made the group."""
    name = notification.common_labels.get("alertname", "")
    rest = [f"{key}={_safe(value)}" for key, value in notification.group_labels.items() if key != "alertname"]
    return " ".join([_safe(name), *rest] if name else rest) or "alerts"


def _alert_lines(alert: Alert, now: float) -> list[str]:
    labels = " ".join(f'{name}="{_safe(value)}"' for name, value in sorted(alert.labels.items()))
    headline = alert.annotations.get("summary") or alert.annotations.get("description") or alert.name
    lines = [f"  {_status(alert).upper():<10}{_safe(headline)}", f"{_INDENT}{labels}"]
    began = f"since {rfc3339(alert.starts_at)}"
    if alert.ends_at is None:
        lines.append(f"{_INDENT}{began} ({_age(now - alert.starts_at)})")
    else:
        lines.append(f"{_INDENT}{began} until {rfc3339(alert.ends_at)} ({_age(alert.ends_at - alert.starts_at)})")
    return lines


def _status(alert: Alert) -> str:
    return "firing" if alert.ends_at is None else RESOLVED


def _age(seconds: float) -> str:
    return format_duration(float(max(0, round(seconds))))


def _safe(text: str) -> str:
    """On one line and without control characters: a label must not be able to paint the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
