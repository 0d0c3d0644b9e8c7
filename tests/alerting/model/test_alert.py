"""Alerts and how two reports of one alert become one."""

from dataclasses import replace

import pytest

from alerting.model.alert import Alert, merge

NOW = 1000.0
FIRING = Alert({"alertname": "A", "x": "1"}, {"summary": "s"}, starts_at=100.0, updated_at=NOW)


def test_an_alert_has_the_fingerprint_of_its_labels() -> None:
    assert FIRING.fingerprint == "6051004c729abe0e"
    assert replace(FIRING, labels={"alertname": "B"}).fingerprint != FIRING.fingerprint


def test_an_alert_without_an_end_fires_for_ever_and_one_with_an_end_is_over_at_it() -> None:
    ended = replace(FIRING, ends_at=200.0)
    assert FIRING.status(1e12) == "firing"
    assert (ended.status(199.9), ended.status(200.0)) == ("firing", "resolved")


@pytest.mark.parametrize(
    ("old", "new", "start", "end"),
    [
        # (starts, ends, set by timeout) of the older and of the newer report
        ((100, None, False), (300, None, False), 100, None),
        ((300, None, False), (100, None, False), 100, None),
        ((100, None, False), (100, 900, False), 100, 900),
        ((100, 1200, True), (100, 1500, True), 100, 1500),
        ((100, 2000, True), (100, 1500, True), 100, 1500),
        ((100, 2000, False), (100, 1500, True), 100, 2000),
        ((100, 2000, False), (100, 900, False), 100, 900),
        ((100, 950, False), (100, 900, False), 100, 950),
        ((100, 200, False), (300, None, False), 300, None),
        ((100, None, False), (300, 1500, True), 100, None),
        ((100, None, False), (300, 1500, False), 100, 1500),
    ],
)
def test_two_reports_become_one(
    old: tuple[float, float | None, bool], new: tuple[float, float | None, bool], start: float, end: float | None
) -> None:
    one = replace(FIRING, starts_at=old[0], ends_at=old[1], timeout=old[2], updated_at=NOW - 1)
    two = replace(FIRING, starts_at=new[0], ends_at=new[1], timeout=new[2], annotations={"summary": "new"})
    merged = merge(one, two)
    assert (merged.starts_at, merged.ends_at, merged.annotations) == (start, end, {"summary": "new"})


def test_an_end_counts_even_when_the_clock_was_set_back_before_it() -> None:
    ended = replace(FIRING, ends_at=NOW - 3600, updated_at=NOW - 3600)
    assert merge(FIRING, ended).status(NOW - 3600) == "resolved"


def test_each_time_of_a_joined_alert_keeps_the_zone_in_which_it_was_written() -> None:
    old = replace(FIRING, ends_at=253_402_300_799.0, offsets=(3600, 0))
    new = replace(FIRING, starts_at=300.0, ends_at=NOW + 1, offsets=(28_800, 28_800))
    joined = merge(old, new)
    assert joined.ends_at == old.ends_at
    assert joined.offsets == (3600, 0)
