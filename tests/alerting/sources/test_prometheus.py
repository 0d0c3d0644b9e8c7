"""The Prometheus source: what it sends, what it reads, what it makes of trouble."""

import asyncio
import json
import math
from collections import deque
from urllib.parse import parse_qs

import pytest

from alerting.engine.ports import Result, Sample
from alerting.sources.prometheus import Prometheus, PrometheusConfig
from fenghuo.config import parse_config
from fenghuo.errors import ConfigError, RemoteError, RemoteRefused, RemoteTimeout
from fenghuo.httpcall import AiohttpCaller, Answer
from fenghuo.testing import FakeCaller, ManualClock, RecordingServer, Reply, answer

REFUSED = RemoteRefused("http://p", "connection refused")


def vector(*series: object, **more: object) -> Answer:
    return answer(body={"status": "success", "data": {"resultType": "vector", "result": list(series)}, **more})


def ask(*script: Answer | Exception, **settings: object) -> tuple[Result | RemoteError, FakeCaller]:
    """One query against scripted answers: what came out and what was sent."""

    async def scenario() -> tuple[Result | RemoteError, FakeCaller]:
        clock, caller = ManualClock(), FakeCaller(script=deque(script))
        source = Prometheus(
            PrometheusConfig.model_validate({"name": "p", "url": "http://p:9090/", **settings}), caller, clock
        )
        asking = asyncio.ensure_future(source.query('up{a="b"} == 0', 1_700_000_000.5))
        while not asking.done():
            await clock.advance(0.1)
        error = asking.exception()
        if isinstance(error, RemoteError):
            return error, caller
        return asking.result(), caller

    return asyncio.run(scenario())


def test_it_posts_the_query_with_its_time_and_a_limit() -> None:
    _, caller = ask(vector())
    (request,) = caller.requests
    assert (request.method, request.url, request.timeout) == ("POST", "http://p:9090/api/v1/query", 30.0)
    assert parse_qs((request.body or b"").decode()) == {
        "query": ['up{a="b"} == 0'],
        "time": ["1700000000.500"],
        "timeout": ["30s"],
        "partial_response": ["false"],
    }


def test_it_sends_what_it_was_told_to_show() -> None:
    _, caller = ask(vector(), username="me", password="secret")
    assert caller.requests[0].headers["Authorization"] == "Basic bWU6c2VjcmV0"
    _, caller = ask(vector(), bearer_token="token")
    assert caller.requests[0].headers["Authorization"] == "Bearer token"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1, "1.5"]}]},
            Result([Sample({"a": "b"}, 1.5)]),
        ),
        ({"resultType": "vector", "result": []}, Result([])),
        ({"resultType": "scalar", "result": [1, "-Inf"]}, Result([Sample({}, -math.inf)])),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {"count": "2"}]}]}, Result([])),
    ],
)
def test_it_reads_vectors_and_scalars(body: object, expected: Result) -> None:
    found, _ = ask(answer(body={"status": "success", "data": body}))
    assert found == expected


def test_it_passes_warnings_on() -> None:
    found, _ = ask(vector(warnings=["half of it"], infos=["by the way"]))
    assert found == Result([], ("half of it",))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}), "bad_data: parse error"),
        (answer(422, {"status": "error", "errorType": "execution", "error": "too many"}), "execution: too many"),
        (answer(200, "<html>login</html>"), "no answer of Prometheus"),
        (answer(404, "not found"), "answered 404: not found"),
        (answer(200, '{"status":"success","data":{"resultType":"vec'), "no answer of Prometheus"),
        (answer(200, {"status": "success", "data": {"resultType": "matrix", "result": []}}), "gives a matrix"),
        (answer(200, {"status": "success"}), "answered 200"),
        (vector({"metric": {}, "value": [1, "many"]}), "no answer of Prometheus"),
        (answer(200, b"\xff\xfe"), "no answer of Prometheus"),
        (answer(200, "[" * 100_000), "no answer of Prometheus"),
        (RemoteTimeout("http://p", "no answer within 30 s"), "no answer within 30 s"),
    ],
)
def test_trouble_is_a_remote_error_with_its_reason_and_is_not_tried_again(
    reply: Answer | Exception, reason: str
) -> None:
    found, caller = ask(reply)
    assert isinstance(found, RemoteError)
    assert reason in str(found)
    assert len(caller.requests) == 1


@pytest.mark.parametrize("trouble", [REFUSED, answer(502, "bad gateway"), answer(503, "starting"), answer(504, "")])
def test_what_may_pass_is_tried_once_more(trouble: Answer | Exception) -> None:
    found, caller = ask(trouble, vector())
    assert (found, len(caller.requests)) == (Result([]), 2)
    assert caller.requests[1].timeout <= 29.5
    found, caller = ask(trouble, trouble)
    assert isinstance(found, RemoteError)
    assert len(caller.requests) == 2


def test_more_series_than_allowed_are_refused() -> None:
    series = [{"metric": {"n": str(number)}, "value": [1, "1"]} for number in range(3)]
    found, _ = ask(vector(*series), most_series=2)
    assert "3 series are more than most_series 2" in str(found)


def test_a_long_answer_is_cut_off_and_a_slow_one_given_up() -> None:
    """Against a real socket."""

    async def scenario() -> list[str]:
        async with RecordingServer() as server, AiohttpCaller() as caller:
            settings = {"name": "p", "url": server.url, "largest_answer": 2000, "timeout": 0.7}
            source = Prometheus(PrometheusConfig.model_validate(settings), caller, ManualClock())
            server.replies += [Reply(body=json.dumps({"status": "x" * 5000}).encode()), Reply(delay=5.0)]
            reasons = []
            for _ in range(2):
                with pytest.raises(RemoteError) as caught:
                    await source.query("up", 1.0)
                reasons.append(caught.value.reason)
            return reasons

    assert asyncio.run(scenario()) == ["the answer is longer than 2000 bytes", "no answer within 0.7 s"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name: p, url: 'ftp://x'}", "1: url: expected a URL"),
        ("{name: p, url: 'http://x', timeout: 0s}", "1: timeout: expected"),
        ("{name: p}", "1: url: expected a value, the key is missing"),
        ("{name: p, url: 'http://x', hurl: 1}", "1: hurl: unknown key"),
    ],
)
def test_a_bad_configuration_says_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, PrometheusConfig, "c.yml")
    assert f"c.yml:{expected}" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "data": {"resultType": "vector"}},
        {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {"a": "b"}}]}},
        {"status": "success", "isPartial": True, "data": {"resultType": "vector", "result": []}},
    ],
)
def test_half_an_answer_is_none_so_that_it_resolves_nothing(body: object) -> None:
    result, _ = ask(answer(body=body))
    assert isinstance(result, RemoteError)


def test_a_link_tells_nobody_the_password() -> None:
    config = PrometheusConfig.model_validate({"name": "p", "url": "http://me:secret@p:9090/prom"})
    link = Prometheus(config, FakeCaller(), ManualClock()).link("up == 0")
    assert link == "http://p:9090/prom/graph?g0.expr=up+%3D%3D+0&g0.tab=1"
