"""Time as an argument: the one place that reads the machine's clock.

Everything that decides takes `now` (Unix seconds) as a parameter; everything that waits takes a
`Clock`. Tests use `fenghuo.testing.ManualClock`, which moves only when told to.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the product may ask of time."""

    def now(self) -> float:
        """Unix seconds, UTC. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back, does not count suspended time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only yields to the event loop."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio  # here, because a node agent reads the time without an event loop

        await asyncio.sleep(max(0.0, seconds))


def rfc3339(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds: `2026-11-21T09:30:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> float:
    """RFC 3339 to Unix seconds; a time without a zone is UTC, nanoseconds are cut to microseconds.

    Raises ValueError when the text is no RFC 3339 time.
    """
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
