"""What the telling half needs from outside: receivers, a place for notifications, a place for kept messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification
from alerting.notify.outcome import Outcome


class Slot(NamedTuple):
    """What is deduplicated: one group, as one integration is told of it."""

    group_key: str
    integration: str


class Receiver(Protocol):
    """One place to send to."""

    async def send(self, notification: Notification, serial: int) -> Outcome:
        """Send once. Every expected failure is an Outcome; nothing is raised for it.

        `serial` is the notification's number, the same at each try: a receiver that can, uses it to take a
        message only once. May be called for many notifications at once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Integration:
    """A receiver in its place: the `index`-th of its kind under a receiver's name."""

    receiver_name: str
    kind: str
    index: int
    send_resolved: bool
    receiver: Receiver

    @property
    def key(self) -> str:
        """Alertmanager's name for it in the notification log: `team/webhook/0`."""
        return f"{self.receiver_name}/{self.kind}/{self.index}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A notification in the outbox. `serial` grows with each one stored; a replaced one gets a new serial."""

    serial: int
    slot: Slot
    notification: Notification


@dataclass(frozen=True, slots=True)
class Failure:
    """A notification that its receiver would not take: who, when, why."""

    serial: int
    slot: Slot
    at: float
    reason: str
    detail: str


class NotificationStore(Protocol):
    """The notification log and the outbox, in one place because they change in one transaction.

    The outbox holds at most one notification a slot: the newest that has not been answered. Reading does not
    wait; writing returns when the change will survive a crash. Raises StorageError.
    """

    def entry(self, slot: Slot) -> LogEntry | None:
        """What the slot was last told, or None."""
        ...

    def pending(self, slot: Slot) -> Pending | None:
        """The notification of this slot that has not been answered."""
        ...

    def all_pending(self) -> Sequence[Pending]:
        """The whole outbox, oldest first."""
        ...

    async def put(self, slot: Slot, notification: Notification) -> Pending:
        """Store a notification before it is sent, in place of an earlier one of the slot."""
        ...

    async def settle(self, slot: Slot, entry: LogEntry, serial: int, failure: Failure | None = None) -> None:
        """Record what the slot was told, and take notifications up to `serial` out of the outbox, at once."""
        ...

    async def collect(self, now: float) -> int:
        """Forget log entries that have expired; their number."""
        ...


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it was shown to people. `id` is 0 until it is kept."""

    sent_at: float
    receiver: str
    status: str
    title: str
    text: str
    notification: Notification
    serial: int
    id: int = 0


class MessageStore(Protocol):
    """The last messages of the console receiver, bounded. Raises StorageError."""

    async def keep(self, message: KeptMessage) -> bool:
        """Keep it; False when the message of this serial is kept already."""
        ...

    def newest(self, limit: int) -> list[KeptMessage]:
        """Up to `limit` messages, newest first."""
        ...
