"""What every source of log events promises, as tests. A subclass gives the world in which its source lives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from log_pipeline.model.event import Event, Malformed
from log_pipeline.model.position import Partition
from log_pipeline.ports import Source

PATIENCE = 60
"""Reads of half a second until what was written must have come."""


class World(Protocol):
    """Where lines are written and sources are opened; it outlives its sources."""

    def write(self, *messages: str) -> None:
        """Append lines."""
        ...

    def source(self) -> Source:
        """A new source over the same lines, as after a restart."""
        ...


async def nothing_in_flight(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    """A Release for tests in which nothing is pending."""
    return {}


async def read(source: Source, count: int) -> list[Event]:
    """Read until there are `count` events."""
    records: list[Event | Malformed] = []
    for _ in range(PATIENCE):
        if len(records) >= count:
            break
        records += await source.read(100, 0.5)
    assert len(records) == count, [str(record.position) for record in records]
    return [record for record in records if isinstance(record, Event)]


def everything(events: Sequence[Event]) -> dict[Partition, int]:
    """The offsets with which all these events are dealt with."""
    return {event.position.partition: event.position.next for event in events}


class SourceContract:
    """Derive a class `Test…` from it that has the fixture `world`."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        raise NotImplementedError

    def play(self, world: World, act: Callable[[Source], Awaitable[list[Event]]]) -> list[Event]:
        """Open a source, act, close it."""

        async def main() -> list[Event]:
            source = world.source()
            await source.open(nothing_in_flight)
            try:
                return await act(source)
            finally:
                await source.close()

        return asyncio.run(main())

    def test_each_record_is_given_once_and_in_the_order_of_its_partition(self, world: World) -> None:
        world.write(*(f"line {number}" for number in range(20)))

        async def act(source: Source) -> list[Event]:
            events = await read(source, 20)
            assert await source.read(100, 0.3) == []
            return events

        events = self.play(world, act)
        assert sorted(event.message for event in events) == sorted(f"line {number}" for number in range(20))
        places = dict.fromkeys(everything(events), -1)
        for event in events:
            partition, offset, following = event.position
            assert places[partition] <= offset < following
            places[partition] = following

    def test_after_a_commit_a_new_source_goes_on_behind_it(self, world: World) -> None:
        world.write("one", "two", "three")

        async def commit(source: Source) -> list[Event]:
            events = await read(source, 3)
            await source.commit(everything(events))
            return events

        self.play(world, commit)
        world.write("four")
        assert [event.message for event in self.play(world, lambda source: read(source, 1))] == ["four"]

    def test_without_a_commit_everything_comes_again_under_the_same_ids(self, world: World) -> None:
        world.write("one", "two", "three")
        first = self.play(world, lambda source: read(source, 3))
        second = self.play(world, lambda source: read(source, 3))
        assert {event.id: event.message for event in second} == {event.id: event.message for event in first}
        assert len({event.id for event in first}) == 3

    def test_while_paused_it_gives_nothing_and_afterwards_everything(self, world: World) -> None:
        world.write("one")

        async def act(source: Source) -> list[Event]:
            before = await read(source, 1)
            source.pause()
            source.pause()
            world.write("two", "three")
            assert await source.read(100, 0.5) == []
            assert await source.read(100, 0.5) == []
            source.resume()
            source.resume()
            return before + await read(source, 2)

        assert sorted(event.message for event in self.play(world, act)) == ["one", "three", "two"]

    def test_a_read_gives_no_more_than_was_asked_for(self, world: World) -> None:
        world.write(*(f"line {number}" for number in range(10)))

        async def act(source: Source) -> list[Event]:
            few: Sequence[Event | Malformed] = []
            for _ in range(PATIENCE):
                few = few or await source.read(3, 0.5)
            assert 0 < len(few) <= 3
            return [record for record in few if isinstance(record, Event)]

        self.play(world, act)

    def test_an_offset_of_a_partition_that_is_not_held_is_ignored(self, world: World) -> None:
        world.write("one")

        async def act(source: Source) -> list[Event]:
            events = await read(source, 1)
            await source.commit({Partition("nowhere", "7"): 5})
            return events

        assert len(self.play(world, act)) == 1
