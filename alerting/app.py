"""Builds the alert engine and wires its parts; the only place that does.

sources → engine → alert store → telling (route tree, groups, outbox) → receivers
             └ rule state            └ notification log, outbox, messages        all in one SQLite file
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import TextIO

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from alerting.api.alertmanager_v2 import AlertmanagerApi
from alerting.api.config_text import alertmanager_yaml
from alerting.api.messages import MessagesApi
from alerting.api.metrics import ApiMetrics
from alerting.api.prometheus_v1 import PrometheusApi
from alerting.config import Flags, Setup, load_setup
from alerting.engine.engine import Engine, RuleSet
from alerting.engine.judge import World
from alerting.engine.metrics import EngineMetrics
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.telling import Telling
from alerting.receivers.catalog import KINDS
from alerting.receivers.tools import Tools
from alerting.routing.tree import build_tree
from alerting.storage.alerts import ALERT_MIGRATIONS, AlertStore
from alerting.storage.database import Database
from alerting.storage.folder_lock import FolderLock
from alerting.storage.messages import MESSAGE_MIGRATIONS, SqliteMessages
from alerting.storage.notifications import NOTIFICATION_MIGRATIONS, SqliteNotifications
from alerting.storage.states import STATE_MIGRATIONS, SqliteStates
from fenghuo.clock import Clock, SystemClock
from fenghuo.errors import FenghuoError
from fenghuo.httpcall import AiohttpCaller, HttpCaller
from fenghuo.httpserve import new_application, require_free
from fenghuo.httpserve import serve as serve_http
from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import get_logger
from fenghuo.telemetry import new_registry

MIGRATIONS = (*STATE_MIGRATIONS, *ALERT_MIGRATIONS, *NOTIFICATION_MIGRATIONS, *MESSAGE_MIGRATIONS)

HOUSEKEEPING = 60.0
"""Seconds between two looks for what can be forgotten."""

_log = get_logger("alerting")


@dataclass(frozen=True, slots=True)
class Outside:
    """The world beyond the process: time, servers to ask, receivers to send to, where the console prints."""

    clock: Clock
    asking: HttpCaller
    sending: HttpCaller
    output: TextIO


@dataclass(frozen=True, slots=True)
class Parts:
    """What was built and runs."""

    database: Database
    alerts: AlertStore
    messages: SqliteMessages
    teller: "Teller"
    engine: Engine


async def serve(life: Lifecycle, flags: Flags, output: TextIO = sys.stdout) -> None:
    """Run the engine until `life` ends. Raises ConfigError or StartError when it can't start."""
    setup, registry = load_setup(flags), new_registry("alerting")
    require_free(setup.listen_address)  # before the outbox is opened and messages go out
    asking, sending = AiohttpCaller(), AiohttpCaller()
    life.on_stop("connections to sources", asking.close)
    life.on_stop("connections to receivers", sending.close)
    outside = Outside(SystemClock(), asking, sending, output)
    parts = await build(life, setup, outside, registry)
    reloader = Reloader(flags, setup, parts, outside, registry)
    life.on_reload("configuration", reloader.reload)
    application = new_application(life, registry)
    add_api(application, parts, reloader, outside.clock, registry)
    url = await serve_http(life, application, setup.listen_address)
    life.ready()
    _log.info("Listening on", address=url.removeprefix("http://"), rules=_count(setup), storage=str(setup.storage))
    await life.stopped()


async def build(life: Lifecycle, setup: Setup, outside: Outside, registry: CollectorRegistry) -> Parts:
    """Open the database, restore what it holds, begin to tell and then to judge. Tear-down is left to `life`."""
    clock = outside.clock
    lock = FolderLock.take(setup.storage)
    life.on_stop("folder", lock.release)
    database = await Database.open(setup.storage / "alerting.sqlite", MIGRATIONS)
    life.on_stop("database", database.close)
    notifications = await SqliteNotifications.open(database)
    messages = await SqliteMessages.open(database)
    alerts = await AlertStore.open(database, clock, notifications.told_over())

    teller = Teller(alerts, notifications, messages, NotifyMetrics(registry, _kinds()), outside)
    teller.change(setup)
    life.on_stop("telling", teller.close)
    engine = Engine(SqliteStates(database), alerts, clock, EngineMetrics(registry))
    await engine.start(rule_set(setup, outside))
    life.on_stop("engine", engine.close)
    housekeeper = asyncio.ensure_future(keep_house(alerts, notifications, teller, clock))
    life.on_stop("housekeeping", lambda: _cancel(housekeeper))
    return Parts(database, alerts, messages, teller, engine)


