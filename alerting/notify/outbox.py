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

MOST_UNTOLD = 1000
"""Alerts that a waiting message keeps beside those of its group: what came and went while its receiver was dead."""


class Outbox:
    """Takes notifications in, and wakes the courier that carries them out."""

    def __init__(self, store: NotificationStore, couriers: Couriers, metrics: NotifyMetrics) -> None:
        self._store = store
        self._couriers = couriers
        self._metrics = metrics

    def last_told(self, slot: Slot, now: float) -> LogEntry | None:
        """What the slot has been told, or is about to be told: a stored message counts as sent."""
        pending = self._store.pending(slot)
        if pending is not None:
            self._couriers.carry(slot)  # should it have been left without one, as by a commit that a reload overtook
            return entry_of(pending.notification, pending.notification.at)
        entry = self._store.entry(slot)
        return None if entry is None or entry.expires_at <= now else entry

    async def post(self, integration: Integration, notification: Notification) -> None:
        """Store the notification and have it delivered. Raises StorageError; then nothing has changed.

        One that has nothing to say to a receiver without resolved messages goes the same way, and is not sent:
        its turn comes after a message on its way, so that the log forgets last what fired.
        """
        slot = Slot(notification.group_key, integration.key)
        pending = self._store.pending(slot)
        whole = supersede(pending.notification, notification) if pending else notification
        await self._store.put(slot, whole)
        if integration.send_resolved or whole.firing:
            self._metrics.posted(integration.kind)
        self._couriers.carry(slot)


def supersede(old: Notification, new: Notification) -> Notification:
    """The new notification, with those alerts of the old one that it does not mention, the newest of them. Pure."""
    mentioned = {alert.fingerprint for alert in new.alerts}
    untold = tuple(alert for alert in old.alerts if alert.fingerprint not in mentioned)[:MOST_UNTOLD]
    return replace(new, alerts=new.alerts + untold) if untold else new
