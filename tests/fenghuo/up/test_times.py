"""Times from outside are shown, whatever they say."""

import pytest

from fenghuo.up.times import seconds_of, time_of_day


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_at_the_edge_of_the_calendar_is_no_crash(text: str) -> None:
    """Go's zero time is the first of these; in most zones the last hours of the calendar do not exist."""
    assert time_of_day(seconds_of(text))


@pytest.mark.parametrize("at", [1e300, -1e18, 253402300800.0])
def test_a_time_beyond_the_calendar_is_a_dash(at: float) -> None:
    assert time_of_day(at) == "-"
