"""Waiting for what a real server will say sooner or later: poll, with a deadline and a reason."""

import threading
from collections.abc import Callable
from typing import TypeVar

from fenghuo.clock import SystemClock

T = TypeVar("T")

_CLOCK = SystemClock()
_NEVER = threading.Event()


def wait_until(check: Callable[[], T], what: str, within: float = 30.0, every: float = 0.1) -> T:
    """Call `check` until it returns something true, and return that.

    Raises TimeoutError that names `what` was waited for and the last answer; what `check` raises passes through.
    """
    deadline = _CLOCK.monotonic() + within
    while not (answer := check()):
        if _CLOCK.monotonic() > deadline:
            raise TimeoutError(f"waited {within:g} s for {what}; last seen: {answer!r}")
        _NEVER.wait(every)
    return answer
