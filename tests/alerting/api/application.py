"""The API over a real store and a fake receiver, answering on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from alerting.api.alertmanager_v2 import AlertmanagerApi
from alerting.api.config_text import alertmanager_yaml
from alerting.api.messages import MessagesApi
from alerting.api.metrics import ApiMetrics
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.ports import Integration
from alerting.notify.telling import Telling
from alerting.receivers.catalog import ReceiverConfig
from alerting.routing.tree import RouteConfig, build_tree
from alerting.storage.alerts import ALERT_MIGRATIONS, AlertStore
from alerting.storage.database import Database
from alerting.testing import FakeReceiver, MemoryMessages, MemoryNotifications
from fenghuo.config import parse_config
from fenghuo.httpcall import AiohttpCaller, Answer, Request
from fenghuo.testing import ManualClock

START = 1_700_000_000.0

ROUTE = """
receiver: everyone
group_by: [alertname]
group_wait: 30s
routes:
- {matchers: [severity="page"], receiver: pager, continue: true, group_by: [alertname, host]}
- {matchers: [severity="page"], receiver: log}
"""


@dataclass
class Api:
    """What a test talks to."""

    url: str
    clock: ManualClock
    alerts: AlertStore
    messages: MemoryMessages
    registry: CollectorRegistry
    http: AiohttpCaller

    async def get(self, path: str) -> Answer:
        return await self.http.call(Request("GET", self.url + path))

    async def post(self, body: bytes) -> Answer:
        headers = {"Content-Type": "application/json"}
        return await self.http.call(Request("POST", f"{self.url}/api/v2/alerts", body, headers))


def play(folder: Path, story: Callable[[Api], Awaitable[None]]) -> None:
    """Run a story against a fresh API."""
    asyncio.run(_play(folder, story))


async def _play(folder: Path, story: Callable[[Api], Awaitable[None]]) -> None:
    clock, registry, messages = ManualClock(START), CollectorRegistry(), MemoryMessages()
    database = await Database.open(folder / "a.sqlite", ALERT_MIGRATIONS)
    alerts = await AlertStore.open(database, clock)
    route = parse_config(ROUTE, RouteConfig, "route")
    receivers = [
        ReceiverConfig.model_validate({"name": "everyone", "console_configs": [{}]}),
        ReceiverConfig.model_validate({"name": "pager", "webhook_configs": [{"url": "http://hook/token"}]}),
        ReceiverConfig.model_validate({"name": "log"}),
    ]
    integrations = {one.name: [Integration(one.name, "fake", 0, True, FakeReceiver())] for one in receivers}
    notify_metrics = NotifyMetrics(registry, ("fake",))
    telling = Telling(build_tree(route), integrations, MemoryNotifications(), notify_metrics, clock)
    alerts.listen(telling.ingest)
    telling.start([])
    application = web.Application()
    metrics = ApiMetrics(registry, alerts, clock)
    AlertmanagerApi(alerts, lambda: telling, lambda: alertmanager_yaml(route, receivers), metrics, clock).add_to(
        application
    )
    MessagesApi(messages).add_to(application)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with AiohttpCaller() as http:
        await story(Api(f"http://127.0.0.1:{runner.addresses[0][1]}", clock, alerts, messages, registry, http))
    await runner.cleanup()
    await telling.close()
    await database.close()
