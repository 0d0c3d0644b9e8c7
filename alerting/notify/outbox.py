"""The outbox: a notification is stored before it is sent, and leaves when the receiver has answered.

For each slot (a group, as one integration is told of it) it holds the newest notification without an answer.
One that comes while another waits takes its place and tells what that one would have told as well.
"""

from dataclasses import replace

from alerting.notify.courier import Couriers
from alerting.notify.dedup import LogEntry
from alerting.notify.log import entry_of
from alerting.notify.message import Notification
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.ports import Integration, NotificationStore, Slot
from fenghuo.clock import Clock


class Outbox:
    """Takes notifications in, and wakes the courier that carries them out."""

    def __init__(self, store: NotificationStore, couriers: Couriers, metrics: NotifyMetrics, clock: Clock) -> None:
        self._store = store
        self._couriers = couriers
        self._metrics = metrics
        self._clock = clock

    def last_told(self, slot: Slot, now: float) -> LogEntry | None:
        """What the slot has been told, or is about to be told: a stored message counts as sent."""
        pending = self._store.pending(slot)
        if pending is not None:
            return entry_of(pending.notification, pending.notification.at)
        entry = self._store.entry(slot)
        return None if entry is None or entry.expires_at <= now else entry

    async def post(self, integration: Integration, notification: Notification) -> None:
        """Store the notification and have it delivered. Raises StorageError; then nothing has changed."""
        slot = Slot(notification.group_key, integration.key)
        pending = self._store.pending(slot)
        whole = supersede(pending.notification, notification) if pending else notification
        told = whole if integration.send_resolved else replace(whole, alerts=whole.firing)
        if not told.alerts:
            # nothing to say to a receiver that wants no resolved messages, but the log must forget what fired
            entry = entry_of(notification, self._clock.now())
            await self._store.settle(slot, entry, pending.serial if pending else 0)
            return
        await self._store.put(slot, told)
        self._metrics.posted(integration.kind)
        self._couriers.carry(slot)


def supersede(old: Notification, new: Notification) -> Notification:
    """The new notification, with those alerts of the old one that it does not mention. Pure."""
    mentioned = {alert.fingerprint for alert in new.alerts}
    untold = tuple(alert for alert in old.alerts if alert.fingerprint not in mentioned)
    return replace(new, alerts=new.alerts + untold) if untold else new
