"""The couriers: one for each slot with something in the outbox, trying until the receiver has answered.

They start again from the outbox after a crash. A message is delivered at least once, and not twice once its
answer is recorded. A slow or dead receiver holds up its own messages only.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from alerting.notify.log import entry_of
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outcome import Delivered, FailReason, Outcome, Refused, TryAgain
from alerting.notify.ports import Failure, Integration, NotificationStore, Pending, Slot
from alerting.notify.retry import RETRY, wait_before
from fenghuo.clock import Clock
from fenghuo.errors import StorageError
from fenghuo.logs import get_logger

SENDS_AT_ONCE = 20
"""Messages that one receiver is sent at the same time."""

GRACE = 4.0
"""Seconds that messages on their way may take when the couriers are told to stop."""


class Couriers:
    """Carries notifications from the outbox to the receivers; `integrations` are known by their keys."""

    def __init__(
        self, store: NotificationStore, integrations: Mapping[str, Integration], metrics: NotifyMetrics, clock: Clock
    ) -> None:
        self._store = store
        self._integrations = integrations
        self._metrics = metrics
        self._clock = clock
        self._tasks: dict[Slot, asyncio.Task[None]] = {}
        self._on_the_way: set[Slot] = set()
        self._lanes = {key: asyncio.Semaphore(SENDS_AT_ONCE) for key in integrations}
        self._closing = False
        self._log = get_logger("courier")

    def start(self) -> None:
        """Go on with what the outbox holds from before."""
        for pending in self._store.all_pending():
            self.carry(pending.slot)

    def carry(self, slot: Slot) -> None:
        """See to it that the slot's notification is delivered; a courier under way takes the newest along."""
        if slot in self._tasks or self._closing:
            return
        task = asyncio.ensure_future(self._carry(slot))
        self._tasks[slot] = task
        task.add_done_callback(lambda done: self._done(slot, done))

    async def close(self) -> None:
        """Stop: who waits is sent home, who is at a receiver's door may finish within GRACE seconds."""
        self._closing = True
        for slot, task in self._tasks.items():
            if slot not in self._on_the_way:
                task.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, slot: Slot, task: asyncio.Task[None]) -> None:
        self._tasks.pop(slot, None)
        self._on_the_way.discard(slot)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._log.error("a courier failed; its message stays in the outbox", slot=slot, error=str(error))
        elif self._store.pending(slot) is not None:
            self.carry(slot)  # it came in between the courier's last look and its end

    async def _carry(self, slot: Slot) -> None:
        attempt = 0
        late_at: float | None = None
        while (pending := self._store.pending(slot)) is not None:
            patience = pending.notification.patience
            late_at = self._clock.monotonic() + patience if late_at is None else late_at
            outcome = await self._try(pending)
            if not isinstance(outcome, TryAgain):
                await self._settle(pending, outcome)
                self._on_the_way.discard(slot)
                attempt, late_at = 0, None
                continue
            self._on_the_way.discard(slot)
            attempt += 1
            if self._clock.monotonic() >= late_at:
                late_at += patience
                self._count_late(slot, outcome)
            if self._closing:
                return
            await self._clock.sleep(wait_before(attempt, outcome, RETRY))

    async def _try(self, pending: Pending) -> Outcome:
        integration = self._integrations.get(pending.slot.integration)
        if integration is None:
            return Refused(FailReason.OTHER, "the receiver is not in the configuration any more")
        message = pending.notification
        told = message if integration.send_resolved else replace(message, alerts=message.firing)
        if not told.alerts:
            return Delivered()  # nothing to say to a receiver that wants no resolved messages
        async with self._lanes[integration.key]:
            began = self._clock.monotonic()
            self._on_the_way.add(pending.slot)
            try:
                outcome = await integration.receiver.send(told, pending.serial)
            except Exception as error:  # noqa: BLE001 - a receiver's bug must not lose the message
                outcome = TryAgain(FailReason.OTHER, f"{type(error).__name__}: {error}")
        failed = not isinstance(outcome, Delivered)
        self._metrics.attempted(integration.kind, self._clock.monotonic() - began, failed)
        if isinstance(outcome, TryAgain):
            self._log.warning("not delivered yet", integration=integration.key, reason=outcome.detail)
        return outcome

    async def _settle(self, pending: Pending, outcome: Delivered | Refused) -> None:
        """Record the answer. While that fails the message is not sent again: the answer is known."""
        now = self._clock.now()
        failure = None
        if isinstance(outcome, Refused):
            failure = Failure(pending.serial, pending.slot, now, outcome.reason, outcome.detail)
            self._metrics.failed(self._kind(pending.slot), outcome.reason)
            self._log.error("refused", integration=pending.slot.integration, reason=outcome.detail)
        entry = entry_of(pending.notification, now, refused=failure is not None)
        attempt = 0
        while True:
            try:
                return await self._store.settle(pending.slot, entry, pending.serial, failure)
            except StorageError as error:
                self._log.error("an answer could not be recorded", error=str(error))
                await self._clock.sleep(RETRY.delay(attempt))
                attempt += 1

    def _count_late(self, slot: Slot, outcome: TryAgain) -> None:
        """Count as Alertmanager does: one failed notification for each time-out, and a new one begins."""
        self._metrics.failed(self._kind(slot), outcome.reason)
        self._metrics.posted(self._kind(slot))

    def _kind(self, slot: Slot) -> str:
        integration = self._integrations.get(slot.integration)
        return integration.kind if integration else slot.integration.split("/")[-2]
