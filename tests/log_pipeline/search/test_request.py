"""What a user types for a search, read or refused."""

import pytest

from log_pipeline.search.find import MOST_LINES, Search
from log_pipeline.search.query import AllOf
from log_pipeline.search.request import BadSearch, new_search
from log_pipeline.search.timerange import parse_moment

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", NOW - 600),
        ("1d12h", NOW - 129_600),
        ("0", NOW),
        ("now", NOW),
        (" 90s ", NOW - 90),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-15T06:13:20+08:00", NOW),
        ("2023-11-14T22:13:20", NOW),
        ("2023-11-14", 1_699_920_000.0),
        ("1700000000", NOW),
        ("1700000000.5", NOW + 0.5),
    ],
)
def test_a_moment_may_be_written_in_many_ways(text: str, seconds: float) -> None:
    assert parse_moment(text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "10", "10 m", "-5m", "2023-13-01", "nan", "1e300"])
def test_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 10m, a time such as"):
        parse_moment(text, NOW)


def test_empty_texts_mean_no_bounds_and_a_hundred_lines() -> None:
    assert new_search("", "", "", "", NOW) == Search(AllOf(), None, None, 100)


def test_bounds_are_taken_over() -> None:
    assert new_search("", "10m", "5m", "7", NOW) == Search(AllOf(), NOW - 600, NOW - 300, 7)


@pytest.mark.parametrize(
    ("since", "until", "limit", "expected"),
    [
        ("soon", "", "", "since: expected a duration"),
        ("", "soon", "", "until: expected a duration"),
        ("5m", "10m", "", "since (5m) is not before until (10m)"),
        ("", "", "0", f"limit: expected a number from 1 to {MOST_LINES}, got '0'"),
        ("", "", "1001", f"limit: expected a number from 1 to {MOST_LINES}, got '1001'"),
        ("", "", "-1", f"limit: expected a number from 1 to {MOST_LINES}, got '-1'"),
        ("", "", "many", f"limit: expected a number from 1 to {MOST_LINES}, got 'many'"),
    ],
)
def test_what_cant_be_read_is_named(since: str, until: str, limit: str, expected: str) -> None:
    with pytest.raises(BadSearch) as caught:
        new_search("", since, until, limit, NOW)
    assert str(caught.value).startswith(expected)
