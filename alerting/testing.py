"""Fakes that the alert engine ships for its users' tests; tests/contracts runs each beside the real thing.

Two sections, for the two halves: judging (sources, sinks, states) and telling (receivers, notifications, messages).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification
from alerting.notify.outcome import Delivered, Outcome
from alerting.notify.ports import Failure, KeptMessage, Pending, Slot

# --- telling ---------------------------------------------------------------------------------------------------------


@dataclass
class FakeReceiver:
    """A Receiver that keeps what it was sent, and answers from a script, then always Delivered."""

    script: deque[Outcome | Exception] = field(default_factory=deque)
    sent: list[Notification] = field(default_factory=list)

    async def send(self, notification: Notification, serial: int) -> Outcome:
        self.sent.append(notification)
        outcome = self.script.popleft() if self.script else Delivered()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class MemoryNotifications:
    """A NotificationStore without a disk."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._log: dict[Slot, LogEntry] = {}
        self._outbox: dict[Slot, Pending] = {}
        self._serial = 0

    def entry(self, slot: Slot) -> LogEntry | None:
        return self._log.get(slot)

    def pending(self, slot: Slot) -> Pending | None:
        return self._outbox.get(slot)

    def all_pending(self) -> Sequence[Pending]:
        return sorted(self._outbox.values(), key=lambda pending: pending.serial)

    async def put(self, slot: Slot, notification: Notification) -> Pending:
        self._serial += 1
        self._outbox[slot] = Pending(self._serial, slot, notification)
        return self._outbox[slot]

    async def settle(self, slot: Slot, entry: LogEntry, serial: int, failure: Failure | None = None) -> None:
        self._log[slot] = entry
        pending = self._outbox.get(slot)
        if pending is not None and pending.serial <= serial:
            del self._outbox[slot]
        if failure is not None:
            self.failures.append(failure)

    async def collect(self, now: float) -> int:
        gone = [slot for slot, entry in self._log.items() if entry.expires_at <= now]
        for slot in gone:
            del self._log[slot]
        return len(gone)


class MemoryMessages:
    """A MessageStore without a disk and without a bound."""

    def __init__(self) -> None:
        self._messages: list[KeptMessage] = []

    async def keep(self, message: KeptMessage) -> bool:
        if any(kept.serial == message.serial for kept in self._messages):
            return False
        self._messages.append(replace(message, id=len(self._messages) + 1))
        return True

    def newest(self, limit: int) -> list[KeptMessage]:
        return self._messages[::-1][:limit]
