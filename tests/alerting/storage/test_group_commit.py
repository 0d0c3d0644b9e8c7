"""Writes that come together share one transaction, and each caller learns how it ended."""

import asyncio
import functools
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.storage.database import Database, Migration, T
from alerting.storage.group_commit import GroupCommit
from fenghuo.errors import StorageError

MIGRATIONS = [Migration("t", 1, "CREATE TABLE t (n INTEGER PRIMARY KEY);")]


def insert(number: int) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (?)", (number,))

    return work


async def numbers(database: Database) -> list[int]:
    rows = await database.run(lambda connection: connection.execute("SELECT n FROM t ORDER BY rowid").fetchall())
    return [row["n"] for row in rows]


class CountingDatabase(Database):
    """Counts its transactions."""

    transactions = 0

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self.transactions += 1
        return await super().run(work)


def test_what_comes_while_a_transaction_runs_goes_into_the_next_one(tmp_path: Path) -> None:
    async def main() -> None:
        database = await CountingDatabase.open(tmp_path / "a.sqlite", MIGRATIONS)
        commits = GroupCommit(database)
        first = asyncio.ensure_future(commits.write(insert(0)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.gather(first, *(commits.write(insert(number)) for number in range(1, 100)))
        assert database.transactions == 2
        assert await numbers(database) == list(range(100))
        await database.close()

    asyncio.run(main())


def test_memory_follows_in_the_order_of_the_commits(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", MIGRATIONS)
        commits = GroupCommit(database)
        memory: list[int] = []
        await asyncio.gather(
            *(commits.write(insert(number), functools.partial(memory.append, number)) for number in range(10))
        )
        assert memory == list(range(10))
        await database.close()

    asyncio.run(main())


def test_a_caller_that_gives_up_does_not_take_its_write_back(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", MIGRATIONS)
        commits = GroupCommit(database)
        memory: list[int] = []
        impatient = asyncio.ensure_future(commits.write(insert(1), lambda: memory.append(1)))
        await asyncio.sleep(0)
        impatient.cancel()
        await commits.write(insert(2))
        assert await numbers(database) == [1, 2]
        assert memory == [1]
        await database.close()

    asyncio.run(main())


def test_a_failed_transaction_fails_for_all_who_shared_it_and_for_nobody_after(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", MIGRATIONS)
        commits = GroupCommit(database)
        await commits.write(insert(1))
        first = asyncio.ensure_future(commits.write(insert(2)))
        await asyncio.sleep(0)
        results = await asyncio.gather(commits.write(insert(3)), commits.write(insert(1)), return_exceptions=True)
        await first
        assert [type(result) for result in results] == [StorageError, StorageError]
        await commits.write(insert(4))
        assert await numbers(database) == [1, 2, 4]
        with pytest.raises(StorageError, match=r"a\.sqlite"):
            await commits.write(insert(4))
        await database.close()

    asyncio.run(main())


def test_a_follow_up_that_fails_is_its_callers_and_stops_no_later_write(tmp_path: Path) -> None:
    async def main() -> None:
        database = await Database.open(tmp_path / "a.sqlite", MIGRATIONS)
        commits = GroupCommit(database)

        def fail() -> None:
            raise KeyError("a listener's mistake")

        with pytest.raises(KeyError):
            await asyncio.wait_for(commits.write(insert(1), fail), 5)
        await asyncio.wait_for(commits.write(insert(2)), 5)
        assert await numbers(database) == [1, 2]
        await database.close()

    asyncio.run(main())
