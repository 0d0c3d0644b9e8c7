"""API v2 as its clients see it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fenghuo.clock import rfc3339
from fenghuo.httpcall import Answer
from tests.alerting.api.application import START, Api, play


def body(*alerts: dict[str, Any]) -> bytes:
    return json.dumps(alerts).encode()


def labels(name: str, **others: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, **others}}


def names(answer: Answer) -> list[str]:
    return sorted(alert["labels"]["alertname"] for alert in answer.ok().json())


def test_an_alert_comes_back_as_it_was_sent_and_with_what_we_know(tmp_path: Path) -> None:
    sent = {
        "labels": {"alertname": "A", "host": "x", "empty": ""},
        "annotations": {"summary": "It burns"},
        "startsAt": "2023-11-15T06:13:10.123456789+08:00",
        "endsAt": "2023-11-15T07:00:00+08:00",
        "generatorURL": "http://prometheus/graph",
    }

    async def story(api: Api) -> None:
        answer = await api.post(body(sent))
        assert (answer.status, answer.body) == (200, b"")
        got = await api.get("/api/v2/alerts")
        assert got.headers["Cache-Control"] == "no-store"
        [alert] = got.json()
        assert len(alert.pop("fingerprint")) == 16
        assert alert == {
            "labels": {"alertname": "A", "host": "x"},
            "annotations": {"summary": "It burns"},
            "startsAt": "2023-11-15T06:13:10.123+08:00",
            "endsAt": "2023-11-15T07:00:00.000+08:00",
            "updatedAt": "2023-11-14T22:13:20.000Z",
            "generatorURL": "http://prometheus/graph",
            "receivers": [{"name": "everyone"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
        }

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("times", "starts", "ends"),
    [
        ({}, 0, 300),
        ({"startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00.000Z"}, 0, 300),
        ({"startsAt": rfc3339(START - 60)}, -60, 300),
        ({"endsAt": rfc3339(START + 60)}, 0, 60),
        ({"startsAt": rfc3339(START - 60), "endsAt": rfc3339(START + 60)}, -60, 60),
    ],
)
def test_missing_times_are_filled_in(tmp_path: Path, times: dict[str, str], starts: float, ends: float) -> None:
    async def story(api: Api) -> None:
        (await api.post(body({**labels("A"), **times}))).ok()
        [alert] = (await api.get("/api/v2/alerts")).json()
        assert (alert["startsAt"], alert["endsAt"]) == (rfc3339(START + starts), rfc3339(START + ends))

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"labels": {}}, "at least one label pair required"),
        ({"labels": {"a": ""}}, "at least one label pair required"),
        ({"annotations": {"a": "b"}}, "at least one label pair required"),
        ({"labels": {"a": 1}}, "expected labels.a to be a text, got int"),
        ({"labels": ["a"]}, "expected labels to be an object, got list"),
        ({"labels": {"": "b"}}, 'invalid label set: invalid name ""'),
        (
            {**labels("B"), "startsAt": "yesterday"},
            "expected startsAt to be an RFC 3339 time, got 'yesterday'",
        ),
        ({**labels("B"), "startsAt": 17}, "expected startsAt to be a text, got int"),
        ({**labels("B"), "endsAt": "1950-01-01T00:00:00Z"}, "expected endsAt between 1970 and 9999"),
        (
            {**labels("B"), "startsAt": rfc3339(START), "endsAt": rfc3339(START - 1)},
            "start time must be before end time",
        ),
        ("text", "expected an object with labels, got str"),
    ],
)
def test_a_bad_alert_is_refused_and_its_good_neighbours_are_stored(tmp_path: Path, bad: Any, why: str) -> None:
    async def story(api: Api) -> None:
        answer = await api.post(body(labels("A"), bad, labels("C")))
        assert answer.status == 400
        assert answer.json().startswith(why)
        assert answer.json().endswith(" (alert 1)")
        assert (await api.post(body(bad))).json().startswith(why)
        assert names(await api.get("/api/v2/alerts")) == ["A", "C"]
        assert api.registry.get_sample_value("alertmanager_alerts_invalid_total", {"version": "v2"}) == 2
        received = {"status": "firing", "version": "v2"}
        assert api.registry.get_sample_value("alertmanager_alerts_received_total", received) == 2

    play(tmp_path, story)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b'{"labels": {}}',
        b"null",
        b'[{"labels": {"a": "\xff"}}]',
        b'[{"labels": {"a": "\\ud800"}}]',
        b"[" * 99999,
    ],
    ids=["empty", "cut", "object", "null", "bad UTF-8", "lone surrogate", "deep"],
)
def test_what_is_no_array_of_alerts_is_refused(tmp_path: Path, sent: bytes) -> None:
    async def story(api: Api) -> None:
        answer = await api.post(sent)
        assert answer.status == 400
        assert isinstance(answer.json(), str)
        assert (await api.get("/api/v2/alerts")).json() == []

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("?filter=alertname%3DA", ["A"]),
        ("?filter=alertname%3D~%22A%7CB%22", ["A", "B"]),
        ("?filter=alertname%3D~%22A%7CB%22&filter=host%21%3Dx", ["B"]),
        ("?filter=host%3D%22%22", ["C"]),
        ("?receiver=pager", ["B"]),
        ("?receiver=page", []),
        ("?receiver=every.*", ["A", "C"]),
        ("?active=false", []),
        ("?active=true&silenced=false&inhibited=false&unprocessed=false", ["A", "B", "C"]),
    ],
)
def test_a_client_sees_what_it_asks_for(tmp_path: Path, query: str, expected: list[str]) -> None:
    async def story(api: Api) -> None:
        (await api.post(body(labels("A", host="x"), labels("B", host="y", severity="page"), labels("C")))).ok()
        answer = await api.get(f"/api/v2/alerts{query}")
        assert names(answer) == expected
        fingerprints = [alert["fingerprint"] for alert in answer.json()]
        assert fingerprints == sorted(fingerprints)

    play(tmp_path, story)


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/alerts/groups"])
@pytest.mark.parametrize(
    "query",
    [
        "filter=%3F%3F%3F",
        "filter=a%3D~%22(b%2B)%2Bc%22",
        "receiver=(b%2B)%2Bc",
        "receiver=%28",
        "active=perhaps",
        "silenced=2",
    ],
)
def test_a_question_that_makes_no_sense_is_refused(tmp_path: Path, path: str, query: str) -> None:
    async def story(api: Api) -> None:
        answer = await api.get(f"{path}?{query}")
        assert answer.status == 400
        assert isinstance(answer.json(), str)

    play(tmp_path, story)


def test_an_alert_is_gone_when_it_is_over(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        (await api.post(body({**labels("A"), "endsAt": rfc3339(START + 60)}, labels("B")))).ok()
        await api.clock.advance(61)
        assert names(await api.get("/api/v2/alerts")) == ["B"]
        assert api.registry.get_sample_value("alertmanager_alerts", {"state": "active"}) == 1

    play(tmp_path, story)


def test_groups_show_who_is_told_of_what_together(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        (
            await api.post(body(labels("B", host="y", severity="page"), labels("A", host="x"), labels("A", host="z")))
        ).ok()
        groups = (await api.get("/api/v2/alerts/groups")).json()
        shown = [(one["receiver"]["name"], one["labels"], len(one["alerts"])) for one in groups]
        assert shown == [
            ("everyone", {"alertname": "A"}, 2),
            ("log", {"alertname": "B"}, 1),
            ("pager", {"alertname": "B", "host": "y"}, 1),
        ]
        assert groups[1]["alerts"][0]["receivers"] == [{"name": "pager"}, {"name": "log"}]
        [only] = (await api.get("/api/v2/alerts/groups?receiver=pager")).json()
        assert only["receiver"] == {"name": "pager"}
        assert api.registry.get_sample_value("alertmanager_dispatcher_aggregation_groups") == 3

    play(tmp_path, story)


def test_the_receivers_are_listed_as_in_the_file(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        assert (await api.get("/api/v2/receivers")).json() == [{"name": "everyone"}, {"name": "pager"}, {"name": "log"}]

    play(tmp_path, story)


def test_the_status_says_what_clients_look_for_and_no_secret(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        answer = await api.get("/api/v2/status")
        status = answer.json()
        assert status["cluster"] == {"status": "disabled", "peers": []}
        assert status["versionInfo"]["version"] == "0.34.0"
        keys = {"branch", "buildDate", "buildUser", "goVersion", "revision", "version"}
        assert set(status["versionInfo"]) == keys
        assert status["uptime"] == rfc3339(START)
        assert "token" not in answer.text()
        config = yaml.safe_load(status["config"]["original"])
        assert config["receivers"][1] == {"name": "pager", "webhook_configs": [{"url": "<secret>"}]}
        assert config["receivers"][0] == {"name": "everyone"}
        assert config["route"]["group_wait"] == "30s"
        assert config["route"]["routes"][0]["continue"] is True

    play(tmp_path, story)
