"""The Prometheus source against the real servers that speak its API."""

import asyncio

import pytest

from alerting.engine.ports import Result, Sample
from alerting.sources.prometheus import Prometheus as Source
from alerting.sources.prometheus import PrometheusConfig
from fenghuo.clock import SystemClock
from fenghuo.errors import RemoteAnswer
from fenghuo.httpcall import AiohttpCaller
from tests.stack.servers.over_http import PromqlServer
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.victoriametrics import VictoriaMetrics


@pytest.fixture(params=["prometheus", "victoriametrics"])
def server(request: pytest.FixtureRequest, prometheus: Prometheus, victoriametrics: VictoriaMetrics) -> PromqlServer:
    """Each server in turn."""
    return prometheus if request.param == "prometheus" else victoriametrics


def ask(server: PromqlServer, expression: str) -> Result:
    async def scenario() -> Result:
        async with AiohttpCaller() as http:
            source = Source(PrometheusConfig(name="s", url=server.url), http, SystemClock())
            return await source.query(expression, SystemClock().now())

    return asyncio.run(scenario())


def test_a_vector_comes_with_its_labels(server: PromqlServer) -> None:
    expression = 'label_replace(vector(1.5), "team", "a b", "", "") > 1'
    assert list(ask(server, expression).samples) == [Sample({"team": "a b"}, 1.5)]


def test_a_condition_that_does_not_hold_is_an_empty_answer(server: PromqlServer) -> None:
    assert list(ask(server, "vector(1) > 2").samples) == []


def test_a_scalar_is_one_sample_without_labels(server: PromqlServer) -> None:
    assert list(ask(server, "1 + 1").samples) == [Sample({}, 2.0)]


def test_a_query_that_cannot_be_read_is_an_answer_with_a_reason(server: PromqlServer) -> None:
    with pytest.raises(RemoteAnswer) as caught:
        ask(server, "sum(")
    assert caught.value.status in (400, 422)
    assert "parse" in caught.value.reason
