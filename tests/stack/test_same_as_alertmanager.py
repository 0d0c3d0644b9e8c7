"""The same alerts to Alertmanager and to us: the same bytes to the webhook, the same views of the API."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fenghuo.errors import RemoteAnswer
from fenghuo.testing import RecordingServer
from tests.stack.alerting_process import TellingEngine
from tests.stack.servers.alertmanager import Alertmanager
from tests.stack.servers.over_http import HttpServer

ROUTE = {
    "receiver": "team.x",
    "group_by": ["alertname", "zone"],
    "group_wait": "1s",
    "group_interval": "2s",
    "routes": [
        {
            "matchers": ['severity="page"', 'host=~"x|y"'],
            "receiver": "hook",
            "routes": [{"match": {"alertname": "A"}, "group_by": ["..."]}],
        }
    ],
}

MESSAGES = 7
"""Webhook calls that the alerts below lead to."""


def alert(name: str, ends: str = "2036-11-21T10:00:00Z", **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"<b>&\u2028 \u00e9 {name}", "quoted": 'a"b\\\n'},
        "startsAt": "2024-11-21T10:00:00.5+08:00",
        "endsAt": ends,
        "generatorURL": "http://prometheus/graph?g0.expr=a%3E1&x=<y>",
    }


BATCHES = [
    [alert("B", zone='z"1', job="2", instance="b"), alert("B", zone='z"1', job="2", extra="\u00e9"), alert("C", no="")],
    [alert("A", severity="page", host="x"), alert("A", severity="page", host="y")],
    [alert("D", severity="page", host="y"), alert("D", severity="page", host="x"), alert("E", job="1"), alert("E")],
]
END = [alert("B", ends="2024-11-21T10:20:00.25+08:00", zone='z"1', job="2", instance="b")]

BAD: list[dict[str, Any]] = [
    {"labels": {}},
    {"labels": {"a": "b"}, "startsAt": "2026-11-21T10:00:00Z", "endsAt": "2026-11-21T09:00:00Z"},
    {"labels": {"": "x"}},
]

VIEWS = [
    "/api/v2/alerts",
    "/api/v2/alerts/groups",
    "/api/v2/receivers",
    "/api/v2/alerts?receiver=hook",
    "/api/v2/alerts?receiver=team.x&filter=job%3D2",
    "/api/v2/alerts?filter=zone%3D%22z%5C%221%22",
    "/api/v2/alerts?active=false",
    "/api/v2/alerts/groups?receiver=hook&filter=alertname%21%3DA",
]


def config(webhook: str) -> dict[str, Any]:
    return {
        "route": ROUTE,
        "receivers": [
            {"name": "team.x", "webhook_configs": [{"url": f"{webhook}/all"}]},
            {"name": "hook", "webhook_configs": [{"url": f"{webhook}/some", "max_alerts": 1}]},
        ],
    }


class Configured(TellingEngine):
    """Our engine with that configuration."""

    def prepare(self) -> None:
        (self.folder / "alerting.yml").write_text(yaml.safe_dump(config(self._webhook)), encoding="utf-8")

    def command(self) -> list[str | Path]:
        return [*super().command(), f"--web.listen-address={self.address}", "--web.external-url=http://ext"]


class Upstream(Alertmanager):
    """Alertmanager, as it answers to the outside."""

    def command(self) -> list[str | Path]:
        return [*super().command(), "--web.external-url=http://ext/"]


async def tell(server: HttpServer, webhook: RecordingServer) -> dict[str, Any]:
    """Send everything; what the webhook got, the answers to bad alerts, and the views."""
    for batch in BATCHES:
        await asyncio.to_thread(server.call, "POST", "/api/v2/alerts", json.dumps(batch))
    await webhook.wait_for(MESSAGES - 1)
    await asyncio.to_thread(server.call, "POST", "/api/v2/alerts", json.dumps(END))
    requests = await webhook.wait_for(MESSAGES)
    return {
        "webhook": sorted((request.path, request.body.decode()) for request in requests),
        "refusals": [await asyncio.to_thread(refusal, server, bad) for bad in BAD],
        **{path: without_times(await asyncio.to_thread(server.call, "GET", path)) for path in VIEWS},
    }


def refusal(server: HttpServer, bad: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(RemoteAnswer) as caught:
        server.call("POST", "/api/v2/alerts", json.dumps([bad]))
    return caught.value.status, json.loads(caught.value.body)


def without_times(view: Any) -> Any:
    """The view without what can't be the same (when it came in) and what is newer than 0.25 (`mutedBy`)."""
    if isinstance(view, list):
        return [without_times(item) for item in view]
    if isinstance(view, dict):
        return {key: without_times(value) for key, value in view.items() if key not in ("updatedAt", "mutedBy")}
    return view


async def of(server: HttpServer, webhook: RecordingServer) -> dict[str, Any]:
    try:
        await asyncio.to_thread(server.start)
        return await tell(server, webhook)
    finally:
        await asyncio.to_thread(server.stop)


def test_nobody_can_tell_us_apart(tmp_path: Path) -> None:
    """Both run at the same time, each with its own webhook."""

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        async with RecordingServer() as first, RecordingServer() as second:
            theirs, ours = Upstream(tmp_path / "theirs"), Configured(tmp_path / "ours", second.url)
            theirs.write_config(yaml.safe_dump(config(first.url)))
            return await asyncio.gather(of(theirs, first), of(ours, second))

    theirs, ours = asyncio.run(main())
    for part, expected in theirs.items():
        assert ours[part] == expected, part
