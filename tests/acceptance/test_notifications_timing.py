"""Who is told what, and at which second. After the stories of Alertmanager's own acceptance suite."""

from pathlib import Path

from alerting.notify.outcome import FailReason, Refused, TryAgain
from tests.acceptance.timeline import Timeline, firing, resolved

ROUTE = {
    "receiver": "team",
    "group_by": ["alertname"],
    "group_wait": "1s",
    "group_interval": "10s",
    "repeat_interval": "1h",
}


def test_alerts_of_a_group_are_batched(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1, host="x"))
    story.push(1.5, firing("A", at=1.5, host="y"), firing("B", at=1.5))
    story.expect(2, "team", firing=["A", "A"])
    story.expect(2.5, "team", firing=["B"])
    story.push(5, firing("A", at=5, host="z"))
    story.expect(12, "team", firing=["A", "A", "A"])
    story.run(until=40)


def test_an_end_is_told_at_the_next_tick(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.expect(2, "team", firing=["A"])
    story.push(5, resolved("A", at=5, began=1))
    story.expect(12, "team", resolved=["A"])
    story.run(until=40)


def test_an_alert_that_comes_and_goes_before_the_wait_is_over_is_not_told(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.push(1.5, resolved("A", at=1.5, began=1))
    story.run(until=20)


def test_an_alert_that_nobody_repeats_ends_when_its_time_is_up(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1, until=6))
    story.expect(2, "team", firing=["A"])
    story.expect(12, "team", resolved=["A"])
    story.run(until=30)


def test_a_repeated_alert_does_not_end(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    for second in (1, 4, 7, 10, 13, 16):
        story.push(second, firing("A", at=1, until=second + 5))
    story.expect(2, "team", firing=["A"])
    story.expect(22, "team", resolved=["A"])
    story.run(until=40)


def test_what_still_fires_is_repeated_at_the_first_tick_after_the_interval(tmp_path: Path) -> None:
    story = Timeline(tmp_path, {**ROUTE, "repeat_interval": "15s"}, "team")
    story.push(1, firing("A", at=1))
    for second in (2, 22, 42):
        story.expect(second, "team", firing=["A"])
    story.run(until=60)


def test_an_alert_that_fires_again_is_told_again(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.push(1, firing("A", at=1))
    story.push(3, resolved("A", at=3, began=1))
    story.push(15, firing("A", at=15))
    story.expect(2, "team", firing=["A"])
    story.expect(12, "team", resolved=["A"])
    story.expect(16, "team", firing=["A"])
    story.run(until=40)


def test_a_receiver_that_wants_no_ends_gets_none(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team", send_resolved=False)
    story.push(1, firing("A", at=1))
    story.push(3, resolved("A", at=3, began=1))
    story.push(15, firing("A", at=15))
    story.expect(2, "team", firing=["A"])
    story.expect(16, "team", firing=["A"])
    story.run(until=40)


def test_the_page_goes_to_the_pager_and_also_on_to_the_log(tmp_path: Path) -> None:
    route = {
        **ROUTE,
        "routes": [
            {"matchers": ['severity="page"'], "receiver": "pager", "continue": True, "group_wait": "0s"},
            {"matchers": ["severity=~page|warn"], "receiver": "log"},
        ],
    }
    story = Timeline(tmp_path, route, "team", "pager", "log")
    story.push(1, firing("A", at=1, severity="page"), firing("B", at=1, severity="warn"), firing("C", at=1))
    story.expect(1, "pager", firing=["A"])
    story.expect(2, "log", firing=["A"])
    story.expect(2, "log", firing=["B"])
    story.expect(2, "team", firing=["C"])
    story.run(until=20)


def test_a_dead_receiver_holds_up_nobody_and_hears_the_newest_when_it_is_back(tmp_path: Path) -> None:
    route = {**ROUTE, "routes": [{"matchers": ["team=x"], "receiver": "dead"}]}
    story = Timeline(tmp_path, route, "team", "dead")
    story.behave(0, "dead", TryAgain(FailReason.SERVER_ERROR, "503", after=8))
    story.push(1, firing("A", at=1, team="x"), firing("B", at=1))
    story.expect(2, "team", firing=["B"])
    story.expect(2, "dead", firing=["A"])
    story.expect(10, "dead", firing=["A"])
    story.push(11, resolved("A", at=11, began=1, team="x"))
    story.behave(11, "dead")
    story.expect(18, "dead", resolved=["A"])
    story.run(until=40)


def test_a_message_that_is_refused_is_not_sent_again_and_its_end_is_still_told(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team")
    story.behave(0, "team", Refused(FailReason.CLIENT_ERROR, "400"))
    story.push(1, firing("A", at=1))
    story.expect(2, "team", firing=["A"])
    story.behave(30, "team")
    story.push(30, resolved("A", at=30, began=1))
    story.expect(32, "team", resolved=["A"])
    story.run(until=50)


def test_a_reload_repeats_nothing_and_loses_nothing(tmp_path: Path) -> None:
    story = Timeline(tmp_path, ROUTE, "team", "other")
    story.push(1, firing("A", at=1))
    story.expect(2, "team", firing=["A"])
    story.reload(5, {**ROUTE, "group_interval": "5s"})
    story.push(6, firing("A", at=6, host="y"))
    story.expect(10, "team", firing=["A", "A"])
    story.reload(20, {**ROUTE, "receiver": "other"})
    story.expect(20, "other", firing=["A", "A"])
    story.run(until=40)
