"""What every Source does, the scripted one and the one that speaks HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import pytest

from alerting.engine.ports import Result, Sample, Source
from alerting.sources.prometheus import Prometheus, PrometheusConfig
from alerting.testing import ScriptedSource
from fenghuo.errors import RemoteError, RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.testing import FakeCaller, ManualClock, answer

Play = Callable[[Callable[[Source], Awaitable[None]]], None]

SERIES = [Sample({"__name__": "up", "instance": "a"}, 1.0), Sample({"__name__": "up", "instance": "b"}, 0.5)]


def server(request: Request) -> Answer:
    """A Prometheus that knows `up`, knows nothing of `none`, and is away for `away`."""
    expression = parse_qs((request.body or b"").decode())["query"][0]
    if expression == "away":
        raise RemoteRefused("http://fake", "connection refused")
    known = SERIES if expression == "up" else []
    result = [{"metric": dict(one.labels), "value": [1.0, str(one.value)]} for one in known]
    return answer(body=json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))


@pytest.fixture(params=["scripted", "prometheus"])
def play(request: pytest.FixtureRequest) -> Play:
    """Runs a story on a source of each kind."""

    async def run(story: Callable[[Source], Awaitable[None]]) -> None:
        clock = ManualClock()
        scripted: Source = ScriptedSource({"up": SERIES, "away": RemoteRefused("http://fake", "connection refused")})
        config = PrometheusConfig(name="p", url="http://fake:9090")
        real: Source = Prometheus(config, FakeCaller(server), clock)
        telling = asyncio.ensure_future(story(scripted if request.param == "scripted" else real))
        while not telling.done():
            await clock.advance(1.0)
        await telling

    return lambda story: asyncio.run(run(story))


def test_series_come_with_their_labels_and_values(play: Play) -> None:
    async def story(source: Source) -> None:
        assert await source.query("up", 1.0) == Result(SERIES)

    play(story)


def test_an_empty_answer_is_an_answer(play: Play) -> None:
    async def story(source: Source) -> None:
        assert await source.query("none", 1.0) == Result([])

    play(story)


def test_no_answer_is_a_remote_error(play: Play) -> None:
    async def story(source: Source) -> None:
        with pytest.raises(RemoteError, match="connection refused"):
            await source.query("away", 1.0)

    play(story)


def test_a_link_shows_the_query(play: Play) -> None:
    async def story(source: Source) -> None:
        assert "g0.expr=up" in source.link("up")

    play(story)