def add_api(
    application: web.Application, parts: Parts, reloader: "Reloader", clock: Clock, registry: CollectorRegistry
) -> None:
    """All routes beside the common ones."""
    metrics = ApiMetrics(registry, parts.alerts, clock)
    AlertmanagerApi(parts.alerts, parts.teller.current, reloader.config_text, metrics, clock).add_to(application)
    PrometheusApi(parts.engine.view).add_to(application)
    MessagesApi(parts.messages).add_to(application)


def rule_set(setup: Setup, outside: Outside) -> RuleSet:
    """The rules of a setup with their sources."""
    if setup.recording_rules:
        _log.warning(
            "recording rules are shown and not evaluated: load their files into the metrics store as well",
            recording_rules=setup.recording_rules,
        )
    sources = {source.name: source.build(outside.asking, outside.clock) for source in setup.config.sources}
    return RuleSet(setup.groups, sources, World(setup.external_labels, setup.external_url))


class Teller:
    """The telling half that runs now, and its exchange for another when the configuration changes."""

    def __init__(
        self,
        alerts: AlertStore,
        notifications: SqliteNotifications,
        messages: SqliteMessages,
        metrics: NotifyMetrics,
        outside: Outside,
    ) -> None:
        self._alerts = alerts
        self._notifications = notifications
        self._messages = messages
        self._metrics = metrics
        self._outside = outside
        self._current: Telling | None = None

    def current(self) -> Telling:
        """The one that runs."""
        assert self._current is not None
        return self._current

    def change(self, setup: Setup) -> None:
        """Begin to tell by this setup; the one before must be closed."""
        outside = self._outside
        tools = Tools(outside.sending, self._messages, outside.clock, outside.output, setup.external_url)
        receivers = {receiver.name: receiver.build(tools) for receiver in setup.config.receivers}
        tree = build_tree(setup.config.route)
        self._current = Telling(tree, receivers, self._notifications, self._metrics, outside.clock)
        self._alerts.listen(self._current.ingest)
        self._current.start(self._alerts.all())

    async def close(self) -> None:
        """Stop telling; what is not told stays in the outbox."""
        await self.current().close()


class Reloader:
    """Reads everything again; changes what changed, or nothing at all when anything is wrong."""

    def __init__(self, flags: Flags, setup: Setup, parts: Parts, outside: Outside, registry: CollectorRegistry) -> None:
        self._flags = flags
        self._setup = setup
        self._parts = parts
        self._outside = outside
        self._succeeded = Gauge(
            "alertmanager_config_last_reload_successful", "Whether the last reload was accepted.", registry=registry
        )
        self._succeeded.set(1)
        self._at = Gauge(
            "alertmanager_config_last_reload_success_timestamp_seconds",
            "When a configuration was last accepted.",
            registry=registry,
        )
        self._at.set(outside.clock.now())

    def config_text(self) -> str:
        """The configuration that runs, without secrets, as Alertmanager would write it."""
        return alertmanager_yaml(self._setup.config.route, self._setup.config.receivers)

    async def reload(self) -> None:
        """Raises FenghuoError when the new configuration can't be used; nothing has changed then."""
        try:
            new = await asyncio.to_thread(load_setup, self._flags)  # thousands of rules take seconds to read
            rules = rule_set(new, self._outside)
        except FenghuoError:
            self._succeeded.set(0)
            raise
        old, self._setup = self._setup, new
        if (old.config.route, old.config.receivers, old.external_url) != (
            new.config.route,
            new.config.receivers,
            new.external_url,
        ):
            await self._parts.teller.close()
            self._parts.teller.change(new)
        await self._parts.engine.apply(rules)
        if (old.listen_address, old.storage) != (new.listen_address, new.storage):
            _log.warning("a new listen address or storage path needs a restart")
        self._succeeded.set(1)
        self._at.set(self._outside.clock.now())


async def keep_house(alerts: AlertStore, notifications: SqliteNotifications, teller: Teller, clock: Clock) -> None:
    """Forget what is over and told, once a minute."""
    while True:
        await clock.sleep(HOUSEKEEPING)
        try:
            await alerts.collect(teller.current().dispatcher.held())
            await notifications.collect(clock.now())
        except Exception as error:  # noqa: BLE001 - a surprise must not end it, or all tables grow for ever
            _log.error("old alerts could not be forgotten", error=str(error) or repr(error))


async def _cancel(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _kinds() -> tuple[str, ...]:
    return tuple(name.removesuffix("_configs") for name in KINDS)


def _count(setup: Setup) -> int:
    return sum(len(group.rules) for group in setup.groups)
