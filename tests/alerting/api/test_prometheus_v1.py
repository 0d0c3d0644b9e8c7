"""Prometheus' rules API as its clients see it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerting.api.prometheus_v1 import PrometheusApi
from alerting.engine.engine import Engine, RuleSet
from alerting.engine.judge import World
from alerting.engine.metrics import EngineMetrics
from alerting.rules.load import load_text
from alerting.testing import MemoryStates, RecordingSink, ScriptedSource
from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import AiohttpCaller, Answer, Request
from fenghuo.testing import ManualClock
from tests.alerting.engine.builders import sample

RULES = """
groups:
- name: hosts
  interval: 10s
  limit: 5
  rules:
  - {record: 'job:up', expr: up, labels: {a: b}}
  - alert: Down
    expr: up == 0
    for: 10s
    keep_firing_for: 1m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.instance }}"}
- name: broken
  interval: 10s
  rules:
  - {alert: Broken, expr: away}
"""

Get = Callable[[str], Awaitable[Answer]]


def play(story: Callable[[Get, ManualClock, ScriptedSource], Awaitable[None]]) -> None:
    """Run a story against the API of an engine that has evaluated nothing yet."""

    async def scenario() -> None:
        clock = ManualClock(1_700_000_000.0)
        source = ScriptedSource({"away": RemoteRefused("http://source", "connection refused")})
        engine = Engine(MemoryStates(), RecordingSink(), clock, EngineMetrics(CollectorRegistry()))
        await engine.start(RuleSet(load_text(RULES, "rules.yml"), {"p": source}, World({}, "")))
        application = web.Application()
        PrometheusApi(engine.view).add_to(application)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with AiohttpCaller() as http:
            await story(lambda path: http.call(Request("GET", url + path)), clock, source)
        await runner.cleanup()
        await engine.close()

    asyncio.run(scenario())


async def groups(get: Get, parameters: str = "") -> list[dict[str, Any]]:
    body = (await get(f"/api/v1/rules{parameters}")).ok().json()
    assert body["status"] == "success"
    found: list[dict[str, Any]] = body["data"]["groups"]
    return found


def test_rules_and_alerts_have_the_fields_of_prometheus() -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        source.answers["up == 0"] = [sample(0.0, instance="a")]
        await clock.advance(10)
        hosts, _ = await groups(get)
        first = hosts["lastEvaluation"]
        await clock.advance(20)
        hosts, broken = await groups(get)
        assert {key: hosts[key] for key in ("name", "file", "interval", "limit", "evaluationTime")} == {
            "name": "hosts",
            "file": "rules.yml",
            "interval": 10.0,
            "limit": 5,
            "evaluationTime": 0.0,
        }
        recording, down = hosts["rules"]
        assert recording == {
            "name": "job:up",
            "query": "up",
            "health": "unknown",
            "lastError": "recording rules are not evaluated here yet: load this file into the metrics store as well",
            "labels": {"a": "b"},
            "evaluationTime": 0.0,
            "lastEvaluation": "0001-01-01T00:00:00Z",
            "type": "recording",
        }
        alert = {
            "labels": {"alertname": "Down", "instance": "a", "severity": "page"},
            "annotations": {"summary": "a"},
            "state": "firing",
            "activeAt": first,
            "value": "0e+00",
        }
        assert down == {
            "state": "firing",
            "name": "Down",
            "query": "up == 0",
            "duration": 10.0,
            "keepFiringFor": 60.0,
            "labels": {"severity": "page"},
            "annotations": {"summary": "{{ $labels.instance }}"},
            "alerts": [alert],
            "health": "ok",
            "evaluationTime": 0.0,
            "lastEvaluation": hosts["lastEvaluation"],
            "type": "alerting",
        }
        assert broken["rules"][0]["health"] == "err"
        assert broken["rules"][0]["lastError"] == "http://source: connection refused"
        assert (await get("/api/v1/alerts")).json() == {"status": "success", "data": {"alerts": [alert]}}

    play(story)


def test_states_are_shown_in_the_words_of_prometheus() -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        async def shown() -> tuple[str, list[str], bool]:
            rule = (await groups(get, "?rule_name[]=Down"))[0]["rules"][0]
            return rule["state"], [alert["state"] for alert in rule["alerts"]], "keepFiringSince" in str(rule["alerts"])

        assert await shown() == ("inactive", [], False)
        source.answers["up == 0"] = [sample(0.0)]
        await clock.advance(10)
        assert await shown() == ("pending", ["pending"], False)
        await clock.advance(10)
        assert await shown() == ("firing", ["firing"], False)
        source.answers["up == 0"] = []
        await clock.advance(10)
        assert await shown() == ("firing", ["firing"], True), "it keeps firing"
        await clock.advance(70)
        assert await shown() == ("inactive", [], False), "resolved is not active"

    play(story)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", ["job:up", "Down", "Broken"]),
        ("?type=alert", ["Down", "Broken"]),
        ("?type=record", ["job:up"]),
        ("?rule_name[]=Down&rule_name[]=Broken", ["Down", "Broken"]),
        ("?rule_group[]=broken", ["Broken"]),
        ("?file[]=rules.yml&rule_group[]=hosts", ["job:up", "Down"]),
        ("?file[]=other.yml", []),
        ("?rule_name[]=Nothing", []),
    ],
)
def test_parameters_choose_rules(parameters: str, expected: list[str]) -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        found = await groups(get, parameters)
        assert [rule["name"] for group in found for rule in group["rules"]] == expected
        assert all(group["rules"] for group in found), "a group without a chosen rule is left out"

    play(story)


def test_alerts_can_be_left_out() -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        source.answers["up == 0"] = [sample(0.0)]
        await clock.advance(10)
        (group,) = await groups(get, "?rule_name[]=Down&exclude_alerts=true")
        assert (group["rules"][0]["state"], group["rules"][0]["alerts"]) == ("pending", [])

    play(story)


@pytest.mark.parametrize("parameters", ["?type=nonsense", "?exclude_alerts=perhaps"])
def test_a_bad_parameter_says_what_was_expected(parameters: str) -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        answer = await get(f"/api/v1/rules{parameters}")
        body = answer.json()
        assert (answer.status, body["status"], body["errorType"]) == (400, "error", "bad_data")
        assert body["error"].startswith("expected")

    play(story)


def test_clients_are_told_which_prometheus_this_speaks_like() -> None:
    async def story(get: Get, clock: ManualClock, source: ScriptedSource) -> None:
        body = (await get("/api/v1/status/buildinfo")).json()
        assert body["status"] == "success"
        assert body["data"]["version"].count(".") == 2

    play(story)
