"""When the next try is."""

import pytest

from alerting.notify.outcome import FailReason, TryAgain
from alerting.notify.retry import LONGEST_WAIT, retry_after, wait_before
from fenghuo.backoff import Backoff

STEADY = Backoff(first=1.0, limit=60.0, jitter=0.0)


@pytest.mark.parametrize(
    ("attempt", "after", "seconds"),
    [(1, 0, 1), (2, 0, 2), (7, 0, 60), (1, 30, 30), (7, 30, 60), (1, 1e9, LONGEST_WAIT)],
)
def test_the_wait_is_the_longer_of_ours_and_theirs(attempt: int, after: float, seconds: float) -> None:
    assert wait_before(attempt, TryAgain(FailReason.OTHER, "", after), STEADY) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 59),
        ("Fri, 31 Dec 1999 23:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-3", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float) -> None:
    assert retry_after(text, now=946_684_740.0) == seconds
