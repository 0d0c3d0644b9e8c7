"""`fenghuo up --demo` for real: a newcomer's first ten minutes, with a real Prometheus and every arrow of the chain."""

import asyncio
import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright, expect

from fenghuo.clock import SystemClock
from tests.acceptance.up_process import Up, fenghuo, is_gone
from tests.stack.servers.waiting import wait_until
from tests.stack.test_page import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.stack

PARTS = {"node", "cgroup", "logs", "prometheus", "alerting", "demo"}


def url_of(stack: Up, title: str) -> str:
    """The URL that the closing table gives for a part."""
    return next(line.split()[-1] for line in stack.printed if line.startswith(f"{title}  "))


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def found(stack: Up, query: str) -> list[dict[str, Any]]:
    """What `fenghuo logs search` finds from the last ten minutes."""
    arguments = ("logs", "search", query, "--since", "10m", "--limit", "100", "--json", "--state", str(stack.state))
    lines = [json.loads(line) for line in fenghuo(*arguments).stdout.splitlines() if line.startswith("{")]
    return [row for line in lines for row in line.get("lines", [line])]


def test_a_newcomer_sees_the_whole_chain_and_loses_nothing(tmp_path: Path) -> None:
    """Table, search, firing, page, resolved, a child killed, Ctrl-C, and the same state at the second start."""
    state = tmp_path / "state"
    with Up(state, "--demo") as stack:
        stack.wait_for(lambda line: line.startswith("Ctrl-C stops everything"), 15)
        table_at = SystemClock().monotonic()
        all_parts_are_ready(stack)
        the_search_finds_the_failed_payments(stack)
        stack.wait_for(lambda line: "FIRING" in line and "LogErrorBurst" in line, 120)
        asyncio.run(the_page_shows_the_alert(url_of(stack, "page"), tmp_path / "profile"))
        stack.wait_for(lambda line: "RESOLVED" in line and "LogErrorBurst" in line, 120)
        assert SystemClock().monotonic() - table_at < 120, "both messages within two minutes"
        a_killed_child_comes_back(stack)
        pids = stack.pids()
        code, seconds = stack.interrupt()
        assert (code, seconds < 5) == (0, True)
        assert [name for name, pid in pids.items() if not is_gone(pid)] == []
        assert fenghuo("up", "status", "--state", str(state)).returncode == 3
    with Up(state, "--logs", str(state / "demo" / "containers" / "*.log")) as stack:
        stack.wait_for(lambda line: line.startswith("Ctrl-C stops everything"), 60)
        every_line_of_the_first_run_is_there_once(stack)
        messages = get(f"{url_of(stack, 'alert engine')}/api/fenghuo/v1/messages?limit=50")["messages"]
        assert [message["status"] for message in reversed(messages)][:2] == ["firing", "resolved"]
        before = SystemClock().monotonic()
        stopped = fenghuo("up", "stop", "--state", str(state))
        assert (stopped.returncode, stopped.stdout) == (0, "stopped\n")
        assert stack.end(before)[0] == 0
        assert [line for line in stack.printed if "LogErrorBurst" in line] == [], "old messages are not told again"


def all_parts_are_ready(stack: Up) -> None:
    status = stack.status()
    assert (status["code"], status["ok"]) == (0, True)
    assert {part["name"]: part["state"] for part in status["parts"]} == dict.fromkeys(PARTS, "ready")


def the_search_finds_the_failed_payments(stack: Up) -> None:
    wait_until(lambda: bool(found(stack, "level:error payment")), "an error line")
    line = found(stack, "level:error payment")[0]
    assert (line["namespace"], line["level"]) == ("shop", "error")
    assert line["pod"].startswith(line["container"])
    assert line["container"] in ("payment", "checkout")
    assert "payment" in line["message"]


async def the_page_shows_the_alert(url: str, profile: Path) -> None:
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        page = browser.pages[0]
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(url)
        await expect(page.locator(".alert.firing")).to_contain_text("LogErrorBurst")
        await expect(page.locator("#messages li").first).to_contain_text("firing")
        await expect(page.locator(".lines li.level-error").first).to_contain_text("payment")
        await expect(page.locator("#containers tbody tr").first).to_be_visible()
        await expect(page.locator(".tile polyline")).to_have_count(4, timeout=30_000)
        await expect(page.locator(".problem")).to_have_count(0)
        await browser.close()
    assert complaints == []


def a_killed_child_comes_back(stack: Up) -> None:
    os.kill(stack.pids()["logs"], signal.SIGKILL)
    stack.wait_for(lambda line: line.startswith("log pipeline ended by SIGKILL; starting it again"), 10)
    stack.wait_for(lambda line: line == "log pipeline is ready", 20)
    status = stack.status()
    assert status["ok"]
    assert {part["name"]: part["restarts"] for part in status["parts"]} == {**dict.fromkeys(PARTS, 0), "logs": 1}


def every_line_of_the_first_run_is_there_once(stack: Up) -> None:
    folder = stack.state / "demo" / "containers"
    written = sum(len(path.read_text().splitlines()) for path in folder.iterdir())
    assert written > 300
    url = f"{url_of(stack, 'log pipeline')}/api/v1/search?q=namespace:shop&since=1h&limit=1"
    wait_until(lambda: get(url)["total"] >= written, "the lines of the first run")
    assert get(url)["total"] == written
