"""Asks the parts what the page shows, all at once and each with a short deadline.

A part that is down costs its panel and no other: the panel carries the reason instead of the data.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from fenghuo.clock import Clock
from fenghuo.errors import RemoteAnswer, RemoteError
from fenghuo.httpcall import HttpCaller, Request
from fenghuo.up.page import promql, read
from fenghuo.up.page.contexts import AlertsPanel, ContainersPanel, HostPanel, LogsPanel, MessagesPanel, Overview
from fenghuo.up.page.promql import Series
from fenghuo.up.status import StackStatus

TIMEOUT = 4.0
LINES_SHOWN = 40
MESSAGES_SHOWN = 8
SINCE_SEARCH, SINCE_LAST = "24h", "1h"
LARGEST_ANSWER = 8 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of the parts that the page asks."""

    prometheus: str
    alerting: str
    logs: str


class _NoPanel(Exception):
    """Why a panel can't be filled; ends at the panel."""


class Gatherer:
    """Makes an overview."""

    def __init__(
        self, addresses: Addresses, caller: HttpCaller, clock: Clock, status: Callable[[], StackStatus]
    ) -> None:
        self._at = addresses
        self._caller = caller
        self._clock = clock
        self.status = status

    async def overview(self, query: str) -> Overview:
        """Everything, with the log lines that match `query`."""
        metrics, alerts, messages, logs = await asyncio.gather(
            self._metrics(), self._alerts(), self._messages(), self._logs(query)
        )
        host, containers = metrics
        return Overview(self._clock.now(), self.status(), host, containers, alerts, messages, logs)

    async def _metrics(self) -> tuple[HostPanel, ContainersPanel]:
        now, base = self._clock.now(), self._at.prometheus
        asked = {f"range {name}": promql.range_url(base, text, now) for name, text in promql.RANGES.items()}
        asked |= {f"instant {name}": promql.instant_url(base, text) for name, text in promql.INSTANTS.items()}
        try:
            answers = await asyncio.gather(*(self._series(url) for url in asked.values()))
            series = dict(zip(asked, answers, strict=True))
            ranges, instants = _with_prefix(series, "range "), _with_prefix(series, "instant ")
            return _shaped(lambda _: (read.host_panel(ranges, instants), read.containers_panel(instants)), None)
        except _NoPanel as error:
            reason = f"Prometheus: {error}"
            return HostPanel(problem=reason), ContainersPanel(problem=reason)

    async def _series(self, url: str) -> list[Series]:
        return _shaped(promql.read_result, await self._json(url))

    async def _alerts(self) -> AlertsPanel:
        try:
            rules, received = await asyncio.gather(
                self._json(f"{self._at.alerting}/api/v1/rules"), self._json(f"{self._at.alerting}/api/v2/alerts")
            )
            return _shaped(lambda answer: read.alerts_panel(*answer), (rules, received))
        except _NoPanel as error:
            return AlertsPanel(problem=f"the alert engine: {error}")

    async def _messages(self) -> MessagesPanel:
        try:
            content = await self._json(f"{self._at.alerting}/api/fenghuo/v1/messages?limit={MESSAGES_SHOWN}")
            return _shaped(lambda answer: read.messages_panel(answer, MESSAGES_SHOWN), content)
        except _NoPanel as error:
            return MessagesPanel(problem=f"the alert engine: {error}")

    async def _logs(self, query: str) -> LogsPanel:
        asked = {"q": query, "since": SINCE_SEARCH if query else SINCE_LAST, "limit": LINES_SHOWN}
        try:
            content = await self._json(f"{self._at.logs}/api/v1/search?{urlencode(asked)}")
            return _shaped(lambda answer: read.logs_panel(answer, query), content)
        except _NoPanel as error:
            return LogsPanel(query, problem=f"the log pipeline: {error}")

    async def _json(self, url: str) -> Any:
        try:
            answer = await self._caller.call(Request("GET", url, timeout=TIMEOUT, largest_answer=LARGEST_ANSWER))
            return answer.ok().json()
        except RemoteAnswer as error:
            raise _NoPanel(f"answered {error.status}: {_first_line(error.body)}") from error
        except RemoteError as error:
            raise _NoPanel(f"does not answer ({error.reason})") from error


def _shaped(reader: Callable[[Any], T], content: Any) -> T:
    """Read an answer; one of another shape is a reason, not a crash."""
    try:
        return reader(content)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _NoPanel(f"answered in an unknown shape ({type(error).__name__}: {error})") from error


def _with_prefix(series: Mapping[str, list[Series]], prefix: str) -> dict[str, list[Series]]:
    return {name.removeprefix(prefix): found for name, found in series.items() if name.startswith(prefix)}


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:300] if lines else "nothing"
