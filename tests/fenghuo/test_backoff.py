"""Delays grow, stay within their limit and differ by chance."""

from fenghuo.backoff import Backoff


def test_delays_double_up_to_the_limit() -> None:
    backoff = Backoff(first=1, limit=10, jitter=0)
    assert [backoff.delay(attempt) for attempt in range(6)] == [1, 2, 4, 8, 10, 10]


def test_chance_takes_away_at_most_the_jitter() -> None:
    backoff = Backoff(first=10, limit=10, jitter=0.2)
    assert backoff.delay(0, chance=0) == 10
    assert 8 < backoff.delay(0, chance=0.999) < 8.1
    assert 8 <= backoff.delay(0) <= 10


def test_a_very_late_attempt_does_not_overflow() -> None:
    assert Backoff(first=1, limit=60, jitter=0).delay(10**9) == 60
