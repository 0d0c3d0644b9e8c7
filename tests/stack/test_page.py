"""The first page in a real browser: no error in its console, no foreign request, and room enough on a phone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from fenghuo.httpcall import Answer, Request
from fenghuo.testing import answer
from fenghuo.up.status import StackStatus
from tests.fenghuo.up.page import answers
from tests.fenghuo.up.page.served import served

pytestmark = pytest.mark.stack

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """An open page and all that it complained about or asked for."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def fits(self) -> bool:
        """Whether nothing sticks out at the side."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@asynccontextmanager
async def visit(
    profile: Path,
    width: int = 1280,
    script: bool = True,
    respond: Callable[[Request], Answer] = answers.respond,
    status: Callable[[], StackStatus] = answers.status,
) -> AsyncIterator[Visit]:
    """The page, served over the small world, in a browser with a new profile."""
    async with served(respond, status) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            headless=True,
            viewport={"width": width, "height": 850},
            java_script_enabled=script,
        )
        page = browser.pages[0]
        opened = Visit(page, url)
        page.on("console", lambda message: opened.complaints.append(message.text))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("request", lambda request: opened.asked.append(request.url))
        await page.goto(url)
        yield opened
        await browser.close()


def test_the_overview_is_there_and_the_console_stays_empty(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with visit(tmp_path) as opened:
            page = opened.page
            await expect(page).to_have_title("(2) fenghuo")
            await expect(page.locator("#containers tbody tr")).to_have_count(2)
            await expect(page.locator(".alert.firing").first).to_contain_text("LogErrorBurst")
            await expect(page.locator(".lines li")).to_have_count(len(answers.LINES))
            await expect(page.locator(".tile polyline")).to_have_count(4)
            assert await opened.fits()
            assert opened.complaints == []
            assert [asked for asked in opened.asked if not asked.startswith(opened.url)] == []

    asyncio.run(scenario())


def test_it_refreshes_itself_and_a_new_alert_appears(tmp_path: Path) -> None:
    quiet: object = {"data": {"groups": []}}

    async def scenario() -> None:
        fires: list[bool] = []

        def respond(request: Request) -> Answer:
            if request.url == "http://alerting/api/v2/alerts":
                return Answer(request.url, 200, {}, b"[]")
            if request.url == "http://alerting/api/v1/rules" and not fires:
                return answer(200, quiet)
            return answers.respond(request)

        async with visit(tmp_path, respond=respond) as opened:
            await expect(opened.page.locator("#alert-rows")).to_contain_text("Nothing fires")
            fires.append(True)
            await expect(opened.page.locator(".alert.firing")).to_contain_text("LogErrorBurst", timeout=15_000)
            await expect(opened.page).to_have_title("(1) fenghuo")
            assert opened.complaints == []

    asyncio.run(scenario())


def test_a_search_works_by_keyboard_and_survives_a_refresh(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with visit(tmp_path) as opened:
            page = opened.page
            await page.get_by_label("Search").fill("level:error")
            await page.keyboard.press("Enter")
            await expect(page.locator(".lines li")).to_have_count(1)
            await expect(page.get_by_label("Search")).to_have_value("level:error")
            asked = len(opened.asked)
            async with page.expect_response(lambda response: "q=level" in response.url, timeout=15_000):
                pass
            assert len(opened.asked) > asked
            await expect(page.locator(".lines li")).to_have_count(1)
            assert opened.complaints == []

    asyncio.run(scenario())


@pytest.mark.parametrize("script", [True, False])
def test_a_phone_shows_it_without_scrolling_sideways(tmp_path: Path, script: bool) -> None:
    async def scenario() -> None:
        async with visit(tmp_path, width=360, script=script) as opened:
            await expect(opened.page.locator(".alert.firing").first).to_be_visible()
            await expect(opened.page.locator("#containers tbody tr").first).to_contain_text("payment")
            box = await opened.page.locator("main").bounding_box()
            assert box is not None
            assert box["width"] <= 360
            assert not script or await opened.fits()
            assert opened.complaints == []

    asyncio.run(scenario())


def test_a_part_that_is_down_is_said_and_breaks_nothing(tmp_path: Path) -> None:
    def sick() -> StackStatus:
        return answers.status(answers.part("node"), answers.part("prometheus", "waiting", "ended by SIGKILL"))

    async def scenario() -> None:
        async with visit(tmp_path, respond=answers.without("prometheus"), status=sick) as opened:
            await expect(opened.page.get_by_role("alert")).to_contain_text("the prometheus is waiting")
            await expect(opened.page.locator("#host .problem")).to_contain_text("Prometheus: does not answer")
            await expect(opened.page.locator(".alert.firing").first).to_be_visible()
            assert opened.complaints == []

    asyncio.run(scenario())
