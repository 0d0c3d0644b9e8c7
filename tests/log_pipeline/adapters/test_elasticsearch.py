"""What goes over the wire to Elasticsearch, and what each answer does to the events. The server is scripted."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from fenghuo.config import parse_config
from fenghuo.errors import ConfigError, RemoteAnswer, RemoteRefused
from fenghuo.secrets import Secret
from fenghuo.testing import Recorded, RecordingServer, Reply
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Answer, Duplicate, Indexed, Rejected, Retry
from log_pipeline.testing import new_event

PRODUCT = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}


def reply(content: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode(), PRODUCT)


def items(*statuses: int) -> Reply:
    return reply({"items": [{"create": {"status": status}} for status in statuses]})


def play(
    replies: Sequence[Reply], act: Callable[[ElasticsearchSink], Awaitable[Any]], **config: Any
) -> tuple[Any, list[Recorded]]:
    """Do `act` with a sink whose server gives these replies; its result and the requests."""

    async def main() -> tuple[Any, list[Recorded]]:
        async with RecordingServer() as server:
            server.replies.extend(replies)
            settings = ElasticsearchConfig(type="elasticsearch", url=server.url, index="logs-test", **config)
            sink = ElasticsearchSink(settings, DocumentEncoder())
            try:
                return await act(sink), server.requests
            finally:
                await sink.close()

    return asyncio.run(main())


def write(events: Sequence[Event], *replies: Reply) -> tuple[list[Answer], list[Recorded]]:
    async def act(sink: ElasticsearchSink) -> list[Answer]:
        return list(await sink.write(events))

    return play(replies, act)


def test_a_batch_is_one_bulk_request_of_creates_with_our_ids() -> None:
    answers, requests = write([new_event(1, "one"), new_event(2, 'zw"ei')], items(201, 409))
    assert answers == [Indexed(), Duplicate()]
    assert [(request.method, request.path) for request in requests] == [("POST", "/logs-test/_bulk")]
    assert [json.loads(line) for line in requests[0].body.splitlines()] == [
        {"create": {"_id": "0-1"}},
        {"@timestamp": "2026-11-21T09:30:00.000Z", "message": "one", "log": {"offset": 1}},
        {"create": {"_id": "0-2"}},
        {"@timestamp": "2026-11-21T09:30:00.000Z", "message": 'zw"ei', "log": {"offset": 2}},
    ]


def test_a_request_that_is_too_large_is_halved_and_every_event_has_its_own_answer() -> None:
    too_large = reply({"error": "too large"}, 413)
    answers, requests = write(
        [new_event(number) for number in range(3)], too_large, items(201), too_large, items(409), items(201)
    )
    assert answers == [Indexed(), Duplicate(), Indexed()]
    assert len(requests) == 5


def test_the_one_document_that_no_request_may_hold_is_found_and_rejected() -> None:
    bad = reply({"error": {"type": "illegal_argument_exception", "reason": "malformed"}}, 400)
    answers, _ = write([new_event(0), new_event(1)], bad, items(201), bad)
    assert answers == [Indexed(), Rejected("refused_alone", "the server takes no request with this document")]


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "unauthorized"), (403, "unauthorized"), (429, "busy"), (503, "server_error")]
)
def test_a_request_that_is_refused_keeps_all_its_events(status: int, reason: str) -> None:
    answers, _ = write([new_event(0), new_event(1)], reply({"error": {"type": "some_exception"}}, status))
    assert [isinstance(answer, Retry) and (answer.reason, answer.tries) for answer in answers] == [(reason, None)] * 2


def test_a_server_that_is_not_there_keeps_all_events() -> None:
    async def main() -> Sequence[Answer]:
        config = ElasticsearchConfig(type="elasticsearch", url="http://user:pw@127.0.0.1:9", index="logs-test")
        sink = ElasticsearchSink(config, DocumentEncoder())
        try:
            return await sink.write([new_event()])
        finally:
            await sink.close()

    (answer,) = asyncio.run(main())
    assert isinstance(answer, Retry)
    assert (answer.reason, answer.tries) == ("unreachable", None)
    assert "pw" not in answer.detail


def test_an_answer_that_does_not_come_in_time_keeps_all_events() -> None:
    async def act(sink: ElasticsearchSink) -> Sequence[Answer]:
        return await sink.write([new_event()])

    (answer,), _ = play([Reply(delay=5.0)], act, timeout=0.2)
    assert isinstance(answer, Retry)
    assert answer.reason == "timeout"


def test_a_server_of_another_product_is_not_taken_for_elasticsearch() -> None:
    (answer,), _ = write([new_event()], Reply(200, b"{}", {"Content-Type": "application/json"}))
    assert isinstance(answer, Retry)
    assert answer.reason == "not_elasticsearch"


def test_an_event_that_cannot_be_encoded_does_not_hold_its_neighbours() -> None:
    broken = new_event(1)
    broken.body = b"[1,\n2]"
    answers, requests = write([new_event(0), broken, new_event(2)], items(201, 201))
    assert answers == [Indexed(), Rejected("unencodable", "the body is no JSON object"), Indexed()]
    assert len(requests[0].body.splitlines()) == 4


def test_the_template_is_set_up_when_it_is_missing() -> None:
    _, requests = play([Reply(404, headers=PRODUCT), reply({"acknowledged": True})], lambda sink: sink.open())
    assert [(request.method, request.path) for request in requests] == [
        ("HEAD", "/_index_template/fenghuo-logs-test"),
        ("PUT", "/_index_template/fenghuo-logs-test"),
    ]
    template = requests[1].json()
    assert template["index_patterns"] == ["logs-test"]
    assert template["data_stream"] == {}
    assert template["template"]["mappings"]["properties"]["log"]["properties"]["level"]["type"] == "keyword"


def test_a_template_that_is_there_is_left_alone() -> None:
    _, requests = play([Reply(200, headers=PRODUCT)], lambda sink: sink.open())
    assert [request.method for request in requests] == ["HEAD"]


def test_a_failed_set_up_is_an_error_of_ours() -> None:
    with pytest.raises(RemoteAnswer, match="answered 403"):
        play([Reply(404, headers=PRODUCT), reply({"error": "no"}, 403)], lambda sink: sink.open())

    async def away() -> None:
        config = ElasticsearchConfig(type="elasticsearch", url="http://127.0.0.1:9", index="logs-test")
        sink = ElasticsearchSink(config, DocumentEncoder())
        try:
            await sink.open()
        finally:
            await sink.close()

    with pytest.raises(RemoteRefused):
        asyncio.run(away())


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"api_key": Secret("a2V5")}, "ApiKey a2V5"),
        ({"username": "elastic", "password": Secret("pw")}, "Basic ZWxhc3RpYzpwdw=="),
    ],
)
def test_credentials_are_sent(credentials: dict[str, Any], expected: str) -> None:
    _, requests = play([Reply(200, headers=PRODUCT)], lambda sink: sink.open(), **credentials)
    assert requests[0].headers["Authorization"] == expected


def test_all_mistakes_of_a_configuration_are_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("{type: elasticsearch, url: 'es:9200', index: Logs, timeout: 0}", ElasticsearchConfig, "logs.yml")
    assert {problem.path for problem in caught.value.problems} == {"url", "index", "timeout"}


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("url: http://es", "a port"),
        ("url: http://es:99999", "a port"),
        ("url: http://es:9200, ca_file: ca.pem", "https"),
        ("url: https://es:9200, ca_file: /not/there.pem", "/not/there.pem"),
    ],
)
def test_what_the_client_would_refuse_is_a_mistake_in_the_configuration(text: str, expectation: str) -> None:
    with pytest.raises(ConfigError, match=expectation):
        parse_config(f"{{type: elasticsearch, {text}}}", ElasticsearchConfig, "x.yml")
