"""Groups: which labels make one, what a flush says, what is forgotten after it."""

from dataclasses import replace

from alerting.model.alert import Alert
from alerting.routing.grouping import Group, group_labels
from alerting.routing.tree import RouteConfig, build_tree

NOW = 1000.0


def alert(name: str, ends_at: float | None = None, **labels: str) -> Alert:
    return Alert({"alertname": name, **labels}, {}, starts_at=900.0, ends_at=ends_at, updated_at=900.0)


def group(*alerts: Alert) -> Group:
    route = build_tree(RouteConfig(receiver="r", group_by=("alertname", "zone"), group_interval=60.0))
    held = Group(route, group_labels(route, alerts[0].labels), due=0.0)
    for one in alerts:
        held.insert(one)
    return held


def test_a_group_is_made_of_the_labels_that_the_alert_has() -> None:
    assert group(alert("A", job="x")).labels == {"alertname": "A"}
    assert group(alert("A", zone="z")).key == '{}:{alertname="A", zone="z"}'


def test_three_dots_make_every_alert_its_own_group() -> None:
    route = build_tree(RouteConfig(receiver="r", group_by=("...",)))
    assert group_labels(route, {"b": "2", "a": "1"}) == {"a": "1", "b": "2"}


def test_a_flush_takes_away_the_end_of_what_still_fires() -> None:
    later, over = alert("A", ends_at=NOW + 5, job="later"), alert("A", ends_at=NOW, job="over")
    flush = group(later, over).flush(NOW)
    assert [one.ends_at for one in flush.alerts] == [None, NOW]
    assert flush.firing == {later.fingerprint}
    assert flush.resolved == {over.fingerprint}


def test_alerts_are_told_by_job_then_instance_then_those_without_then_the_shorter() -> None:
    names = ["D", "C", "B", "A", "Y", "X"]
    alerts = [
        alert("D", job="a", instance="1"),
        alert("C", job="a", instance="2"),
        alert("B", job="a"),
        alert("A", instance="1"),
        alert("Y"),
        alert("X", few="labels"),
    ]
    assert [one.name for one in group(*reversed(alerts)).flush(NOW).alerts] == names


def test_a_message_has_as_long_as_the_next_tick_but_at_least_ten_seconds() -> None:
    held = group(alert("A"))
    assert held.flush(NOW).patience == 60.0
    assert Group(replace(held.route, group_interval=1.0), {}, 0.0).flush(NOW).patience == 10.0


def test_after_a_flush_the_resolved_are_forgotten_unless_they_fire_again() -> None:
    fires, over, back = alert("A"), alert("B", ends_at=950.0), alert("C", ends_at=950.0)
    held = group(fires, over, back)
    held.insert(alert("C", ends_at=None))
    held.forget([fires, over, back], NOW)
    assert sorted(one.name for one in held.alerts.values()) == ["A", "C"]
