"""From when and until when to search: what a user writes, turned into Unix seconds. Pure."""

from collections.abc import Callable
from contextlib import suppress

from fenghuo.clock import from_rfc3339
from fenghuo.durations import parse_duration


def parse_moment(text: str, now: float) -> float:
    """`10m` (that long ago), `now`, `2026-11-21`, `2026-11-21T09:30:00Z` or Unix seconds, to Unix seconds.

    A time without a zone is UTC. Raises ValueError saying what a moment looks like.
    """
    text = text.strip()
    if text == "now":
        return now
    readers: tuple[Callable[[str], float], ...] = (lambda given: now - parse_duration(given), from_rfc3339, _unix)
    for read in readers:
        with suppress(ValueError):
            return read(text)
    raise ValueError(f"expected a duration such as 10m, a time such as 2026-11-21T09:30:00Z or now, got {text!r}")


def _unix(text: str) -> float:
    """Unix seconds, within the years that a log line can have."""
    seconds = float(text)
    if not 1e8 <= seconds < 1e11:
        raise ValueError("out of range")
    return seconds
