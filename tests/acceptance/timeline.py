"""The language of the notification stories: at this second push, at that second expect. No second is ever waited for.

    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A"))
    story.expect(2, "team", firing=["A"])
    story.run(until=20)

The whole telling half is real but for the receivers and the clock; its database is a file. `kill` ends everything in
the middle of what it does and starts anew from the file, as after `kill -9`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from alerting.model.alert import Alert
from alerting.notify.message import Notification
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outcome import Delivered, Outcome
from alerting.notify.ports import Integration
from alerting.notify.telling import Telling
from alerting.routing.tree import RouteConfig, build_tree
from alerting.storage.alerts import ALERT_MIGRATIONS, AlertStore
from alerting.storage.database import Database
from alerting.storage.notifications import NOTIFICATION_MIGRATIONS, SqliteNotifications
from fenghuo.testing import ManualClock, settle

START = 1_700_000_000.0


class PeekingClock(ManualClock):
    """A manual clock that tells when the next sleeper wakes."""

    def next_wake(self) -> float:
        """Its monotonic time; infinite when nobody sleeps."""
        return min((due for due, _, _ in self._sleepers), default=float("inf"))


def firing(name: str, at: float = 0.0, until: float | None = None, **labels: str) -> Alert:
    """An alert that began at second `at`; `until` is when it ends unless it is pushed again."""
    end = None if until is None else START + until
    return Alert({"alertname": name, **labels}, {}, START + at, ends_at=end)


def resolved(name: str, at: float, began: float = 0.0, **labels: str) -> Alert:
    """The news that an alert is over since second `at`."""
    return Alert({"alertname": name, **labels}, {}, START + began, ends_at=START + at)


@dataclass(frozen=True)
class Told:
    """One message as a receiver saw it: the second, and the names of the alerts."""

    at: float
    receiver: str
    firing: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()


@dataclass
class Place:
    """A receiver in a story: it keeps what it is told, and answers as `behave` says."""

    name: str
    story: "Timeline"
    outcome: Outcome = field(default_factory=Delivered)
    answers: bool = True

    async def send(self, notification: Notification, serial: int) -> Outcome:
        names = [[alert.name for alert in part] for part in (notification.firing, notification.resolved)]
        self.story.told.append(Told(self.story.second, self.name, tuple(names[0]), tuple(names[1])))
        if not self.answers:
            await asyncio.Event().wait()  # until it is killed
        return self.outcome


Event = Callable[[], Awaitable[None]]


class Timeline:
    """A story: what is pushed when, and what is told when."""

    def __init__(self, folder: Path, route: Mapping[str, Any], *receivers: str, send_resolved: bool = True) -> None:
        self.told: list[Told] = []
        self.places = {name: Place(name, self) for name in receivers}
        self._path = folder / "alerting.sqlite"
        self._route = RouteConfig.model_validate(route)
        self._send_resolved = send_resolved
        self._events: list[tuple[float, Event]] = []
        self._expected: list[Told] = []
        self._clock = PeekingClock(START)

    @property
    def second(self) -> float:
        """Seconds since the story began."""
        return self._clock.monotonic()

    def push(self, at: float, *alerts: Alert) -> None:
        """At second `at` the alerts come in."""

        async def put() -> None:
            await self._alerts.put(alerts)

        self._events.append((at, put))

    def behave(self, at: float, receiver: str, outcome: Outcome | None = None, answers: bool = True) -> None:
        """From second `at` on the receiver answers so, or gets messages and never answers."""

        async def change() -> None:
            self.places[receiver].outcome = outcome or Delivered()
            self.places[receiver].answers = answers

        self._events.append((at, change))

    def kill(self, at: float, away: float = 0.0) -> None:
        """At second `at` everything dies where it stands; after `away` seconds it starts from its file."""

        async def die() -> None:
            await self._die()
            await self._clock.advance(away)
            await self._live()

        self._events.append((at, die))

    def reload(self, at: float, route: Mapping[str, Any]) -> None:
        """At second `at` the configuration changes and is loaded."""

        async def change() -> None:
            self._route = RouteConfig.model_validate(route)
            await self._telling.close()
            self._tell()

        self._events.append((at, change))

    def expect(
        self, at: float, receiver: str, firing: list[str] | None = None, resolved: list[str] | None = None
    ) -> None:
        """Exactly at second `at` the receiver is told of these."""
        self._expected.append(Told(at, receiver, tuple(firing or ()), tuple(resolved or ())))

    def run(self, until: float) -> None:
        """Let it happen, and compare what was told with what was expected: nothing less, nothing more."""
        assert sorted(self.happen(until), key=_order) == sorted(self._expected, key=_order)

    def happen(self, until: float) -> list[Told]:
        """Let it happen; what was told."""
        asyncio.run(self._run(until))
        return self.told

    async def _run(self, until: float) -> None:
        events = sorted(self._events, key=lambda event: event[0])
        await self._live()
        while self.second < until:
            while events and events[0][0] <= self.second:
                await events.pop(0)[1]()
                await self._quiet()
            following = min(until, self._clock.next_wake(), events[0][0] if events else until)
            await self._clock.advance(following - self.second)
            await self._quiet()
        await self._die()

    async def _live(self) -> None:
        self._database = await Database.open(self._path, [*ALERT_MIGRATIONS, *NOTIFICATION_MIGRATIONS])
        self._notifications = await SqliteNotifications.open(self._database)
        self._alerts = await AlertStore.open(self._database, self._clock, self._notifications.told_over())
        self._tell()
        await self._quiet()

    def _tell(self) -> None:
        receivers = {
            name: [Integration(name, "place", 0, self._send_resolved, place)] for name, place in self.places.items()
        }
        metrics = NotifyMetrics(CollectorRegistry(), ("place",))
        self._telling = Telling(build_tree(self._route), receivers, self._notifications, metrics, self._clock)
        self._alerts.listen(self._telling.ingest)
        self._telling.start(self._alerts.all())

    async def _die(self) -> None:
        """Every task ends where it stands; only what the database has committed is left."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._database.close()

    async def _quiet(self) -> None:
        """Until nothing happens any more: tasks run until they wait, and the database has done what it was asked."""
        for _ in range(4):
            await settle()
            await self._database.run(lambda connection: connection)


def _order(told: Told) -> tuple[float, str]:
    return told.at, told.receiver
