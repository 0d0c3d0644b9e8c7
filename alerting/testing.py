"""Fakes that the alert engine ships for its users' tests; tests/contracts runs each beside the real thing.

Two sections, for the two halves: judging (sources, sinks, states) and telling (receivers, notifications, messages).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerting.engine.ports import Change, Result, Sample
from alerting.engine.state import NEW, RuleState
from alerting.model.alert import Alert
from alerting.notify.dedup import LogEntry
from alerting.notify.message import Notification
from alerting.notify.outcome import Delivered, Outcome
from alerting.notify.ports import Failure, KeptMessage, Pending, Slot
from fenghuo.errors import StorageError

ScriptedAnswer = Sequence[Sample] | Exception

# --- judging ---------------------------------------------------------------------------------------------------------


@dataclass
class ScriptedSource:
    """A Source that answers what it was told to.

    `answers` maps an expression to its samples, to the error it raises, or to a function of the time that gives
    either; an expression that is not in it has an empty answer. What was asked is in `asked`.
    """

    answers: dict[str, ScriptedAnswer | Callable[[float], ScriptedAnswer]] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    async def query(self, expr: str, at: float) -> Result:
        self.asked.append((expr, at))
        answer = self.answers.get(expr, [])
        answer = answer(at) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return Result(answer)

    def link(self, expr: str) -> str:
        return f"http://source/graph?g0.expr={expr}"


class MemoryStates:
    """A StateStore without a disk. `failing` makes the next saves fail as a full disk does."""

    def __init__(self) -> None:
        self.states: dict[str, RuleState] = {}
        self.saves = 0
        self.failing = False

    async def load(self) -> Mapping[str, RuleState]:
        return dict(self.states)

    async def save(self, changes: Sequence[Change]) -> None:
        if self.failing:
            raise StorageError("memory: database or disk is full")
        self.saves += 1
        for change in changes:
            known = NEW if change.anew else self.states.get(change.rule_id, NEW)
            alerts = {key: alert for key, alert in known.alerts.items() if key not in change.drop}
            alerts |= {alert.fingerprint: alert for alert in change.put}
            self.states[change.rule_id] = RuleState(change.evaluated_at, alerts)
            if change.evaluated_at is None and not alerts:
                del self.states[change.rule_id]


class RecordingSink:
    """An AlertSink that keeps every alert it was given, in order. `failing` makes it refuse."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.failing = False

    async def put(self, alerts: Sequence[Alert]) -> None:
        if self.failing:
            raise StorageError("sink: database or disk is full")
        self.alerts += alerts


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
