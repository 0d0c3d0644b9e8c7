"""The page over HTTP: whole without a script, safe in a browser, and the same as JSON."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from fenghuo.httpcall import AiohttpCaller, Answer, Request
from fenghuo.up.status import StackStatus
from tests.fenghuo.up.page import answers
from tests.fenghuo.up.page.served import served


def get(
    path: str,
    respond: Callable[[Request], Answer] = answers.respond,
    status: Callable[[], StackStatus] = answers.status,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    async def scenario() -> Answer:
        async with served(respond, status) as url, AiohttpCaller() as caller:
            return await caller.call(Request("GET", url + path, headers=headers or {}))

    return asyncio.run(scenario())


def test_the_page_has_everything_without_a_script() -> None:
    text = get("/").ok().text()
    for fact in (
        "<title>(2) fenghuo</title>", "2 firing", "1 pending", "2 of 2 parts ready", "4.4 GiB of 8.0 GiB",
        "payment-5d8f6b7c44-x9v7m", "900 MiB", "42 %", "LogErrorBurst", "LogErrorBurst shop",
        "payment refused: provider timed out", "http://127.0.0.1:1/node", "/state",
    ):  # fmt: skip
        assert fact in text, fact


def test_text_from_outside_is_text() -> None:
    text = get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").ok().text()
    assert "<b>in a burst" not in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_browser_is_told_to_load_nothing_from_elsewhere_and_need_not() -> None:
    answer = get("/").ok()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    text = answer.text()
    assert re.findall(r'(?:src|action)="(?!/)', text) == []
    assert " style=" not in text
    assert " onclick" not in text


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_static_files_are_served_and_no_other(name: str) -> None:
    assert get(f"/static/{name}").status == 200
    assert get(f"/static/{name}.bak").status == 404
    assert get("/static/..%2Fviews.py").status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8600", 200), ("localhost:9999", 200), ("[::1]:1", 200), ("evil.example", 421), ("", 421)],
)
def test_a_foreign_name_for_loopback_gets_nothing(host: str, status: int) -> None:
    """A web site may point its own name at 127.0.0.1 and read what answers (DNS rebinding)."""
    assert get("/api/overview", headers={"Host": host}).status == status


def test_the_same_as_json() -> None:
    overview = get("/api/overview?q=level:error").ok().json()
    assert overview["alerts"]["rows"][0]["name"] == "LogErrorBurst"
    assert overview["containers"]["rows"][0]["throttled"] == 0.42
    assert overview["logs"]["rows"][0]["message"] == "payment refused: provider timed out"
    assert overview["status"]["parts"][0]["name"] == "node"


def test_status_and_metrics() -> None:
    def sick() -> StackStatus:
        return answers.status(answers.part("node"), answers.part("logs", "silent", "no answer within 3 s"))

    status = get("/api/status", status=sick).ok().json()
    assert (status["running"], status["ok"]) == (True, False)
    metrics = get("/metrics", status=sick).ok().text()
    assert 'fenghuo_up_part_ready{part="node"} 1.0' in metrics
    assert 'fenghuo_up_part_ready{part="logs"} 0.0' in metrics
    assert 'fenghuo_up_part_restarts_total{part="logs"} 0.0' in metrics


@pytest.mark.parametrize("away", ["prometheus", "alerting", "logs"])
def test_with_a_part_away_the_page_still_comes_and_says_so(away: str) -> None:
    def sick() -> StackStatus:
        return answers.status(answers.part("node"), answers.part(away, "waiting", "ended by SIGKILL"))

    text = get("/", answers.without(away), sick).ok().text()
    assert f"the {away} is waiting (ended by SIGKILL)." in text
    assert "does not answer (refused)" in text


@pytest.mark.parametrize("path", ["/", "/api/overview"])
def test_a_line_that_is_no_unicode_does_not_cost_the_page(path: str) -> None:
    def respond(request: Request) -> Answer:
        reply = answers.respond(request)
        return replace(reply, body=reply.body.replace(b"payment is slow", b"payment is \\ud800 slow"))

    assert "payment is " in get(path, respond).ok().text()
