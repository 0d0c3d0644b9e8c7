"""RFC 3339 times with nanoseconds, which the standard library cuts to microseconds. Pure."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)?")


def to_nanoseconds(text: str) -> int | None:
    """`2026-11-21T09:30:00.123456789Z` to Unix nanoseconds; no zone is UTC; None when it is no such time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    seconds = unix_seconds(match[1], match[3] or "Z")
    return None if seconds is None else seconds * 1_000_000_000 + int((match[2] or "0")[:9].ljust(9, "0"))


def from_nanoseconds(nanoseconds: int) -> str:
    """Unix nanoseconds to RFC 3339 in UTC with as many decimals as are needed, at least three."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    decimals = f"{fraction:09d}"
    while len(decimals) > 3 and decimals.endswith("000"):
        decimals = decimals[:-3]
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{decimals}Z"


@lru_cache(maxsize=1024)
def unix_seconds(second: str, zone: str) -> int | None:
    """A time without its fraction; None for a date that does not exist.

    Many lines share a second: reading the calendar once for all of them halves the cost of a line.
    """
    try:
        return int(datetime.fromisoformat(second.upper() + zone.upper()).timestamp())
    except ValueError:
        return None
