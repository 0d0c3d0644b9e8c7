"""Which expressions of a request are run."""

import pytest

from alerting.api.patterns import require_cheap


@pytest.mark.parametrize(
    "pattern", ["", "web-.*", "^(?:a|b.*)$", ".*foo.*bar.*", "https?://[a-z]+(:80)?", r"\d{3}", "a|b.*|c.*"]
)
def test_what_people_ask_for_is_run(pattern: str) -> None:
    require_cheap(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|aa)*b", "(a?){30}a{30}", ".*.*.*.*x", "a?" * 30, r"(.)\1", "(?=a)a", "((a{1,9}){1,9}){1,9}"],
)
def test_what_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="nested repeats"):
        require_cheap(pattern)
