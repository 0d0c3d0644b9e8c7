"""Alerts as API v2 shows them. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from alerting.api.answers import BadRequest, flag
from alerting.api.patterns import require_cheap
from alerting.model.alert import Alert
from alerting.model.labels import Matcher, parse_matchers
from alerting.notify.golang import api_time


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts a client wants to see."""

    matchers: tuple[Matcher, ...] = ()
    receiver: re.Pattern[str] | None = None
    active: bool = True

    def wants(self, alert: Alert, now: float) -> bool:
        """Whether an alert is to be shown; one that is over never is."""
        if alert.ends_at is not None and alert.ends_at < now:
            return False
        return self.active and all(matcher.matches(alert.labels) for matcher in self.matchers)

    def wants_receiver(self, name: str) -> bool:
        return self.receiver is None or self.receiver.fullmatch(name) is not None


def read_query(request: web.Request) -> AlertQuery:
    """The parameters `filter` (repeated), `receiver`, `active`, and those that no alert answers to yet.

    Raises BadRequest.
    """
    for state in ("silenced", "inhibited", "unprocessed", "muted"):
        flag(request, state)
    pattern = request.query.get("receiver", "")
    try:
        matchers = tuple(matcher for text in request.query.getall("filter", []) for matcher in parse_matchers(text))
        for text in (pattern, *(matcher.value for matcher in matchers if matcher.op in ("=~", "!~"))):
            require_cheap(text)
        receiver = re.compile(pattern) if pattern else None
    except (ValueError, re.error, RecursionError, OverflowError) as error:
        raise BadRequest(f"bad filter or receiver: {error}") from error
    return AlertQuery(matchers, receiver, flag(request, "active"))


def alert_view(alert: Alert, receivers: list[str], open_end: float) -> dict[str, Any]:
    """One alert; `open_end` (Unix seconds) is shown as the end of one that has none."""
    end = open_end if alert.ends_at is None else alert.ends_at
    view = {
        "annotations": dict(alert.annotations),
        "endsAt": api_time(end, alert.offsets[1]),
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": name} for name in receivers],
        "startsAt": api_time(alert.starts_at, alert.offsets[0]),
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": api_time(alert.updated_at),
        "labels": dict(alert.labels),
    }
    if alert.generator_url:
        view["generatorURL"] = alert.generator_url
    return view
