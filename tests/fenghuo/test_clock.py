"""Times are RFC 3339 on the outside and Unix seconds on the inside; the manual clock moves only when told."""

import asyncio

import pytest

from fenghuo.clock import SystemClock, from_rfc3339, rfc3339
from fenghuo.testing import ManualClock


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20.250Z",
        "2023-11-15T06:13:20.250+08:00",
        "2023-11-14T22:13:20.250000000Z",
        "2023-11-14T22:13:20.250",
    ],
)
def test_all_spellings_of_one_instant_are_the_same_seconds(text: str) -> None:
    assert from_rfc3339(text) == 1_700_000_000.25


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        from_rfc3339("yesterday")


def test_the_system_clock_tells_both_times_and_yields() -> None:
    clock = SystemClock()
    asyncio.run(clock.sleep(-1))
    assert clock.now() > 1_700_000_000
    assert clock.monotonic() <= clock.monotonic()


def test_sleepers_wake_in_the_order_of_their_times_and_see_that_time() -> None:
    async def scenario() -> list[tuple[str, float]]:
        clock = ManualClock(now=1000)
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper("late", 10))
            group.create_task(sleeper("early", 3))
            await clock.advance(20)
        return woken

    assert asyncio.run(scenario()) == [("early", 1003), ("late", 1010)]


def test_a_sleeper_may_sleep_again_within_one_advance() -> None:
    async def scenario() -> list[float]:
        clock = ManualClock(now=0)
        ticks: list[float] = []

        async def ticker() -> None:
            for _ in range(3):
                await clock.sleep(5)
                ticks.append(clock.now())

        task = asyncio.ensure_future(ticker())
        await clock.advance(16)
        await task
        return ticks

    assert asyncio.run(scenario()) == [5, 10, 15]


def test_a_step_moves_the_wall_clock_alone() -> None:
    clock = ManualClock(now=100)
    clock.step(-50)
    assert (clock.now(), clock.monotonic()) == (50, 0)
