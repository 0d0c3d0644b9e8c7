"""Whether a receiver needs to hear of a group again. Pure.

The table (Alertmanager's notify/dedup_stage.go, `needsUpdate`), first row that holds:

    no entry of an earlier message       send if something fires
    an alert fires that the entry lacks  send
    nothing fires                        send if something fired then
    an alert resolved since              send, when the receiver wants resolved messages
    the entry is older than the repeat   send
    otherwise                            nothing; a firing alert that merely leaves is no news
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a message is sent, or is not; also the label of `fenghuo_notification_decisions_total`."""

    FIRST = "first_notification"
    NEW_ALERTS = "new_alerts_in_group"
    ALL_RESOLVED = "all_alerts_resolved"
    SOME_RESOLVED = "new_resolved_alerts"
    REPEAT = "repeat_interval_elapsed"
    NOTHING_FIRES = "nothing_fires_and_nothing_was_told"
    ALREADY_RESOLVED = "all_resolved_was_told"
    NOTHING_NEW = "nothing_new"
    NO_ALERTS_LEFT = "no_alerts_left"
    NO_RECEIVER = "receiver_without_integrations"


@dataclass(frozen=True, slots=True)
class Decision:
    """Send or not, and why."""

    send: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one receiver was last told of one group: fingerprints, and when (Unix seconds).

    `refused` says that the receiver would not take the message, which ends it but tells nobody.
    """

    firing: frozenset[str]
    resolved: frozenset[str]
    at: float
    expires_at: float
    refused: bool = False


def needs_update(
    entry: LogEntry | None,
    firing: Set[str],
    resolved: Set[str],
    repeat_interval: float,
    send_resolved: bool,
    now: float,
) -> Decision:
    """Decide by the table above. `firing` and `resolved` are fingerprints, times are seconds."""
    if entry is None:
        return Decision(True, Reason.FIRST) if firing else Decision(False, Reason.NOTHING_FIRES)
    if not firing <= entry.firing:
        return Decision(True, Reason.NEW_ALERTS)
    if not firing:
        # also when send_resolved is off: the log must forget what fired, the outbox then sends nothing
        return Decision(True, Reason.ALL_RESOLVED) if entry.firing else Decision(False, Reason.ALREADY_RESOLVED)
    if send_resolved and not resolved <= entry.resolved:
        return Decision(True, Reason.SOME_RESOLVED)
    if entry.at < now - repeat_interval:
        return Decision(True, Reason.REPEAT)
    return Decision(False, Reason.NOTHING_NEW)
