"""Times as Go writes them into JSON, which is how every consumer of Alertmanager's webhook reads them."""

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: an alert that has no end yet."""


def go_time(seconds: float) -> str:
    """RFC 3339 in UTC with as many decimals as needed (RFC3339Nano): `2026-11-21T09:30:00.25Z`."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").rstrip(".") + "Z"
