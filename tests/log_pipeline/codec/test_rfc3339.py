"""Times with nanoseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_pipeline.codec.rfc3339 import from_nanoseconds, to_nanoseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2016-10-06T00:17:09.669794202Z", 1_475_713_029_669_794_202),
        ("2016-10-06T08:17:09.669794202+08:00", 1_475_713_029_669_794_202),
        ("2016-10-06T00:17:09.6Z", 1_475_713_029_600_000_000),
        ("2016-10-06T00:17:09,6697942021234Z", 1_475_713_029_669_794_202),
        ("2016-10-06 00:17:09", 1_475_713_029_000_000_000),
        ("2016-10-06t00:17:09z", 1_475_713_029_000_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2016-02-30T00:00:00Z", None),
        ("2016-10-06T25:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_rfc3339_to_nanoseconds(text: str, nanoseconds: int | None) -> None:
    assert to_nanoseconds(text) == nanoseconds


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_nanoseconds_come_back_as_they_were(nanoseconds: int) -> None:
    assert to_nanoseconds(from_nanoseconds(nanoseconds)) == nanoseconds


def test_no_more_decimals_than_needed_and_never_fewer_than_three() -> None:
    assert from_nanoseconds(1_475_713_029_600_000_000) == "2016-10-06T00:17:09.600Z"
    assert from_nanoseconds(1_475_713_029_600_001_000) == "2016-10-06T00:17:09.600001Z"
