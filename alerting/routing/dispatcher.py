"""The dispatcher: sorts alerts into groups and flushes each group at its times.

A group first waits `group_wait`, then is flushed every `group_interval` for as long as it holds alerts; one whose
first alert is already older than `group_wait` is flushed at once. A new alert of an existing group waits for the
next tick. What a flush means is the business of the callable it is given; here is only the time.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Iterable

from alerting.model.alert import Alert
from alerting.routing.grouping import Flush, Group, group_labels
from alerting.routing.tree import Route
from fenghuo.clock import Clock
from fenghuo.logs import get_logger

Notify = Callable[[Flush], Awaitable[bool]]
"""Tells the receivers of a flush; True when what was resolved in it need not be told again."""

GRACE = 0.5
"""Seconds that flushes on their way may take when the dispatcher is told to stop; they wait for the disk only."""

_GroupId = tuple[str, tuple[tuple[str, str], ...]]


class Dispatcher:
    """Groups and their timers, in memory: rebuilt from the stored alerts at each start and reload."""

    def __init__(self, tree: Route, notify: Notify, clock: Clock) -> None:
        self._tree = tree
        self._notify = notify
        self._clock = clock
        self._groups: dict[_GroupId, Group] = {}
        self._timers: list[tuple[float, int, Group]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timekeeper: asyncio.Task[None] | None = None
        self._log = get_logger("dispatcher")

    def start(self) -> None:
        """Begin to keep time; alerts may have been put in before."""
        self._timekeeper = self._spawn(self._run())

    async def close(self) -> None:
        """Stop the timers; flushes on their way may end within GRACE seconds. No alert is lost, all are stored."""
        if self._timekeeper is not None:
            self._timekeeper.cancel()
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def ingest(self, alerts: Iterable[Alert]) -> None:
        """Put alerts into their groups, making those that are missing. Does not wait and does not send."""
        for alert in alerts:
            for route in self._tree.match(alert.labels):
                self._insert(route, alert)

    def groups(self) -> list[Group]:
        """The groups that hold alerts."""
        return list(self._groups.values())

    def receivers_of(self, alert: Alert) -> list[str]:
        """The receivers that the routes of an alert name."""
        return [route.receiver for route in self._tree.match(alert.labels)]

    def held(self) -> set[str]:
        """Fingerprints of the alerts that a group still has to tell of."""
        return {fingerprint for group in self._groups.values() for fingerprint in group.alerts}

    def _insert(self, route: Route, alert: Alert) -> None:
        labels = group_labels(route, alert.labels)
        identity = (route.id, tuple(sorted(labels.items())))
        group = self._groups.get(identity)
        if group is None:
            group = self._groups[identity] = Group(route, labels, self._clock.monotonic() + route.group_wait)
            self._arm(group)
        group.insert(alert)
        if not group.flushed and alert.starts_at + route.group_wait < self._clock.now():
            group.due = self._clock.monotonic()
            self._arm(group)

    def _arm(self, group: Group) -> None:
        heapq.heappush(self._timers, (group.due, next(self._order), group))
        if self._timers[0][2] is group:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wait()
            for group in self._take_due():
                group.due = self._clock.monotonic() + group.route.group_interval
                group.flushed = True
                self._arm(group)
                if not group.flushing:  # a flush that is still on its way stands for this tick too
                    group.flushing = True
                    self._spawn(self._flush(group))

    async def _wait(self) -> None:
        """Until the first group is due, or another one becomes the first."""
        waits = {asyncio.ensure_future(self._woken())}
        if self._timers:
            delay = self._timers[0][0] - self._clock.monotonic()
            waits.add(asyncio.ensure_future(self._clock.sleep(delay)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _woken(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    def _take_due(self) -> list[Group]:
        now = self._clock.monotonic()
        due = []
        while self._timers and self._timers[0][0] <= now:
            time, _, group = heapq.heappop(self._timers)
            if time == group.due and group.alerts:  # otherwise it was armed anew, or has nothing left to tell
                due.append(group)
        return due

    async def _flush(self, group: Group) -> None:
        now, before = self._clock.now(), list(group.alerts.values())
        try:
            told = await self._notify(group.flush(now))
        except Exception as error:  # noqa: BLE001 - a surprise in one group must not stop it; its next tick tries again
            self._log.error("a flush failed", group=group.key, error=str(error))
            told = False
        finally:
            group.flushing = False
        if told:
            group.forget(before, now)
        if not group.alerts:
            self._groups.pop((group.route.id, tuple(sorted(group.labels.items()))), None)

    def _spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
