"""What the app itself keeps going."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

from alerting.app import HOUSEKEEPING, keep_house
from alerting.testing import MemoryNotifications
from fenghuo.testing import ManualClock


def test_the_housekeeper_outlives_a_surprise() -> None:
    class Alerts:
        calls = 0

        async def collect(self, held: Collection[str]) -> int:
            self.calls += 1
            raise KeyError("nobody thought of this")

    class Teller:
        def current(self) -> Any:
            return self

        dispatcher = property(lambda self: self)

        def held(self) -> set[str]:
            return set()

    async def main() -> int:
        clock, alerts = ManualClock(1_700_000_000.0), Alerts()
        keeping = asyncio.ensure_future(
            keep_house(cast("Any", alerts), cast("Any", MemoryNotifications()), cast("Any", Teller()), clock)
        )
        await clock.advance(3 * HOUSEKEEPING)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return alerts.calls

    assert asyncio.run(main()) == 3
