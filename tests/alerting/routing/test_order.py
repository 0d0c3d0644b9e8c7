"""Alertmanager's order of alerts and of label sets."""

from collections.abc import Mapping

import pytest

from alerting.model.alert import Alert
from alerting.routing.order import alert_order, label_order


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"a": "1"}),
        ({"z": "9"}, {"a": "1", "b": "2"}),
        ({"a": "1"}, {"a": "2"}),
        ({"a": "1", "b": "1"}, {"a": "1", "b": "2"}),
        ({"b": "1"}, {"a": "1"}),
        ({"a": "1", "c": "1"}, {"a": "1", "b": "1"}),
    ],
)
def test_label_sets_have_an_order(first: Mapping[str, str], second: Mapping[str, str]) -> None:
    assert sorted([second, first], key=label_order) == [first, second]
    assert sorted([first, second], key=label_order) == [first, second]


def test_equal_label_sets_have_the_same_place() -> None:
    assert label_order({"a": "1"}) == label_order({"a": "1"})


def test_alerts_come_by_job_and_instance_and_those_without_come_last() -> None:
    sets = [
        {"job": "a", "instance": "1", "z": "1"},
        {"job": "a", "instance": "2"},
        {"job": "a"},
        {"job": "b", "instance": "1"},
        {"instance": "1", "x": "1"},
        {"y": "1"},
        {"x": "1", "y": "1"},
    ]
    alerts = [Alert(labels, {}, 0.0) for labels in reversed(sets)]
    assert [alert.labels for alert in sorted(alerts, key=alert_order)] == sets
