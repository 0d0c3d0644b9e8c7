"""A real Prometheus scrapes our exporter; rules over it become webhook messages, whatever dies on the way."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from fenghuo.clock import from_rfc3339
from fenghuo.testing import RecordingServer
from tests.stack.servers.over_http import HttpServer
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

T = TypeVar("T")

FOR = 15.0
RULES = {
    "groups": [
        {
            "name": "hosts",
            "interval": "1s",
            "rules": [
                {
                    "alert": "HostDown",
                    "expr": 'up{job="node"} == 0',
                    "for": f"{FOR:g}s",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $labels.instance }} is down, up is {{ $value }}"},
                }
            ],
        }
    ]
}


class Exporter(HttpServer):
    """`python -m exporters` as a process of its own."""

    name = "exporter"
    ready_path = "/-/ready"

    def prepare(self) -> None:
        """Nothing: flags are all it has."""

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "exporters", "--collect=node", f"--web.listen-address={self.address}"]


class AlertEngine(HttpServer):
    """`python -m alerting run` as a process of its own, with one rule file and one webhook."""

    name = "alerting"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, source: str, webhook: str) -> None:
        super().__init__(folder)
        self._config = {
            "sources": [{"name": "prometheus", "type": "prometheus", "url": source, "timeout": "2s"}],
            "rule_files": ["rules.yml"],
            "storage": {"path": "state"},
            "web": {"listen_address": self.address},
            "route": {"receiver": "hook", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook}]}],
        }

    def prepare(self) -> None:
        (self.folder / "rules.yml").write_text(yaml.safe_dump(RULES))
        (self.folder / "alerting.yml").write_text(yaml.safe_dump(self._config))

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "alerting", "run", f"--config.file={self.folder / 'alerting.yml'}"]

    def alert(self, state: str) -> dict[str, Any] | None:
        """The one alert when it is in this state."""
        alerts = self.call("GET", "/api/v1/alerts")["data"]["alerts"]
        return next((alert for alert in alerts if alert["state"] == state), None)

    def rule(self) -> dict[str, Any]:
        """The one rule."""
        rule: dict[str, Any] = self.call("GET", "/api/v1/rules")["data"]["groups"][0]["rules"][0]
        return rule


@pytest.fixture
def exporter(tmp_path: Path, prometheus: Prometheus) -> Iterator[Exporter]:
    """An exporter that runs and is scraped each second."""
    handle = Exporter(tmp_path / "exporter")
    job = {"job_name": "node", "static_configs": [{"targets": [handle.address]}]}
    handle.start()
    prometheus.start(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    try:
        wait_until(lambda: prometheus.query('node_load1{job="node"}'), "a first scrape of the exporter")
        yield handle
    finally:
        handle.stop()
        prometheus.start()


async def soon(check: Callable[[], T | None], what: str) -> T:
    """Wait for it in a thread, so that the webhook server goes on answering."""
    found = await asyncio.to_thread(wait_until, check, what, 60.0)
    assert found is not None
    return found


def test_a_kill_in_the_pending_phase_does_not_reset_for(
    prometheus: Prometheus, exporter: Exporter, tmp_path: Path
) -> None:
    """Pending, killed, pending since the same moment, firing when `for` is over, resolved: two v4 messages."""

    async def scenario() -> tuple[float, list[dict[str, Any]]]:
        async with RecordingServer() as hook:
            engine = AlertEngine(tmp_path / "alerting", prometheus.url, hook.url)
            await asyncio.to_thread(engine.start)
            try:
                await asyncio.to_thread(exporter.stop)
                before = await soon(lambda: engine.alert("pending"), "a pending alert")
                active_at = from_rfc3339(before["activeAt"])
                await soon(lambda: from_rfc3339(engine.rule()["lastEvaluation"]) >= active_at + 6, "six seconds of it")
                await asyncio.to_thread(engine.kill)
                await asyncio.to_thread(engine.start)
                after = await soon(lambda: engine.alert("pending"), "the pending alert after the kill")
                assert after["activeAt"] == before["activeAt"]
                await hook.wait_for(1, 60.0)
                await asyncio.to_thread(exporter.start)
                await hook.wait_for(2, 60.0)
                return active_at, [request.json() for request in hook.requests]
            finally:
                await asyncio.to_thread(engine.stop)

    active_at, messages = asyncio.run(scenario())
    firing, resolved = messages
    alert = firing["alerts"][0]
    assert (firing["version"], firing["status"], firing["receiver"]) == ("4", "firing", "hook")
    assert alert["labels"] == {
        "alertname": "HostDown",
        "instance": exporter.address,
        "job": "node",
        "severity": "critical",
    }
    assert alert["annotations"] == {"summary": f"{exporter.address} is down, up is 0"}
    # had the kill reset it, it could not fire before six seconds later
    assert FOR <= from_rfc3339(alert["startsAt"]) - active_at < FOR + 3
    assert (resolved["status"], len(resolved["alerts"])) == ("resolved", 1)
    assert resolved["alerts"][0]["startsAt"] == alert["startsAt"]
    assert from_rfc3339(resolved["alerts"][0]["endsAt"]) > from_rfc3339(alert["startsAt"])


def test_a_dead_prometheus_resolves_nothing_and_shows_on_the_rule(
    prometheus: Prometheus, exporter: Exporter, tmp_path: Path
) -> None:
    """The alert fires on while the source is killed and back, and not one message is sent about it."""

    async def scenario() -> list[str]:
        async with RecordingServer() as hook:
            engine = AlertEngine(tmp_path / "alerting", prometheus.url, hook.url)
            await asyncio.to_thread(engine.start)
            try:
                await asyncio.to_thread(exporter.stop)
                await hook.wait_for(1, 60.0)
                await asyncio.to_thread(prometheus.kill)
                rule = await soon(
                    lambda: rule if (rule := engine.rule())["health"] == "err" else None, "a rule in error"
                )
                assert rule["lastError"].endswith("connection refused"), rule
                assert rule["state"] == "firing"
                await asyncio.to_thread(prometheus.start)
                await soon(lambda: engine.rule()["health"] == "ok", "a healthy rule")
                await asyncio.to_thread(exporter.start)
                await hook.wait_for(2, 60.0)
                return [json.loads(request.body)["status"] for request in hook.requests]
            finally:
                await asyncio.to_thread(engine.stop)

    assert asyncio.run(scenario()) == ["firing", "resolved"]
