"""`POST /api/v2/alerts`: from what a client sent to alerts, each by itself, so that a bad one spoils no other. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerting.model.alert import Alert

_ZERO_TIME = -62_135_596_800.0
"""Go's zero time in Unix seconds: clients written in Go send it for a time they do not know."""

_LATEST = 253_402_300_799.0
"""The end of the year 9999, the last that RFC 3339 can write."""


@dataclass(frozen=True, slots=True)
class Posted:
    """The good alerts of a batch, and what was wrong with the bad ones."""

    alerts: tuple[Alert, ...]
    errors: tuple[str, ...]


def read_alerts(items: list[Any], now: float, resolve_timeout: float) -> Posted:
    """Read each item of a batch; positions in error texts begin at 0."""
    alerts: list[Alert] = []
    errors: list[str] = []
    for position, item in enumerate(items):
        try:
            alerts.append(read_alert(item, now, resolve_timeout))
        except ValueError as error:
            errors.append(f"{error} (alert {position})" if len(items) > 1 else str(error))
    return Posted(tuple(alerts), tuple(errors))


def read_alert(item: Any, now: float, resolve_timeout: float) -> Alert:
    """One alert, by Alertmanager's rules for what is missing. Raises ValueError saying what was expected.

    No start: now, or the end if that is earlier. No end: now + `resolve_timeout`, marked as a time-out. A label
    without a value is as good as none.
    """
    if not isinstance(item, Mapping):
        raise ValueError(f"expected an object with labels, got {type(item).__name__}")
    labels = {name: value for name, value in _texts(item, "labels").items() if value}
    if not labels:
        raise ValueError("at least one label pair required")
    start, start_offset = _time(item, "startsAt")
    end, end_offset = _time(item, "endsAt")
    if start is None:
        start = now if end is None else min(now, end)
    if end is not None and end < start:
        raise ValueError("start time must be before end time")
    return Alert(
        labels=labels,
        annotations=_texts(item, "annotations"),
        starts_at=start,
        ends_at=now + resolve_timeout if end is None else end,
        updated_at=now,
        generator_url=_text(item, "generatorURL"),
        timeout=end is None,
        offsets=(start_offset, end_offset),
    )


def _texts(item: Mapping[str, Any], key: str) -> dict[str, str]:
    pairs = item.get(key)
    if pairs is None:
        return {}
    if not isinstance(pairs, Mapping):
        raise ValueError(f"expected {key} to be an object, got {type(pairs).__name__}")
    for name, value in pairs.items():
        if not isinstance(value, str):
            raise ValueError(f"expected {key}.{name} to be a text, got {type(value).__name__}")
        if not name:
            raise ValueError(f'invalid {key[:-1]} set: invalid name ""')
    return dict(pairs)


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"expected {key} to be a text, got {type(value).__name__}")
    return value


def _time(item: Mapping[str, Any], key: str) -> tuple[float | None, int]:
    """(Unix seconds, seconds east of UTC); None when the client does not know the time."""
    text = _text(item, key)
    if not text:
        return None, 0
    try:
        parsed = datetime.fromisoformat(text)
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"expected {key} to be an RFC 3339 time, got {text[:50]!r}") from error
    if seconds == _ZERO_TIME:
        return None, 0
    if not 0 <= seconds <= _LATEST:
        raise ValueError(f"expected {key} between 1970 and 9999, got {text[:50]!r}")
    offset = moment.utcoffset()
    return seconds, int(offset.total_seconds()) // 60 * 60 if offset else 0
