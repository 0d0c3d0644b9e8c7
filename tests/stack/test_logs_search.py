"""The same query finds the same lines in SQLite and in a real Elasticsearch."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fenghuo.clock import SystemClock
from log_pipeline.adapters.elasticsearch import ElasticsearchConfig, ElasticsearchSink
from log_pipeline.adapters.elasticsearch_search import ElasticsearchSearcher
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.adapters.sqlite_search import SqliteSearcher
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.model.event import Event
from log_pipeline.ports import Sink
from log_pipeline.search.find import Found, Search, Searcher
from log_pipeline.search.query import parse
from log_pipeline.stages.catalog import CATALOG
from log_pipeline.testing import new_event
from tests.stack.servers.elasticsearch import Elasticsearch

pytestmark = pytest.mark.stack

LINES = (
    ("web-1_shop_app", "stdout", "level=info payment accepted for order 17"),
    ("web-1_shop_app", "stderr", "ERROR Payment FAILED: connection refused"),
    ("api-7f_shop_app", "stderr", "WARN connection was refused"),
    ("api-7f_shop_app", "stderr", "level=error 支付失败,请重试 trace abc-123"),
    ("api-7f_shop_app", "stdout", "level=info 支付成功"),
    ("coredns-x_kube-system_coredns", "stdout", "cache full"),
)

QUERIES = (
    "",
    "payment",
    "level:error payment",
    '"connection refused"',
    "connection refused",
    "pay*",
    "支付 失败",
    "付失",
    "not 支付",
    "level:(error or warn)",
    "namespace:shop and not pod:web-*",
    "container:coredns or level:info",
    "stream:stderr",
    "node:node-1 order",
    "pod:*",
    "path:*coredns*",
    "not (payment or 支付)",
    "nothing-of-the-kind",
)


def events() -> list[Event]:
    found = []
    for number, (name, stream, message) in enumerate(LINES):
        event = new_event(number, message)
        event.timestamp = f"2200-11-21T09:30:0{number}.000Z"
        event.stream, event.host = stream, "node-1"
        event.path = f"/var/log/containers/{name}-{'a' * 64}.log"
        for stage in CATALOG.values():
            stage(event)
        found.append(event)
    return found


@pytest.fixture
def searchers(elasticsearch: Elasticsearch, tmp_path: Path) -> Iterator[dict[str, Searcher]]:
    """Both stores with the same lines in them."""
    stream = f"logs-search-{uuid.uuid4().hex[:8]}"
    there = ElasticsearchConfig(type="elasticsearch", url=elasticsearch.url, index=stream)
    here = SqliteConfig(type="sqlite", path=tmp_path / "logs.sqlite")

    async def store(sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            await sink.open()
            await sink.write(events())
            await sink.close()

    async def both() -> None:
        await store([ElasticsearchSink(there, DocumentEncoder()), SqliteSink(here, SystemClock())])

    asyncio.run(both())
    elasticsearch.call("POST", f"/{stream}/_refresh")
    yield {"elasticsearch": _Lazy(there), "sqlite": SqliteSearcher(here.path)}
    elasticsearch.call("DELETE", f"/_data_stream/{stream}*")
    elasticsearch.call("DELETE", f"/_index_template/fenghuo-{stream}")


class _Lazy:
    """A client belongs to one event loop, and each question has its own."""

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._config = config

    async def search(self, search: Search) -> Found:
        searcher = ElasticsearchSearcher(self._config)
        try:
            return await searcher.search(search)
        finally:
            await searcher.close()

    async def close(self) -> None:
        """Nothing is held."""


def test_both_stores_find_the_same(searchers: dict[str, Searcher]) -> None:
    def ask(name: str, query: str) -> list[int | None]:
        found = asyncio.run(searchers[name].search(Search(parse(query), limit=50)))
        assert found.total == len(found.lines)
        return [line.offset for line in found.lines]

    assert {query: ask("elasticsearch", query) for query in QUERIES} == {
        query: ask("sqlite", query) for query in QUERIES
    }
    assert ask("sqlite", "level:error payment") == [1]
