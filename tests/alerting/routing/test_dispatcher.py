"""The dispatcher's times, by a clock that moves when told."""

import asyncio
from collections.abc import Awaitable, Callable

from alerting.model.alert import Alert
from alerting.routing.dispatcher import Dispatcher
from alerting.routing.grouping import Flush
from alerting.routing.tree import RouteConfig, build_tree
from fenghuo.testing import ManualClock

START = 1_700_000_000.0

Story = Callable[[Dispatcher, ManualClock, "Flushes"], Awaitable[None]]


class Flushes:
    """Keeps (seconds since the start, group key, alert names) of each flush, and answers `well`."""

    def __init__(self, clock: ManualClock) -> None:
        self.seen: list[tuple[float, str, list[str]]] = []
        self.well = True
        self._clock = clock

    async def __call__(self, flush: Flush) -> bool:
        names = [alert.name for alert in flush.alerts]
        self.seen.append((self._clock.now() - START, flush.group_key, names))
        return self.well


def play(story: Story) -> list[tuple[float, str, list[str]]]:
    """Run the story on group_wait 10 s and group_interval 60 s, grouped by team; the flushes it led to."""

    async def main() -> list[tuple[float, str, list[str]]]:
        clock = ManualClock(START)
        flushes = Flushes(clock)
        route = RouteConfig(receiver="r", group_by=("team",), group_wait=10.0, group_interval=60.0)
        dispatcher = Dispatcher(build_tree(route), flushes, clock)
        dispatcher.start()
        await story(dispatcher, clock, flushes)
        await dispatcher.close()
        return flushes.seen

    return asyncio.run(main())


def alert(name: str, at: float = 0.0, ends_at: float | None = None, team: str = "a") -> Alert:
    end = None if ends_at is None else START + ends_at
    return Alert({"alertname": name, "team": team}, {}, starts_at=START + at, ends_at=end, updated_at=START + at)


KEY = '{}:{team="a"}'


def test_a_group_waits_and_then_ticks() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A")])
        await clock.advance(75)

    assert play(story) == [(10.0, KEY, ["A"]), (70.0, KEY, ["A"])]


def test_a_new_alert_of_an_old_group_waits_for_the_tick() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A")])
        await clock.advance(11)
        dispatcher.ingest([alert("B", at=11)])
        await clock.advance(60)

    assert play(story) == [(10.0, KEY, ["A"]), (70.0, KEY, ["A", "B"])]


def test_an_alert_older_than_the_wait_is_told_at_once() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A")])
        await clock.advance(3)
        dispatcher.ingest([alert("Old", at=-100)])
        await clock.advance(1)

    assert play(story) == [(3.0, KEY, ["A", "Old"])]


def test_a_resolved_alert_leaves_after_a_flush_that_went_well() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A"), alert("B", ends_at=5)])
        await clock.advance(75)

    assert play(story) == [(10.0, KEY, ["A", "B"]), (70.0, KEY, ["A"])]


def test_a_resolved_alert_stays_after_a_flush_that_failed() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, flushes: Flushes) -> None:
        flushes.well = False
        dispatcher.ingest([alert("A", ends_at=5)])
        await clock.advance(11)
        flushes.well = True
        await clock.advance(120)

    assert play(story) == [(10.0, KEY, ["A"]), (70.0, KEY, ["A"])]


def test_an_empty_group_ends_and_a_new_one_waits_again() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A", ends_at=5)])
        await clock.advance(20)
        assert dispatcher.groups() == []
        dispatcher.ingest([alert("A", at=20)])
        await clock.advance(11)

    assert play(story) == [(10.0, KEY, ["A"]), (30.0, KEY, ["A"])]


def test_an_alert_that_nobody_repeats_is_over_at_its_end() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, flushes: Flushes) -> None:
        dispatcher.ingest([alert("A", ends_at=40)])
        await clock.advance(71)
        assert dispatcher.groups() == []

    assert [time for time, _, _ in play(story)] == [10.0, 70.0]


def test_groups_keep_their_own_time() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        dispatcher.ingest([alert("A")])
        await clock.advance(4)
        dispatcher.ingest([alert("B", at=4, team="b")])
        await clock.advance(11)

    assert play(story) == [(10.0, KEY, ["A"]), (14.0, '{}:{team="b"}', ["B"])]


def test_a_flush_that_breaks_does_not_stop_the_next() -> None:
    async def main() -> int:
        clock = ManualClock(START)
        calls: list[float] = []

        async def broken(flush: Flush) -> bool:
            calls.append(flush.now)
            raise RuntimeError("a surprise")

        route = RouteConfig(receiver="r", group_wait=0.0, group_interval=5.0)
        dispatcher = Dispatcher(build_tree(route), broken, clock)
        dispatcher.start()
        dispatcher.ingest([alert("A")])
        await clock.advance(12)
        await dispatcher.close()
        return len(calls)

    assert asyncio.run(main()) == 3


def test_an_alert_held_by_a_group_is_still_to_be_told() -> None:
    async def story(dispatcher: Dispatcher, clock: ManualClock, _: Flushes) -> None:
        over = alert("A", ends_at=1)
        dispatcher.ingest([over])
        assert dispatcher.held() == {over.fingerprint}
        await clock.advance(11)
        assert dispatcher.held() == set()

    play(story)


def test_a_flush_on_its_way_may_end_when_the_dispatcher_is_closed() -> None:
    async def main() -> list[str]:
        clock, stored, opened = ManualClock(START), list[str](), asyncio.Event()

        async def store(flush: Flush) -> bool:
            await opened.wait()
            stored.append(flush.group_key)
            return True

        dispatcher = Dispatcher(build_tree(RouteConfig(receiver="r", group_wait=0.0)), store, clock)
        dispatcher.start()
        dispatcher.ingest([alert("A")])
        await clock.advance(1)
        closing = asyncio.ensure_future(dispatcher.close())
        await asyncio.sleep(0)
        opened.set()
        await closing
        return stored

    assert asyncio.run(main()) == ["{}:{}"]
