"""The alert store: joined reports, nothing lost, and what is forgotten when."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.model.alert import Alert
from alerting.storage.alerts import ALERT_MIGRATIONS, KEPT_AFTER_END, RESOLVE_TIMEOUT, AlertStore, given_time
from alerting.storage.database import Database
from fenghuo.errors import StorageError
from fenghuo.testing import ManualClock

NOW = 1_700_000_000.0


def alert(name: str, starts_at: float = NOW, ends_at: float | None = None, updated_at: float = NOW) -> Alert:
    return Alert({"alertname": name}, {"summary": "s"}, starts_at, ends_at, updated_at, "http://g", offsets=(3600, 0))


async def open_store(folder: Path, clock: ManualClock, over: frozenset[str] = frozenset()) -> AlertStore:
    database = await Database.open(folder / "a.sqlite", ALERT_MIGRATIONS)
    return await AlertStore.open(database, clock, over)


def test_an_alert_is_on_the_disk_when_put_returns(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock(NOW)
        store = await open_store(tmp_path, clock)
        await store.put([alert("A"), alert("B")])
        again = await open_store(tmp_path, clock)
        assert {one.name for one in again.all()} == {"A", "B"}
        loaded = again.get(alert("A").fingerprint)
        assert loaded == alert("A")
        assert loaded is not None
        assert loaded.offsets == (3600, 0)

    asyncio.run(main())


def test_two_reports_of_one_alert_become_one(tmp_path: Path) -> None:
    async def main() -> None:
        store = await open_store(tmp_path, ManualClock(NOW))
        await store.put([alert("A", starts_at=NOW - 60)])
        await store.put([alert("A", starts_at=NOW - 10, updated_at=NOW + 1)])
        [joined] = store.all()
        assert joined.starts_at == NOW - 60

    asyncio.run(main())


def test_an_alert_without_a_time_of_news_is_news_of_now(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock(NOW)
        store = await open_store(tmp_path, clock)
        await store.put([alert("A", updated_at=0.0)])
        await clock.advance(5)
        await store.put([alert("A", updated_at=0.0, ends_at=NOW + 5)])
        [joined] = store.all()
        assert (joined.ends_at, joined.updated_at) == (NOW + 5, NOW + 5)

    asyncio.run(main())


def test_the_listener_hears_what_was_stored_joined_with_what_was_known(tmp_path: Path) -> None:
    async def main() -> None:
        store = await open_store(tmp_path, ManualClock(NOW))
        heard: list[Sequence[Alert]] = []
        store.listen(heard.append)
        await store.put([alert("A", starts_at=NOW - 60), alert("A", starts_at=NOW - 50)])
        await store.put([])
        assert [[one.starts_at for one in batch] for batch in heard] == [[NOW - 60]]

    asyncio.run(main())


def test_what_could_not_be_stored_is_not_told_and_can_be_put_again(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", ALERT_MIGRATIONS)
        store = await AlertStore.open(database, ManualClock(NOW))
        heard: list[Sequence[Alert]] = []
        store.listen(heard.append)
        await database.run(lambda connection: connection.execute("ALTER TABLE alerts RENAME TO away"))
        with pytest.raises(StorageError):
            await store.put([alert("A")])
        assert heard == []
        await database.run(lambda connection: connection.execute("ALTER TABLE away RENAME TO alerts"))
        await store.put([alert("A")])
        assert len(heard) == 1
        assert len((await AlertStore.open(database, ManualClock(NOW))).all()) == 1

    asyncio.run(main())


def test_an_alert_is_forgotten_a_while_after_its_end_unless_it_is_still_to_be_told(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock(NOW)
        store = await open_store(tmp_path, clock)
        await store.put([alert("Over", ends_at=NOW), alert("Untold", ends_at=NOW), alert("Fires")])
        held = {alert("Untold").fingerprint}
        await clock.advance(KEPT_AFTER_END - 1)
        assert await store.collect(held) == 0
        await clock.advance(1)
        assert await store.collect(held) == 1
        assert {one.name for one in store.all()} == {"Untold", "Fires"}
        assert {one.name for one in (await open_store(tmp_path, clock)).all()} == {"Untold", "Fires"}

    asyncio.run(main())


RAN_OUT = alert("A", ends_at=NOW - 10, updated_at=NOW - 300)


@pytest.mark.parametrize(
    ("before", "ends_at"),
    [
        (RAN_OUT, NOW + RESOLVE_TIMEOUT),
        (replace(RAN_OUT, updated_at=NOW - 10), NOW - 10),
        (replace(RAN_OUT, ends_at=NOW + 60), NOW + 60),
        (replace(RAN_OUT, ends_at=None), None),
    ],
)
def test_only_time_that_ran_out_unheard_is_given_again(before: Alert, ends_at: float | None) -> None:
    assert given_time(before, NOW).ends_at == ends_at


def test_time_is_not_given_to_an_alert_whose_end_was_told(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock(NOW)
        store = await open_store(tmp_path, clock)
        await store.put([RAN_OUT])
        assert (await open_store(tmp_path, clock)).all()[0].ends_at == NOW + RESOLVE_TIMEOUT
        told = await open_store(tmp_path, clock, frozenset({RAN_OUT.fingerprint}))
        assert told.all()[0].ends_at == NOW - 10

    asyncio.run(main())
