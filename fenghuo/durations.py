"""Durations as Prometheus writes them: `30s`, `5m`, `1h30m`, `1d`, `0`.

Grammar: `ParseDuration` in prometheus/common, model/time.go: units y w d h m s ms, each at most once, in
that order.
"""

import re

_UNITS = (
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
)
_PATTERN = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit}(?![a-z]))?" for unit, _ in _UNITS))


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError saying what a duration looks like."""
    text = text.strip()
    if text == "0":
        return 0.0
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"expected a duration such as 30s, 5m or 1h30m, got {text!r}")
    return sum(int(match[unit] or 0) * scale for unit, scale in _UNITS) / 1000


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back; years and weeks only when they fit exactly."""
    left = round(seconds * 1000)
    if left == 0:
        return "0s"
    parts = []
    for unit, scale in _UNITS:
        if unit in ("y", "w") and left % scale:
            continue
        count, left = divmod(left, scale)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
