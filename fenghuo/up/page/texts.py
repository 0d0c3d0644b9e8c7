"""Numbers and times as a person reads them, and a history as a line. Pure; the template's filters."""

from collections.abc import Sequence

from fenghuo.durations import format_duration

MISSING = "-"
WIDTH, HEIGHT = 120.0, 32.0
"""The sparkline's own units; the style sheet says how large it is drawn."""


def percent(share: float | None) -> str:
    """0.123 as `12 %`; small shares keep a digit."""
    if share is None:
        return MISSING
    return f"{share * 100:.1f} %" if 0 < share < 0.1 else f"{share * 100:.0f} %"


def size(count: float | None) -> str:
    """Bytes with binary units: `1.5 GiB`."""
    if count is None:
        return MISSING
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("the last unit takes all")


def cores(count: float | None) -> str:
    """CPU as thousandths of a core below one: `250 m`, `1.5`."""
    if count is None:
        return MISSING
    return f"{count:.2f}" if count >= 1 else f"{count * 1000:.0f} m"


def ago(at: float, now: float) -> str:
    """How long ago, in its largest unit: `42s`, `5m`, `3h`, `2d`."""
    seconds = max(0, int(now - at))
    for unit in (86400, 3600, 60):
        if seconds >= unit:
            return format_duration(seconds // unit * unit)
    return f"{seconds}s"


def polyline(values: Sequence[float], ceiling: float) -> str:
    """The points of an SVG polyline, oldest at the left; empty with fewer than two values."""
    if len(values) < 2:
        return ""
    top = max(ceiling, 1e-9)
    step = WIDTH / (len(values) - 1)
    return " ".join(
        f"{index * step:.1f},{HEIGHT - 1 - (HEIGHT - 2) * min(1.0, max(0.0, value / top)):.1f}"
        for index, value in enumerate(values)
    )
