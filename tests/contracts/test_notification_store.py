"""What every NotificationStore keeps: the log and the outbox, fake and real."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.notify.dedup import LogEntry
from alerting.notify.ports import Failure, NotificationStore, Slot
from alerting.storage.database import Database
from alerting.storage.notifications import NOTIFICATION_MIGRATIONS, SqliteNotifications
from alerting.testing import MemoryNotifications
from tests.alerting.notify.builders import START, firing, notification, resolved

SLOT = Slot('{}:{alertname="A"}', "team/webhook/0")
OTHER = Slot('{}:{alertname="A"}', "team/webhook/1")
MESSAGE = replace(
    notification(replace(firing("A", "It burns \N{FIRE}", zone="z"), offsets=(3600, 0)), resolved("B")), patience=77.0
)
ENTRY = LogEntry(frozenset({"a", "b"}), frozenset({"c"}), at=START, expires_at=START + 100)

Story = Callable[[NotificationStore], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story on a fresh store of each kind."""

    async def on_sqlite(story: Story) -> None:
        database = await Database.open(tmp_path / "a.sqlite", NOTIFICATION_MIGRATIONS)
        await story(await SqliteNotifications.open(database))
        await database.close()

    async def on_memory(story: Story) -> None:
        await story(MemoryNotifications())

    run = on_sqlite if request.param == "sqlite" else on_memory
    return lambda story: asyncio.run(run(story))


def test_a_fresh_store_knows_nothing(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        assert store.entry(SLOT) is None
        assert store.pending(SLOT) is None
        assert list(store.all_pending()) == []

    play(story)


def test_what_is_put_is_pending_until_it_is_settled(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        pending = await store.put(SLOT, MESSAGE)
        assert (pending.slot, pending.notification) == (SLOT, MESSAGE)
        assert store.pending(SLOT) == pending
        await store.settle(SLOT, ENTRY, pending.serial)
        assert store.pending(SLOT) is None
        assert store.entry(SLOT) == ENTRY

    play(story)


def test_the_newest_takes_the_place_of_the_one_before(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        first = await store.put(SLOT, MESSAGE)
        second = await store.put(SLOT, replace(MESSAGE, reason="new"))
        assert second.serial > first.serial
        assert list(store.all_pending()) == [second]

    play(story)


def test_the_answer_to_an_old_message_leaves_the_newer_one_waiting(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        first = await store.put(SLOT, MESSAGE)
        second = await store.put(SLOT, MESSAGE)
        await store.settle(SLOT, ENTRY, first.serial)
        assert store.pending(SLOT) == second
        assert store.entry(SLOT) == ENTRY

    play(story)


def test_slots_do_not_touch_one_another(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        first = await store.put(SLOT, MESSAGE)
        second = await store.put(OTHER, MESSAGE)
        assert list(store.all_pending()) == [first, second]
        await store.settle(OTHER, ENTRY, second.serial)
        assert list(store.all_pending()) == [first]
        assert store.entry(SLOT) is None

    play(story)


def test_a_serial_is_never_given_twice(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        first = await store.put(SLOT, MESSAGE)
        await store.settle(SLOT, ENTRY, first.serial)
        assert (await store.put(SLOT, MESSAGE)).serial > first.serial

    play(story)


def test_entries_are_forgotten_when_their_time_has_come(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        await store.settle(SLOT, ENTRY, 0)
        await store.settle(OTHER, replace(ENTRY, expires_at=START + 200), 0)
        assert await store.collect(START + 99) == 0
        assert await store.collect(START + 100) == 1
        assert store.entry(SLOT) is None
        assert store.entry(OTHER) is not None

    play(story)


def test_writers_at_the_same_time_all_get_what_they_asked_for(play: Callable[[Story], None]) -> None:
    async def story(store: NotificationStore) -> None:
        slots = [Slot(str(number), "team/webhook/0") for number in range(50)]
        pending = await asyncio.gather(*(store.put(slot, MESSAGE) for slot in slots))
        assert [one.slot for one in pending] == slots
        assert len({one.serial for one in pending}) == 50
        assert len(store.all_pending()) == 50

    play(story)


def test_sqlite_remembers_all_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", NOTIFICATION_MIGRATIONS)
        store = await SqliteNotifications.open(database)
        failure = Failure(7, OTHER, START, "clientError", "answered 400")
        old = await store.put(SLOT, MESSAGE)
        pending = await store.put(SLOT, MESSAGE)
        await store.settle(SLOT, ENTRY, old.serial)
        await store.settle(OTHER, replace(ENTRY, refused=True), 7, failure)
        await database.close()
        database = await Database.open(tmp_path / "a.sqlite", NOTIFICATION_MIGRATIONS)
        again = await SqliteNotifications.open(database)
        assert again.pending(SLOT) == pending
        assert pending.notification.alerts[0].offsets == again.all_pending()[0].notification.alerts[0].offsets
        assert again.entry(OTHER) == replace(ENTRY, refused=True)
        assert await again.failures() == [failure]
        assert again.entry(SLOT) == ENTRY
        assert again.told_over() == {"c", resolved("B").fingerprint}
        assert (await again.put(OTHER, MESSAGE)).serial > pending.serial
        await database.close()

    asyncio.run(main())
