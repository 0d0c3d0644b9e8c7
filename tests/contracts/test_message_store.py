"""What every MessageStore keeps, fake and real."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from alerting.notify.ports import KeptMessage, MessageStore
from alerting.storage.database import Database
from alerting.storage.messages import MESSAGE_MIGRATIONS, MESSAGES_KEPT, SqliteMessages
from alerting.testing import MemoryMessages
from tests.alerting.notify.builders import START, firing, notification

Story = Callable[[MessageStore], Awaitable[None]]


def message(serial: int) -> KeptMessage:
    told = notification(firing("A", "It burns"))
    return KeptMessage(START + serial, "team", "firing", f"title {serial}", "text", told, serial)


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story on a fresh store of each kind."""

    async def on_sqlite(story: Story) -> None:
        database = await Database.open(tmp_path / "a.sqlite", MESSAGE_MIGRATIONS)
        await story(await SqliteMessages.open(database))
        await database.close()

    async def on_memory(story: Story) -> None:
        await story(MemoryMessages())

    run = on_sqlite if request.param == "sqlite" else on_memory
    return lambda story: asyncio.run(run(story))


def test_messages_come_back_newest_first_and_no_more_than_asked_for(play: Callable[[Story], None]) -> None:
    async def story(store: MessageStore) -> None:
        for serial in (1, 2, 3):
            assert await store.keep(message(serial))
        assert [(kept.id, kept.title) for kept in store.newest(2)] == [(3, "title 3"), (2, "title 2")]
        assert len(store.newest(50)) == 3

    play(story)


def test_a_serial_is_kept_once(play: Callable[[Story], None]) -> None:
    async def story(store: MessageStore) -> None:
        assert await store.keep(message(1))
        assert not await store.keep(message(1))
        assert len(store.newest(50)) == 1

    play(story)


def test_sqlite_keeps_the_last_thousand_also_over_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", MESSAGE_MIGRATIONS)
        store = await SqliteMessages.open(database)
        await asyncio.gather(*(store.keep(message(serial)) for serial in range(1, MESSAGES_KEPT + 6)))
        before = store.newest(5000)
        await database.close()
        database = await Database.open(tmp_path / "a.sqlite", MESSAGE_MIGRATIONS)
        again = (await SqliteMessages.open(database)).newest(5000)
        assert again == before
        assert (len(again), again[-1].serial) == (MESSAGES_KEPT, 6)
        await database.close()

    asyncio.run(main())
