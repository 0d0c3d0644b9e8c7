"""The table that decides whether a receiver hears of a group again.

Rows after Alertmanager's notify/notify_test.go, TestDedupStageNeedsUpdate.
"""

import pytest

from alerting.notify.dedup import Decision, LogEntry, Reason, needs_update

NOW = 10_000.0


def entry(firing: str = "", resolved: str = "", ago: float = 0.0) -> LogEntry:
    """Each letter is a fingerprint."""
    return LogEntry(frozenset(firing), frozenset(resolved), at=NOW - ago, expires_at=NOW + 1)


@pytest.mark.parametrize(
    ("known", "firing", "resolved", "repeat", "send_resolved", "decision"),
    [
        (None, "ab", "", 0, True, Decision(True, Reason.FIRST)),
        (None, "", "a", 0, True, Decision(False, Reason.NOTHING_FIRES)),
        (None, "", "", 0, True, Decision(False, Reason.NOTHING_FIRES)),
        (entry("a"), "ab", "", 600, True, Decision(True, Reason.NEW_ALERTS)),
        (entry("", "a"), "a", "", 600, True, Decision(True, Reason.NEW_ALERTS)),
        (entry("ab"), "a", "", 600, True, Decision(False, Reason.NOTHING_NEW)),
        (entry("ab", ago=601), "ab", "", 600, True, Decision(True, Reason.REPEAT)),
        (entry("ab", ago=600), "ab", "", 600, True, Decision(False, Reason.NOTHING_NEW)),
        (entry("ab", ago=599), "ab", "", 600, True, Decision(False, Reason.NOTHING_NEW)),
        (entry("ab"), "", "ab", 600, True, Decision(True, Reason.ALL_RESOLVED)),
        (entry("ab"), "", "ab", 600, False, Decision(True, Reason.ALL_RESOLVED)),
        (entry("", "ab", ago=601), "", "ab", 600, True, Decision(False, Reason.ALREADY_RESOLVED)),
        (entry("ab"), "a", "b", 600, True, Decision(True, Reason.SOME_RESOLVED)),
        (entry("ab"), "a", "b", 600, False, Decision(False, Reason.NOTHING_NEW)),
        (entry("a", "b"), "a", "b", 600, True, Decision(False, Reason.NOTHING_NEW)),
        (entry("ab", ago=601), "a", "b", 600, False, Decision(True, Reason.REPEAT)),
    ],
)
def test_each_row_of_the_table(
    known: LogEntry | None, firing: str, resolved: str, repeat: float, send_resolved: bool, decision: Decision
) -> None:
    assert needs_update(known, set(firing), set(resolved), repeat, send_resolved, NOW) == decision
