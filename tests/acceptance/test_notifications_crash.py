"""`kill -9` at the worst moments: nothing is lost, and little is told twice."""

from pathlib import Path

from alerting.notify.outcome import FailReason, TryAgain
from tests.acceptance.timeline import Timeline, firing, resolved

ROUTE = {
    "receiver": "team",
    "group_by": ["alertname"],
    "group_wait": "4s",
    "group_interval": "10s",
    "repeat_interval": "1h",
}


def test_a_crash_before_the_group_is_due_loses_no_alert(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.kill(2)
    story.expect(6, "team", firing=["A"])
    story.run(until=30)


def test_a_crash_between_store_and_send_loses_no_message(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.behave(0, "team", TryAgain(FailReason.OTHER, "down", after=60))
    story.push(1, firing("A", at=1))
    story.expect(5, "team", firing=["A"])  # the try that failed
    story.behave(6, "team")
    story.kill(7)
    story.expect(7, "team", firing=["A"])
    story.run(until=30)


def test_a_crash_between_send_and_record_repeats_the_message_once(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.behave(0, "team", answers=False)
    story.push(1, firing("A", at=1))
    story.expect(5, "team", firing=["A"])
    story.behave(6, "team")
    story.kill(6)
    story.expect(6, "team", firing=["A"])
    story.kill(8)
    story.run(until=60)


def test_a_crash_after_the_record_repeats_nothing(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.expect(5, "team", firing=["A"])
    for second in (5.5, 6, 12, 20):
        story.kill(second)
    story.run(until=60)


def test_an_end_that_came_before_the_crash_is_told_after_it(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.expect(5, "team", firing=["A"])
    story.push(8, resolved("A", at=8, began=1))
    story.kill(9)
    story.expect(9, "team", resolved=["A"])
    story.kill(12)
    story.run(until=60)


def test_being_away_resolves_nothing(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1, until=20))
    story.expect(5, "team", firing=["A"])
    story.kill(10, away=100)  # nobody is here to hear the alert repeated
    story.push(120, firing("A", at=1, until=140))
    story.push(130, resolved("A", at=130, began=1))
    story.expect(140, "team", resolved=["A"])
    story.run(until=200)


def test_an_alert_that_is_never_repeated_after_the_crash_ends_after_the_time_out(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1, until=20))
    story.expect(5, "team", firing=["A"])
    story.kill(10, away=90)
    story.expect(400, "team", resolved=["A"])
    story.run(until=450)


def test_an_end_that_was_told_before_the_crash_stays_told(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1, until=8))
    story.expect(5, "team", firing=["A"])
    story.expect(15, "team", resolved=["A"])
    story.kill(16)
    story.kill(18, away=30)
    story.run(until=100)
