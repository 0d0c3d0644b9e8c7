"""What every sink of log events promises, as tests. A subclass gives the sink and what it then holds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from log_pipeline.model.event import Event
from log_pipeline.model.outcome import Answer, Duplicate, Indexed
from log_pipeline.ports import Sink
from log_pipeline.testing import new_event


class Store(Protocol):
    """A place that sinks write to and that outlives them."""

    def sink(self) -> Sink:
        """A new sink on the same place, as after a restart."""
        ...

    async def messages(self) -> list[str]:
        """The messages of all that is stored, sorted."""
        ...


class SinkContract:
    """Derive a class `Test…` from it that has the fixture `store`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        raise NotImplementedError

    def play(self, store: Store, act: Callable[[Sink], Awaitable[None]]) -> None:
        """Open a sink, act, close it."""

        async def main() -> None:
            sink = store.sink()
            await sink.open()
            try:
                await act(sink)
            finally:
                await sink.close()

        asyncio.run(main())

    def test_each_event_is_stored_and_answered(self, store: Store) -> None:
        events = [new_event(number, f"line {number}") for number in range(50)]

        async def act(sink: Sink) -> None:
            assert await written(sink, events) == [Indexed()] * 50
            assert await store.messages() == sorted(event.message for event in events)

        self.play(store, act)

    def test_a_second_delivery_is_a_duplicate_and_changes_nothing(self, store: Store) -> None:
        first, second = new_event(1, "first"), new_event(2, "second")

        async def act(sink: Sink) -> None:
            await written(sink, [first])
            again = new_event(1, "the same id with another text")
            assert await written(sink, [again, second, again]) == [Duplicate(), Indexed(), Duplicate()]
            assert await store.messages() == ["first", "second"]

        self.play(store, act)

    def test_twins_in_one_batch_are_stored_once(self, store: Store) -> None:
        async def act(sink: Sink) -> None:
            assert await written(sink, [new_event(1, "twin"), new_event(1, "twin")]) == [Indexed(), Duplicate()]
            assert await store.messages() == ["twin"]

        self.play(store, act)

    def test_a_new_sink_knows_what_an_earlier_one_stored(self, store: Store) -> None:
        async def act(sink: Sink) -> None:
            await sink.open()  # a set-up that is there already is no error
            await written(sink, [new_event(1, "kept")])

        self.play(store, act)

        async def again(sink: Sink) -> None:
            assert await written(sink, [new_event(1, "kept")]) == [Duplicate()]

        self.play(store, again)

    def test_writes_at_once_do_not_disturb_one_another(self, store: Store) -> None:
        batches = [[new_event(10 * batch + one, f"{batch} {one}") for one in range(10)] for batch in range(8)]

        async def act(sink: Sink) -> None:
            answers = await asyncio.gather(*(written(sink, batch) for batch in batches))
            assert answers == [[Indexed()] * 10] * 8
            assert len(await store.messages()) == 80

        self.play(store, act)

    @pytest.mark.parametrize(
        "message", ["", "line\nfeed", "null \x00 byte", "«ünïcode» 火", '"quotes" \\ and {braces}']
    )
    def test_any_text_is_stored_as_it_is(self, store: Store, message: str) -> None:
        async def act(sink: Sink) -> None:
            assert await written(sink, [new_event(1, message)]) == [Indexed()]
            assert await store.messages() == [message]

        self.play(store, act)

    def test_an_event_that_cannot_be_stored_is_answered_and_its_neighbours_are_stored(self, store: Store) -> None:
        bad = new_event(1, "no time")
        bad.timestamp = "not a time"

        async def act(sink: Sink) -> None:
            answers = await written(sink, [new_event(0, "good"), bad, new_event(2, "good too")])
            assert (answers[0], answers[2]) == (Indexed(), Indexed())
            assert "good" in await store.messages()

        self.play(store, act)

    def test_nothing_to_write_is_no_error(self, store: Store) -> None:
        async def act(sink: Sink) -> None:
            assert await written(sink, []) == []

        self.play(store, act)


async def written(sink: Sink, events: Sequence[Event]) -> list[Answer]:
    return list(await sink.write(events))
