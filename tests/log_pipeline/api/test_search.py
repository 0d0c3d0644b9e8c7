"""`/api/v1/search` over a real server on loopback: what comes back for good and bad questions."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from fenghuo.errors import FenghuoError, StorageError
from fenghuo.httpcall import AiohttpCaller, Request
from fenghuo.testing import ManualClock
from log_pipeline.api.search import add_search_route
from log_pipeline.search.find import Found, FoundLine, Search, SearchTooSlow
from log_pipeline.search.query import AllOf, Term

NOW = 1_700_000_000.0


@dataclass
class FixedSearcher:
    """Finds the same whatever is asked, and keeps the questions."""

    answer: Found | FenghuoError
    asked: list[Search] = field(default_factory=list)

    async def search(self, search: Search) -> Found:
        self.asked.append(search)
        if isinstance(self.answer, FenghuoError):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        """Nothing is held."""


def ask(searcher: FixedSearcher, query: str) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        application = web.Application()
        add_search_route(application, searcher, ManualClock(NOW))
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with AiohttpCaller() as caller:
            answer = await caller.call(Request("GET", f"http://127.0.0.1:{port}/api/v1/search{query}"))
        await runner.cleanup()
        return answer.status, answer.json()

    return asyncio.run(main())


def test_a_question_is_read_and_its_answer_given() -> None:
    line = FoundLine("2026-11-21T09:30:00.000Z", "no", "shop", "web", "app", "n", "stderr", "error", "/x", 7)
    searcher = FixedSearcher(Found((line,), 3, exact=False))
    status, body = ask(searcher, "?q=level:error+no&since=10m&until=now&limit=1")
    assert searcher.asked == [
        Search(AllOf((Term("level", ("error",)), Term("message", ("no",)))), NOW - 600, NOW, 1),
    ]
    assert (status, body["total"], body["total_is_exact"], body["took_ms"]) == (200, 3, False, 0.0)
    assert body["lines"][0] == {
        "timestamp": "2026-11-21T09:30:00.000Z",
        "message": "no",
        "namespace": "shop",
        "pod": "web",
        "container": "app",
        "node": "n",
        "stream": "stderr",
        "level": "error",
        "path": "/x",
        "offset": 7,
    }


def test_nothing_asked_is_everything() -> None:
    searcher = FixedSearcher(Found((), 0))
    assert ask(searcher, "")[0] == 200
    assert searcher.asked == [Search(AllOf(), None, None, 100)]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?q=level:", "column 7: expected a value after level:"),
        ("?q=(a", "column 3: expected ) for the ( in column 1"),
        ("?since=soon", "since: expected a duration"),
        ("?limit=5000", "limit: expected a number from 1 to 1000, got '5000'"),
    ],
)
def test_a_bad_question_is_answered_with_what_was_expected(query: str, says: str) -> None:
    searcher = FixedSearcher(Found((), 0))
    status, body = ask(searcher, query)
    assert status == 400
    assert says in body["error"]
    assert searcher.asked == []


@pytest.mark.parametrize("error", [SearchTooSlow(10.0), StorageError("the log database /x: disk I/O error")])
def test_a_store_that_cant_answer_now_is_503_with_its_reason(error: FenghuoError) -> None:
    assert ask(FixedSearcher(error), "?q=a") == (503, {"error": str(error)})
