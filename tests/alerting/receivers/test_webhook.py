"""The webhook: Alertmanager's payload, headers, and the reading of answers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.model.labels import fingerprint
from alerting.notify.outcome import Delivered, FailReason, Outcome, Refused, TryAgain
from alerting.receivers.http_calls import judge
from alerting.receivers.webhook import payload
from fenghuo.errors import RemoteRefused, RemoteTimeout
from fenghuo.httpcall import AiohttpCaller, Answer
from fenghuo.testing import FakeCaller, Recorded, RecordingServer, answer
from tests.alerting.notify.builders import firing, notification, resolved
from tests.alerting.receivers.builders import receiver_config, tools

EXPECTED = {
    "receiver": "team",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "A", "zone": "z"},
            "annotations": {"summary": "It burns"},
            "startsAt": "2023-11-14T22:13:20Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus/graph",
            "fingerprint": fingerprint({"alertname": "A", "zone": "z"}),
        },
        {
            "status": "resolved",
            "labels": {"alertname": "A", "zone": "y"},
            "annotations": {},
            "startsAt": "2023-11-15T06:13:20+08:00",
            "endsAt": "2023-11-15T06:14:20+08:00",
            "generatorURL": "",
            "fingerprint": fingerprint({"alertname": "A", "zone": "y"}),
        },
    ],
    "groupLabels": {"alertname": "A"},
    "commonLabels": {"alertname": "A"},
    "commonAnnotations": {},
    "externalURL": "http://alerts.example",
    "version": "4",
    "groupKey": '{}:{alertname="A"}',
    "truncatedAlerts": 0,
}

BOTH = notification(
    replace(firing("A", "It burns", zone="z"), generator_url="http://prometheus/graph"),
    replace(resolved("A", zone="y"), offsets=(28_800, 28_800)),
)


def test_the_payload_is_alertmanagers_version_4() -> None:
    sent = payload(BOTH, 0, "http://alerts.example")
    assert sent == EXPECTED
    assert list(sent) == list(EXPECTED)


def test_max_alerts_cuts_and_says_how_many() -> None:
    sent = payload(notification(resolved("A", n="1"), firing("A", n="2"), firing("A", n="3")), 1, "")
    assert [alert["labels"]["n"] for alert in sent["alerts"]] == ["1"]
    assert (sent["truncatedAlerts"], sent["status"]) == (2, "resolved")


def request_of(config: str, path: str = "/hook") -> Recorded:
    """What a server sees when the webhook of this configuration is told; URL stands for the server's address."""

    async def main() -> Recorded:
        async with RecordingServer() as server, AiohttpCaller() as http:
            text = f"name: team\nwebhook_configs:\n- url: {server.url}{path}\n{config}"
            [integration] = receiver_config(text).build(tools(http))
            assert await integration.receiver.send(BOTH, 1) == Delivered()
            return server.requests[0]

    return asyncio.run(main())


def test_it_posts_json_and_says_it_is_an_alertmanager() -> None:
    request = request_of("", "/hook?token=secret")
    assert (request.method, request.path, request.query) == ("POST", "/hook", {"token": "secret"})
    assert request.headers["User-Agent"] == "Alertmanager/0.34.0"
    assert request.headers["Content-Type"] == "application/json"
    assert request.json()["groupKey"] == '{}:{alertname="A"}'


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ("  http_config: {authorization: {credentials: abc}}", "Bearer abc"),
        ("  http_config: {authorization: {type: Token, credentials: abc}}", "Token abc"),
        (
            "  http_config: {basic_auth: {username: Aladdin, password: open sesame}}",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
    ],
)
def test_it_proves_who_it_is(config: str, header: str) -> None:
    assert request_of(config).headers["Authorization"] == header


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "url").write_text("http://files.example/hook\n")
    caller = FakeCaller(respond=lambda _: answer())
    config = receiver_config(
        f"name: a\nwebhook_configs:\n- url_file: {tmp_path}/url\n"
        f"  http_config: {{authorization: {{credentials_file: {tmp_path}/token}}}}"
    )
    [integration] = config.build(tools(caller))
    asyncio.run(integration.receiver.send(BOTH, 1))
    assert caller.requests[0].url == "http://files.example/hook"
    assert caller.requests[0].headers["Authorization"] == "Bearer from-file"


@pytest.mark.parametrize(("config", "seconds"), [("", 10.0), ("  timeout: 3s", 3.0), ("  timeout: 0s", 10.0)])
def test_a_call_has_a_deadline(config: str, seconds: float) -> None:
    caller = FakeCaller(respond=lambda _: answer())
    [integration] = receiver_config(f"name: a\nwebhook_configs:\n- url: http://x\n{config}").build(tools(caller))
    asyncio.run(integration.receiver.send(BOTH, 1))
    assert caller.requests[0].timeout == seconds


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Delivered()),
        (204, {}, Delivered()),
        (500, {}, TryAgain(FailReason.SERVER_ERROR, "http://fake answered 500: why")),
        (503, {"retry-after": "7"}, TryAgain(FailReason.SERVER_ERROR, "http://fake answered 503: why", 7.0)),
        (429, {"Retry-After": "9"}, TryAgain(FailReason.CLIENT_ERROR, "http://fake answered 429: why", 9.0)),
        (400, {}, Refused(FailReason.CLIENT_ERROR, "http://fake answered 400: why")),
        (404, {}, Refused(FailReason.CLIENT_ERROR, "http://fake answered 404: why")),
        (302, {}, Refused(FailReason.OTHER, "http://fake answered 302: why")),
    ],
)
def test_each_answer_means_one_thing(status: int, headers: dict[str, str], expected: Outcome) -> None:
    answered: Answer = answer(status, "why", headers)
    assert judge(answered, "http://fake", now=0.0) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            RemoteTimeout("http://hook.example/token", "no answer within 10 s"),
            TryAgain(FailReason.TIMEOUT, "http://hook.example: no answer within 10 s"),
        ),
        (
            RemoteRefused("http://hook.example/token", "InvalidURL: http://u:pw@hook.example/token?key=1"),
            TryAgain(FailReason.OTHER, "http://hook.example: InvalidURL: http://hook.example"),
        ),
        (answer(503, "busy"), TryAgain(FailReason.SERVER_ERROR, "http://hook.example answered 503: busy")),
    ],
)
def test_a_failure_is_told_without_the_secret_parts_of_the_url(error: Exception | Answer, expected: Outcome) -> None:
    caller = FakeCaller()
    caller.script.append(error)
    text = "name: a\nwebhook_configs:\n- url: http://u:pw@hook.example/token?key=1"
    [integration] = receiver_config(text).build(tools(caller))
    assert asyncio.run(integration.receiver.send(BOTH, 1)) == expected


@pytest.mark.parametrize("body", [b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000, b"Content-Length: 9\r\n\r\nx"])
def test_a_2xx_with_a_body_too_long_or_broken_off_is_not_sent_again(body: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + body)
        await writer.drain()
        writer.close()

    async def main() -> Outcome:
        async with await asyncio.start_server(reply, "127.0.0.1", 0) as server, AiohttpCaller() as http:
            port = server.sockets[0].getsockname()[1]
            config = receiver_config(f"{{name: r, webhook_configs: [{{url: 'http://127.0.0.1:{port}/'}}]}}")
            return await config.build(tools(http))[0].receiver.send(BOTH, 1)

    assert asyncio.run(main()) == Delivered()
