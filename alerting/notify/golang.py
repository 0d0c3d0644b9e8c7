"""JSON, times and quoting as Go writes them, which is how every consumer of Alertmanager reads them."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: an alert that has no end yet."""


def go_time(seconds: float, utc_offset: int = 0) -> str:
    """RFC 3339 with as many decimals as needed, as the webhook has it: `2026-11-21T09:30:00.25Z`."""
    whole, zone = _local(seconds, utc_offset).isoformat(timespec="microseconds"), _zone(utc_offset)
    return whole[: len("2026-11-21T09:30:00.000000")].rstrip("0").rstrip(".") + zone


def api_time(seconds: float, utc_offset: int = 0) -> str:
    """RFC 3339 with milliseconds, as API v2 has it: `2026-11-21T17:30:00.250+08:00`."""
    whole = _local(seconds, utc_offset).isoformat(timespec="milliseconds")
    return whole[: len("2026-11-21T09:30:00.000")] + _zone(utc_offset)


_IN_JSON = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}

_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def go_json(value: object) -> bytes:
    """What `json.Encoder` writes: no blanks, text as it is but for what could end a script, a line end last."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_IN_JSON).encode() + b"\n"


def quote_meta(text: str) -> str:
    """`regexp.QuoteMeta`: a backslash before each character that means something in an expression."""
    return _META.sub(r"\\\g<0>", text)


def _local(seconds: float, utc_offset: int) -> datetime:
    """The moment in the zone."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.astimezone(timezone(timedelta(seconds=utc_offset))) if utc_offset else moment


def _zone(utc_offset: int) -> str:
    if not utc_offset:
        return "Z"
    hours, minutes = divmod(abs(utc_offset) // 60, 60)
    return f"{'+' if utc_offset > 0 else '-'}{hours:02d}:{minutes:02d}"
