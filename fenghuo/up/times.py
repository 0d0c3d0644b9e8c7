"""Times as a person at this machine reads them."""

from datetime import UTC, datetime

from fenghuo.clock import from_rfc3339


def time_of_day(at: float) -> str:
    """Unix seconds as `10:11:12` in this machine's zone, as its other logs show it; `-` when no calendar has it."""
    try:
        return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "-"


def seconds_of(text: object) -> float:
    """RFC 3339 to Unix seconds; 0 for what is none."""
    try:
        return from_rfc3339(str(text))
    except ValueError:
        return 0.0
