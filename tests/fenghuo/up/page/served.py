"""The page served for real on loopback, over the small world of `answers`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fenghuo.httpcall import Answer, Request
from fenghuo.httpserve import new_application, serve
from fenghuo.lifecycle import Lifecycle
from fenghuo.telemetry import new_registry
from fenghuo.testing import FakeCaller, ManualClock
from fenghuo.up.metrics import PartsCollector
from fenghuo.up.page.gather import Gatherer
from fenghuo.up.page.views import add_page
from fenghuo.up.status import StackStatus
from tests.fenghuo.up.page import answers


@asynccontextmanager
async def served(
    respond: Callable[[Request], Answer] = answers.respond, status: Callable[[], StackStatus] = answers.status
) -> AsyncIterator[str]:
    """The base URL while it is served."""
    life = Lifecycle("up")
    registry = new_registry("up")
    registry.register(PartsCollector(status))
    application = new_application(life, registry)
    add_page(
        application, Gatherer(answers.ADDRESSES, FakeCaller(respond), ManualClock(answers.NOW), status), "127.0.0.1"
    )
    url = await serve(life, application, "127.0.0.1:0")
    try:
        yield url
    finally:
        await life.close()
