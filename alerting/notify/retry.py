"""When to try again. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from alerting.notify.outcome import TryAgain
from fenghuo.backoff import Backoff

RETRY = Backoff(first=0.5, limit=60.0, jitter=0.5)
"""Alertmanager's schedule: half a second, doubled up to a minute."""

LONGEST_WAIT = 3600.0
"""A receiver may ask for patience, but not for more than an hour of it."""


def wait_before(attempt: int, outcome: TryAgain, backoff: Backoff = RETRY) -> float:
    """Seconds until the next try after `attempt` failures (1 is the first)."""
    return max(min(outcome.after, LONGEST_WAIT), backoff.delay(attempt - 1))


def retry_after(text: str, now: float) -> float:
    """The header `Retry-After` in seconds from `now`: a number or an HTTP date; 0 when it is neither.

    RFC 9110, section 10.2.3.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
